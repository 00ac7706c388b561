"""The write side's rules: a submission becomes a record, its answer is what was decided."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from feedserver import draft as drafts
from feedserver.errors import (
    BadRequest,
    FieldError,
    Forbidden,
    Invalid,
    KeyReused,
    Killed,
    NoCondition,
    NotFound,
    Refused,
    Stale,
    Unauthorized,
    Unavailable,
)
from feedserver.journal import Journal, Mirror
from feedserver.model import (
    Act,
    Erased,
    Feed,
    Item,
    Key,
    Millis,
    Record,
    Status,
    Token,
    Verb,
    is_slug,
    random_id,
)
from feedserver.rules import Change, Duplicate, fold

NAME_MAX = 100  # characters of an editor's name
BEHIND_PATIENCE = 2.0  # seconds that a version from a faster machine is waited for, …
BEHIND_POLL = 0.05  # … and between looks
SLUG_RULE = (
    "a feed's name in addresses has 1 to 63 small letters, digits and hyphens, "
    "and starts with a letter or digit, e.g. world"
)
_KNOWN = ", ".join(one for one in Verb if one is not Verb.POST)

Condition = tuple[tuple[int, str], ...] | None
"""The versions that If-Match allows; empty: any."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What an editor sent, as it came.

    `verb` None: it named none that there is. `condition` None: there was no If-Match; an error: it
    could not be read, which a retry is not told.
    """

    feed: str
    verb: Verb | None
    raw: dict[str, Any]
    editor: Token
    item: int | None = None
    condition: Condition | BadRequest = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The item as the verb left it; `replayed` if an earlier try had done it already."""

    item: Item
    replayed: bool = False


class Newsroom:
    """Takes submissions to the journal."""

    def __init__(self, journal: Journal, mirror: Mirror, clock: Callable[[], Millis]) -> None:
        self._journal = journal
        self._mirror = mirror
        self._clock = clock

    async def submit(self, submission: Submission) -> Outcome:
        """Do what an editor asks. Raises Refused, Unavailable."""
        try:
            record = await self._record(submission)
            change = await self._journal.append(record)
        except Duplicate:
            replay = await self._replay(submission)
            assert replay is not None  # its key was seen in the journal
            return replay
        except (Unauthorized, Forbidden):
            raise  # who may not come in is told nothing, not even what was done before
        except Refused as refusal:
            # A retry is answered as the first try was, whatever has changed since.
            replay = await self._replay(submission)
            if replay is not None:
                return replay
            if isinstance(refusal, Stale) and submission.condition == ():
                # If-Match: * takes any version; a kill had to name the one whose records it erases.
                return await self.submit(submission)
            raise
        assert change.item is not None
        return Outcome(change.item)

    async def configure(self, slug: str, raw: object, editor: Token | None) -> tuple[Feed, bool]:
        """Create, change, close or reopen a feed; say whether it was created."""
        if not is_slug(slug):
            raise Invalid([FieldError("/slug", SLUG_RULE)])
        if editor is not None and not editor.may_administer():
            raise Forbidden(
                "only a token without --feed creates, changes, closes and reopens feeds"
            )
        creating = await self._mirror.feed(slug) is None
        settings = drafts.feed_settings(raw, creating=creating)
        change = await self._append(
            Act.FEED,
            feed=slug,
            editor=editor.name if editor else None,
            digest=editor.digest if editor else None,
            fields=settings,
        )
        assert change.feed is not None
        return change.feed, change.feed.created_at == change.effective_at and creating

    async def add_token(
        self, name: str, digest: str, feeds: tuple[str, ...], *, importer: bool
    ) -> Token:
        """Let a new editor in. `digest` is the token's SHA-256 in hex."""
        if not name.strip() or len(name) > NAME_MAX or not name.isprintable():
            raise Invalid([FieldError("/name", f"a name has 1 to {NAME_MAX} printable characters")])
        for slug in feeds:
            if await self._mirror.feed(slug) is None:
                raise NotFound(f"there is no feed “{slug}”")
        fields = {"name": name, "digest": digest, "feeds": list(feeds), "importer": importer}
        change = await self._append(Act.TOKEN, fields=fields)
        assert change.token is not None
        return change.token

    async def revoke_token(self, name: str) -> None:
        """Shut an editor out."""
        await self._append(Act.REVOKE, fields={"name": name})

    async def _append(self, act: Act, **fields: Any) -> Change:
        return await self._journal.append(Record(random_id(), act, self._clock(), **fields))

    async def _record(self, submission: Submission) -> Record:
        now = self._clock()
        verb, item, condition = submission.verb, submission.item, submission.condition
        if not submission.editor.may_edit(submission.feed):
            raise Forbidden(f"this token does not edit the feed {submission.feed}")
        if isinstance(condition, BadRequest):
            raise condition
        if item is not None and condition is None:
            await self._existing(submission.feed, item)  # 404 and 410 come before 428
            naming = "" if verb else f", and one of {_KNOWN} as verb"
            raise NoCondition(
                f"send If-Match with the item's ETag, to {verb or 'change'} what you saw{naming}"
            )
        try:
            if verb is None:
                raise Invalid([FieldError("/verb", f"must be one of {_KNOWN}")])
            draft = drafts.draft(submission.raw, verb, now)
        except Invalid:
            if item is not None:
                await self._existing(submission.feed, item)
            elif await self._mirror.feed(submission.feed) is None:
                raise NotFound(f"there is no feed “{submission.feed}”") from None
            raise
        base = None
        if item is not None and condition:
            if len(condition) == 1:
                base = condition[0]
            else:
                base = await self._matching(submission.feed, item, condition)
        erased: tuple[Erased, ...] = ()
        if verb is Verb.KILL:
            base, erased = await self._to_erase(submission.feed, item, base)
        return Record(
            random_id(),
            verb,
            now,
            feed=submission.feed,
            item=item,
            editor=submission.editor.name,
            fields=draft.fields,
            note=draft.note,
            base=base,
            claimed_at=draft.claimed_at,
            origin=draft.origin,
            digest=submission.editor.digest,
            key=self._key(submission),
            erased=erased,
        )

    async def _existing(self, slug: str, item: int | None) -> Item:
        if await self._mirror.feed(slug) is None:
            raise NotFound(f"there is no feed “{slug}”")
        found = await self._mirror.item(slug, item) if item is not None else None
        if found is None:
            raise NotFound(f"there is no item {item} in the feed {slug}")
        if found.status is Status.KILLED:
            raise Killed(f"item {found.id} was withdrawn and takes no further verb", found)
        return found

    async def _matching(
        self, slug: str, item: int, condition: tuple[tuple[int, str], ...]
    ) -> tuple[int, str]:
        current = await self._existing(slug, item)
        if (current.version, current.check) not in condition:
            raise _stale(current)
        return current.version, current.check

    async def _to_erase(
        self, slug: str, item: int | None, base: tuple[int, str] | None
    ) -> tuple[tuple[int, str], tuple[Erased, ...]]:
        """Return the newest version of an item, and all records that lead to it.

        Raises Stale if that is not `base`, and Unavailable if `base` is not here yet: a record
        that is missing in the list could come back with its text.
        """
        if base is not None:
            await self._reach(base[0])
        await self._existing(slug, item)
        assert item is not None
        log = await self._mirror.log(slug, item)
        newest = log[-1].sequence, log[-1].record.check
        if base is not None and base != newest:
            raise _stale(await self._existing(slug, item))
        return newest, tuple(
            Erased(e.sequence, e.record.check, e.record.key.mac if e.record.key else None)
            for e in log
        )

    async def _reach(self, sequence: int) -> None:
        """Wait until the mirror holds the item's record at `sequence`, if there is one."""
        if await self._holds(sequence) or sequence > await self._journal.head():
            return
        try:
            async with asyncio.timeout(BEHIND_PATIENCE):
                while not await self._holds(sequence):  # noqa: ASYNC110
                    await asyncio.sleep(BEHIND_POLL)
        except TimeoutError:
            raise Unavailable(
                "this server has not heard of the version in If-Match yet; retry"
            ) from None

    async def _holds(self, sequence: int) -> bool:
        # It takes records in order, so one feed's head tells of all records before it.
        return any(feed.head >= sequence for feed in await self._mirror.feeds())

    async def _replay(self, submission: Submission) -> Outcome | None:
        if submission.key is None:
            return None
        use = await self._mirror.use(
            submission.feed, submission.editor.name, self._key_mac(submission)
        )
        if use is None:
            return None
        entries = await self._mirror.log(submission.feed, use.item)
        item = await self._mirror.item(submission.feed, use.item)
        assert item is not None
        if item.status is Status.KILLED and item.version != use.sequence:
            raise Killed(f"what this key posted is item {use.item}, withdrawn since", item)
        if use.key.salt and not hmac.compare_digest(
            use.key.body_mac, _mac(use.key.salt, _body(submission))
        ):
            raise KeyReused(
                "this Idempotency-Key was used before with another body; use a new key for new news"
            )
        if item.version != use.sequence:  # by the log, which was read first: none of it is erased
            item = fold(entry for entry in entries if entry.sequence <= use.sequence)
        return Outcome(item, replayed=True)

    def _key(self, submission: Submission) -> Key | None:
        if submission.key is None:
            return None
        salt = random_id(22)
        return Key(self._key_mac(submission), salt, _mac(salt, _body(submission)))

    def _key_mac(self, submission: Submission) -> str:
        scope = (submission.feed, submission.editor.name, submission.key or "")
        return _mac(self._journal.identity.salt, orjson.dumps(scope))


def _stale(current: Item) -> Stale:
    return Stale(f"item {current.id} was changed meanwhile; look at current, then retry", current)


def _mac(salt: str, data: bytes) -> str:
    return hmac.new(salt.encode(), data, hashlib.sha256).hexdigest()


def _body(submission: Submission) -> bytes:
    # Sorted, so that a retry that was serialised anew is still the same body.
    return orjson.dumps(
        [submission.item, submission.raw], option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    )
