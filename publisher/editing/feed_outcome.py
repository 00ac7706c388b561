"""What a change of a feed came to: the answer for programs and for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from publisher.editing.call import Call
from publisher.editing.edit import DONE
from publisher.editing.feed_looking import feed_words, note_feed_shown
from publisher.editing.feed_sending import FeedSent
from publisher.editing.looking import change_lines
from publisher.editing.outcome import answer_data, say_progress, say_unseen
from publisher.failures import Broken

if TYPE_CHECKING:
    from feedserver.wire import Json


def finish_feed(call: Call, sent: FeedSent) -> None:
    """Print what a change came to, and remember what was shown by that. Raises Broken."""
    tell_feed(call, sent, feed_data(call, sent), give=True)


def tell_feed(call: Call, sent: FeedSent, data: Json, *, give: bool = False) -> None:
    """Do as `finish_feed`; `give` the result to programs, or leave that to the caller."""
    edit = sent.edit
    try:
        if give:
            call.screen.give(data)
        if sent.answer is None:
            note = ", and the note was not stored" if edit.fields.get("note") else ""
            call.screen.say(f"The feed {call.feed} {sent.fulfilled}; nothing changed{note}")
            return
        done = call.screen.paint(DONE[edit.verb], "green", "bold")
        call.screen.say(f"{done} the key points of {call.feed}")
        say_progress(call, [data["link"]], data, sent.erased)
        if edit.writes_words and not data.get("replayed"):
            lines, _ = change_lines(edit.base or {}, feed_words(sent.feed), ["summary"])
            call.screen.say_changes(lines)
            say_unseen(call, edit)
    except Broken as failure:
        failure.add(
            f"The change is stored all the same: {data['link']}", stored="yes", key=edit.key
        )
        raise
    remember_feed(call, sent)


def feed_data(call: Call, sent: FeedSent) -> Json:
    """Return the result of a change for programs."""
    data: Json = {**sent.feed, "link": call.feed_page()}
    if sent.answer is None:
        return {**data, "unchanged": True}
    return data | answer_data(sent.edit, sent.answer, sent.erased)


def remember_feed(call: Call, sent: FeedSent) -> None:
    """Remember the key points as seen, where the editor wrote them, or had seen them before."""
    seen = sent.seen
    if sent.answer is None or (seen is not None and int(sent.feed["version"]) < seen.version):
        return  # nothing was done, or a retry was answered with what it did then
    if sent.edit.writes_words or (seen is not None and seen.etag == sent.edit.etag):
        note_feed_shown(call, sent.feed)
