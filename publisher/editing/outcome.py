"""What an edit came to: the answer for programs and for people, and what was thereby shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from feedserver.model import Status, Verb
from publisher.editing.call import Call
from publisher.editing.changes import apply
from publisher.editing.edit import DONE, Edit
from publisher.editing.erasing import Erased
from publisher.editing.linting import say_warnings, warnings_of
from publisher.editing.looking import (
    change_lines,
    note_listed,
    note_shown,
    revisions,
    seen_versions,
    who_since,
)
from publisher.editing.submitting import Sent
from publisher.editing.unchanged import say_unchanged
from publisher.failures import Broken, Misused
from publisher.output import clean_line
from publisher.text.seen import Seen
from publisher.text.words import WORDS, differing, words_in

if TYPE_CHECKING:
    from feedserver.wire import Json
    from publisher.server.client import Answer, Client

_STILL_THERE = (
    "Its words are still being erased from the server's files; "
    "the server keeps trying until they are gone."
)
_DELIVERED = re.compile(r"(\d{1,9})\s*;\s*of=(\d{1,9})\s*;\s*ms=(\d{1,9})(?:\.\d+)?\s*$")


def finish(call: Call, client: Client, sent: Sent) -> None:
    """Print what an edit came to, and remember what was shown by that. Raises Broken."""
    if sent.fulfilled:
        say_unchanged(call, sent.item, sent.fulfilled, sent.edit.fields.get("note"))
    else:
        tell(call, client, sent, data_of(call, sent), give=True)


def tell(call: Call, client: Client, sent: Sent, data: Json, *, give: bool = False) -> None:
    """Do as `finish`; `give` the result to programs, or leave that to the caller."""
    edit, item = sent.edit, sent.item
    if sent.fulfilled:
        call.screen.say(f"Item {item['id']} {sent.fulfilled}; nothing changed")
        return
    whole = not call.screen.as_json
    try:
        if give:
            call.screen.give(data)
        _say_done(call, sent, data)
        say_warnings(call, data)
        if edit.item is not None and not data.get("replayed"):
            _say_own_changes(call, sent)
            whole = _say_others_changes(call, client, sent) and whole
    except Broken as failure:
        failure.add(
            f"Item {item['id']} is stored all the same: {call.page(item['id'])}",
            stored="yes",
            id=item["id"],
            key=edit.key,
        )
        raise
    _remember(call, sent, whole=whole)


def data_of(call: Call, sent: Sent) -> Json:
    """Return the result of an edit for programs."""
    edit, item = sent.edit, sent.item
    data: Json = {**item, "link": call.page(item["id"])}
    if sent.answer is None:
        return {**data, "unchanged": True}
    data |= answer_data(edit, sent.answer, sent.erased)
    if warnings := warnings_of(edit, item):
        data["warnings"] = warnings
    return data


def answer_data(edit: Edit, answer: Answer, erased: Erased | None) -> Json:
    """Return what the answer to an edit tells beside the item or feed, for programs."""
    headers = answer.headers
    data: Json = {"key": edit.key}
    if delivered := _DELIVERED.match(headers.get("delivered", "")):
        readers, of, ms = map(int, delivered.groups())
        data["delivered"] = {"readers": readers, "of": of, "ms": ms}
    if headers.get("idempotent-replayed") == "true":
        data["replayed"] = True
    elif edit.writes_words:
        data["based_on"] = edit.etag
        if edit.unseen:
            data["unseen"] = True
    if erased is not None:
        data["redacted"] = list(erased.versions)
        if erased.purge:
            data["purge"] = erased.purge
        if erased.dropped:
            data["dropped"] = list(erased.dropped)
    elif headers.get("purge", "").strip().lower() == "pending":
        data["purge"] = "pending"
    return data


def say_progress(call: Call, parts: list[str], data: Json, erased: Erased | None) -> None:
    """Print the address, how far a change got, and what a redact erased."""
    if delivered := data.get("delivered"):
        of = delivered["of"]
        parts.append(
            f"delivered to {delivered['readers']} of {of} reader{'s' if of != 1 else ''} "
            f"in {delivered['ms']} ms"
            if of
            else "no reader is connected right now"
        )
    if data.get("replayed"):
        parts.append("done already by an earlier try")
    call.screen.say(" · ".join(parts))
    if erased is not None:
        _say_erased(call, erased)
    elif data.get("purge"):
        call.screen.say(f"Readers no longer see it. {_STILL_THERE}")


def _say_done(call: Call, sent: Sent, data: Json) -> None:
    """Print the result for people, in one or two lines."""
    edit = sent.edit
    headline = clean_line(data.get("headline") or edit.headline or "")
    done = call.screen.paint(DONE[edit.verb], "green", "bold")
    call.screen.say(f"{done} {data['id']}" + (f": {headline}" if headline else ""))
    parts = [data["link"]]
    if edit.verb is Verb.HOLD:
        parts.append("marked “Being checked”")
    say_progress(call, parts, data, sent.erased)


def _say_erased(call: Call, erased: Erased) -> None:
    told = (
        [f"Erased: the words of {', '.join(map(str, erased.versions))}"] if erased.versions else []
    )
    if erased.purge:
        told.append(f"Purge: {erased.purge}")
    if told:
        call.screen.say(" · ".join(told))
    if erased.purge == "pending":
        call.screen.say(_STILL_THERE)
    if erased.dropped:
        numbers = ", ".join(map(str, erased.dropped))
        call.screen.say(f"Taken out of the outbox, as it repeated these words: {numbers}")


def _say_own_changes(call: Call, sent: Sent) -> None:
    """Print by words what a verb changed that writes words."""
    edit = sent.edit
    if not edit.writes_words:
        return
    after = words_in(sent.item)
    if edit.base is not None:
        before, names = edit.base, differing(edit.base, after)
    else:  # the words that were there are not known here
        before, names = {}, [name for name in after if name in edit.fields]
    call.screen.say_changes(change_lines(before, after, names)[0])
    say_unseen(call, edit)


def say_unseen(call: Call, edit: Edit) -> None:
    """Print which version was written over, where the editor was not shown it."""
    if edit.unseen:
        call.screen.say(
            f"Written over version {edit.etag}, which you were not shown; "
            "--if-match names the one that you mean"
        )


def _say_others_changes(call: Call, client: Client, sent: Sent) -> bool:
    """Print what others changed since this editor was shown the item.

    Return whether all of its words have been shown now.
    """
    edit, seen = sent.edit, sent.seen
    known = seen.words if seen is not None else sent.written_from
    if known is None or (seen is not None and seen.etag == edit.etag):
        return known is not None
    before = edit.base if edit.writes_words or edit.verb is Verb.KILL else words_in(sent.item)
    if before is None:
        return False
    lines, whole = change_lines(known, before, differing(known, before))
    if lines and not call.screen.as_json:
        log = revisions(call, client, sent.item["id"]) if seen is not None else []
        since = seen.version if seen is not None else 0
        who = who_since(log, since, before=sent.item.get("version"))
        call.screen.say(f"Changed since you looked{f' ({clean_line(who)})' if who else ''}:")
        call.screen.say_changes(lines)
        if not whole:
            call.screen.say(f"That is not all of it: publisher show {sent.item['id']}")
    return whole


def remember(call: Call, sent: Sent) -> None:
    """Remember an edit that was sent on the way to another one: only its own words are known."""
    if sent.edit.item is not None and not sent.fulfilled:
        _remember(call, sent, whole=False)


def _remember(call: Call, sent: Sent, *, whole: bool) -> None:
    """Remember the item as seen, where nothing is in it that was not shown.

    An own edit on top of what was seen is seen as well, in JSON too, as its writer knows it.
    """
    edit, item, seen = sent.edit, sent.item, sent.seen
    note_listed(call, [item])
    if item.get("status") == Status.KILLED:
        return
    if edit.item is None:
        if whole:
            note_shown(call, item)
    elif seen is not None:
        if int(item.get("version") or 0) < seen.version:
            return  # a retry, answered with what it did then
        if whole or seen.etag == edit.etag:
            note_shown(call, item)
        elif edit.writes_words:
            known = Seen(seen.etag, seen.version, _with_own(sent, seen.words))
            seen_versions(call).keep(call.feed, item["id"], known)


def _with_own(sent: Sent, words: Json) -> Json:
    """Return the words that were seen with an own edit in them, and nothing that others did."""
    edit, item = sent.edit, sent.item
    given = [name for name in WORDS if name in edit.fields and name in edit.body]
    own = words_in({**words, **{name: item.get(name) for name in given}})
    try:
        return words_in({**own, **apply(edit.changes, own)})
    except Misused:  # a picture that was not there when it was seen
        return own
