"""Where the command `publisher` begins: Ctrl-C is a quiet end even while its modules load."""

import sys

try:
    from publisher.command_line import main, parser_for
except KeyboardInterrupt:
    sys.exit(130)  # as shells count a command that Ctrl-C ended

__all__ = ["main", "parser_for"]
