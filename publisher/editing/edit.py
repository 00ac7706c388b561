"""What an editor asks of the server, and the command that asks it again."""

from __future__ import annotations

import shlex
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feedserver.model import Verb
from publisher.editing.call import Call
from publisher.editing.fields import words_of
from publisher.editing.options import TIMEOUT
from publisher.text.saved import SavedText

if TYPE_CHECKING:
    from feedserver.wire import Json

WRITES_WORDS = frozenset({Verb.FIX, Verb.UPDATE, Verb.CORRECT})
NEWS = frozenset({Verb.POST, Verb.UPDATE})  # what readers take for new when it reaches them
DONE = {
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


@dataclass(frozen=True, slots=True)
class Edit:
    """A verb and its fields, under one Idempotency-Key. The rest is for verbs on an item.

    `any_version`: it writes over nobody's words, so that `etag` may give way to a newer one.
    `headline`: that of the item when it was fetched, if it was.
    """

    verb: Verb
    fields: Json
    key: str
    item: int | None = None
    etag: str | None = None
    headline: str | None = None
    any_version: bool = False

    @property
    def kept_etag(self) -> str | None:
        """The version that a later try has to name."""
        return None if self.any_version else self.etag

    @property
    def body(self) -> Json:
        """The request's body."""
        return self.fields if self.item is None else {"verb": self.verb.value, **self.fields}


def new_key() -> str:
    """Return a key that no one has used."""
    return str(uuid.uuid4())


def repeating(
    call: Call, edit: Edit, saved: SavedText, *, key: str | None, etag: str | None
) -> str:
    """Return the command that makes the same edit again."""
    fields = dict(edit.fields)
    words = []
    if saved.path is not None:
        for name in ("headline", "body"):
            if fields.get(name) is not None:
                del fields[name]
        words.append(f"--file={saved.path}")
    words += words_of(fields)
    if etag is not None:
        words.append(f"--if-match={etag}")
    return _command(call, edit, words, key)


def rewriting(call: Call, edit: Edit, *, key: str | None) -> str:
    """Return the command that opens the item in the editor, with all else as it was typed."""
    fields = {
        name: value for name, value in edit.fields.items() if name not in {"headline", "body"}
    }
    cleared = "body" in edit.fields and edit.fields["body"] is None
    return _command(
        call, edit, [*words_of(fields), *(["--body="] if cleared else []), "--edit"], key
    )


def _command(call: Call, edit: Edit, words: list[str], key: str | None) -> str:
    start = ["publisher", edit.verb.value]
    if edit.item is not None:
        start.append(str(edit.item))
    start.append(f"--feed={call.feed}")
    more = ["--insecure"] if call.args.insecure else []
    if call.args.timeout != TIMEOUT:
        more.append(f"--timeout={call.args.timeout:g}")
    if key is not None:
        more.append(f"--key={key}")
    return shlex.join([*start, *words, *more])
