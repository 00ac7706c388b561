"""Where the command `feedserver` begins."""

from collections.abc import Sequence

from publisher.start import start


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    return start("feedserver", "feedserver.commands.program", words)
