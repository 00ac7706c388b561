"""Times as they were typed, read in the feed's zone."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from publisher.editing.call import Call
from publisher.failures import Misused, NotReached, ServerRefusal
from publisher.server.schemas import is_named_feed
from publisher.text.times import is_whole, read_time, read_zone, told_time
from publisher.text.zones import keep_zones, known_zone

if TYPE_CHECKING:
    from feedserver.wire import Json
    from publisher.server.client import Client

ASKING_SECONDS = 5.0  # that the feed's zone is waited for
_SENT = ("at", "occurred_at", "published_at")
_SINCE = "since"  # which looks back, and is not sent


def settle_times(call: Call) -> None:
    """Set the times among the arguments to such as the server reads, and tell how they were read.

    Raises Misused, ServerRefusal, and NotReached where the feed's zone is not known.
    """
    given = {name: getattr(call.args, name, None) for name in (*_SENT, _SINCE)}
    loose = {name: text for name, text in given.items() if text and not is_whole(text)}
    if not loose:
        return
    zone = _zone_to_read_in(call)
    for name, text in loose.items():
        option = f"--{name.replace('_', '-')}"
        try:
            moment = read_time(text, datetime.now(UTC), zone, past=name == _SINCE)
        except ValueError as fault:
            raise Misused(f"{option}: {text!r} {fault}", see_help=False) from None
        setattr(call.args, name, moment.isoformat(timespec="seconds"))
        call.screen.notice(f"{option} is {told_time(moment)}")


def take_zone(call: Call, feed: Json) -> None:
    """Show times in the zone of a feed that the server told, and remember it."""
    keep_zones(call.url, {feed["slug"]: feed.get("timezone")})
    call.zone = read_zone(feed.get("timezone"))


def ask_zone(call: Call, client: Client) -> None:
    """Have times shown in the feed's zone: as it is known here, else as the server tells it."""
    if call.zone is None:
        with suppress(NotReached, ServerRefusal):
            _ask_zone(call, client)


def _zone_to_read_in(call: Call) -> tzinfo:
    away: NotReached | None = None
    with call.reader() as client:
        try:
            _ask_zone(call, client)
        except NotReached as failure:
            away = failure
    zone = known_zone(call.url, call.feed)
    if zone is not None:
        return zone
    detail = (
        f"the zone of the feed {call.feed} is not known on this machine; write the time with its "
        "zone, such as 2025-05-17T06:17+03:00"
    )
    if away is None:
        raise Misused(detail, see_help=False)
    raise NotReached(f"{away.headline}; {detail}")


def _ask_zone(call: Call, client: Client) -> None:
    path = f"/v1/feeds/{call.feed}"
    take_zone(call, client.get(path, is_named_feed, seconds=ASKING_SECONDS).data)
