"""What an editor asks of the server, and the command that asks it again."""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from feedserver.model import Verb
from publisher.editing.call import Call
from publisher.editing.changes import words_of_changes
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

    `changes`: what it changes within a field; see `changes.py`. `etag`: the version that it is
    written against, and `base` that version's words, where they are known. `any_version`: `etag`
    may give way to a newer one. `merges`: it goes together with what others changed in other
    fields. `unseen`: nobody was shown that version. `headline`: that of the item when it was
    fetched, if it was. `sent`: the fields of the last try, where they are not `fields`.
    """

    verb: Verb
    fields: Json
    key: str
    item: int | None = None
    etag: str | None = None
    headline: str | None = None
    any_version: bool = False
    changes: Json = field(default_factory=dict)
    base: Json | None = None
    merges: bool = False
    unseen: bool = False
    sent: Json | None = None

    @property
    def writes_words(self) -> bool:
        """Whether it changes what an item says."""
        return self.verb in WRITES_WORDS

    @property
    def kept_etag(self) -> str | None:
        """The version that a later try has to name."""
        return None if self.any_version else self.etag

    @property
    def body(self) -> Json:
        """The request's body."""
        fields = self.fields if self.sent is None else self.sent
        return fields if self.item is None else {"verb": self.verb.value, **fields}


def new_key() -> str:
    """Return a key that no one has used."""
    return str(uuid.uuid4())


def repeating(
    call: Call,
    edit: Edit,
    saved: SavedText,
    *,
    key: str | None,
    etag: str | None,
    overwrite: bool = False,
) -> str:
    """Return the command that makes the same edit again, against the version `etag`.

    `overwrite`: over that version, which may not be the one that it was written against.
    """
    words = [*_given(edit.fields, saved), *words_of_changes(edit.changes)]
    if overwrite or (edit.writes_words and edit.any_version):
        words.append("--overwrite")
    if etag is not None:
        words.append(f"--seen={etag}" if edit.merges and not overwrite else f"--if-match={etag}")
    return _command(call, edit, words, key)


def reworking(
    call: Call, edit: Edit, saved: SavedText, *, without: Sequence[str], in_editor: bool
) -> str | None:
    """Return the command that makes the edit again without the fields that others changed, too.

    `in_editor`: headline and text are opened in the editor, with both sides' changes in them. None
    where nothing is left.
    """
    fields = {name: value for name, value in edit.fields.items() if name not in without}
    left_out = {"pictures"} if "media" in without else set()
    changes = {name: value for name, value in edit.changes.items() if name not in left_out}
    tags = edit.fields.get("tags")
    if "tags" in without and edit.base is not None:
        had = edit.base.get("tags") or []
        changes["add_tags"] = [tag for tag in tags or () if tag not in had]
        changes["remove_tags"] = [tag for tag in had if tag not in (tags or ())]
    words = [*_given(fields, saved), *words_of_changes(changes)]
    if in_editor:
        words.append("--edit")
    elif not (words_of_changes(changes) or fields.keys() - {"note", "at"}):
        return None
    if edit.etag is not None:
        words.append(f"--seen={edit.etag}")
    return _command(call, edit, words, edit.key)


def _given(fields: Json, saved: SavedText) -> list[str]:
    """Return the words that say the fields; headline and body are in the file if there is one."""
    fields = dict(fields)
    words = []
    if saved.path is not None:
        given = [name for name in ("headline", "body") if fields.get(name) is not None]
        for name in given:
            del fields[name]
        words += [f"--file={saved.path}"] * bool(given)
    return words + words_of(fields)


def _command(call: Call, edit: Edit, words: list[str], key: str | None) -> str:
    start = ["publisher", edit.verb.value]
    if edit.item is not None:
        start.append(str(edit.item))
    start += [f"--as={call.args.profile}"] if call.args.profile else []
    start.append(f"--feed={call.feed}")
    more = ["--insecure"] if call.args.insecure else []
    if call.args.timeout != TIMEOUT:
        more.append(f"--timeout={call.args.timeout:g}")
    if key is not None:
        more.append(f"--key={key}")
    return shlex.join([*start, *words, *more])
