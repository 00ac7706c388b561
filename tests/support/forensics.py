"""What somebody who has the folder's files can still read of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from feedserver import records
from feedserver.sqlite import rows, slots
from feedserver.sqlite.folder import DATABASE
from feedserver.sqlite.search_terms import Terms, Text


@dataclass(frozen=True)
class Sealed:
    """A record's words as they lie in the file, and what is bound to them."""

    sequence: int
    sealed: bytes
    bound: bytes


def flip(path: Path, at: int) -> None:
    """Flip one bit of a file: to write a byte that stands for damage may change nothing."""
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 0x40]))


def sealed_in(folder: Path) -> list[Sealed]:
    """Copy the sealed words of all records of a folder, as a backup or a freed block has them."""
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        found = connection.execute(
            f"SELECT {rows.RECORD} FROM records WHERE sealed IS NOT NULL ORDER BY sequence"
        ).fetchall()
    return [
        Sealed(row[0], row[17], records.bound(rows.load_record(row), rows._bytes(row[16])))
        for row in found
    ]


def keys_in(folder: Path) -> Iterator[bytes]:
    """Yield whatever may be a key in any file of the folder, at any slot, whole or not."""
    for raw in _key_files(folder):
        for at in range(slots.HEADER, len(raw), slots.SLOT):
            yield raw[at : at + 32]


def opened(folder: Path, pieces: Iterable[Sealed]) -> dict[int, bytes]:
    """Try all keys in the folder on these pieces; return what could be read, by sequence."""
    found = {}
    usable = [key for key in keys_in(folder) if len(key) == 32 and any(key)]
    for piece in pieces:
        for key in usable:
            try:
                words = AESGCM(key).decrypt(piece.sealed[:12], piece.sealed[12:], piece.bound)
            except InvalidTag:
                continue
            found[piece.sequence] = words
    return found


def in_plain(folder: Path, words: Iterable[str]) -> list[str]:
    """Find words in any file of the folder, as they are or without their first letters."""
    found = []
    for path in folder.rglob("*"):
        content = path.read_bytes().lower() if path.is_file() else b""
        found += [
            f"{word} in {path.name}"
            for word in words
            if any(word.lower().encode()[cut:] in content for cut in range(4))
        ]
    return found


def terms_in(folder: Path, slug: str, words: Iterable[str]) -> list[str]:
    """Find words whose terms, under a key that is there for a partition, are in a file."""
    files = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found = set()
    for key in _partition_keys(folder):
        for word in words:
            # The index stores no digits that a term shares with the one before it.
            [term] = Terms(key).of_items([Text(slug, word, ())])[0].split()
            found |= {
                f"{word} in {name}" for name, raw in files.items() if term[-8:].encode() in raw
            }
    return sorted(found)


def _key_files(folder: Path) -> Iterator[bytes]:
    """Yield the content of each file of keys, also of those that some work has left behind."""
    for path in folder.rglob("*keys*"):
        if path.is_file():
            yield path.read_bytes()


def _partition_keys(folder: Path) -> Iterator[bytes]:
    for raw in _key_files(folder):
        for number in range((len(raw) - slots.HEADER) // slots.SLOT):
            if number % (slots.PARTITION + 2) < 2:
                at = slots.HEADER + slots.SLOT * number
                if len(key := raw[at : at + 32]) == 32 and any(key):
                    yield key
