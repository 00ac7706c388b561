"""`feedserver migrate`: take over a folder of the former format. Nobody else may be in it."""

from argparse import ArgumentParser, Namespace

from feedserver.commands.folder import add_data, settings_of
from feedserver.commands.progress import shown_progress
from feedserver.sqlite.migration import migrate
from publisher.command_line import Command
from publisher.output import Screen

_MIB = 2**20


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--keep",
        action="store_true",
        help="keep the old file as feed.db.v1, with all words in plain; else it is overwritten",
    )
    add_data(parser)


def _run(args: Namespace, screen: Screen) -> None:
    folder = settings_of(args).data
    with shown_progress(quiet=screen.as_json) as progress:
        done = migrate(folder, keeps=args.keep, progress=progress)
    if done is None:
        screen.give({"migrated": False})
        screen.say(f"{folder} is of today's format already")
        return
    kept = str(done.kept) if done.kept else None
    screen.give(
        {"migrated": True, "records": done.records, "items": done.items, "bytes": done.after}
        | ({"kept": kept} if kept else {})
    )
    screen.say(
        f"migrated {folder}: {done.items} items, {done.records} records, "
        f"{-(-done.after // _MIB)} MiB"
    )
    if kept:
        screen.notice(f"{kept} holds every word in plain: remove it once you don't need it")


COMMAND = Command(
    "[--keep]",
    _add_arguments,
    _run,
    ("feedserver migrate --data /var/lib/feedserver",),
)
