"""Which version of an item this editor was last shown whole, and what others did since."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from feedserver.model import Act, Verb
from publisher.editing.call import Call
from publisher.failures import NotReached, ServerRefusal
from publisher.server.schemas import is_revisions
from publisher.text.difference import changes
from publisher.text.listed import forget_headline, note_feeds, note_items
from publisher.text.recent import RecentItems, open_recent
from publisher.text.seen import Seen, SeenVersions, open_seen
from publisher.text.words import NAMES, WORDS, as_text, words_in

if TYPE_CHECKING:
    from feedserver.wire import Json
    from publisher.server.client import Client

HAS_WORDS = frozenset({Verb.POST, Verb.FIX, Verb.UPDATE, Verb.CORRECT, Act.FEED})
_TOLD = 3  # edits of others that are named one by one


def seen_versions(call: Call) -> SeenVersions:
    """Return what the editor whose token is used was shown on this server."""
    return open_seen(call.url, _editor(call))


def recent_items(call: Call) -> RecentItems:
    """Return what the editor whose token is used posted or changed on this server."""
    return open_recent(call.url, _editor(call))


def seen_item(call: Call, item: int) -> Seen | None:
    """Return the version of an item that was last shown; None where none is known."""
    return seen_versions(call).get(call.feed, item)


def note_shown(call: Call, item: Json) -> None:
    """Remember that an item was shown whole to a person."""
    seen = Seen(item["etag"], int(item.get("version") or 0), words_in(item))
    seen_versions(call).keep(call.feed, item["id"], seen)


def note_changed(call: Call, item: Json) -> None:
    """Remember that an item was posted or changed from here, so that `last` names it."""
    recent_items(call).note(call.feed, item["id"], item.get("headline"))


def forget_editor(server: str, profile: str, token: str) -> None:
    """Remove from this machine what an editor was shown and changed on a server."""
    editor = _name(profile, token)
    open_seen(server, editor).forget_all()
    open_recent(server, editor).forget_all()
    note_feeds(server, ())


def note_listed(call: Call, items: Iterable[Json]) -> None:
    """Remember the headlines of items, for completion; forget the words of withdrawn ones."""
    told = list(items)
    forget_withdrawn(call, told)
    living = [item for item in told if item.get("status") != "killed"]
    note_items(call.url, call.feed, {item["id"]: item.get("headline") or "" for item in living})


def forget_withdrawn(call: Call, items: Iterable[Json]) -> None:
    """Remove the words of the items among these that were withdrawn."""
    for item in items:
        if item.get("status") == "killed":
            forget_words(call, item["id"])


def forget_words(call: Call, item: int) -> None:
    """Remove an item's words, as it was shown, listed and changed, from this machine."""
    seen_versions(call).forget(call.feed, item)
    forget_headlines(call, item)


def forget_headlines(call: Call, item: int) -> None:
    """Remove an item's headlines, which may be earlier ones, from this machine."""
    recent_items(call).forget(call.feed, item)
    forget_headline(call.url, call.feed, item)


def revisions(call: Call, client: Client, item: int) -> list[Json]:
    """Return who did what with an item, oldest first; nothing where the server does not tell."""
    try:
        path = f"{call.items_path(item)}/revisions"
        log = list(client.get(path, is_revisions).data["revisions"])
    except (NotReached, ServerRefusal):
        return []  # what it is for is told without it
    forget_redacted(call, item, log)
    return log


def forget_redacted(call: Call, item: int, log: Sequence[Json]) -> None:
    """Remove the words that this editor was shown of a version whose words were erased since."""
    seen = seen_item(call, item)
    version = version_of_words(log, seen.etag) if seen is not None else None
    erased = any(line["version"] == version and line.get("redacted_at") for line in log)
    if seen is not None and erased:
        seen_versions(call).keep(call.feed, item, Seen(seen.etag, seen.version, {}))
        forget_headlines(call, item)


def version_of_words(log: Sequence[Json], etag: str | None) -> int | None:
    """Return the version whose words were shown at another one; None where it is not known."""
    number = (etag or "").partition("-")[0]
    if not number.isdecimal():
        return None
    with_words = [line["version"] for line in log if line["verb"] in HAS_WORDS]
    return max((one for one in with_words if one <= int(number)), default=None)


def words_at(log: Sequence[Json], etag: str | None) -> Json | None:
    """Return an item's words as they were at a version; None where the log does not tell."""
    words: Json = {}
    version = (etag or "").partition("-")[0]
    for revision in log:
        if revision.get("redacted_at") or revision.get("unreadable"):
            return None
        for name, value in (revision.get("fields") or {}).items():
            if name in WORDS:
                words[name] = value
        if str(revision["version"]) == version:
            return words_in(words)
    return None


def who_since(log: Sequence[Json], version: int, *, before: int | None = None) -> str:
    """Say who did what after a version, and `before` another one."""
    later = [
        f"{one['verb']} by {one.get('editor') or 'the operator'}"
        for one in log
        if one["version"] > version and (before is None or one["version"] < before)
    ]
    more = f" and {len(later) - _TOLD} more" if len(later) > _TOLD else ""
    return ", ".join(later[-_TOLD:]) + more


def change_lines(before: Json, after: Json, names: Iterable[str]) -> tuple[list[str], bool]:
    """Return how fields changed, by words, and whether every new word stands there."""
    lines: list[str] = []
    whole = True
    for name in names:
        passages, is_whole = compared(name, before.get(name), after.get(name))
        lines += passages
        whole = whole and is_whole
    return lines, whole


def compared(name: str, old: Any, new: Any, *, label: str = "") -> tuple[list[str], bool]:
    """Return how a field changed, by words, and whether every new word stands there."""
    found = changes(as_text(name, old), as_text(name, new))
    first, *more = found.passages or ["changed"]
    return [f"  {label or label_of(name)}: {first}", *(f"  │ {line}" for line in more)], found.whole


def label_of(name: str) -> str:
    """Return what people call a field."""
    return NAMES.get(name) or name.capitalize()


def _editor(call: Call) -> str:
    return _name(call.profile_name, call.profile.token)


def _name(profile: str, token: str | None) -> str:
    return f"{profile}\0{token}"
