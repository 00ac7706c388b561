"""What a redact erases: the versions with their words, and the same words on this machine."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feedserver.model import Verb
from publisher.editing.call import Call
from publisher.editing.feed_looking import FEED, feed_revisions, feed_words
from publisher.editing.looking import (
    HAS_WORDS,
    forget_headlines,
    revisions,
    seen_versions,
    version_of_words,
)
from publisher.failures import NotReached, ServerRefusal
from publisher.server.schemas import is_history
from publisher.text.items import plain
from publisher.text.outbox import Entry, open_outbox
from publisher.text.words import TEXTS, texts_in, words_in

if TYPE_CHECKING:
    from feedserver.wire import Json
    from publisher.server.client import Answer, Client

_SENTENCES = frozenset({"headline", "body", "note", "summary"})
SENTENCE_MIN = 12  # characters; shorter ones stand in many texts
_VERSION = re.compile(r"\d{1,15}")


@dataclass(frozen=True, slots=True)
class Erased:
    """What a redact erased.

    `versions`: those whose words are gone. `purge`: `done`, `pending`, or empty where the server
    does not tell. `dropped`: the numbers of what left the outbox, as it repeats the words.
    """

    versions: tuple[int, ...]
    purge: str
    dropped: tuple[int, ...] = ()


def told_revisions(call: Call, client: Client, item: int | None) -> list[Json]:
    """Return who did what with an item, oldest first; nothing where the server does not tell.

    Without an item: with the feed itself. Of a version whose fields are not told, as the words
    before it are gone, what readers were shown stands in for them.
    """
    if item is None:
        return feed_revisions(call, client)
    log = revisions(call, client, item)
    if not any(line.get("redacted_at") or line.get("unreadable") for line in log):
        return log
    try:
        path = f"{call.items_path(item)}/history"
        history = client.get(path, is_history).data["history"]
    except (NotReached, ServerRefusal):
        return log
    shown = {
        line.get("version"): words_in({**line, "body": plain(line.get("blocks"))})
        for line in history
    }
    return [
        line if line.get("fields") else {**line, "fields": shown.get(line["version"], {})}
        for line in log
    ]


def forget_erased(
    call: Call,
    client: Client,
    item: int | None,
    state: Json,
    answer: Answer,
    log: Sequence[Json],
) -> Erased:
    """Remove from this machine what a redact erased, and return what that was.

    `state` is the item, or without one the feed, as the redact left it; `log` as `told_revisions`
    told it before.
    """
    found = _VERSION.findall(answer.headers.get("redacted", ""))
    versions = tuple(map(int, found))
    purge = answer.headers.get("purge", "").strip().lower()
    if not versions or not log:  # an earlier try may have done it, and the log alone tells it
        with suppress(KeyboardInterrupt):  # it is done; the rest goes without asking
            log = told_revisions(call, client, item)
    if not versions:
        own = next((line for line in log if line["version"] == state.get("version")), {})
        versions = tuple(
            line["version"] for line in log if own and line.get("redacted_at") == own.get("at")
        )
        purge = str(own.get("purge", ""))
    words = feed_words(state) if item is None else words_in(state)
    seen_versions(call).keep_only(call.feed, FEED if item is None else item, words)
    if item is not None:
        forget_headlines(call, item)
    kept = texts_in(words) | {("note", one.get("note")) for one in state.get("corrections") or ()}
    dropped = _drop_repeating(call, item, _texts_of(log, versions) - kept, log, versions)
    return Erased(versions, purge if purge in {"done", "pending"} else "", dropped)


def _drop_repeating(
    call: Call,
    item: int | None,
    gone: Collection[tuple[str, str]],
    log: Sequence[Json],
    versions: Collection[int],
) -> tuple[int, ...]:
    """Take out of the outbox what repeats the words of these versions; return the numbers."""
    dropped = []
    try:
        outbox = open_outbox()
        entries = outbox.entries()
    except OSError:
        return ()
    for listed in entries:
        entry = listed.entry
        if entry is None or (entry.server, entry.feed) != (call.url, call.feed):
            continue
        if _repeats(entry, item, gone, log, versions) and outbox.drop(listed):
            dropped.append(listed.number)
    return tuple(dropped)


def _repeats(
    entry: Entry,
    item: int | None,
    gone: Collection[tuple[str, str]],
    log: Sequence[Json],
    versions: Collection[int],
) -> bool:
    """Say whether an entry holds what was erased, or a text that was made from it."""
    if entry.verb == Verb.REDACT:
        return False
    if entry.verb == Verb.POST:  # one that may have been stored is known by its headline
        headline = ("headline", str(entry.fields.get("headline")))
        return entry.refused is None and entry.stored != "no" and headline in gone
    if entry.item != item:
        return False
    own = texts_in(entry.fields) | texts_in(entry.sent or {}) | texts_in(entry.changes)
    if not own.isdisjoint(gone) or _contains(own, gone):
        return True
    writes_text = any(name in entry.fields for name in (*TEXTS, "summary"))
    return writes_text and version_of_words(log, entry.etag) in versions


def _contains(own: Collection[tuple[str, str]], gone: Collection[tuple[str, str]]) -> bool:
    """Say whether a sentence that was erased stands within a longer text."""
    sentences = [
        text.casefold() for name, text in gone if name in _SENTENCES and len(text) >= SENTENCE_MIN
    ]
    return any(one in text.casefold() for one in sentences for _, text in own)


def _texts_of(log: Sequence[Json], versions: Collection[int]) -> set[tuple[str, str]]:
    """Return all texts of some versions, as far as the log tells them."""
    words: Json = {}
    found: set[tuple[str, str]] = set()
    for line in log:
        if line["verb"] in HAS_WORDS and (line.get("redacted_at") or line.get("unreadable")):
            words = {}
        words = {**words, **(line.get("fields") or {})}
        if line["version"] in versions:
            found |= texts_in({"note": line.get("note")})
            if line["verb"] in HAS_WORDS:
                found |= texts_in(words)
    return found
