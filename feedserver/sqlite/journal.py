"""The journal in SQLite: group commit, and a tail that other processes' commits wake."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial

from feedserver.errors import OutcomeUnknown, Unavailable
from feedserver.journal import Identity
from feedserver.model import Millis, Record, Status, Verb
from feedserver.rules import Change
from feedserver.sqlite import writer
from feedserver.sqlite.database import READ_ONLY, Database, MetaChanges
from feedserver.sqlite.eraser import Eraser
from feedserver.sqlite.erasing import NEWEST
from feedserver.sqlite.keys import AHEAD
from feedserver.sqlite.ledger import Ledger
from feedserver.sqlite.search import Search
from feedserver.sqlite.tail import Tail, read_tail

log = logging.getLogger("feedserver.journal")

GROUP_MAX = 256  # records in one transaction
RETRY_SECONDS = 1.0  # between tries to read from a database that fails
STOPPING = "the server is stopping; retry"
# How late another process's commit may be seen. To wake up costs some 0.1 ms, whatever for, …
POLL_SECONDS = 0.008
TOLD_POLL_SECONDS = 0.05  # … and who is told by siblings looks only for what nobody told it

Waiting = tuple[Record, asyncio.Future[Change]]
"""A record, and where its caller waits for the answer."""


class SQLiteJournal:
    """A Journal over a Database; opened by `open_journal`."""

    def __init__(self, database: Database, search: Search) -> None:
        # Tells other processes, which tell this one too.
        self.on_commit: Callable[[], None] | None = None
        # Why the last commit failed, or none can be made.
        self.trouble: str | None = READ_ONLY if database.is_read_only else None
        self.on_new_epoch: Callable[[], None] | None = None
        self.on_clock_accepted: Callable[[], None] | None = None
        self.search = search
        self.eraser = Eraser(database, search.clean, lambda: search.cleaned_to)
        self._database = database
        self._ledger = Ledger(database.keys, database.reader)
        self._queue: deque[Waiting] = deque()
        self._queued = asyncio.Event()
        self._ended = False
        self._tail = Tail()
        self._newest = database.newest_sequence()
        self._grown = asyncio.Event()
        self._filling: asyncio.Task[None] | None = None
        self._misplaced: str | None = None
        self._fills = True  # as far as the last try to draw keys ahead has shown

    @property
    def identity(self) -> Identity:
        """Which journal this is."""
        return self._database.identity

    @property
    def damage(self) -> str | None:
        """What is wrong with the files, as far as reads have shown; None if nothing is."""
        return self._database.damage or self._database.fault

    @property
    def moved(self) -> str | None:
        """Which file is no longer in its place; None if all are."""
        return self._database.files.moved()

    @property
    def misplaced(self) -> str | None:
        """Which file was away at the last poll, and is away still. Costs nothing while none is."""
        if self._misplaced is not None:
            self._misplaced = self.moved
        return self._misplaced

    async def look_again(self) -> None:
        """Read something, to learn if a fault has passed."""
        with suppress(Unavailable):
            await self._database.read(lambda c: c.execute("SELECT count(*) FROM feeds").fetchone())

    async def append(self, record: Record) -> Change:
        """Commit the record, together with whatever else is waiting."""
        if self._ended:
            raise Unavailable(STOPPING)
        answer: asyncio.Future[Change] = asyncio.get_running_loop().create_future()
        self._queue.append((record, answer))
        self._queued.set()
        return await answer

    async def follow(self, after: int) -> AsyncIterator[tuple[Change, ...]]:
        """Yield changes after `after`: as watched here, else as read back from the file."""
        while True:
            grown = self._grown
            if after < self._newest:
                changes = self._tail.since(after) or await self._read_back(after)
                if changes:
                    after = changes[-1].sequence
                    yield changes
                    continue
            await grown.wait()

    async def head(self) -> int:
        """Return the newest record's sequence. Raises Unavailable."""
        try:
            return self._database.newest_sequence()
        except sqlite3.Error as fault:
            raise Unavailable(f"the database cannot be read ({fault}); retry") from None

    async def newest_at(self) -> Millis:
        """Return when the newest record was made; 0 where there is none."""
        newest = "SELECT at FROM records ORDER BY sequence DESC LIMIT 1"
        row = await self._database.read(lambda c: c.execute(newest).fetchone())
        return row[0] if row else 0

    async def level(self) -> bool:
        """Say that all is applied here: on one machine the journal is the mirror."""
        return True

    async def given(self, sequence: int) -> bool:
        """Say whether the journal ever gave this sequence: it has a record."""
        found = "SELECT 1 FROM records WHERE sequence = ?"
        row = await self._database.read(lambda c: c.execute(found, (sequence,)).fetchone())
        return row is not None

    async def purged(self, timeout: float, version: int | None = None) -> bool:
        """Wait up to `timeout` seconds until no file can give withdrawn words back.

        With a version: the words that were withdrawn up to it.
        """
        return await self.eraser.done_within(timeout, NEWEST if version is None else version)

    async def _read_back(self, after: int) -> tuple[Change, ...]:
        while True:
            epoch = self.identity.epoch
            try:
                changes = await self._database.read(
                    lambda c: read_tail(c, self._database.reader, after)
                )
            except Unavailable as fault:
                log.warning("cannot read news back, will retry: %s", fault.detail)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if epoch != self.identity.epoch:  # these may be of the journal that was here before
                continue
            self._forget_withdrawn(changes)
            return changes

    def _forget_withdrawn(self, changes: Iterable[Change]) -> None:
        """Drop what holds withdrawn words, and have the rest of them erased."""
        withdrawn = {
            change.item.id
            for change in changes
            if change.item and (change.item.status is Status.KILLED or change.act is Verb.REDACT)
        }
        feeds = {
            change.feed.slug
            for change in changes
            if change.feed and change.item is None and change.act is Verb.REDACT
        }
        if withdrawn or feeds:
            self._tail.forget(withdrawn, feeds)
            self.eraser.start()

    def nudge(self) -> None:
        """Look for another process's commit now."""
        try:
            self._grow(self._database.newest_sequence())
        except sqlite3.Error as fault:
            log.warning("cannot look for other processes' news: %s", fault)  # the next poll does

    def _tell_of_changes(self, changes: MetaChanges) -> None:
        if changes.epoch:
            self.search.wake()  # its file is of another journal now
        if changes.epoch and self.on_new_epoch is not None:
            self._tail.forget_all()
            self.on_new_epoch()
        if changes.clock_accepted and self.on_clock_accepted is not None:
            self.on_clock_accepted()

    def _grow(self, newest: int) -> None:
        if newest > self._newest:
            self._newest = newest
            self.search.wake()
            self._grown.set()
            self._grown = asyncio.Event()

    async def _write(self) -> None:
        try:
            while True:
                await self._queued.wait()
                group = [self._queue.popleft() for _ in range(min(len(self._queue), GROUP_MAX))]
                if not self._queue:
                    self._queued.clear()
                await self._commit_and_answer(group)
        finally:
            self._ended = True
            _answer_all(self._queue, partial(Unavailable, STOPPING))

    async def _commit_and_answer(self, group: list[Waiting]) -> None:
        try:
            await self._commit(group)
        except BaseException:
            _answer_all(group, partial(OutcomeUnknown, STOPPING))
            raise

    def _note_trouble(self, trouble: str | None) -> None:
        if trouble is not None and self.trouble is None:
            log.warning("nothing can be written: %s", trouble)
        elif trouble is None and self.trouble is not None:
            log.warning("written again")
        self.trouble = trouble

    async def _commit(self, group: list[Waiting]) -> None:
        records = [record for record, _ in group]
        try:
            decisions = await self._database.write(
                lambda c: writer.transact(c, self._ledger, self._database.files, records)
            )
        except (Unavailable, sqlite3.Error) as fault:
            self._note_trouble(str(fault))
            _answer_all(group, partial(_unavailable, fault))
            return
        except writer.RolledBack as undone:
            # One record that the rules choke on must not take the others, or the server, along.
            if len(group) > 1:
                for one in group:
                    await self._commit([one])
            elif not group[0][1].done():
                group[0][1].set_exception(undone.__cause__ or undone)
            return
        except Exception as fault:
            # Stored or not: to append again might store everything twice.
            log.exception("a commit failed in a way that nobody foresaw")
            _answer_all(group, partial(_unavailable, fault))
            return
        refused = next((one.detail for one in decisions if isinstance(one, Unavailable)), None)
        if self.trouble != writer.NO_ROOM or not writer.is_reserved(records):
            self._note_trouble(refused)
        changes = [decision for decision in decisions if isinstance(decision, Change)]
        self._tail.extend(changes)
        self._forget_withdrawn(changes)
        if changes:
            self._grow(changes[-1].sequence)
            self._fill_ahead(changes[-1].sequence + 1)
            if self.on_commit is not None:
                self.on_commit()
        for (_, answer), decision in zip(group, decisions, strict=True):
            if answer.done():  # the caller is gone; what was decided stands
                continue
            if isinstance(decision, Change):
                answer.set_result(decision)
            else:
                answer.set_exception(decision)

    def _fill_ahead(self, following: int) -> None:
        """Draw keys ahead, beside the work, so that a post waits for none."""
        keys = self._database.keys
        if keys.is_low(following) and (self._filling is None or self._filling.done()):

            def fill() -> None:
                try:
                    keys.fill(following, AHEAD)
                except OSError as fault:
                    if self._fills:
                        log.warning("no keys can be drawn ahead: %s", fault)
                    self._fills = False
                else:
                    self._fills = True

            self._filling = asyncio.create_task(asyncio.to_thread(fill))

    async def _watch(self) -> None:
        seen, moved = None, None
        while True:
            self._misplaced = self.moved
            if self._misplaced != moved:
                moved = self._misplaced
                log.error("%s", moved) if moved else log.warning("all files are in place again")
            try:
                version = self._database.data_version()
                if version != seen:
                    self._tell_of_changes(self._database.refresh_identity())
                    self._grow(self._database.newest_sequence())
                    seen = version
            except sqlite3.Error as fault:
                log.warning("cannot look for other processes' news, will retry: %s", fault)
                await asyncio.sleep(RETRY_SECONDS)
            await asyncio.sleep(POLL_SECONDS if self.on_commit is None else TOLD_POLL_SECONDS)


@asynccontextmanager
async def open_journal(
    database: Database,
    search: Search,
    *,
    serves: bool = True,
    on_fault: Callable[[BaseException], None] | None = None,
) -> AsyncIterator[SQLiteJournal]:
    """Run a journal over `database`; tells `on_fault` should one of its tasks ever die.

    One that does not serve leaves purges to those that do.
    """
    journal = SQLiteJournal(database, search)

    def ended(task: asyncio.Task[None]) -> None:
        fault = None if task.cancelled() else task.exception()
        if fault is not None:
            log.critical("the journal stopped working", exc_info=fault)
            if on_fault is not None:
                on_fault(fault)

    works = [journal._write(), journal._watch()]  # noqa: SLF001
    if serves and not database.is_read_only:
        works.append(journal.eraser.work())
    tasks = [asyncio.create_task(work) for work in works]
    for task in tasks:
        task.add_done_callback(ended)
    try:
        yield journal
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if journal._filling is not None:  # noqa: SLF001
            await journal._filling  # noqa: SLF001


def _answer_all(group: Iterable[Waiting], make: Callable[[], Unavailable]) -> None:
    # One error for each caller: an exception that is raised twice grows two tracebacks.
    for _, answer in group:
        if not answer.done():
            answer.set_exception(make())


def _unavailable(fault: Exception) -> Unavailable:
    if isinstance(fault, OutcomeUnknown):
        return OutcomeUnknown(fault.detail)
    if isinstance(fault, Unavailable):
        return Unavailable(fault.detail, fault.retry_after)
    return OutcomeUnknown(f"the commit failed ({fault}); retry with the same Idempotency-Key")
