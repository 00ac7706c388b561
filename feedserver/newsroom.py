"""The write side's rules: a submission becomes a record, its answer is what was decided."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from feedserver import draft as drafts
from feedserver.draft import Draft
from feedserver.errors import (
    BadRequest,
    Behind,
    FeedStale,
    FieldError,
    Forbidden,
    Invalid,
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
    Content,
    Correction,
    Feed,
    FeedSettings,
    Item,
    Millis,
    Origin,
    Record,
    Redaction,
    RetryKey,
    Status,
    Token,
    TokenSettings,
    Verb,
    is_slug,
    random_id,
)
from feedserver.redaction import feed_redaction_of, redaction_of
from feedserver.retries import digest_of, is_same_request, key_reused, keyed_hash
from feedserver.rules import WRITES_WORDS, Change, Duplicate, time_of
from feedserver.submission import Condition, FeedOutcome, Outcome, Submission

NAME_MAX = 100  # characters of an editor's name
BEHIND_SECONDS = 2.0  # that a version from a faster machine is waited for, …
BEHIND_POLL = 0.05  # … and between polls
RACES_MAX = 20  # tries of a change that takes any version, while others change the same
SLUG_RULE = (
    "a feed's name in addresses has 1 to 63 small letters, digits and hyphens, "
    "and starts with a letter or digit, e.g. world"
)
_KNOWN = ", ".join(one for one in Verb if one is not Verb.POST)


class Newsroom:
    """Takes submissions to the journal."""

    def __init__(self, journal: Journal, mirror: Mirror, clock: Callable[[], Millis]) -> None:
        self._journal = journal
        self._mirror = mirror
        self._clock = clock

    def now(self) -> Millis:
        """Return the time that news is stamped with."""
        return self._clock()

    async def submit(self, submission: Submission) -> Outcome:
        """Do what an editor asks. Raises Refused, Unavailable."""
        for race in range(RACES_MAX):
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
                if (
                    isinstance(refusal, Stale)
                    and submission.condition == ()
                    and race < RACES_MAX - 1
                ):
                    # If-Match: * takes any version; but whole words are made from one.
                    await self._reach(refusal.current.version)
                    continue
                if isinstance(refusal, NotFound) and submission.item is not None:
                    await self._existing(submission.feed, submission.item)  # or unreadable
                raise
            break
        assert change.item is not None
        return Outcome(change.item, redacted=_redacted(record))

    async def configure(
        self,
        slug: str,
        raw: object,
        editor: Token | None,
        condition: Condition | BadRequest = None,
        key: str | None = None,
    ) -> FeedOutcome:
        """Create, change, close or reopen a feed. Without a condition any version is changed.

        Settings that the feed has already make no record, unless a key is to be remembered.
        """
        if not is_slug(slug):
            raise Invalid([FieldError("/slug", SLUG_RULE)])
        if isinstance(condition, BadRequest):
            raise condition
        if editor is not None and not editor.may_edit(slug):
            raise Forbidden(f"this token does not edit the feed {slug}")
        retry_key = self._retry_key(slug, editor, key, ["feed", raw])

        async def attempt() -> FeedOutcome:
            current = await self._mirror.feed(slug)
            if current is None and condition:
                raise FeedStale(f"there is no feed “{slug}” yet: send no If-Match", None)
            if current is not None and condition and _version_of(current) not in condition:
                raise FeedStale(f"the feed {slug} was changed meanwhile", current)
            sent = drafts.feed_settings(raw, creating=current is None)
            before = current.settings if current is not None else FeedSettings("")
            if current is not None and key is None and await self._has(current, sent):
                return FeedOutcome(current, unchanged=True)
            change = await self._append(
                Act.FEED,
                feed=slug,
                editor=editor.name if editor else None,
                token_digest=editor.digest if editor else None,
                settings=replace(before, **sent),
                base=_version_of(current) if current is not None else None,
                retry_key=retry_key,
            )
            assert change.feed is not None
            return FeedOutcome(change.feed, created=current is None)

        return await self._change_feed(attempt, retry_key, repeats=not condition)

    async def redact_feed(
        self,
        slug: str,
        raw: object,
        editor: Token,
        condition: Condition | BadRequest,
        key: str | None = None,
    ) -> FeedOutcome:
        """Erase earlier key points of a feed. Raises Refused, Unavailable."""
        if isinstance(condition, BadRequest):
            raise condition
        if not editor.may_edit(slug):
            raise Forbidden(f"this token does not edit the feed {slug}")
        retry_key = self._retry_key(slug, editor, key, ["feed", raw])

        async def attempt() -> FeedOutcome:
            current = await self._existing_feed(slug)
            if condition is None:
                raise NoCondition("send If-Match with the feed's etag, to redact what you saw")
            version, note = drafts.feed_redaction(raw)
            if condition and _version_of(current) not in condition:
                raise FeedStale(f"the feed {slug} was changed meanwhile", current)
            redaction = feed_redaction_of(version, current, await self._mirror.feed_revisions(slug))
            change = await self._append(
                Verb.REDACT,
                feed=slug,
                editor=editor.name,
                token_digest=editor.digest,
                note=note,
                base=_version_of(current),
                redaction=redaction,
                retry_key=retry_key,
            )
            assert change.feed is not None
            return FeedOutcome(change.feed, redacted=redaction.erases)

        return await self._change_feed(attempt, retry_key, repeats=condition == ())

    async def erases(self, slug: str, item: int, version: int) -> tuple[int, ...]:
        """Return the versions whose words a redact of `version` would erase. Raises Refused."""
        current = await self._existing(slug, item, killed=True)
        revisions = await self._mirror.revisions(slug, item)
        redaction, _ = redaction_of(version, None, current, revisions)
        return redaction.erases

    async def feed_erases(self, slug: str, version: int) -> tuple[int, ...]:
        """Return the versions whose words a redact of a feed's `version` would erase.

        Raises Refused.
        """
        current = await self._existing_feed(slug)
        redaction = feed_redaction_of(version, current, await self._mirror.feed_revisions(slug))
        return redaction.erases

    async def add_token(
        self, name: str, digest: str, feeds: tuple[str, ...], *, importer: bool
    ) -> Token:
        """Let a new editor in. `digest` is the token's SHA-256 in hex."""
        if not name.strip() or len(name) > NAME_MAX or not name.isprintable():
            raise Invalid([FieldError("/name", f"a name has 1 to {NAME_MAX} printable characters")])
        for slug in feeds:
            await self._existing_feed(slug)
        settings = TokenSettings(name, digest, feeds, importer)
        change = await self._append(Act.TOKEN, settings=settings)
        assert change.token is not None
        return change.token

    async def revoke_token(self, name: str) -> None:
        """Shut an editor out."""
        await self._append(Act.REVOKE, settings=TokenSettings(name))

    async def _has(self, feed: Feed, sent: dict[str, Any]) -> bool:
        """Say whether a feed has these settings already, also by all that the journal has now."""
        asked = replace(feed.settings, **sent | {"is_typo": False})
        return (
            asked == feed.settings
            and await self._journal.level()
            and await self._mirror.feed(feed.slug) == feed
        )

    async def _append(self, act: Act | Verb, **fields: Any) -> Change:
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
            else:
                await self._existing_feed(submission.feed)
            raise
        base, content, redaction, note = None, None, None, draft.note
        if verb is Verb.POST:
            content = draft.applied_to(Content())
        else:
            assert item is not None
            base, content, redaction = await self._made_from(submission, item, verb, draft, now)
        origin = draft.origin
        return Record(
            random_id(),
            verb,
            now,
            feed=submission.feed,
            item=item,
            editor=submission.editor.name,
            content=content,
            note=note,
            base=base,
            published_at=draft.published_at,
            claimed_at=draft.claimed_at,
            origin=origin,
            origin_mac=self._origin_mac(submission.feed, origin) if origin else None,
            token_digest=submission.editor.digest,
            retry_key=self._retry_key(
                submission.feed,
                submission.editor,
                submission.key,
                [submission.item, submission.raw],
            ),
            redaction=redaction,
        )

    async def _made_from(
        self, submission: Submission, item: int, verb: Verb, draft: Draft, now: Millis
    ) -> tuple[tuple[int, str] | None, Content | None, Redaction | None]:
        """Return the version that a change is made from, and what it makes of it."""
        condition = submission.condition
        assert isinstance(condition, tuple)
        if verb not in WRITES_WORDS and verb is not Verb.REDACT:
            if len(condition) == 1:
                return condition[0], None, None
            if not condition:
                return None, None, None
        for version, _ in condition:
            await self._reach(version)
        current = await self._existing(submission.feed, item, killed=verb is Verb.REDACT)
        base = current.version, current.check
        if condition and base not in condition:
            raise _stale(current)
        if verb is Verb.REDACT:
            assert draft.version is not None
            revisions = await self._mirror.revisions(submission.feed, item)
            redaction, content = redaction_of(draft.version, draft.note, current, revisions)
            return base, content, redaction
        if verb not in WRITES_WORDS:
            return base, None, None
        content = draft.applied_to(current.content)
        if verb is Verb.CORRECT:
            at = time_of(now, draft.claimed_at, current)
            correction = Correction(at, draft.note or "")
            content = replace(content, corrections=(*content.corrections, correction))
        return base, content, None

    async def _existing(self, slug: str, item: int, *, killed: bool = False) -> Item:
        await self._existing_feed(slug)
        found = await self._mirror.item(slug, item)
        if found is None:
            await self._be_level()
            found = await self._mirror.item(slug, item)
        if found is None:
            raise NotFound(f"there is no item {item} in the feed {slug}")
        if found.status is Status.KILLED and not killed:
            raise Killed(f"item {found.id} was withdrawn and takes no further verb", found)
        return found

    async def _existing_feed(self, slug: str) -> Feed:
        found = await self._mirror.feed(slug)
        if found is None:
            await self._be_level()
            found = await self._mirror.feed(slug)
        if found is None:
            raise NotFound(f"there is no feed “{slug}”")
        return found

    async def _be_level(self) -> None:
        """Wait until this process knows all that the journal has by now. Raises Behind."""
        if not await self._journal.level():
            raise Behind

    async def _reach(self, sequence: int) -> None:
        """Wait until the mirror holds the record at `sequence`, if there ever was one."""
        if await self._journal.head() >= sequence or not await self._journal.given(sequence):
            return
        try:
            async with asyncio.timeout(BEHIND_SECONDS):
                while await self._journal.head() < sequence:  # noqa: ASYNC110
                    await asyncio.sleep(BEHIND_POLL)
        except TimeoutError:
            raise Unavailable(
                "this server has not heard of the version in If-Match yet; retry"
            ) from None

    async def _replay(self, submission: Submission) -> Outcome | None:
        if submission.key is None:
            return None
        retry = await self._mirror.retry(
            self._mac(submission.feed, submission.editor, submission.key)
        )
        if retry is None:
            return None
        item, revision = retry.current, retry.revision
        if item is None:  # the key was used for the feed itself
            raise key_reused()
        if retry.killed_at is not None and revision.version < retry.killed_at:
            raise Killed(f"what this key posted is item {item.id}, withdrawn since", item)
        if retry.digest is not None and not is_same_request(
            retry.digest, [submission.item, submission.raw]
        ):
            raise key_reused()
        return Outcome(revision.item or item, replayed=True)

    async def _change_feed(
        self,
        attempt: Callable[[], Awaitable[FeedOutcome]],
        retry_key: RetryKey | None,
        *,
        repeats: bool,
    ) -> FeedOutcome:
        """Do what `attempt` does; answer a retry as the first try, and repeat after a race."""
        for race in range(RACES_MAX):
            try:
                return await attempt()
            except Duplicate:
                replay = await self._feed_replay(retry_key)
                assert replay is not None
                return replay
            except (Unauthorized, Forbidden):
                raise
            except Refused as refusal:
                replay = await self._feed_replay(retry_key)
                if replay is not None:
                    return replay
                if not (isinstance(refusal, FeedStale) and repeats and race < RACES_MAX - 1):
                    raise
                if refusal.current is not None:
                    await self._reach(refusal.current.head)
        raise AssertionError("the last race raises or returns")

    async def _feed_replay(self, retry_key: RetryKey | None) -> FeedOutcome | None:
        retry = await self._mirror.retry(retry_key.mac) if retry_key is not None else None
        if retry is None or retry_key is None:
            return None
        if retry.current is not None:
            raise key_reused()
        if retry.digest is not None and not hmac.compare_digest(retry.digest, retry_key.digest):
            raise key_reused()
        feed = retry.feed
        assert feed is not None
        return FeedOutcome(feed, replayed=True)

    def _retry_key(
        self, slug: str, editor: Token | None, key: str | None, request: object
    ) -> RetryKey | None:
        if key is None or editor is None:
            return None
        return RetryKey(self._mac(slug, editor, key), digest_of(request))

    def _mac(self, slug: str, editor: Token, key: str) -> bytes:
        return keyed_hash(self._journal.identity.salt, (slug, editor.name, key))

    def _origin_mac(self, slug: str, origin: Origin) -> bytes:
        return keyed_hash(self._journal.identity.salt, (slug, origin.uri, origin.id))


def _redacted(record: Record) -> tuple[int, ...]:
    return record.redaction.erases if record.redaction is not None else ()


def _version_of(feed: Feed) -> tuple[int, str]:
    return feed.version, feed.version_check


def _stale(current: Item) -> Stale:
    return Stale(f"item {current.id} was changed meanwhile; look at current, then retry", current)
