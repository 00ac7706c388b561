"""Where the command `publisher` begins: Ctrl-C ends it quietly even while its modules load."""

import sys

try:
    from publisher.commands.program import main
except KeyboardInterrupt:
    sys.exit(130)  # as shells count a command that Ctrl-C ended

__all__ = ["main"]
