"""`feedserver restore`: a backup takes the place of what is there, under a running server too."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sized
from pathlib import Path
from typing import Any

from feedserver.commands.folder import add_data, settings_of
from feedserver.commands.progress import shown_progress
from feedserver.errors import BadSetting, FeedError
from feedserver.live.hub import now_millis
from feedserver.sqlite.restoring import Restored, look_at, restore
from feedserver.wire import time_text
from publisher.command_line import Command
from publisher.output import Screen


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="a folder that backup has made")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--to-keys",
        action="store_true",
        help="where the keys are older than the data: end at the last record whose key is there",
    )
    add_data(parser)


def _run(args: Namespace, screen: Screen) -> None:
    data, folder = settings_of(args).data, Path(args.folder)
    found = look_at(data, folder, to_keys=args.to_keys)
    if found is not None and not args.yes:
        question = (
            f"replace what is in {data} by {found.items} items in {found.feeds} feeds, up to "
            f"record {found.last}?"
        )
        answer = screen.ask(question)
        if answer is None:
            raise BadSetting("nobody can be asked here: say --yes to replace what is there")
        if not answer:
            raise FeedError("nothing was changed")
    with shown_progress(quiet=screen.as_json) as progress:
        restored = restore(
            data,
            folder,
            to_keys=args.to_keys,
            now=now_millis(),
            progress=progress,
            looked_at=found,
        )
    screen.give(_result(restored))
    _tell(restored, screen)


def _tell(restored: Restored, screen: Screen) -> None:
    staged = restored.staged
    redone = staged.redone
    screen.say(
        f"restored {restored.source}: {staged.items} items in {staged.feeds} feeds; the next "
        f"record is {staged.following}"
    )
    if redone.killed:
        screen.say(f"withdrawn again: {_count(redone.killed, 'item')}")
    if redone.redacted:
        screen.say(
            f"redacted again: {_count(redone.redacted, 'item')}; feedserver check names those that "
            "show an earlier text and are held"
        )
    if redone.feeds:
        screen.say(f"redacted again: {', '.join(redone.feeds)}")
    if redone.revoked:
        screen.say(f"revoked again: {', '.join(redone.revoked)}")
    if staged.good_again:
        screen.say(
            f"tokens that are good, and were not before: {', '.join(staged.good_again)}; "
            "feedserver token revoke ends one"
        )
    if staged.lost:
        screen.say(f"lost with their keys: {_count(staged.lost, 'record')}:")
    for one in staged.lost:
        where = f" of item {one['item']}" if one["item"] else ""
        by = f" by {one['editor']}" if one["editor"] else ""
        screen.say(
            f"  {one['sequence']} {one['act']}{where} in {one['feed'] or 'tokens'}{by} at "
            f"{time_text(one['at'])}"
        )
    if restored.before is not None:
        screen.say(f"what was there is in {restored.before}")


def _count(found: Sized, noun: str) -> str:
    return f"{len(found)} {noun}{'' if len(found) == 1 else 's'}"


def _result(restored: Restored) -> dict[str, Any]:
    staged = restored.staged
    lost = [one | {"at": time_text(one["at"])} for one in staged.lost]
    return staged.to_json() | {
        "lost": lost,
        "source": str(restored.source),
        "before": str(restored.before) if restored.before else None,
    }


COMMAND = Command(
    "DIR [--yes] [--to-keys]",
    _add_arguments,
    _run,
    ("feedserver restore /var/backups/feedserver --data /var/lib/feedserver",),
)
