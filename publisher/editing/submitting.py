"""Sends what an editor made, and says what came of it."""

from __future__ import annotations

import re
import shlex
import uuid
from dataclasses import dataclass

from feedserver.errors import Stale
from feedserver.model import Verb
from feedserver.wire import Json
from publisher.editing.call import Call
from publisher.editing.options import TIMEOUT, option_for, words_of
from publisher.failures import Broken, NotReached, Refused
from publisher.output import clean_line, plain
from publisher.server.client import Answer, Client
from publisher.server.schemas import is_revisions, is_versioned_item
from publisher.text.typed import Kept

_DONE = {
    Verb.POST: "Posted",
    Verb.FIX: "Fixed",
    Verb.UPDATE: "Updated",
    Verb.CORRECT: "Corrected",
    Verb.HOLD: "Held",
    Verb.RELEASE: "Released",
    Verb.KILL: "Withdrawn",
    Verb.PIN: "Pinned",
    Verb.UNPIN: "Unpinned",
}
_DELIVERED = re.compile(r"(\d{1,9})\s*;\s*of=(\d{1,9})\s*;\s*ms=(\d{1,9})(?:\.\d+)?\s*$")


@dataclass(frozen=True, slots=True)
class Submission:
    """A verb and its fields, under one key. The rest is for verbs on an item.

    `headline`: what the item said when it was fetched, if it was.
    """

    verb: Verb
    fields: Json
    key: str
    item: int | None = None
    etag: str | None = None
    headline: str | None = None

    @property
    def body(self) -> Json:
        """The request's body."""
        return self.fields if self.item is None else {"verb": self.verb.value, **self.fields}


def new_key() -> str:
    """Return a key that no one has used."""
    return str(uuid.uuid4())


def submit(call: Call, client: Client, submission: Submission, kept: Kept) -> None:
    """Send it, once however often that takes, and print what happened. Raises Failure."""
    path = call.items_path(submission.item)
    if submission.item is not None:
        path += "/revisions"
    try:
        answer = client.post(path, submission.body, submission.key, submission.etag)
    except NotReached as failure:
        _advise_to_retry(call, submission, kept, failure)
        raise
    except Refused as failure:
        _advise(call, client, submission, kept, failure)
        raise
    kept.forget()
    try:
        _report(call, submission, answer)
    except Broken as failure:
        failure.add(
            f"Item {answer.data['id']} is stored all the same: {call.page(answer.data['id'])}",
            stored="yes",
            id=answer.data["id"],
            key=submission.key,
        )
        raise


def say_unchanged(call: Call, item: Json) -> None:
    """Print that an item was as it should be already, so that nothing was sent."""
    link = call.page(item["id"])
    call.screen.give({**item, "link": link, "unchanged": True})
    call.screen.say(f"Item {item['id']} says so already; nothing changed, no revision was made")
    call.screen.say(link)


def tombstone_of(refusal: Refused) -> Json:
    """Return what a 410 still tells of the item; empty where it tells nothing."""
    found = refusal.problem.get("tombstone")
    return found if isinstance(found, dict) and is_versioned_item(found) else {}


def _report(call: Call, submission: Submission, answer: Answer) -> None:
    item = answer.data
    delivered = _DELIVERED.match(answer.headers.get("delivered", ""))
    replayed = answer.headers.get("idempotent-replayed") == "true"
    pending = answer.headers.get("purge", "").strip().lower() == "pending"
    link = call.page(item["id"])
    extra: Json = {"link": link, "key": submission.key}
    if delivered:
        readers, of, ms = map(int, delivered.groups())
        extra["delivered"] = {"readers": readers, "of": of, "ms": ms}
    if replayed:
        extra["replayed"] = True
    if pending:
        extra["purge"] = "pending"
    call.screen.give({**item, **extra})

    headline = clean_line(item.get("headline") or submission.headline or "")
    done = call.screen.paint(_DONE[submission.verb], "green", "bold")
    call.screen.say(f"{done} {item['id']}" + (f": {headline}" if headline else ""))
    told = [link]
    if submission.verb is Verb.HOLD:
        told.append("marked “Being checked”")
    if delivered:
        told.append(
            f"delivered to {readers} of {of} reader{'s' if of != 1 else ''} in {ms} ms"
            if of
            else "no reader is connected right now"
        )
    if replayed:
        told.append("done already by an earlier try")
    call.screen.say(" · ".join(told))
    if pending:
        call.screen.say(
            "Readers no longer see it. Its words are still being erased from the server's files; "
            "the server keeps trying until they are gone."
        )


def _again(
    call: Call, submission: Submission, kept: Kept, *, key: str | None, etag: str | None
) -> str:
    """Return the command that makes the same submission again."""
    fields = dict(submission.fields)
    words = []
    if kept.path is not None:
        for name in ("headline", "body"):
            if fields.get(name) is not None:
                del fields[name]
        words.append(f"--file={kept.path}")
    words += words_of(fields)
    if etag is not None:
        words.append(f"--if-match={etag}")
    return _command(call, submission, words, key)


def _command(call: Call, submission: Submission, words: list[str], key: str | None) -> str:
    start = ["publisher", submission.verb.value]
    if submission.item is not None:
        start.append(str(submission.item))
    start.append(f"--feed={call.feed}")
    more = ["--insecure"] if call.args.insecure else []
    if call.args.timeout != TIMEOUT:
        more.append(f"--timeout={call.args.timeout:g}")
    if key is not None:
        more.append(f"--key={key}")
    return shlex.join([*start, *words, *more])


def _advise_to_retry(call: Call, submission: Submission, kept: Kept, failure: NotReached) -> None:
    # The key is looked up before the version, so a retry may name the version it was made from.
    command = _again(call, submission, kept, key=submission.key, etag=submission.etag)
    failure.add(
        "Whether it was stored is not known. Sent again with the same key, it is done once:"
        if failure.doubt
        else "Nothing was stored. When the server is back:",
        f"  {command}",
        stored="unknown" if failure.doubt else "no",
        key=submission.key,
        retry=command,
    )


def _advise(
    call: Call, client: Client, submission: Submission, kept: Kept, refusal: Refused
) -> None:
    refusal.add(key=submission.key)
    listed = refusal.problem.get("errors")
    errors = (
        [error for error in listed if isinstance(error, dict)] if isinstance(listed, list) else []
    )
    if errors:
        refusal.headline = f"not {_DONE[submission.verb].lower()}:"
        for error in errors:
            error["option"] = option_for(str(error.get("pointer", "")))
            said = f"{error['option']}: " if error["option"] else ""
            refusal.add(f"  {said}{error.get('detail', '')}")
    elif refusal.status == Stale.status:
        current = refusal.problem.get("current")
        if isinstance(current, dict) and is_versioned_item(current):
            _show_conflict(call, client, submission, kept, refusal, current)


def _show_conflict(
    call: Call,
    client: Client,
    submission: Submission,
    kept: Kept,
    refusal: Refused,
    current: Json,
) -> None:
    """Show both texts, who was faster, and the commands that go on from here."""
    assert submission.item is not None
    refusal.headline = f"item {submission.item} was changed meanwhile; nothing was done"
    who = _last_change(call, client, submission.item)
    if who:
        refusal.add(f"The last change: {who}")
        refusal.add(changed_by=who)
    theirs = {
        "headline": current.get("headline") or "",
        "body": current.get("body") or plain(current.get("blocks")),
    }
    for name in ("headline", "body"):
        if name in submission.fields:
            refusal.add(f"{name.capitalize()} now:", *_indented(theirs[name]))
            refusal.add(f"Your {name}:", *_indented(submission.fields[name] or ""))
    if "headline" not in submission.fields:
        refusal.add("Headline now:", *_indented(theirs["headline"]))
    # A key that was refused is free; one that was typed is meant to be used.
    command = _again(call, submission, kept, key=call.args.key, etag=current["etag"])
    refusal.add("If yours still holds:", f"  {command}", retry=command)
    if submission.verb in {Verb.FIX, Verb.UPDATE, Verb.CORRECT}:
        command = _command(call, submission, _words_beside_editor(submission), call.args.key)
        refusal.add("To work yours into theirs:", f"  {command}")


def _words_beside_editor(submission: Submission) -> list[str]:
    """Return the words for all that is not to be written again in the editor, and --edit."""
    fields = {
        name: value for name, value in submission.fields.items() if name not in {"headline", "body"}
    }
    cleared = "body" in submission.fields and submission.fields["body"] is None
    return [*words_of(fields), *(["--body="] if cleared else []), "--edit"]


def _last_change(call: Call, client: Client, item: int) -> str:
    try:
        log = client.get(f"{call.items_path(item)}/revisions", is_revisions).data["revisions"]
    except (NotReached, Refused):
        return ""  # who it was is a kindness; the conflict is told all the same
    return f"{log[-1]['verb']} by {log[-1].get('editor') or 'the operator'}" if log else ""


def _indented(text: str) -> list[str]:
    return [f"  │ {line}" for line in text.split("\n")] if text else ["  │ (none)"]
