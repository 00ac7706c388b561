"""What a full server says to readers, and that editors get in all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
from support.server import Server
from worker_stage import Reader, eventually

Serve = Callable[..., Server]


@contextmanager
def three_readers(server: Server) -> Iterator[list[Reader]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Reader(server)).join() for _ in range(3)]


def test_the_fourth_of_three_is_turned_away_and_told_when_to_come(serve: Serve) -> None:
    server = serve(FEEDSERVER_READERS="3")
    retries = set()
    with three_readers(server) as readers:
        for _ in range(10):
            with Reader(server) as fourth:
                assert fourth.shake().until_over() == 1013
                [goodbye] = fourth.messages
                assert goodbye["type"] == "goodbye"
                retries.add(goodbye["retry_ms"])
        assert len(retries) > 1, "all are told the same moment"
        with server.editing() as editor:
            item = editor.item("For those inside")
        for reader in readers:
            reader.until(lambda reader=reader: item["id"] in reader.client.rows)


def test_a_stream_that_finds_no_room_is_a_503_with_retry_after(serve: Serve) -> None:
    server = serve(FEEDSERVER_READERS="3")
    with three_readers(server), server.reading() as anyone:
        retries = set()
        for _ in range(10):
            answer = anyone.get("/v1/feeds/world/stream")
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["access-control-allow-origin"] == "*"
            retries.add(int(answer.headers["retry-after"]))
        assert len(retries) > 1
        assert min(retries) > 0
        # Who finds no room can still poll, and look at the page.
        assert anyone.get("/v1/feeds/world/changes").status_code == 200
        assert anyone.get("/feeds/world").status_code == 200


def test_a_stream_takes_a_place_like_any_reader_and_gives_it_back(serve: Serve) -> None:
    server = serve(FEEDSERVER_READERS="3")
    with server.reading() as anyone, ExitStack() as stack:
        messages = []
        for _ in range(3):
            stream = stack.enter_context(anyone.stream("GET", "/v1/feeds/world/stream"))
            assert stream.status_code == 200
            messages.append(stream.iter_lines())  # kept: httpx closes what nobody iterates over
            assert next(messages[-1]).startswith("id: ")
        with Reader(server) as fourth:
            assert fourth.shake().until_over() == 1013
        stack.close()

        def has_room() -> bool:
            with Reader(server) as reader:
                reader.shake().until(lambda: reader.messages)
                return reader.messages[0]["type"] == "snapshot"

        eventually(has_room)


def test_to_ask_for_a_streams_head_takes_no_place(serve: Serve) -> None:
    server = serve(FEEDSERVER_READERS="1")
    with Reader(server).join(), server.reading() as anyone:
        answer = anyone.head("/v1/feeds/world/stream")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert anyone.get("/v1/feeds/world/stream").status_code == 503


def test_editors_get_in_when_readers_do_not(serve: Serve) -> None:
    server = serve(FEEDSERVER_READERS="3")
    with three_readers(server), server.editing() as editor:
        for _ in range(5):
            answer = editor.submit()
            assert answer.status_code == 201
            assert answer.headers["delivered"].startswith("3; of=3; ")


def test_the_limit_is_each_workers_own(serve: Serve) -> None:
    server = serve("--workers", "2", FEEDSERVER_READERS="3")
    with ExitStack() as stack, server.editing() as editor:

        def is_full() -> bool:
            reader = stack.enter_context(Reader(server)).shake()
            reader.until(lambda: reader.messages)
            inside = editor.get("/v1/feeds/world/readers").json()["readers"]
            assert inside <= 6
            return bool(inside == 6)

        eventually(is_full)
        for _ in range(10):
            with Reader(server) as reader:
                assert reader.shake().until_over() == 1013


def test_who_is_too_many_in_a_rush_of_readers_comes_in_later(serve: Serve) -> None:
    server = serve(FEEDSERVER_READER_RATE="10")
    with ExitStack() as stack, server.editing() as editor:
        rush = [stack.enter_context(Reader(server)).shake() for _ in range(60)]
        for reader in rush:
            reader.until(lambda reader=reader: reader.messages)
        inside = [reader for reader in rush if reader.messages[0]["type"] == "snapshot"]
        assert len(inside) >= 10
        for reader in rush:
            if reader not in inside:
                assert reader.until_over() == 1013
        assert editor.submit().status_code == 201

        def comes_in() -> bool:
            late = stack.enter_context(Reader(server)).shake()
            late.until(lambda: late.messages)
            return late.messages[0]["type"] == "snapshot"

        eventually(comes_in)


def test_who_is_turned_away_leaves_nothing_behind(serve: Serve) -> None:
    server = serve(FEEDSERVER_READERS="3")
    with three_readers(server), server.editing() as editor:
        with ExitStack() as stack:
            for _ in range(50):
                stack.enter_context(Reader(server)).shake().until_over()
            assert _readers(editor) == 3
        assert _readers(editor) == 3
    with server.editing() as editor:
        eventually(lambda: _readers(editor) == 0)


def test_who_is_turned_away_and_never_answers_holds_no_file(tmp_path: Path) -> None:
    patient = "import feedserver.websocket.connection as sockets; sockets.FINISH_SECONDS = 3600"
    full = {"FEEDSERVER_READERS": "3"}
    with ExitStack() as stack:
        server = stack.enter_context(Server(tmp_path / "data", environ=full, first=patient))
        stack.enter_context(three_readers(server))
        before = server.sockets()
        turned_away = [stack.enter_context(Reader(server)).shake() for _ in range(40)]
        eventually(lambda: server.sockets() == before)
        for reader in turned_away:
            assert reader.until_over() == 1013
            assert reader.messages[0]["type"] == "goodbye"
            assert 0 < reader.messages[0]["retry_ms"] <= 30_000


def _readers(editor: httpx.Client) -> int:
    return int(editor.get("/v1/feeds/world/readers").json()["readers"])
