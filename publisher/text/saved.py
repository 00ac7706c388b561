"""A text that was typed, in a file until the server has it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp

from publisher.failures import Misused, as_failure
from publisher.text.files import state_folder, write_private


@dataclass(slots=True)
class SavedText:
    """The file of a text. `ours` is removed once the server has it; a file of the editor stays."""

    path: Path | None = None
    ours: bool = False

    def save(self, content: str | bytes) -> Path:
        """Write the text to a private file, the same one each time. Raises Misused.

        Where no folder of the user's own can be written, it is one of the system's for a while.
        """
        data = content if isinstance(content, bytes) else content.encode()
        try:
            self.path = self._write(data)
        except OSError as fault:
            raise Misused(f"the text cannot be saved: {fault.strerror}", see_help=False) from None
        self.ours = True
        return self.path

    def try_to_save(self, content: str | bytes) -> None:
        """Save a text that could as well be sent without that; where it fails, it is not saved."""
        with suppress(Misused):
            self.save(content)

    def _write(self, data: bytes) -> Path:
        if self.ours and self.path is not None:
            write_private(self.path, data)
            return self.path
        name = f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}.txt"
        try:
            path = state_folder() / "texts" / name
            write_private(path, data)
        except OSError:
            path = Path(mkdtemp(prefix="publisher-")) / name
            write_private(path, data)
        return path

    def remove(self) -> None:
        """Remove the file: nothing in it is needed any more."""
        if self.ours and self.path is not None:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
        self.path, self.ours = None, False


@contextmanager
def saving_text() -> Iterator[SavedText]:
    """Yield a text to save. A failure names its file, success removes it."""
    saved = SavedText()
    try:
        yield saved
    except BrokenPipeError:
        raise  # only the result was not read to its end
    except (Exception, KeyboardInterrupt) as fault:
        failure = as_failure(fault)
        if saved.ours:
            failure.add(f"Your text is saved in {saved.path}", saved=str(saved.path))
        raise failure from None
    saved.remove()
