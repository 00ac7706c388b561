"""How a feed's key points are changed: settle the text and the version it is against, submit."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from typing import TYPE_CHECKING

from publisher.editing.call import Call
from publisher.editing.edit import Edit, FeedVerb, new_key
from publisher.editing.feed_looking import (
    feed_revisions,
    feed_words,
    fetch_feed,
    note_feed_shown,
    seen_feed,
    summary_at,
    summary_in,
)
from publisher.editing.feed_outcome import finish_feed
from publisher.editing.feed_sending import FeedSent, ask_unseen_feed, submit_feed
from publisher.editing.flushing import send_earlier
from publisher.editing.keeping import keep_unsent
from publisher.failures import Misused, NotReached
from publisher.text.difference import BETWEEN, THEIRS, YOURS, has_marks, merge
from publisher.text.editor import write_body_in_editor
from publisher.text.saved import SavedText, saving_text
from publisher.text.seen import Seen
from publisher.text.typed import Text, check_text, read_stdin
from publisher.text.words import alike

if TYPE_CHECKING:
    from feedserver.wire import Json
    from publisher.server.client import Client

_BOTH = f"Both changed the words between {THEIRS} and {YOURS}: theirs, {BETWEEN}, yours.\n"


def change_summary(call: Call, typed: str | None) -> None:
    """Change the key points to what was typed, is on stdin or is written now. Raises Failure."""
    args = call.args
    with saving_text() as saved, call.editor() as client:
        text = _typed(args, typed, saved)
        edit = Edit(FeedVerb.SUMMARY, {}, args.key or new_key())
        try:
            send_earlier(call, client, None)
            feed = fetch_feed(call, client)
        except NotReached as failure:
            seen = seen_feed(call)
            if args.edit:
                if seen is None:
                    raise
                call.screen.notice(f"{failure.headline}; these are the key points you saw last")
                text = _written(call, summary_in(seen.words) if text is None else text, seen, saved)
            edit = _against(call, _with(edit, args, text), seen, None)
            keep_unsent(call, edit, saved, failure)
            raise
        if args.edit:
            text = _edited(call, client, feed, text, saved)
        edit = _with(edit, args, text)
        if _says_so(args, feed, text):
            finish_feed(call, FeedSent(edit, feed, fulfilled="says so already"))
            return
        edit = _against(call, edit, seen_feed(call), feed)
        finish_feed(call, submit_feed(call, client, edit, saved))


def _typed(args: Namespace, typed: str | None, saved: SavedText) -> str | None:
    """Return the text that was given, empty for none; None where it is to be written."""
    if args.clear:
        return ""
    if args.stdin:
        text = Text.of(None, read_stdin(saved, "; to take the key points away: --clear")).body or ""
        saved.try_to_save(text)
        return text
    if typed is None:
        return None
    check_text(typed)
    text = Text.of(None, typed).body or ""
    if not text:
        raise Misused("the text is empty; to take the key points away: --clear")
    return text


def _with(edit: Edit, args: Namespace, text: str | None) -> Edit:
    typo = {"typo": True} if args.typo else {}
    return replace(edit, fields={"summary": text or None, **typo})


def _says_so(args: Namespace, feed: Json, text: str | None) -> bool:
    """Say whether there is nothing to send. With a key or a version, a text is always sent."""
    same = alike("summary", summary_in(feed_words(feed)), text)
    return same and args.key is None and args.if_match is None


def _against(call: Call, edit: Edit, seen: Seen | None, feed: Json | None) -> Edit:
    """Return a change with the version that it names, by the rules of docs/publishing.md."""
    args = call.args
    if args.if_match:
        base = feed_words(feed) if feed is not None and feed["etag"] == args.if_match else None
        return replace(edit, etag=args.if_match, base=base)
    if args.overwrite:
        now = (feed["etag"], feed_words(feed)) if feed is not None else (None, None)
        return replace(edit, etag=now[0], base=now[1], any_version=True)
    if args.edit and feed is not None:
        return replace(edit, etag=feed["etag"], base=feed_words(feed), merges=True)
    if args.seen:
        base = seen.words if seen is not None and seen.etag == args.seen else None
        return replace(edit, etag=args.seen, base=base, merges=True)
    if seen is not None:
        return replace(edit, etag=seen.etag, base=seen.words, merges=True)
    return edit if feed is None else ask_unseen_feed(call, edit, feed)


def _edited(call: Call, client: Client, feed: Json, typed: str | None, saved: SavedText) -> str:
    """Open the key points in the editor, with what was typed in them. Raises Misused."""
    now = summary_in(feed_words(feed))
    start, clashes = now if typed is None else typed, 0
    seen = seen_feed(call)
    etag = call.args.seen or (seen.etag if seen is not None else None)
    if typed is not None and etag not in (None, feed["etag"]) and not call.args.overwrite:
        if seen is not None and seen.etag == etag and "summary" in seen.words:
            base: str | None = summary_in(seen.words)
        else:
            base = summary_at(feed_revisions(call, client), etag)
        both = merge(base, now, typed)
        start, clashes = both.text, both.clashes
    shown = Seen(feed["etag"], feed["version"], feed_words(feed))
    written = _written(call, start, shown, saved, _BOTH * bool(clashes))
    note_feed_shown(call, feed)
    if has_marks(written) and not has_marks(now):
        raise Misused(
            f"both versions still stand between {THEIRS} and {YOURS}; keep one of them. "
            "Nothing was sent",
            see_help=False,
        )
    return written


def _written(call: Call, start: str, shown: Seen, saved: SavedText, more: str = "") -> str:
    about = f"The key points of {call.feed}, version {shown.etag}\n{more}"
    written = write_body_in_editor(start, about, saved, call.environ)
    now = summary_in(shown.words)
    if not written and now:
        raise Misused("the text is empty; nothing was sent. To take the key points away: --clear")
    if alike("summary", written, now):
        saved.remove()
        raise Misused("nothing was changed; nothing was sent")
    saved.try_to_save(written)
    return written
