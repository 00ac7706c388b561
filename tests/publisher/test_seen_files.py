"""What was shown is kept for its owner alone, within bounds, and leaves with a withdrawal."""

from __future__ import annotations

import errno
import os

import pytest

from publisher.text import seen
from publisher.text.seen import Seen, SeenVersions

ONE = Seen("131-x7Kd", 131, {"headline": "Bus hit", "tags": ["sumy"]})


@pytest.fixture
def anna(tmp_path):
    return SeenVersions(tmp_path / "seen", "http://127.0.0.1:9", "anna")


def test_a_version_is_read_back_by_the_same_editor_on_the_same_server_alone(anna, tmp_path):
    anna.keep("world", 128, ONE)
    assert anna.get("world", 128) == ONE
    assert anna.get("sport", 128) is anna.get("world", 12) is None
    for server, editor in (("http://127.0.0.1:9", "boris"), ("http://127.0.0.1:8", "anna")):
        assert SeenVersions(tmp_path / "seen", server, editor).get("world", 128) is None
    [path] = (tmp_path / "seen").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert "anna" not in path.name + path.read_text()


def test_the_words_of_a_withdrawn_item_leave_whoever_was_shown_them(anna, tmp_path):
    boris = SeenVersions(tmp_path / "seen", "http://127.0.0.1:9", "boris")
    for editor in (anna, boris):
        editor.keep("world", 128, ONE)
        editor.keep("world", 28, ONE)
    path = next((tmp_path / "seen").glob("*-128-world.json"))
    path.with_name(f".{path.name}.4711").write_text("half the wor")  # of a command that was killed
    anna.forget("world", 128)
    assert not [path for path in (tmp_path / "seen").iterdir() if "-128-" in path.name]
    assert anna.get("world", 128) is boris.get("world", 128) is None
    assert anna.get("world", 28) == boris.get("world", 28) == ONE


def test_the_oldest_make_room_by_number_and_by_size(anna, tmp_path, monkeypatch):
    def remember(number, words):
        anna.keep("world", number, Seen("1-a", 1, {"body": words}))
        for path in (tmp_path / "seen").glob(f"*-{number}-world.json"):
            os.utime(path, (number, number))

    monkeypatch.setattr(seen, "ITEMS_MAX", 3)
    for number in range(1, 6):
        remember(number, "x")
    assert [bool(anna.get("world", number)) for number in range(1, 6)] == [
        False,
        False,
        *[True] * 3,
    ]
    monkeypatch.setattr(seen, "BYTES_MAX", 3000)
    for number in range(6, 9):
        remember(number, "x" * 1000)
    assert [bool(anna.get("world", number)) for number in range(5, 9)] == [False, False, True, True]
    monkeypatch.setattr(seen, "ITEM_BYTES_MAX", 500)
    remember(8, "x" * 1000)
    assert anna.get("world", 8) is None


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"format": 2}', '{"format": 1, "etag": 5, "version": 1, "words": 1}'],
)
def test_what_cannot_be_read_was_never_seen(anna, tmp_path, content):
    anna.keep("world", 128, ONE)
    [path] = (tmp_path / "seen").iterdir()
    path.write_text(content)
    assert anna.get("world", 128) is None
    anna.keep("world", 128, ONE)
    assert anna.get("world", 128) == ONE


@pytest.mark.parametrize("fails", ["open", "replace", "chmod", "scandir"])
def test_a_full_disk_leaves_what_was_seen_before(anna, monkeypatch, fails):
    anna.keep("world", 128, ONE)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, fails, full)
        anna.keep("world", 128, Seen("140-abcd", 140, {}))
    assert anna.get("world", 128) in (ONE, Seen("140-abcd", 140, {}))
    assert (anna.get("world", 128) == ONE) is (fails != "scandir")


def test_without_a_folder_nothing_is_seen_and_nothing_fails():
    nowhere = SeenVersions(None, "http://127.0.0.1:9", "anna")
    nowhere.keep("world", 128, ONE)
    nowhere.forget("world", 128)
    assert nowhere.get("world", 128) is None


def test_of_an_item_whose_earlier_words_were_erased_only_what_still_stands_is_kept(anna, tmp_path):
    boris = SeenVersions(tmp_path / "seen", "http://127.0.0.1:9", "boris")
    for editor in (anna, boris):
        editor.keep("world", 128, ONE)
        editor.keep("8-world", 12, ONE)
    path = next((tmp_path / "seen").glob("*-128-world.json"))
    path.with_name(f".{path.name}.4711").write_text("half the wor")  # of a command that was killed
    anna.keep_only("world", 128, {"headline": "Bus hit", "tags": ["kyiv"]})
    for editor in (anna, boris):
        assert editor.get("world", 128) == Seen(ONE.etag, ONE.version, {"headline": "Bus hit"})
    anna.keep_only("world", 8, {})
    assert anna.get("8-world", 12) == boris.get("8-world", 12) == ONE
    assert not any(path.name.startswith(".") for path in (tmp_path / "seen").iterdir())
