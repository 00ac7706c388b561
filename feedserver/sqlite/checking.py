"""Look at both files of a newsroom: is every record readable, and does the state follow from them?

All is read at one moment, in bounded memory, beside a running server. Nothing is changed.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import orjson

from feedserver.model import STEP_BACK_MAX, Item, Millis, Status, Verb
from feedserver.rules import is_future
from feedserver.sqlite import comparing, moving_in, opening, replaying, rows
from feedserver.sqlite import folder as folders
from feedserver.sqlite.connecting import connect
from feedserver.sqlite.copying import Progress, quiet
from feedserver.sqlite.findings import (
    CONTRADICTION,
    DATABASE_FAULT,
    FUTURE,
    MISSING,
    NOT_ERASED,
    UNEXPLAINED,
    UNREADABLE,
    WENT_BACK,
    Finding,
)
from feedserver.sqlite.folder import DATABASE
from feedserver.sqlite.key_header import without
from feedserver.sqlite.keys import KeyFile
from feedserver.sqlite.replaying import Unfounded
from feedserver.sqlite.rows import Newer, Reader, Row, newest_sequence
from feedserver.sqlite.slots import Gone, Unreadable
from feedserver.sqlite.writer import next_at_least
from feedserver.wire import time_text

FAULTS_MAX = 20  # of SQLite's own look at its file
REPORTED = 2000  # records between two reports of the progress
ERASING_SECONDS = (
    0.2  # from the commit of a kill to the end of its keys, at most, where all is well
)


@dataclass(slots=True)
class Looked:
    """How much was looked at."""

    records: int = 0
    items: int = 0


Found = Callable[[Finding], None]
Remark = Callable[[str], None]


def check(
    folder: Path, now: Millis, found: Found, remark: Remark, progress: Progress = quiet
) -> Looked:
    """Tell `found` all that is wrong in a folder. Raises SetupError where it cannot be opened."""
    folders.check(folder)
    moving_in.finish(folder)
    path = folder / DATABASE
    try:
        opening.check_owner(path)
        with (
            closing(connect(path, read_only=True)) as connection,
            closing(connect(path, read_only=True)) as since,
        ):
            key_file = opening.open_keys(folder, read_only=True)
            try:
                connection.execute("BEGIN")
                return _Check(connection, since, key_file, now, found, remark, progress).run()
            finally:
                key_file.close()
    except sqlite3.DatabaseError as fault:
        raise opening.unreadable(path, fault) from None


class _Check:
    """One check, in one read transaction."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        since: sqlite3.Connection,
        keys: KeyFile,
        now: Millis,
        found: Found,
        remark: Remark,
        progress: Progress,
    ) -> None:
        self._connection = connection
        self._since = since  # sees what came after that moment
        self._keys = keys
        self._reader = Reader(keys)
        self._now = now
        self._found = found
        self._remark = remark
        self._progress = progress
        self._committed = keys.committed_to  # read first: it never runs ahead of the journal
        self._newest = newest_sequence(connection)
        self._looked = Looked()

    def run(self) -> Looked:
        self._look_at_file()
        self._look_at_header()
        self._look_for_gaps()
        for item, group in replaying.item_records(self._connection):
            self._look_at_item(item, group)
        self._look_at_others()
        for finding in comparing.all_but_items(self._connection):
            self._found(finding)
        return self._looked

    def _look_at_file(self) -> None:
        for (fault,) in self._connection.execute(f"PRAGMA integrity_check({FAULTS_MAX})"):
            if fault != "ok":
                self._found(Finding(DATABASE_FAULT, f"SQLite says: {' '.join(fault.split())}"))

    def _look_at_header(self) -> None:
        committed = self._committed
        for name, value in (("committed_to", committed), ("erased_to", self._keys.erased_to)):
            if value is None:
                self._found(Finding(UNREADABLE, f"{self._keys.path}: {name} is damaged"))
        if committed is not None and committed > self._newest:
            if committed < next_at_least(self._connection):
                return  # it was said, and the sequence has jumped
            self._found(
                Finding(
                    WENT_BACK,
                    f"the journal went back: record {committed} was committed, and the newest is "
                    f"{self._newest}. The next start gives it a new epoch",
                )
            )

    def _look_for_gaps(self) -> None:
        gaps = self._connection.execute(
            "SELECT before + 1, sequence - 1 FROM (SELECT sequence,"
            " lag(sequence, 1, 0) OVER (ORDER BY sequence) AS before FROM records)"
            " WHERE sequence > before + 1"
        )
        for first, last in gaps:
            for start, end in without(first, last, self._keys.skipped):
                which = f"record {start} is" if start == end else f"records {start} to {end} are"
                self._found(Finding(MISSING, f"{which} missing", start))

    def _look_at_item(self, item_id: int, group: Iterable[Row]) -> None:
        item: Item | None = None
        gone: dict[int, Gone] = {}
        killed_at, erases, redone = 0, set[int](), None
        kept: list[int] = []  # whose keys are there
        is_founded = True
        for row in group:
            sequence = row[0]
            self._look_at_words(row, gone, kept)
            if not is_founded:
                continue
            try:
                item = replaying.item_after(item, row)
            except (Unfounded, Newer, Unreadable) as fault:
                self._found(Finding(CONTRADICTION, str(fault), sequence))
                is_founded = False
                continue
            if not replaying.is_derived(item, row):
                self._found(
                    Finding(
                        CONTRADICTION,
                        f"record {sequence} of item {item_id} of {row[4]} bears another state than "
                        "its item's records lead to",
                        sequence,
                    )
                )
            if row[3] == Verb.KILL:
                killed_at = sequence
            elif row[3] == Verb.REDACT:
                erases |= _erases(row)
                if row[6] is None and row[19] == sequence:
                    redone = sequence
        where = f"item {item_id}"
        self._look_at_gone(gone, kept, where, lambda s: s < killed_at or s in erases)
        if item is None or not is_founded:
            return
        self._looked.items += 1
        stored = rows.find_bare_item(self._connection, item_id)
        for finding in comparing.compare(item, stored, where, item_id):
            self._found(finding)
        if is_future(item, self._now + STEP_BACK_MAX):
            when = time_text(max(item.published_at, item.updated_at or 0, item.killed_at or 0))
            detail = f"{where} of {item.feed} is stamped {when}, which has not come yet"
            self._found(Finding(FUTURE, detail, item.version, item_id))
        if redone is not None and item.status is Status.HELD:
            self._remark(
                f"{where} of {item.feed} shows an earlier text and is held since a restore (record "
                f"{redone}): the later text was redacted before; write it anew, then release it"
            )

    def _look_at_words(self, row: Row, gone: dict[int, Gone], kept: list[int]) -> None:
        self._looked.records += 1
        if self._looked.records % REPORTED == 0:
            self._progress("checked", self._looked.records, max(self._newest, 1))
        sequence = row[0]
        try:
            self._reader.words(row)
        except Gone as fault:
            gone[sequence] = fault
        except (Unreadable, Newer) as fault:
            of = f"item {row[5]} of {row[4]}" if row[5] else f"the feed {row[4]}"
            of = of if row[4] else "a token"
            detail = f"record {sequence} of {of} cannot be read: {fault}"
            self._found(Finding(UNREADABLE, detail, sequence))
        else:
            kept.append(sequence)

    def _look_at_gone(
        self, gone: dict[int, Gone], kept: list[int], of: str, erased: Callable[[int], bool]
    ) -> None:
        for sequence, fault in gone.items():
            if not erased(sequence) and not self._came_since(fault.by):
                self._found(
                    Finding(
                        UNEXPLAINED,
                        f"the key of record {sequence} of {of} is gone by the {fault.act} "
                        f"{fault.by}, which the journal does not have",
                        sequence,
                    )
                )
        left = [sequence for sequence in kept if erased(sequence)]
        if left:  # perhaps by a kill that is being executed right now
            time.sleep(ERASING_SECONDS)
            left = [sequence for sequence in left if self._keys.gone(sequence) is None]
        if left:
            detail = f"{of}: withdrawn words of {len(left)} records can still be read"
            self._found(Finding(NOT_ERASED, detail, left[0]))

    def _came_since(self, sequence: int) -> bool:
        """Say whether a record came after the moment that is looked at."""
        if sequence <= self._newest:
            return False
        find = "SELECT 1 FROM records WHERE sequence = ?"
        return self._since.execute(find, (sequence,)).fetchone() is not None

    def _look_at_others(self) -> None:
        """Look at the records that are no item's, of feeds and tokens."""
        gone: dict[str, dict[int, Gone]] = {}
        kept: dict[str, list[int]] = {}
        erases: dict[str, set[int]] = {}
        for row in self._connection.execute(
            f"SELECT {rows.RECORD} FROM records WHERE item IS NULL ORDER BY sequence"  # noqa: S608
        ):
            of = f"the feed {row[4]}" if row[4] is not None else "tokens"
            self._look_at_words(row, gone.setdefault(of, {}), kept.setdefault(of, []))
            if row[3] == Verb.REDACT:
                erases.setdefault(of, set()).update(_erases(row))
        for of, lost in gone.items():
            self._look_at_gone(lost, kept[of], of, erases.get(of, set()).__contains__)


def _erases(row: Row) -> set[int]:
    try:
        return set(orjson.loads(row[16])["erases"])
    except (ValueError, KeyError, TypeError):  # said already: it cannot be read
        return set()
