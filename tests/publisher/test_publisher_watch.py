"""`publisher watch` follows the feed as readers do, and keeps the client's rules."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from hostile import Request, answers

from publisher.server.reader_state import Next, ReaderState, wait_to_come_back


@contextmanager
def watching(editor, newsroom, *words) -> Iterator[Any]:
    """Run `publisher watch` and wait until the server counts it."""
    process = editor.start("watch", *words)
    try:
        wait_for_readers(newsroom, 1)
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for_readers(newsroom, wanted: int) -> None:
    headers = {"authorization": f"Bearer {newsroom.token}"}
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            answer = httpx.get(
                f"{newsroom.url}/v1/feeds/world/readers", headers=headers, trust_env=False
            )
        except httpx.HTTPError:
            continue
        if answer.json().get("readers", 0) == wanted:
            return
        time.sleep(0.02)
    raise AssertionError("the reader never came")


@pytest.fixture
def desk(publisher, newsroom):
    return publisher.at(newsroom.url, newsroom.token)


def test_each_change_is_a_line_and_what_was_there_is_none(desk, newsroom):
    assert desk("post", "Old news").code == 0
    with watching(desk, newsroom) as watch:
        posted = desk("post", "Bus hit", "--json").json
        assert posted["delivered"]["of"] == 1
        number = str(posted["id"])
        for words in (
            ["update", number, "--headline", "Bus hit, 9 dead"],
            ["fix", number, "--tag", "sumy"],
            ["correct", number, "--note", "It was eight."],
            ["pin", number],
            ["hold", number],
            ["release", number],
            ["kill", number, "--note", "Wrong bus."],
        ):
            assert desk(*words).code == 0
        lines = [watch.stdout.readline().rstrip("\n").split("  ", 3) for _ in range(8)]
        assert [line[2] for line in lines] == [
            "new", "updated", "fixed", "corrected", "pinned", "held", "released", "withdrawn",
        ]  # fmt: skip
        assert {line[1] for line in lines} == {number}
        assert lines[1][3] == "Bus hit, 9 dead"
        assert lines[-1][3] == "Wrong bus."
        watch.send_signal(signal.SIGINT)
        assert watch.wait(timeout=20) == 0


def test_json_gives_each_item_whole(desk, newsroom):
    with watching(desk, newsroom, "--json") as watch:
        posted = desk("post", "Bus hit", "--body", "**Now**", "--json").json
        item = json.loads(watch.stdout.readline())
        assert item["id"] == posted["id"]
        assert item["blocks"] == [[{"text": "Now", "strong": True}]]
        watch.send_signal(signal.SIGINT)
        assert watch.wait(timeout=20) == 0
        assert watch.stderr.read() == ""


def test_a_restart_loses_nothing(desk, newsroom):
    with watching(desk, newsroom, "--json") as watch:
        assert desk("post", "Before").code == 0
        assert json.loads(watch.stdout.readline())["headline"] == "Before"
        port = newsroom.port
        newsroom.stop()
        newsroom.start(port)
        assert desk("post", "While it was away").code == 0
        assert json.loads(watch.stdout.readline())["headline"] == "While it was away"


def test_it_ends_when_the_feed_is_closed(desk, newsroom):
    with watching(desk, newsroom) as watch:
        newsroom.cli("feed", "close", "world")
        assert watch.wait(timeout=20) == 0
    assert desk("watch").code == 0  # and at once when it is closed already


def test_where_web_sockets_are_blocked_it_reads_the_event_stream(publisher, hostile):
    item = {"id": 7, "version": 9, "headline": "Over events"}
    position = {"epoch": "e", "now": "2025-05-17T07:13:00.000Z"}

    def streams(connection, request: Request) -> None:
        assert request.path == "/v1/feeds/world/stream"
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
        connection.sendall(head)
        for message in (
            {"type": "snapshot", "cursor": "1", "items": [], **position},
            {"type": "changes", "since": "1", "cursor": "2", "items": [item], **position},
            {"type": "ended", "cursor": "2", **position},
        ):
            connection.sendall(f"id: x\ndata: {json.dumps(message)}\n\n".encode())
        connection.close()

    server = hostile(answers(426, b"<h1>Upgrade</h1>", "text/html"), streams)
    done = publisher.at(server.url)("watch", "--json")
    assert done.code == 0
    assert done.json == item


def message(kind: str, cursor: str, *items: tuple[int, int], epoch: str = "e", **more) -> dict:
    return {
        "type": kind,
        "epoch": epoch,
        "cursor": cursor,
        "items": [{"id": number, "version": version} for number, version in items],
        **more,
    }


def shown(step) -> list[tuple[int, int]]:
    return [(news.item["id"], news.item["version"]) for news in step.news]


def test_only_newer_versions_are_shown():
    state = ReaderState()
    assert shown(state.apply(message("snapshot", "c5", (1, 5), (2, 3)))) == []
    assert shown(state.apply(message("changes", "c7", (1, 4), (2, 6), (3, 7), since="c5"))) == [
        (2, 6),
        (3, 7),
    ]
    assert state.cursor == "c7"


def test_a_later_snapshot_of_the_same_epoch_is_news_and_paints_nothing_older():
    state = ReaderState()
    state.apply(message("snapshot", "c5", (1, 5)))
    assert shown(state.apply(message("snapshot", "c9", (1, 4), (2, 9)))) == [(2, 9)]


def test_a_new_epoch_forgets_all():
    state = ReaderState()
    state.apply(message("snapshot", "c5", (1, 5)))
    assert shown(state.apply(message("snapshot", "d2", (1, 2), epoch="f"))) == []
    assert shown(state.apply(message("changes", "d3", (1, 3), since="d2", epoch="f"))) == [(1, 3)]


def test_changes_that_do_not_follow_are_asked_for_again():
    state = ReaderState()
    state.apply(message("snapshot", "c5"))
    step = state.apply(message("changes", "c9", (1, 9), since="c7"))
    assert (step.then, step.news, state.cursor) == (Next.ASK_AGAIN, (), "c5")


def test_two_heartbeats_astray_mean_ask_again_and_one_does_not():
    state = ReaderState()
    state.apply(message("snapshot", "c5"))
    assert state.apply(message("heartbeat", "c6")).then is Next.STAY
    state.apply(message("changes", "c6", since="c5"))
    assert state.apply(message("heartbeat", "c7")).then is Next.STAY
    assert state.apply(message("heartbeat", "c7")).then is Next.ASK_AGAIN
    assert state.cursor == "c6"


def test_a_goodbye_names_the_wait_and_an_unknown_message_changes_nothing():
    state = ReaderState()
    state.apply(message("snapshot", "c5"))
    assert state.apply(message("goodbye", "c5", retry_ms=1500)).wait == 1.5
    assert state.apply({"type": "reaction"}).then is Next.STAY
    assert state.cursor == "c5"


def test_coming_back_is_spread_from_1_to_30_seconds():
    assert wait_to_come_back(0, 0.0) == 1
    assert wait_to_come_back(3, 0.0) == 1
    assert wait_to_come_back(50, 1.0) == 30
