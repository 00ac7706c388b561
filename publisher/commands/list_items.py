"""`publisher list`: what is in the feed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feedserver.model import Status
from publisher.command_line import Command
from publisher.editing.call import Call
from publisher.editing.finding import find_items
from publisher.editing.looking import note_listed
from publisher.editing.options import TIME_EXAMPLE, add_common, count
from publisher.editing.times import take_zone
from publisher.output import clean_line, fit
from publisher.parser import Parser
from publisher.text.items import local_time, marks

if TYPE_CHECKING:
    from feedserver.wire import Json


def _add_arguments(parser: Parser) -> None:
    group = parser.add_argument_group("which items")
    group.add_argument("--limit", metavar="N", type=count, help="how many (20)")
    group.add_argument("--all", action="store_true", help="all there are")
    group.add_argument("--tag", help="those with this tag")
    group.add_argument("--search", metavar="WORDS", help="those with these words")
    group.add_argument("--held", action="store_true", help="those that are being checked")
    group.add_argument("--pinned", action="store_true", help="those that are kept on top")
    group.add_argument("--corrected", action="store_true", help="those with a correction")
    group.add_argument(
        "--mine", action="store_true", help="those that you posted or changed from this machine"
    )
    group.add_argument(
        "--since", metavar="TIME", help=f"those that were published since then, {TIME_EXAMPLE}"
    )
    add_common(parser)


def _run(call: Call) -> None:
    with call.reader() as client:
        found = find_items(call, client)
    page = found.page
    if page.get("feed"):
        take_zone(call, page["feed"])
    note_listed(call, page["items"])
    call.screen.give(page)
    _say(call, page["items"])
    if found.looked_at:
        call.screen.notice(
            f"of the newest {found.looked_at} items, which were looked at; --all looks at all"
        )
    elif not page["items"]:
        call.screen.notice("there is nothing here")
    elif found.more:
        call.screen.notice("there is more: --all, or a larger --limit")


def _say(call: Call, items: list[Json]) -> None:
    rows = [
        (str(item["id"]), local_time(item.get("published_at"), call.zone), marks(item), item)
        for item in items
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    columns = call.screen.columns()
    for number, at, mark, item in rows:
        start = f"{number:>{widths[0]}}  {at:>{widths[1]}}  {mark:<{widths[2]}}  "
        headline = clean_line(item.get("headline") or item.get("note") or "")
        if columns is not None:
            headline = fit(headline, max(20, columns - len(start)))
        style = "dim" if item.get("status") == Status.KILLED else "bold"
        call.screen.say((start + call.screen.paint(headline, style)).rstrip())


COMMAND = Command(
    "",
    _add_arguments,
    _run,
    (
        "publisher list",
        "publisher list --tag ukraine --limit 50",
        'publisher list --mine --since "yesterday 18:00"',
        "publisher list --search sumy --all --json",
    ),
)
