"""Finds items of a feed: what the server selects, and what is selected here from its pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from feedserver.model import Status
from publisher.editing.call import Call
from publisher.editing.looking import recent_items
from publisher.failures import Misused
from publisher.server.schemas import is_page, is_snapshot
from publisher.text.times import read_time

if TYPE_CHECKING:
    from feedserver.wire import Json
    from publisher.server.client import Client

PAGE = 200  # items; the most that the server gives at once
LIMIT = 20  # items that are shown where nobody says how many
LOOKED_AT_MAX = 2_000  # items that are looked at here, in ten pages, unless --all asks for more


@dataclass(frozen=True, slots=True)
class Found:
    """The items as a page, newest first. `more`: there are others.

    `looked_at`: so many of the newest were looked at, and no more; 0: there is no such bound.
    """

    page: Json
    more: bool = False
    looked_at: int = 0


def find_items(call: Call, client: Client) -> Found:
    """Return the items that the options of `list` ask for. Raises Failure."""
    args = call.args
    # A snapshot has all pinned items, however old, and is one answer.
    if args.pinned and not (args.tag or args.search):
        path = f"/v1/feeds/{call.feed}/changes"
        snapshot = client.get(path, is_snapshot).data
        items = [item for item in snapshot["items"] if _is_chosen(call, _mine(call))(item)]
        items.sort(key=lambda item: (item.get("published_at") or "", item["id"]), reverse=True)
        limit = len(items) if args.all else args.limit or LIMIT
        page = {name: snapshot[name] for name in snapshot if name in _OF_PAGE}
        return Found({**page, "items": items[:limit]}, more=len(items) > limit)
    return _read_pages(call, client)


_OF_PAGE = frozenset({"feed", "epoch", "cursor", "now"})


def _read_pages(call: Call, client: Client) -> Found:
    """Read pages, newest first, until there are enough items, or none that can be meant."""
    args = call.args
    chooses = args.held or args.pinned or args.corrected or args.mine
    limit = None if args.all or (args.since and not args.limit) else args.limit or LIMIT
    # An older server does not know it, and gives all items.
    status = Status.HELD.value if args.held and not (args.tag or args.search) else None
    mine = _mine(call)
    chosen, since = _is_chosen(call, mine), _since(args.since)
    items: dict[int, Json] = {}
    looked_at: set[int] = set()
    before: str | None = None
    while True:
        size = PAGE if limit is None or chooses else min(PAGE, limit - len(items))
        query = {
            "limit": size,
            "before": before,
            "tag": args.tag,
            "q": args.search,
            "status": status,
        }
        page = client.get(call.items_path(), is_page, **query).data
        got, before = page["items"], page.get("next")
        if chooses or since:
            page.pop("next", None)  # which leads on from items that may not have been chosen
        for item in got:
            if since and _published(item) < since:
                return Found({**page, "items": list(items.values())})
            # An item that arrives between two pages moves the others down: one comes twice.
            if item["id"] not in looked_at and chosen(item):
                if limit is not None and len(items) >= limit:
                    return Found({**page, "items": list(items.values())}, more=True)
                items[item["id"]] = item
            looked_at.add(item["id"])
        done = Found({**page, "items": list(items.values())}, more=bool(before))
        if mine is not None and mine <= looked_at:
            return Found(done.page)  # there are no others
        if not before or not got or (limit is not None and len(items) >= limit and not chooses):
            return done
        if (chooses or limit is None) and not args.all and len(looked_at) >= LOOKED_AT_MAX:
            return Found({**done.page, "looked_at": len(looked_at)}, looked_at=len(looked_at))


def _mine(call: Call) -> set[int] | None:
    """Return the items of the feed that were changed from here; None where that does not matter."""
    if not call.args.mine:
        return None
    recent = recent_items(call).newest()
    return {one.item for one in recent if one.feed == call.feed and one.item is not None}


def _is_chosen(call: Call, mine: set[int] | None) -> Callable[[Json], bool]:
    """Return what says of an item whether it is asked for; `mine`: only one of these."""
    args = call.args

    def is_chosen(item: Json) -> bool:
        is_killed = item.get("status") == Status.KILLED
        return not (
            (args.held and item.get("status") != Status.HELD)
            or (args.pinned and (is_killed or not item.get("pinned")))
            or (args.corrected and (is_killed or not item.get("corrections")))
            or (mine is not None and item["id"] not in mine)
        )

    return is_chosen


def _since(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        return read_time(text, datetime.now(UTC), UTC)
    except ValueError as fault:
        raise Misused(f"--since: {text!r} {fault}", see_help=False) from None


def _published(item: Json) -> datetime:
    try:
        return datetime.fromisoformat(str(item.get("published_at")))
    except ValueError:
        return datetime.now(UTC)  # it is told, as nobody knows that it is older
