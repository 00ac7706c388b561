"""Open what power cuts leave of a recorded folder, and compare it with what was acknowledged.

Run as a program with the recorder in place: `python -m power.recovery LOG SCRATCH FIRST SYNCS
OTHERS`. It cuts before each SYNCS-th sync of the log, where most can be lost, and behind each
OTHERS-th other step, from the FIRST of each on. It prints what it found wrong, and how many cuts it
looked at.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from power import recording
from power.disk import Disk, Left, write
from power.recording import Step, mark
from power.story import BACKUP, DATA, draw_few_ahead, note_keys
from support.archive import Archive, hash_of, open_archive
from support.forensics import keys_in, terms_in
from support.records import NOON

from feedserver.model import Verb
from feedserver.sqlite import checking, keys
from feedserver.sqlite.backup import back_up
from feedserver.sqlite.findings import Finding
from feedserver.sqlite.slots import HEADER, SLOT, number_of

LATER = NOON + 86_400_000
SECOND_SHARE = 0.1  # of recoveries in which the power is cut again
SECOND_CUTS = 3  # in one of these
UNFINISHED = {".part", ".new", ".old"}  # files of a backup that was cut short
FAULTS_MAX = 10  # after which a part ends


@dataclass(slots=True)
class Expected:
    """What was acknowledged up to some step, and what is known of all states."""

    hashes: dict[int, str] = field(default_factory=dict)  # by the newest record
    acked: dict[str, Any] = field(default_factory=dict)  # the last mark
    sealed: list[tuple[int, bytes]] = field(default_factory=list)  # each use of a key

    def apply(self, marked: dict[str, Any]) -> None:
        if "acked" in marked:
            self.acked = marked
            self.hashes[marked["acked"]] = marked["hash"]
        elif "sealed" in marked:
            self.sealed.append((marked["sealed"], bytes.fromhex(marked["key"])))

    def learn_states(self, steps: list[Step]) -> None:
        """Learn the state at each record that may be found before it is acknowledged."""
        for marked in (step.mark for step in steps):
            if "acked" in marked:
                self.hashes[marked["acked"]] = marked["hash"]

    def copied(self) -> Expected:
        return Expected(dict(self.hashes), self.acked, list(self.sealed))

    @property
    def used(self) -> set[bytes]:
        return {key for _, key in self.sealed}

    @property
    def newest(self) -> int:
        found: int = self.acked.get("acked", 0)
        return found

    def keys_of(self, sequences: list[int]) -> set[bytes]:
        return {key for sequence, key in self.sealed if sequence in set(sequences)}


@dataclass(frozen=True, slots=True)
class Cut:
    """One power cut: behind which step, and what it left."""

    name: str
    left: Left
    expected: Expected


def cuts_of(
    steps: list[Step], disk: Disk, expected: Expected, chosen: set[int], draw: random.Random
) -> Iterator[Cut]:
    """Yield the cuts behind the chosen steps; each state of the files once."""
    seen: list[Left] = []
    for number, step in enumerate(steps):
        if step.kind == "M":
            expected.apply(step.mark)
        else:
            disk.do(step)
        if number not in chosen:
            continue
        for what, left in (("all", disk.all_lost()), _some_lost(disk, draw)):
            if left not in seen:
                yield Cut(f"step {number} ({step}), {what} lost", left, expected.copied())
            seen = [*seen[-1:], left]


def _some_lost(disk: Disk, draw: random.Random) -> tuple[str, Left]:
    match draw.randrange(4):
        case 0:
            return "nothing", disk.none_lost()
        case 1:
            return "some files", disk.files_lost(draw)
    return "some sectors", disk.sectors_lost(draw)


class Checker:
    """Checks cuts, in folders of a scratch folder."""

    def __init__(self, scratch: Path, draw: random.Random) -> None:
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()
        self._scratch = scratch
        self._draw = draw

    def at(self, cut: Cut) -> None:
        """Open what is left after a cut, and now and then cut the power again meanwhile."""
        twice = bool(cut.expected.acked) and self._draw.random() < SECOND_SHARE
        folder, log = self._scratch / "disk", self._scratch / "log"
        self.counts["cuts"] += 1
        write(cut.left, folder)
        disk = Disk.of(folder)
        try:
            recording.record(folder, log)
            newest = self._check(cut.name, folder / DATA, cut.expected, marks=twice)
            recording.record(None)
            if twice and newest is not None:
                self._again(cut, disk, list(recording.steps_of(log)), newest)
        finally:
            recording.record(None)
            shutil.rmtree(folder)
            log.unlink(missing_ok=True)

    def _again(self, cut: Cut, disk: Disk, steps: list[Step], newest: int) -> None:
        expected = cut.expected.copied()
        # What readers may have seen since is as good as acknowledged.
        expected.acked = expected.acked | {"acked": newest}
        expected.hashes = {at: found for at, found in expected.hashes.items() if at <= newest}
        expected.learn_states(steps)
        chosen = set(self._draw.sample(range(len(steps)), min(SECOND_CUTS, len(steps))))
        for second in cuts_of(steps, disk, expected, chosen, self._draw):
            self.counts["second cuts"] += 1
            folder = self._scratch / "second"
            write(second.left, folder)
            try:
                self._check(f"{cut.name}; then {second.name}", folder / DATA, second.expected)
            finally:
                shutil.rmtree(folder)

    def _check(
        self, name: str, folder: Path, expected: Expected, *, marks: bool = False
    ) -> int | None:
        """Check a folder; return the newest record that was found in it."""
        try:
            return asyncio.run(check_folder(folder, expected, marks=marks))
        except Exception as fault:
            self.faults.append(f"{name}:\n    {type(fault).__name__}: {fault}")
            return None


async def check_folder(folder: Path, expected: Expected, *, marks: bool) -> int:
    """Open a folder after a power cut, and assert that it is as expected.

    Returns the newest record that was there. With `marks` what is done then is marked, too.
    """
    gone = expected.keys_of(expected.acked.get("gone", []))
    if (folder / keys.FILE).exists():
        assert not gone & set(keys_in(folder)), "a key is there again that was destroyed"
    _check_terms(folder, expected)
    _check_backup(folder.with_name(BACKUP), expected)
    async with open_archive(folder) as archive:
        newest = await _check_state(folder, archive, expected)
        marked = await _post_again(folder, archive, expected, newest)
        if marks:
            mark(**marked | {"hash": hash_of(folder)})
    assert not gone & set(keys_in(folder)), "a key came back that was destroyed"
    _check_terms(folder, expected)
    backup = folder.with_name(BACKUP)
    if any(path.suffix in UNFINISHED for path in backup.glob("*")):
        await asyncio.to_thread(back_up, folder, backup, NOON)
        assert hash_of(backup) == hash_of(folder), "a backup after one that was cut short differs"
    findings: list[Finding] = []
    checking.check(folder, LATER, findings.append, lambda _: None)
    assert not findings, f"the check finds {findings}"
    return newest


def _check_terms(folder: Path, expected: Expected) -> None:
    found = terms_in(folder, "world", expected.acked.get("forgotten", []))
    assert not found, f"the index knows {found}"


def _check_backup(backup: Path, expected: Expected) -> None:
    if newest := expected.acked.get("backup"):
        known = {found for at, found in expected.hashes.items() if at >= newest}
        assert hash_of(backup) in known, f"the backup of record {newest} has another state"


async def _check_state(folder: Path, archive: Archive, expected: Expected) -> int:
    newest = await archive.storage.journal.head()
    if not expected.acked:
        return newest
    assert newest >= expected.newest, f"{expected.newest} was acknowledged, the newest is {newest}"
    epoch = archive.storage.journal.identity.epoch
    assert epoch == expected.acked["epoch"], "the journal believes that it went back"
    if newest in expected.hashes:
        assert hash_of(folder) == expected.hashes[newest], f"another state at record {newest}"
    reused = set(_keys_from(folder, newest + 1)) & expected.used
    assert not reused, f"{len(reused)} keys ahead have sealed words already"
    return newest


async def _post_again(
    folder: Path, archive: Archive, expected: Expected, newest: int
) -> dict[str, Any]:
    """Go on with the work of editors; return the mark of it."""
    retry = expected.acked.get("retry")
    if retry:
        again = await archive.do(Verb.POST, **retry["raw"])
        assert again.replayed, "a retry was taken for a new request"
        assert again.item.id == retry["at"], "a retry was answered with another item"
    raw = {"headline": "After the cut", "key": f"cut {newest}"}
    posted = await archive.item(Verb.POST, **raw)
    assert await archive.storage.mirror.item("world", posted.id) == posted
    if expected.acked:
        assert posted.id == newest + 1, f"{newest} was followed by {posted.id}"
    assert next(_keys_from(folder, posted.id)) not in expected.used, "a key has sealed two texts"
    await archive.purged()
    gone = [sequence for sequence, _ in archive.storage.database.keys.all_gone(posted.id)]
    retry = {"at": posted.id, "raw": raw}
    return expected.acked | {"acked": posted.id, "gone": gone, "retry": retry}


def _keys_from(folder: Path, sequence: int) -> Iterator[bytes]:
    raw = (folder / keys.FILE).read_bytes()
    for at in range(HEADER + SLOT * number_of(sequence), len(raw), SLOT):
        yield raw[at : at + 32]


def _main(log: Path, scratch: Path, first: int, syncs: int, others: int) -> None:
    logging.disable()
    draw_few_ahead()
    note_keys()
    checker = Checker(scratch, random.Random(first))
    steps, expected = list(recording.steps_of(log)), Expected()
    expected.learn_states(steps)
    before = {number - 1 for number, step in enumerate(steps) if step.kind in "SD"} - {-1}
    rest = sorted(set(range(len(steps))) - before)
    chosen = {*sorted(before)[first::syncs], *rest[first::others]}
    for cut in cuts_of(steps, Disk(), expected, chosen, random.Random(first)):
        checker.at(cut)
        if len(checker.faults) >= FAULTS_MAX:
            break
    print(json.dumps({"faults": checker.faults, **checker.counts}))


if __name__ == "__main__":
    _main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:]))
