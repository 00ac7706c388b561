"""How both programs start: by the shortest way to what was asked for.

A shell waits for `--version` and for each Tab, so that these load next to nothing.
"""

import os
import sys
from collections.abc import Sequence

from feedserver import __version__


def start(name: str, module: str, words: Sequence[str] | None = None) -> int:
    """Run the program whose PROGRAM is in a module, and return its exit code.

    Ctrl-C ends it quietly even while its modules load.
    """
    try:
        if "_ARGCOMPLETE" in os.environ and "COMP_LINE" in os.environ:
            import gc

            gc.disable()  # the process ends before that would pay
            from publisher.completion.answer import answer

            answer(name, module)
        if list(sys.argv[1:] if words is None else words) == ["--version"] and _say_version(name):
            return 0
        from importlib import import_module

        main = import_module(module).main
    except KeyboardInterrupt:
        return 130  # as shells count a command that Ctrl-C ended
    return int(main(words))


def _say_version(name: str) -> bool:
    """Print the version; False where that fails, so that the program does it and says why."""
    if sys.stdout is None:
        return False
    try:
        # Past the buffer, where a text that cannot be written would stay and be tried again.
        os.write(sys.stdout.fileno(), f"{name} {__version__}\n".encode())
    except OSError:
        return False
    return True
