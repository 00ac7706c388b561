"""Make the files that a restore is going to put in place: all that is new stands in them.

They are a copy of the backup with a new epoch, the sequence far above all that anybody may have
seen, and what the keys and the replaced journal know done again: kills, redacts, revocations.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from feedserver.errors import SetupError
from feedserver.model import Act, Record, Token, TokenSettings, random_id
from feedserver.rules import Known
from feedserver.sqlite import copying, erasing, keys, opening, redoing, replaying, rows, writer
from feedserver.sqlite.copying import Progress, quiet
from feedserver.sqlite.folder import DATABASE
from feedserver.sqlite.key_coverage import last_with_key
from feedserver.sqlite.keys import AHEAD, KeyFile
from feedserver.sqlite.redoing import Appending, Redone
from feedserver.sqlite.rows import newest_sequence
from feedserver.sqlite.slots import hash_of

DATA = "restoring.db"
KEYS = "restoring.keys"

Lost = dict[str, Any]
"""A record that `--to-keys` leaves out: its sequence, act, feed, item, editor and time."""


@dataclass(frozen=True, slots=True)
class Source:
    """A backup that was looked at. `last` is its newest record whose key is there."""

    folder: Path
    newest: int
    last: int
    items: int
    feeds: int


@dataclass(frozen=True, slots=True)
class Staged:
    """What the files hold that are to be put in place."""

    newest: int
    following: int
    feeds: int
    items: int
    redone: Redone
    lost: list[Lost]
    good_again: list[str]  # names of editors whose tokens are good, and were not before

    def to_json(self) -> dict[str, Any]:
        """Return it as the command prints it."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Staged:
        """Read what `to_json` made."""
        return cls(**raw | {"redone": Redone(**raw["redone"])})


def look_at(folder: Path, *, to_keys: bool) -> Source:
    """Look at a backup before anything is changed. Raises SetupError with what is wrong with it."""
    path = folder / DATABASE
    if not path.is_file():
        raise SetupError(f"there is no backup in {folder}: it has no {DATABASE}")
    try:
        with closing(copying.open_copy(path)) as connection, _key_file(folder) as key_file:
            opening.check_format(connection, path)
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise SetupError(f"{path} is damaged ({found.splitlines()[-1]}): take another")
            meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
            if key_file.keyring.hex() != meta["keyring"]:
                raise SetupError(f"{key_file.path} belongs to another journal than {path}")
            newest, last = newest_sequence(connection), last_with_key(connection, key_file)
            if last < newest and not to_keys:
                raise SetupError(
                    f"{key_file.path} is older than {path}: it has keys up to record {last}, and "
                    f"the newest record is {newest}. Take newer keys, or end the journal at "
                    f"record {last} with --to-keys"
                )
            items, feeds = connection.execute(
                "SELECT (SELECT count(*) FROM items), (SELECT count(*) FROM feeds)"
            ).fetchone()
            return Source(folder, newest, last, items, feeds)
    except sqlite3.Error as fault:
        raise SetupError(f"{path} cannot be read: {fault}") from None


def stage(source: Source, data: Path, before: Path | None, progress: Progress = quiet) -> Staged:
    """Make both files in the folder `data`, complete and synced; `before` is a backup of what is
    there. Raises SetupError, OSError, sqlite3.Error."""
    remove(data)  # what an attempt left that was cut short
    paths = [data / f"{name}.part" for name in (DATA, KEYS)]
    with closing(copying.open_copy(source.folder / DATABASE)) as copied:
        copying.copy_database(copied, paths[0], progress)
    with _key_file(source.folder) as key_file:
        key_file.copy_to(paths[1], source.last)
    above = max(_furthest(source.folder), _furthest(data), _furthest(before))
    with closing(sqlite3.connect(paths[0], isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA temp_store = MEMORY")
        key_file = KeyFile(paths[1])
        try:
            connection.execute("BEGIN IMMEDIATE")
            lost = _cut(connection, source.last)
            _keep_gone(connection, key_file, data / keys.FILE)
            staged = _change(connection, key_file, lost, above, before)
            key_file.sync()
        finally:
            key_file.close()
    for path, name in zip(paths[::-1], (KEYS, DATA), strict=True):
        copying.sync_file(path)
        os.replace(path, data / name)
    copying.sync_folder(data)
    return staged


def remove(data: Path) -> None:
    """Remove all files that are being made. Raises OSError."""
    for path in data.glob(f"{KEYS}*"):
        copying.overwrite(path)
    for path in data.glob(f"{DATA}*"):
        path.unlink()


def _change(
    connection: sqlite3.Connection,
    key_file: KeyFile,
    lost: list[Lost],
    above: int,
    before: Path | None,
) -> Staged:
    """Make the copy the journal that goes on, and commit."""
    last = newest_sequence(connection)
    key_file.redraw_partitions()  # the search file is made anew
    key_file.begin_at(last, min(key_file.erased_to or 0, last))
    following = writer.begin_epoch(connection, key_file, above)
    redone = redoing.redo(connection, key_file, following)
    known_before = _tokens_in(before)
    following = max(following, newest_sequence(connection) + 1)
    redone.revoked = _revoke(connection, Appending(connection, key_file, following), before)
    connection.execute("COMMIT")
    if not erasing.destroy_keys(connection, key_file):
        raise SetupError(f"keys in {key_file.path} could not be destroyed")
    newest = newest_sequence(connection)
    key_file.note_committed(newest)
    following = max(newest + 1, writer.next_at_least(connection))
    key_file.fill(following, AHEAD)
    good = {
        token.digest: token.name
        for token in replaying.tokens(connection).values()
        if token.revoked_at is None
    }
    again = sorted(name for digest, name in good.items() if digest not in known_before)
    items, feeds = connection.execute(
        "SELECT (SELECT count(*) FROM items), (SELECT count(*) FROM feeds)"
    ).fetchone()
    return Staged(newest, following, feeds, items, redone, lost, again)


def _cut(connection: sqlite3.Connection, last: int) -> list[Lost]:
    """End the journal at the record `last`; return what is left out."""
    found = connection.execute(
        "SELECT sequence, act, feed, item, editor, at FROM records WHERE sequence > ?"
        " ORDER BY sequence",
        (last,),
    ).fetchall()
    if not found:
        return []
    names = ("sequence", "act", "feed", "item", "editor", "at")
    connection.execute("DELETE FROM records WHERE sequence > ?", (last,))
    for item in {row[3] for row in found if row[3] is not None}:
        connection.execute("DELETE FROM items WHERE id = ?", (item,))
        if (earlier := replaying.item_of(connection, item)) is not None:
            rows.store_item(connection, earlier)
    for slug in {row[2] for row in found if row[2] is not None}:
        connection.execute("DELETE FROM feeds WHERE slug = ?", (slug,))
        if (feed := replaying.feed_of(connection, slug)) is not None:
            rows.store_feed(connection, feed)
    connection.execute("DELETE FROM tokens")
    for token in replaying.tokens(connection).values():
        rows.store_token(connection, token)
    replaying.rebuild_look_ups(connection)
    return [dict(zip(names, row, strict=True)) for row in found]


def _keep_gone(connection: sqlite3.Connection, staged: KeyFile, present: Path) -> None:
    """Take over from the present keys the slots that are gone: they stay gone."""
    try:
        here = KeyFile(present, read_only=True)
    except SetupError:
        return
    try:
        for sequence, gone in here.all_gone(newest_sequence(connection)):
            row = connection.execute(
                "SELECT rid FROM records WHERE sequence = ?", (sequence,)
            ).fetchone()
            owners = {hash_of(row[0])} if row else set()
            if here.keyring == staged.keyring:
                owners.add(bytes(12))  # a power cut lost the mark of whose it was
            if here.owner(sequence) in owners:
                staged.destroy([sequence], gone.by, gone.act, gone.at, synced=False)
    finally:
        here.close()


def _furthest(folder: Path | None) -> int:
    """Return the largest sequence that the files of a folder know of, if they can be read."""
    furthest = 0
    if folder is None:
        return furthest
    try:
        with _key_file(folder) as key_file:
            committed = key_file.committed_to
            furthest = key_file.end if committed is None else committed
    except SetupError:
        pass
    try:
        with closing(copying.open_copy(folder / DATABASE)) as connection:
            following = writer.next_at_least(connection)
            furthest = max(furthest, newest_sequence(connection), following - 1)
    except sqlite3.Error:
        pass
    return furthest


def _tokens_in(folder: Path | None) -> set[str]:
    """Return the digests of the tokens that are good in a folder, as far as it can be read."""
    return {token.digest for token in _all_tokens(folder) if token.revoked_at is None}


def _revoke(connection: sqlite3.Connection, added: Appending, before: Path | None) -> list[str]:
    """Revoke again what the replaced journal knows to be revoked; return the editors' names."""
    revoked = {token.digest: token for token in _all_tokens(before) if token.revoked_at is not None}
    names = []
    for token in replaying.tokens(connection).values():
        former = revoked.get(token.digest)
        if token.revoked_at is None and former is not None and former.revoked_at is not None:
            record = Record(
                random_id(), Act.REVOKE, former.revoked_at, settings=TokenSettings(token.name)
            )
            added.append(record, Known(token=token))
            names.append(token.name)
    return names


def _all_tokens(folder: Path | None) -> list[Token]:
    """Return every token that a folder's records ever made, also where a name was given anew."""
    if folder is None:
        return []
    try:
        with closing(copying.open_copy(folder / DATABASE)) as connection:
            return list(replaying.every_token(connection))
    except sqlite3.Error:
        return []


@contextmanager
def _key_file(folder: Path) -> Iterator[KeyFile]:
    key_file = KeyFile(folder / keys.FILE, read_only=True)
    try:
        yield key_file
    finally:
        key_file.close()
