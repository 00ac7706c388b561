"""WebSub pings: the hub is told which documents changed, and brings them to its subscribers.

A hub fetches at once, so a ping waits until no cache may still answer with what was before. All
that changed meanwhile is one ping. What could not be told is told later: a feed's head is compared
with the sequence that the hub was last told of, also after a restart.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
from collections.abc import Callable, Iterable, Sequence

import httpx

from feedserver.errors import Unavailable
from feedserver.live.feeds import Feeds
from feedserver.model import Act, Millis, Verb
from feedserver.outgoing.cursors import Cursors
from feedserver.rules import Change

log = logging.getLogger("feedserver.outgoing")

SETTLE_SECONDS = 3.0  # after a change: documents may be kept for two
REQUEST_SECONDS = 10.0  # for one ping, from the look-up of the name to the end of the answer
RETRY_SECONDS = (5.0, 3600.0)  # between tries while the hub fails: twice as long each time
LOCK_SECONDS = 5.0  # between tries to become the process that sends
SILENT = frozenset({Verb.PIN, Verb.UNPIN, Verb.REDACT, Act.RESTAMP})  # no subscriber is told of


class Pinger:
    """Tells one hub of changed feeds, from one process of all that share the folder."""

    def __init__(
        self,
        address: str,
        addresses_of: Callable[[str], Sequence[str]],
        feeds: Feeds,
        epoch: Callable[[], str],
        cursors: Cursors,
        now: Callable[[], Millis],
    ) -> None:
        """`addresses_of` names the documents of a feed."""
        self._address = address
        self._addresses_of = addresses_of
        self._feeds = feeds
        self._epoch = epoch
        self._cursors = cursors
        self._now = now
        self._due: dict[str, float] = {}  # feeds that changed, and when they may be told of
        self._changed = asyncio.Event()
        self._is_sending = False
        self._failures = 0
        self._is_known_well = False  # an earlier process may have left it failing
        self._resume_at = 0.0  # before which the hub is left alone, as it fails

    def note(self, changes: Iterable[Change]) -> None:
        """Take in changes. Costs nothing but a word; imported ones are no news."""
        if not self._is_sending:
            return
        for change in changes:
            is_imported = change.item is not None and change.item.imported
            if change.feed is not None and change.act not in SILENT and not is_imported:
                self._wait_for(change.feed.slug)

    async def run(self) -> None:
        """Tell the hub, for ever."""
        while not self._cursors.lock():  # noqa: ASYNC110 (another process holds it)
            await asyncio.sleep(LOCK_SECONDS)
        async with httpx.AsyncClient(timeout=REQUEST_SECONDS) as client:
            epoch: str | None = None
            while True:
                try:
                    if epoch != self._epoch():
                        epoch = None
                        epoch = await self._find_untold(self._epoch())
                    slug = await self._next_due()
                    if slug is not None and epoch == self._epoch():
                        await self._tell(client, slug, epoch)
                except (Unavailable, sqlite3.Error) as fault:  # a full disk, a lost database
                    log.warning("cannot tell which feeds changed, will retry: %s", fault)
                    await asyncio.sleep(RETRY_SECONDS[0])

    async def _find_untold(self, epoch: str) -> str:
        """Find what the hub was not told of: what changed while nothing was sent."""
        self._is_sending = True  # before the look: nothing may come between
        await self._feeds.load_all()
        await asyncio.to_thread(self._cursors.forget_all_but, self._address)
        told = await asyncio.to_thread(self._cursors.told, self._address, epoch)
        for feed in self._feeds.all():
            if feed.head > told.get(feed.slug, 0):
                self._wait_for(feed.slug)
        return epoch

    def _wait_for(self, slug: str) -> None:
        self._due.setdefault(slug, asyncio.get_running_loop().time() + SETTLE_SECONDS)
        self._changed.set()

    async def _next_due(self) -> str | None:
        """Wait until a feed may be told of, and return it; None: ask again."""
        self._changed.clear()
        slug = min(self._due, key=lambda one: self._due[one], default=None)
        wait = REQUEST_SECONDS
        if slug is not None:
            start = max(self._due[slug], self._resume_at)
            wait = start - asyncio.get_running_loop().time()
            if wait <= 0:
                return slug
        try:
            async with asyncio.timeout(wait):
                await self._changed.wait()
        except TimeoutError:
            pass
        return None

    async def _tell(self, client: httpx.AsyncClient, slug: str, epoch: str) -> None:
        feed = await self._feeds.find(slug)
        del self._due[slug]  # what changes from now on is told of again
        if feed is None:
            return
        try:
            retry_after = 0.0
            for address in self._addresses_of(slug):
                async with asyncio.timeout(REQUEST_SECONDS):
                    ping = {"hub.mode": "publish", "hub.url": address}
                    answer = await client.post(self._address, data=ping)
                if not answer.is_success:
                    retry_after = _seconds(answer.headers.get("retry-after", ""))
                    raise httpx.HTTPError(f"it answered {answer.status_code}")
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as fault:
            await self._fail(slug, str(fault) or "it did not answer in time", retry_after)
            return
        if self._failures:
            log.info("the hub %s takes pings again", self._address)
        self._failures = 0
        await asyncio.to_thread(self._cursors.tell, self._address, slug, epoch, feed.head)
        if not self._is_known_well:
            await asyncio.to_thread(self._cursors.recover, self._address)
            self._is_known_well = True

    async def _fail(self, slug: str, detail: str, retry_after: float) -> None:
        """Leave the hub alone, for longer with each failure."""
        low, high = RETRY_SECONDS
        wait = min(high, max(retry_after, low * 2 ** min(self._failures, 20)))
        self._failures += 1
        self._is_known_well = False
        if self._failures == 1:
            log.warning("the hub %s takes no pings, will retry: %s", self._address, detail)
        now = asyncio.get_running_loop().time()
        self._resume_at = now + wait * random.uniform(1, 1.25)  # noqa: S311
        self._due.setdefault(slug, self._resume_at)  # behind the others: it may be its own fault
        await asyncio.to_thread(self._cursors.fail, self._address, self._now(), detail)


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0
