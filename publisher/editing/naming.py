"""Finds the item that is meant by `last` or by an address."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

from feedserver.model import Verb
from publisher.editing.call import Call
from publisher.editing.looking import recent_items
from publisher.failures import Failure, Misused
from publisher.output import clean_line
from publisher.server.address import is_address, same_server, split_feed
from publisher.server.profile import load, profile_names
from publisher.server.schemas import is_named_feed
from publisher.text.item_name import ItemName
from publisher.text.outbox import open_outbox, waiting
from publisher.text.recent import Recent

# What readers see for good: nobody does it to an item that was named by its position alone.
ASKED = frozenset({Verb.CORRECT, Verb.KILL, Verb.REDACT})
ASKING_SECONDS = 5.0  # that the server's public address is waited for


def settle_item(call: Call, verb: str) -> None:
    """Set `id` among the arguments to the item's number, and the feed where the name tells it.

    `last` is echoed with its headline; before a verb that readers see for good it is asked about.
    Raises Misused.
    """
    name = getattr(call.args, "id", None)
    if isinstance(name, ItemName):
        call.args.id = item_number(call, name, verb)


def item_number(call: Call, name: ItemName, verb: str) -> int:
    """Return the number of the item that a name means, as `settle_item` does. Raises Misused."""
    if name.last is not None:
        return _last(call, name, verb)
    assert name.id is not None
    if name.feed is not None:
        _take_address(call, name)
    return name.id


def _take_address(call: Call, name: ItemName) -> None:
    """Take the feed of an address. Raises Misused where it is not on the server that is used.

    Nothing is sent to the server of the address.
    """
    assert name.server is not None
    assert name.feed is not None
    if call.args.feed not in (None, name.feed):
        raise Misused(
            f"--feed says {call.args.feed}, and the address is in the feed {name.feed}; "
            "leave one of them out"
        )
    call.choose_feed(name.feed)
    if _same_place(name.server, call.url) or _same_place(name.server, _public_address(call)):
        return
    there = _profile_there(call, name.server)
    raise Misused(
        f"{name.text} is on another server than {call.url}, and so nothing was sent; to work "
        f"there: {f'--as {there}' if there else f'publisher login {name.server}'}",
        see_help=False,
    )


def _same_place(one: str, other: str | None) -> bool:
    if other is None or not is_address(other):
        return False
    paths = [urlsplit(address).path.rstrip("/") for address in (one, other)]
    return same_server(one, other) and paths[0] == paths[1]


def _profile_there(call: Call, server: str) -> str | None:
    """Return the name of a saved profile that works on a server."""
    for name in profile_names(call.environ):
        with suppress(Misused):
            if _same_place(server, load(call.environ, name).url):
                return name
    return None


def _public_address(call: Call) -> str | None:
    """Return where readers find the server that is used, as it tells itself."""
    try:
        with call.reader() as client:
            path = f"/v1/feeds/{call.feed}"
            feed = client.get(path, is_named_feed, seconds=ASKING_SECONDS).data
    except Failure:
        return None
    page = feed.get("url")
    return split_feed(page)[0] if page and is_address(page) else None


def _last(call: Call, name: ItemName, verb: str) -> int:
    found = _mine(call)
    assert name.last is not None
    if len(found) < name.last:
        where = f" in {call.args.feed}" if call.args.feed else ""
        known = f"only {len(found)} item{'s' * (len(found) != 1)}" if found else "no item"
        verbs = "were" if len(found) > 1 else "was"
        raise Misused(
            f"{name.text} is not known: with this profile {known} {verbs} posted or changed from "
            f"this machine{where}; say a number: publisher list",
            see_help=False,
        )
    recent = found[name.last - 1]
    told = f"“{clean_line(recent.headline)}”" if recent.headline else "without its headline"
    if recent.item is None:
        raise Misused(
            f"{name.text} is {told}, which is still in the outbox and has no number yet; send it "
            f"first: publisher outbox send {recent.waits}",
            see_help=False,
        )
    about = f"{name.text} is {recent.item} in {recent.feed}, {told}"
    if verb in ASKED:
        _ask(call, recent, verb, about)
    else:
        call.screen.notice(about)
    call.choose_feed(recent.feed)
    return recent.item


def _ask(call: Call, recent: Recent, verb: str, about: str) -> None:
    agreed = call.screen.ask(f"{about}; {verb} it?")
    if agreed is None:
        raise Misused(
            f"{about}; {verb} takes that only from a person at a terminal, who is asked. "
            f"Nothing was sent; say the number: {recent.item}",
            see_help=False,
        )
    if not agreed:
        raise Misused("nothing was sent", see_help=False)
    call.agreed_headline = recent.headline


def _mine(call: Call) -> list[Recent]:
    """Return what this profile posted or changed, the last first, what waits in the outbox too."""
    found = recent_items(call).newest()
    try:
        entries = open_outbox().entries()
    except OSError:
        entries = []
    for listed, entry in waiting(entries):
        if (entry.server, entry.profile) == (call.url, call.profile_name):
            headline = entry.fields.get("headline") or entry.headline
            found.append(Recent(entry.feed, entry.item, entry.at, headline, waits=listed.number))
    newest: dict[object, Recent] = {}
    for recent in sorted(found, key=lambda one: one.at, reverse=True):
        if call.args.feed in (None, recent.feed):
            newest.setdefault(recent.item or ("post", recent.waits), recent)
    return list(newest.values())
