"""`publisher list`: what is in the feed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feedserver.model import Status
from publisher.command_line import Command
from publisher.editing.call import Call
from publisher.editing.looking import note_listed
from publisher.editing.options import add_common, count
from publisher.output import clean_line, fit
from publisher.parser import Parser
from publisher.server.schemas import is_page
from publisher.text.items import local_time, marks

if TYPE_CHECKING:
    from feedserver.wire import Json
    from publisher.server.client import Client

PAGE = 200  # items; the most that the server gives at once


def _add_arguments(parser: Parser) -> None:
    group = parser.add_argument_group("which items")
    group.add_argument("--limit", metavar="N", type=count, default=20, help="how many (20)")
    group.add_argument("--all", action="store_true", help="all there are")
    group.add_argument("--tag", help="those with this tag")
    group.add_argument("--search", metavar="WORDS", help="those with these words")
    add_common(parser)


def _run(call: Call) -> None:
    args = call.args
    with call.reader() as client:
        page = _fetch(call, client, None if args.all else args.limit)
    note_listed(call, page["items"])
    call.screen.give(page)
    rows = [
        (str(item["id"]), local_time(item.get("published_at")), marks(item), item)
        for item in page["items"]
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
    if not rows:
        call.screen.notice("there is nothing here")
    elif page.get("next"):
        call.screen.notice("there is more: --all, or a larger --limit")


def _fetch(call: Call, client: Client, wanted: int | None) -> Json:
    """Return the newest page as the server gives it, its items those of as many pages as needed."""
    items: dict[int, Json] = {}
    before: str | None = None
    while True:
        limit = PAGE if wanted is None else min(PAGE, wanted - len(items))
        page = client.get(
            call.items_path(),
            is_page,
            limit=limit,
            before=before,
            tag=call.args.tag,
            q=call.args.search,
        ).data
        got = page["items"]
        # An item that arrives between two pages moves the others down: the same one comes twice.
        items |= {item["id"]: item for item in got if item["id"] not in items}
        before = page.get("next")
        if not before or not got or (wanted is not None and len(items) >= wanted):
            return {**page, "items": list(items.values())}


COMMAND = Command(
    "",
    _add_arguments,
    _run,
    (
        "publisher list",
        "publisher list --tag ukraine --limit 50",
        "publisher list --search sumy --all --json",
    ),
)
