"""The journal in SQLite: group commit, and a tail that other processes' commits wake."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial

from feedserver.errors import OutcomeUnknown, Refused, Unavailable
from feedserver.journal import Identity
from feedserver.model import Record, Status
from feedserver.rules import Change, Duplicate
from feedserver.sqlite import ledger
from feedserver.sqlite.database import Database
from feedserver.sqlite.purge import Purge
from feedserver.sqlite.watched import Watched

log = logging.getLogger("feedserver.journal")

GROUP_MAX = 256  # records in one transaction
TAIL_MAX = 500  # records read back at once
OTHERS_SECONDS = 5.0  # for another process to purge what it killed
RETRY_SECONDS = 1.0  # between tries to read from a database that fails
STOPPING = "the server is stopping; retry"
# How late another process's commit may be seen. To wake up costs some 0.1 ms, whatever for, …
POLL_SECONDS = 0.008
TOLD_POLL_SECONDS = 0.05  # … and who is told by siblings looks only for what nobody told it

Decision = Change | Refused | Duplicate
Waiting = tuple[Record, asyncio.Future[Change]]
"""A record, and where its caller waits for the answer."""


class SQLiteJournal:
    """A Journal over a Database; opened by `open_journal`."""

    def __init__(self, database: Database) -> None:
        # Tells other processes, which tell this one too.
        self.on_commit: Callable[[], None] | None = None
        self.trouble: str | None = None  # why the last commit failed
        self._database = database
        self._queue: deque[Waiting] = deque()
        self._queued = asyncio.Event()
        self._ended = False
        self._watched = Watched()
        self._newest = database.newest_sequence()
        self._grown = asyncio.Event()
        self.purge = Purge(database)

    @property
    def identity(self) -> Identity:
        """Which journal this is."""
        return self._database.identity

    @property
    def damage(self) -> str | None:
        """What SQLite said when a read met a broken page of the file; None if none did."""
        return self._database.damage

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
                changes = self._watched.since(after) or await self._read_back(after)
                if changes:
                    after = changes[-1].sequence
                    yield changes
                    continue
            await grown.wait()

    async def head(self) -> int:
        """Return the newest record's sequence."""
        return await self._database.read(_newest)

    async def purged(self, patience: float) -> bool:
        """Wait up to `patience` seconds until no file holds words of a killed item."""
        return await self.purge.done_within(patience)

    async def _read_back(self, after: int) -> tuple[Change, ...]:
        while True:
            try:
                changes = await self._database.read(lambda c: read_tail(c, after))
                killed = _killed(changes)
                self._watched.forget(killed)
                if killed:  # whose process purges it, if it lives
                    asyncio.get_running_loop().call_later(OTHERS_SECONDS, self.purge.start)
                return changes
            except Unavailable as fault:
                log.warning("cannot read news back, will retry: %s", fault.detail)
                await asyncio.sleep(RETRY_SECONDS)

    def nudge(self) -> None:
        """Look for another process's commit now."""
        try:
            self._grow(self._database.newest_sequence())
        except sqlite3.Error as fault:
            log.warning("cannot look for other processes' news: %s", fault)  # the next poll does

    def _grow(self, newest: int) -> None:
        if newest > self._newest:
            self._newest = newest
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
            decisions = await self._database.write(lambda c: transact(c, records))
        except (Unavailable, sqlite3.Error) as fault:
            self._note_trouble(str(fault))
            _answer_all(group, partial(_unavailable, fault))
            return
        except Exception as fault:
            # One record that the rules choke on must not take the others, or the server, along.
            if len(group) > 1:
                for one in group:
                    await self._commit([one])
            elif not group[0][1].done():
                group[0][1].set_exception(fault)
            return
        self._note_trouble(None)
        changes = [decision for decision in decisions if isinstance(decision, Change)]
        killed = _killed(changes)
        self._watched.extend(changes)
        self._watched.forget(killed)
        if changes:
            self._grow(changes[-1].sequence)
            if self.on_commit is not None:
                self.on_commit()
        if killed:
            self.purge.start()
        for (_, answer), decision in zip(group, decisions, strict=True):
            if answer.done():  # the caller is gone; what was decided stands
                continue
            if isinstance(decision, Change):
                answer.set_result(decision)
            else:
                answer.set_exception(decision)

    async def _watch(self) -> None:
        seen = None
        while True:
            try:
                version = self._database.data_version()
                if version != seen:
                    self._grow(self._database.newest_sequence())
                    seen = version
            except sqlite3.Error as fault:
                log.warning("cannot look for other processes' news, will retry: %s", fault)
                await asyncio.sleep(RETRY_SECONDS)
            await asyncio.sleep(POLL_SECONDS if self.on_commit is None else TOLD_POLL_SECONDS)


@asynccontextmanager
async def open_journal(
    database: Database, *, on_fault: Callable[[BaseException], None] | None = None
) -> AsyncIterator[SQLiteJournal]:
    """Run a journal over `database`; tells `on_fault` should one of its tasks ever die."""
    journal = SQLiteJournal(database)

    def ended(task: asyncio.Task[None]) -> None:
        fault = None if task.cancelled() else task.exception()
        if fault is not None:
            log.critical("the journal stopped working", exc_info=fault)
            if on_fault is not None:
                on_fault(fault)

    works = [journal._write(), journal._watch(), journal.purge.work()]  # noqa: SLF001
    tasks = [asyncio.create_task(work) for work in works]
    for task in tasks:
        task.add_done_callback(ended)
    try:
        yield journal
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def transact(connection: sqlite3.Connection, records: list[Record]) -> list[Decision]:
    """Decide on `records` in order, in one transaction, durable on return."""
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as fault:
        raise Unavailable(f"the database is busy or cannot be written ({fault}); retry") from None
    decisions: list[Decision] = []
    try:
        sequence = _newest(connection)
        for record in records:
            try:
                decisions.append(ledger.apply(connection, record, sequence + 1))
                sequence += 1
            except (Refused, Duplicate) as refusal:  # raised before anything was written
                decisions.append(refusal)
    except BaseException as fault:
        if connection.in_transaction:  # SQLite itself rolls back when the disk is full
            connection.execute("ROLLBACK")
        if isinstance(fault, sqlite3.Error):
            raise Unavailable(f"the database cannot be written ({fault}); retry later") from None
        raise
    try:
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:  # else every later BEGIN would fail
            connection.execute("ROLLBACK")
        raise
    return decisions


def read_tail(connection: sqlite3.Connection, after: int) -> tuple[Change, ...]:
    """Read accepted changes after `after` back, with the state of now."""
    rows = connection.execute(
        "SELECT sequence, substr(rid, 1, 4), effective_at, feed, item, act, payload FROM records"
        " WHERE sequence > ? ORDER BY sequence LIMIT ?",
        (after, TAIL_MAX),
    ).fetchall()
    changes = []
    for sequence, check, effective_at, slug, item, act, payload in rows:
        token = None
        if slug is None and payload is not None:
            name = ledger.load_logged(
                (sequence, check, act, None, None, None, 0, 0, payload)
            ).record.fields["name"]
            row = connection.execute("SELECT * FROM tokens WHERE name = ?", (name,)).fetchone()
            token = ledger.load_token(row)
        changes.append(
            Change(
                sequence,
                check,
                effective_at,
                feed=ledger.find_feed(connection, slug) if slug is not None else None,
                item=ledger.find_item(connection, item) if item is not None else None,
                token=token,
            )
        )
    return tuple(changes)


def _killed(changes: Iterable[Change]) -> set[int]:
    return {c.item.id for c in changes if c.item and c.item.status is Status.KILLED}


def _newest(connection: sqlite3.Connection) -> int:
    newest: int = connection.execute("SELECT coalesce(max(sequence), 0) FROM records").fetchone()[0]
    return newest


def _answer_all(group: Iterable[Waiting], make: Callable[[], Unavailable]) -> None:
    # One error for each caller: an exception that is raised twice grows two tracebacks.
    for _, answer in group:
        if not answer.done():
            answer.set_exception(make())


def _unavailable(fault: Unavailable | sqlite3.Error) -> Unavailable:
    if isinstance(fault, Unavailable):
        return Unavailable(fault.detail)
    return OutcomeUnknown(f"the commit failed ({fault}); retry with the same Idempotency-Key")
