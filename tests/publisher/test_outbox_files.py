"""The outbox on disk: whole or not at all, one sender at a time, nothing left of what is done."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from support.server import ROOT

from publisher.text.outbox import Entry, Outbox, now_text

ENTRY = Entry(
    server="http://127.0.0.1:9",
    feed="world",
    profile="default",
    verb="post",
    fields={"headline": "Bus hit"},
    key="k1",
    at=now_text(),
)
HOLDS = """\
import json, sys
from pathlib import Path
from publisher.text.outbox import Outbox
outbox = Outbox(Path(sys.argv[1]))
kept = outbox.take(outbox.entries()[0])
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def outbox(tmp_path):
    return Outbox(tmp_path / "outbox")


def test_an_entry_is_read_back_as_it_was_and_by_its_owner_alone(outbox):
    kept = outbox.keep(ENTRY)
    [listed] = outbox.entries()
    assert (listed.number, listed.entry) == (kept.number, ENTRY)
    assert kept.path.stat().st_mode & 0o777 == 0o600
    assert outbox.folder.stat().st_mode & 0o777 == 0o700


def test_nothing_is_left_of_what_is_done(outbox, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("Bus hit")
    outbox.keep(replace(ENTRY, text=str(text))).remove()
    assert os.listdir(outbox.folder) == []
    assert not text.exists()


def test_numbers_go_on_and_an_entry_is_held_by_one(outbox):
    first = outbox.keep(ENTRY)
    [listed] = outbox.entries()
    assert outbox.is_being_sent(listed)
    assert outbox.take(listed) is None
    assert not outbox.drop(listed)
    first.release()
    assert not outbox.is_being_sent(listed)
    assert outbox.take(listed) is not None


def test_the_same_command_is_kept_once_and_another_one_beside_it(outbox):
    outbox.keep(ENTRY).release()
    again = outbox.keep(ENTRY)
    assert (again.number, again.is_new) == (1, False)
    assert outbox.keep(ENTRY) is None  # it is being sent
    again.release()
    other = outbox.keep(replace(ENTRY, fields={"headline": "Other"}))
    assert other.number == 2
    other.change(refused="no such feed")
    other.release()
    assert outbox.keep(replace(ENTRY, fields={"headline": "Mended"})).number == 2


@pytest.mark.parametrize("fails", ["open", "fsync", "replace"])
def test_a_full_disk_is_said_and_leaves_nothing_behind(outbox, monkeypatch, fails):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, fails, full)
        with pytest.raises(OSError, match="No space left"):
            outbox.keep(ENTRY)
    assert os.listdir(outbox.folder) == []


def test_a_number_is_another_ones_once_its_entry_is_gone(outbox):
    outbox.keep(ENTRY).release()
    [listed] = outbox.entries()
    assert outbox.drop(listed)
    outbox.keep(replace(ENTRY, key="k2")).release()
    assert outbox.take(listed) is None
    assert [one.entry.key for one in outbox.entries()] == ["k2"]


def test_a_lock_ends_with_its_process_however_that_ends(outbox):
    outbox.keep(ENTRY).release()
    [listed] = outbox.entries()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(outbox.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        text=True,
    )
    try:
        assert holder.stdout.readline() == "held\n"
        assert outbox.take(listed) is None
    finally:
        holder.kill()
        holder.communicate()
    assert outbox.take(listed) is not None


def test_what_a_killed_command_left_before_its_entry_was_whole_goes(outbox):
    outbox.folder.mkdir()
    (outbox.folder / "1.lock").touch()
    (outbox.folder / ".1.json.4711").write_text("half the wor")
    assert outbox.entries() == []
    assert os.listdir(outbox.folder) == []


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"format": 2}', '{"format": 1}', json.dumps({"format": 1, "at": "x"})]
)
def test_an_entry_that_cannot_be_read_is_listed_and_can_be_dropped(outbox, content):
    outbox.keep(ENTRY).release()
    (outbox.folder / "1.json").write_text(content)
    [listed] = outbox.entries()
    assert listed.entry is None
    assert outbox.drop(listed)
    assert outbox.entries() == []
