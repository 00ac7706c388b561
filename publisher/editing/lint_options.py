"""The options of the check before publishing."""

from __future__ import annotations

from argparse import ArgumentParser

STRICT = "asked"  # refused for what a person would be asked about
STRICT_ALL = "all"  # refused for anything


def add_linting(parser: ArgumentParser) -> None:
    """Add what decides how the check before publishing is heard."""
    group = parser.add_argument_group("the check before publishing")
    kinds = group.add_mutually_exclusive_group()
    kinds.add_argument(
        "--strict", action="store_const", const=STRICT,
        help="do not send with a number that the text contradicts, or a headline of minutes ago",
    )  # fmt: skip
    kinds.add_argument(
        "--strict=all", dest="strict", action="store_const", const=STRICT_ALL,
        help="do not send with any warning",
    )  # fmt: skip
    kinds.add_argument(
        "--no-lint", action="store_true", help="do not ask first; warnings come after it is done"
    )
