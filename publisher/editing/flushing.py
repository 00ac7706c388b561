"""Sends what is in the outbox, in order for each item."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from feedserver.model import Verb
from publisher.editing.call import Call
from publisher.editing.hints import add_hints
from publisher.editing.keeping import about, age_of, edit_of, is_old_news
from publisher.editing.outcome import data_of, remember, tell
from publisher.editing.submitting import Sent, send_kept
from publisher.failures import Failure, Misused, NotReached, ServerRefusal
from publisher.server.profile import ENVIRONMENT
from publisher.text.outbox import Entry, Kept, Listed, Outbox, open_outbox, waiting
from publisher.text.saved import SavedText

if TYPE_CHECKING:
    from feedserver.wire import Json
    from publisher.server.client import Client


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the entries that were to be sent, each with its number in the outbox."""

    sent: list[Json] = field(default_factory=list)
    refused: list[Json] = field(default_factory=list)
    waiting: list[Json] = field(default_factory=list)


def send_earlier(call: Call, client: Client, item: int) -> None:
    """Send what waits for an item, so that edits reach it in the order in which they were made.

    Raises NotReached where one of them has to wait on.
    """
    try:
        outbox = open_outbox()
        entries = outbox.entries()
    except OSError:
        return
    for listed, entry in waiting(entries):
        if (entry.server, entry.feed, entry.item) != (call.url, call.feed, item):
            continue
        if entry.key == call.args.key:
            return  # it is this command, sent again
        if why := _why_not(call, outbox, listed, entry, yes=False):
            raise _behind(item, listed, why)
        kept = outbox.take(listed)
        if kept is None:
            continue  # gone meanwhile
        try:
            sent = _send(call, client, kept)
        except NotReached as failure:
            raise _behind(item, listed, failure.headline) from None
        except ServerRefusal as refusal:
            call.screen.notice(f"{about(entry)}, from the outbox, was refused: {refusal.headline}")
        else:
            remember(call, sent)
            call.screen.notice(f"sent from the outbox: {about(entry)}, now {sent.item['etag']}")


def send_outbox(call: Call, numbers: list[int], *, yes: bool) -> Outcome:
    """Send what waits in the outbox, or the entries with these numbers, refused ones among them.

    What goes before one of them to the same item is sent as well. Raises Misused, OSError.
    """
    outbox = open_outbox()
    entries = outbox.entries()
    chosen = choose(entries, numbers) if numbers else [listed for listed, _ in waiting(entries)]
    wanted = {listed.number for listed in chosen}
    items = {
        _item_of(listed.entry): listed.number
        for listed in chosen
        if listed.entry is not None and listed.entry.item is not None
    }
    doomed = {_item_of(entry) for _, entry in waiting(entries) if entry.verb == Verb.KILL}
    outcome = Outcome()
    stuck: dict[object, str] = {}  # servers and items, and why nothing more can be sent to them
    for listed in entries:
        entry = listed.entry
        if entry is None:
            if listed.number in wanted:
                outcome.waiting.append({"number": listed.number, "detail": "it cannot be read"})
            continue
        item = _item_of(entry)
        before = entry.refused is None and listed.number < items.get(item, 0)
        if listed.number not in wanted and not before:
            continue
        if item in doomed and entry.verb != Verb.KILL:
            continue  # the kill goes alone, and takes it away
        why = stuck.get(entry.server) or (entry.item is not None and stuck.get(item)) or ""
        why = why or _why_not(call, outbox, listed, entry, yes=yes)
        if not why:
            why = _send_one(call, outbox, listed, entry, outcome, stuck)
        if why:
            stuck[item] = f"{listed.number} goes before it"
            outcome.waiting.append(_told(listed, entry, why))
            call.screen.notice(f"{listed.number}, {about(entry)}, stays: {why}")
    return outcome


def choose(entries: list[Listed], numbers: list[int]) -> list[Listed]:
    """Return the entries with these numbers. Raises Misused for one that there is not."""
    found = {listed.number: listed for listed in entries}
    missing = [number for number in numbers if number not in found]
    if missing:
        raise Misused(
            f"there is no entry {missing[0]} in the outbox; see: publisher outbox", see_help=False
        )
    return [found[number] for number in sorted(set(numbers))]


def _send_one(
    call: Call,
    outbox: Outbox,
    listed: Listed,
    entry: Entry,
    outcome: Outcome,
    stuck: dict[object, str],
) -> str:
    """Send an entry with a client of its own, and return why it has to wait, if it has to."""
    kept = outbox.take(listed)
    if kept is None:
        return ""  # gone meanwhile
    own = _call_for(call, entry)
    try:
        with own.editor() as client:
            sent = _send(own, client, kept)
            data = data_of(own, sent)
            outcome.sent.append({"number": listed.number, **data})
            tell(own, client, sent, data)
    except NotReached as failure:
        stuck[entry.server] = failure.headline
        return failure.headline
    except ServerRefusal as refusal:
        add_hints(own, entry.verb, refusal)
        call.screen.fail_aside(refusal)
        outcome.refused.append({**_told(listed, entry, refusal.headline), **refusal.problem})
    except Misused as misuse:  # such as a token that may not travel
        kept.release()
        return misuse.headline
    return ""


def _send(call: Call, client: Client, kept: Kept) -> Sent:
    return send_kept(call, client, edit_of(kept.entry), SavedText(), kept)


def _why_not(call: Call, outbox: Outbox, listed: Listed, entry: Entry, *, yes: bool) -> str:
    """Return why an entry cannot be sent now; empty where it can. It may ask."""
    if outbox.is_being_sent(listed):
        return "another command is sending it right now"
    try:
        profile = call.profile
    except Failure as failure:
        return failure.headline
    if profile.url != entry.server:
        return f"it is for {entry.server}: PUBLISHER_URL={entry.server} publisher outbox send"
    if call.profile_name != entry.profile:
        return _of_another(entry, listed.number)
    try:
        edit_of(entry)
    except ValueError:
        return f"this version of publisher has no verb {entry.verb}"
    if not is_old_news(entry) or yes:
        return ""
    age = age_of(entry)
    if call.screen.ask(f"{about(entry)} was typed {age} ago; send it as news now?"):
        return ""
    return (
        f"it was typed {age} ago, and readers would take it for new; "
        f"publisher outbox send {listed.number} --yes sends it all the same"
    )


def _of_another(entry: Entry, number: int) -> str:
    """Say that an entry was written with another token than the one that is used."""
    if entry.profile == ENVIRONMENT:
        return "it was written with the token of PUBLISHER_TOKEN, and its key is good with that"
    return (
        f"it was written with the profile {entry.profile}, and its key is good with its token "
        f"alone: publisher outbox send {number} --as {entry.profile}"
    )


def _call_for(call: Call, entry: Entry) -> Call:
    """Return a call to the feed of an entry."""
    options = {**vars(call.args), "feed": entry.feed, "key": entry.key, "id": entry.item}
    return Call(Namespace(**options), call.environ, call.screen)


def _item_of(entry: Entry) -> tuple[str, str, int | None]:
    return entry.server, entry.feed, entry.item


def _told(listed: Listed, entry: Entry, why: str) -> Json:
    return {"number": listed.number, "key": entry.key, "detail": why}


def _behind(item: int, listed: Listed, why: str) -> NotReached:
    failure = NotReached(
        f"an earlier command for item {item} is in the outbox, and this one goes after it "
        f"({listed.number}: {why})"
    )
    failure.add("What is there, and in which order: publisher outbox")
    return failure
