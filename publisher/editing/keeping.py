"""Keeps what is sent in the outbox until the server has answered, and says what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from feedserver.errors import KeyReused, Killed
from feedserver.model import Verb
from publisher.editing.call import Call
from publisher.editing.edit import NEWS, WRITES_WORDS, Edit, repeating
from publisher.editing.hints import add_hints
from publisher.editing.looking import forget_words
from publisher.failures import Misused, NotReached, ServerRefusal
from publisher.server.schemas import tombstone_of
from publisher.text.outbox import Entry, Kept, Listed, now_text, open_outbox
from publisher.text.saved import SavedText

OLD = 600.0  # seconds; what was typed longer ago may be news no more
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))  # seconds


def keep(call: Call, edit: Edit, saved: SavedText) -> Kept | None:
    """Put an edit on disk before it is sent; None where there is no room for it. Raises Misused."""
    entry = Entry(
        server=call.url,
        feed=call.feed,
        profile=call.profile_name,
        verb=edit.verb.value,
        fields=edit.fields,
        key=edit.key,
        at=now_text(),
        item=edit.item,
        etag=edit.kept_etag,
        headline=edit.headline,
        text=str(saved.path) if saved.ours else None,
        changes=edit.changes,
        merges=edit.merges,
        overwrites=edit.writes_words and edit.any_version,
    )
    try:
        kept = open_outbox().keep(entry)
    except OSError as fault:
        call.screen.notice(
            f"the command cannot be kept on this machine ({fault.strerror}); "
            "it is sent all the same"
        )
        return None
    if kept is None:
        raise Misused(
            "another command is sending the same right now; nothing was sent", see_help=False
        )
    return kept


def edit_of(entry: Entry) -> Edit:
    """Return an entry as the edit that it was. Raises ValueError for a verb of a later version."""
    return Edit(
        Verb(entry.verb),
        entry.fields,
        entry.key,
        entry.item,
        entry.etag,
        entry.headline,
        any_version=entry.overwrites
        or (entry.item is not None and entry.etag is None and entry.verb not in WRITES_WORDS),
        changes=entry.changes,
        merges=entry.merges,
        sent=entry.sent,
    )


def note_not_reached(
    call: Call, edit: Edit, saved: SavedText, kept: Kept | None, failure: NotReached
) -> None:
    """Leave an edit in the outbox for later, and say so."""
    if kept is not None:
        failure.in_doubt |= not kept.is_new and kept.entry.stored != "no"
    stored = "unknown" if failure.in_doubt else "no"
    # The key is looked up before the version, so a retry may name the version it was made from.
    command = repeating(call, edit, saved, key=edit.key, etag=edit.kept_etag)
    failure.add(
        "It is not known whether it was stored. Sent again with the same key, it is done once."
        if failure.in_doubt
        else "Nothing was stored.",
        stored=stored,
        key=edit.key,
        retry=command,
    )
    if kept is None:
        failure.add("It is not kept on this machine. When the server is back:")
    else:
        kept.change(stored=stored)
        kept.release()
        failure.add(
            f"It is kept in the outbox. When the server is back: publisher outbox send "
            f"{kept.number}; or the whole command:",
            outbox=kept.number,
        )
    failure.add(f"  {command}")


def keep_unsent(call: Call, edit: Edit, saved: SavedText, failure: NotReached) -> None:
    """Keep an edit for later that could not even be begun."""
    failure.in_doubt = False
    add_hints(call, edit.verb, failure)
    note_not_reached(call, edit, saved, keep(call, edit, saved), failure)


def note_refused(
    call: Call, edit: Edit, saved: SavedText, kept: Kept | None, refusal: ServerRefusal, why: str
) -> None:
    """Mark an edit as refused, so that it is not sent again by itself, and say how to repeat it.

    The words for an item that was withdrawn leave this machine.
    """
    tombstone = tombstone_of(refusal)
    if refusal.status == Killed.status and tombstone:
        if kept is not None:
            kept.remove()
        saved.remove()
        forget_item(call, tombstone.get("id"), None)
        return
    if kept is not None:
        kept.change(refused=why, stored="no")
        kept.release()
        refusal.add(
            f"It stays in the outbox as {kept.number} and is not sent again by itself; "
            f"to take it out: publisher outbox drop {kept.number}",
            outbox=kept.number,
        )
    if refusal.problem.keys().isdisjoint({"retry", "overwrite"}):  # which are those of a conflict
        # A key that was refused is free, unless it is because it was used before.
        key = None if refusal.problem.get("type") == KeyReused.slug else edit.key
        command = repeating(call, edit, saved, key=key, etag=edit.kept_etag)
        refusal.add("To send the same again:", f"  {command}", retry=command)


def forget_item(call: Call, item: int | None, headline: str | None) -> None:
    """Remove the words for an item that was withdrawn.

    A post that may have been stored has no number yet; it is known by the item's headline.
    """
    if item is not None:
        forget_words(call, item)
    try:
        outbox = open_outbox()
        entries = outbox.entries()
    except OSError:
        return
    for listed in entries:
        entry = listed.entry
        if entry is None or (entry.server, entry.feed) != (call.url, call.feed):
            continue
        posted = entry.item is None and entry.refused is None and entry.stored != "no"
        same = headline is not None and entry.fields.get("headline") == headline
        if (entry.item is not None and entry.item == item) or (posted and same):
            outbox.drop(listed)


def is_old_news(entry: Entry) -> bool:
    """Say whether somebody should look at it again before readers take it for new."""
    return entry.verb in NEWS and not 0 <= entry.age(datetime.now(UTC)) <= OLD


def age_of(entry: Entry) -> str:
    """Say how long ago an entry was typed."""
    seconds = max(0.0, entry.age(datetime.now(UTC)))
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"


def about(entry: Entry) -> str:
    """Say in a few words what an entry asks for."""
    item = f" {entry.item}" if entry.item is not None else ""
    headline = entry.fields.get("headline") or entry.headline
    return f"{entry.verb}{item}" + (f" “{headline}”" if headline else "")


def notice_outbox(call: Call) -> None:
    """Tell what is in the outbox, with its age."""
    try:
        outbox = open_outbox()
        entries = [one for one in outbox.entries() if not outbox.is_being_sent(one)]
    except OSError:
        return
    waits = [one for one in entries if one.entry is not None and one.entry.refused is None]
    refused = [one for one in entries if one.entry is not None and one.entry.refused is not None]
    parts = [
        f"{len(some)} {word} ({_ages(some)})"
        for some, word in ((waits, "not sent yet"), (refused, "refused"))
        if some
    ]
    unreadable = len(entries) - len(waits) - len(refused)
    if unreadable:
        parts.append(f"{unreadable} that cannot be read")
    if parts:
        call.screen.notice(f"in the outbox: {', '.join(parts)}; see: publisher outbox")


def _ages(entries: Sequence[Listed]) -> str:
    oldest = min((one.entry for one in entries if one.entry is not None), key=lambda e: e.at)
    return age_of(oldest) if len(entries) == 1 else f"the oldest {age_of(oldest)}"
