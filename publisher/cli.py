"""Where the command `publisher` begins."""

from collections.abc import Sequence

from publisher.start import start


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    return start("publisher", "publisher.commands.program", words)
