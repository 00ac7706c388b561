"""`feedserver backup`: data and keys into another folder, beside a running server."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from feedserver.commands.folder import add_data, settings_of
from feedserver.commands.progress import shown_progress
from feedserver.live.hub import now_millis
from feedserver.sqlite.backup import back_up
from publisher.command_line import Command
from publisher.output import Screen


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "folder", metavar="DIR", help="where it goes: new, empty, or the last backup's"
    )
    add_data(parser)


def _run(args: Namespace, screen: Screen) -> None:
    target = Path(args.folder)
    with shown_progress(quiet=screen.as_json) as progress:
        made = back_up(settings_of(args).data, target, now_millis(), progress)
    screen.give(made.to_json() | {"folder": str(target.resolve())})
    screen.say(
        f"backed up to {target}: {made.items} items in {made.feeds} feeds, up to record "
        f"{made.newest}"
    )


COMMAND = Command(
    "DIR",
    _add_arguments,
    _run,
    ("feedserver backup /var/backups/feedserver",),
)
