"""Several processes are one server: whoever is asked, all readers hear, and all count."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from support.server import Editor, Server
from worker_stage import Reader, editors_at_all, eventually, readers_at, workers

from feedserver.live.hub import Hub
from feedserver.live.receipts import Receipt
from feedserver.workers.siblings import Siblings, mailboxes


@pytest.fixture
def editors(trio: Server) -> Iterator[list[Editor]]:
    """An editor at each worker."""
    with editors_at_all(trio) as found:
        assert len(found) == 3
        yield found


def test_a_post_to_any_worker_reaches_the_readers_of_all(
    trio: Server, slug: str, editors: list[Editor]
) -> None:
    with ExitStack() as stack:
        crowd = readers_at(trio, slug, workers(trio), 1)
        for reader in crowd:
            stack.enter_context(reader)
        for editor in editors:
            item = editor.item("Heard by all", slug)
            item = editor.revised(item, "update", headline="Heard by all, again")
            for reader in crowd:
                reader.until(lambda item=item, reader=reader: item["id"] in reader.client.rows)
                reader.until(
                    lambda item=item, reader=reader: (
                        reader.client.rows[item["id"]]["version"] == item["version"]
                    )
                )
        for reader in crowd:
            assert [message["type"] for message in reader.messages[1:]] == ["changes"] * (
                len(reader.messages) - 1
            )


def test_delivered_counts_the_readers_of_all_workers(
    trio: Server, slug: str, editors: list[Editor]
) -> None:
    with ExitStack() as stack:
        for reader in readers_at(trio, slug, workers(trio), 1):
            stack.enter_context(reader)
        for editor in editors:

            def delivered(editor: Editor = editor) -> bool:
                return editor.submit(slug=slug).headers["delivered"].startswith("3; of=3; ms=")

            eventually(delivered)


def test_what_one_worker_commits_the_others_hear_without_looking(tmp_path: Path) -> None:
    never = "import feedserver.sqlite.journal as j; j.POLL_SECONDS = j.TOLD_POLL_SECONDS = 3600"
    with Server(tmp_path / "data", "--workers", "3", first=never) as server, ExitStack() as stack:
        crowd = readers_at(server, "world", workers(server), 1)
        for reader in crowd:
            stack.enter_context(reader)
        for editor in stack.enter_context(editors_at_all(server)):
            item = editor.item("Told")
            for reader in crowd:
                reader.until(lambda item=item, reader=reader: item["id"] in reader.client.rows)


class Other:
    """A hub of which one answer is known."""

    def __init__(self, receipt: Receipt) -> None:
        self._receipt = receipt

    async def delivered(self, slug: str, sequence: int, patience: float) -> Receipt:
        return self._receipt


@pytest.mark.parametrize("slowest", [0, 1, 2])
def test_the_time_that_an_editor_is_told_is_the_slowest_workers(slowest: int) -> None:
    async def main() -> Receipt:
        boxes = mailboxes(3)
        all_of_them = [
            Siblings(
                number,
                boxes,
                cast("Hub", Other(Receipt(2, 3, 40 if number == slowest else 7))),
                lambda: None,
            )
            for number in range(3)
        ]
        runs = [asyncio.create_task(one.run()) for one in all_of_them]
        receipt = await all_of_them[0].delivered("world", 1, 5.0)
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)
        for one in (end for box in boxes for end in box):
            one.close()
        return receipt

    assert asyncio.run(main()) == Receipt(6, 9, 40)


def test_the_count_of_readers_is_over_all_workers_and_both_kinds(
    trio: Server, slug: str, editors: list[Editor]
) -> None:
    with ExitStack() as stack:
        for reader in readers_at(trio, slug, workers(trio), 1):
            stack.enter_context(reader)
        stream = stack.enter_context(editors[0].stream("GET", f"/v1/feeds/{slug}/stream"))
        assert stream.status_code == 200
        everybody = {"readers": 4, "by": {"ws": 3, "sse": 1}}
        for editor in editors[1:]:  # the first one's connection carries the stream
            eventually(lambda editor=editor: _readers(editor, slug) == everybody)
    nobody = {"readers": 0, "by": {"ws": 0, "sse": 0}}
    for editor in editors:
        eventually(lambda editor=editor: _readers(editor, slug) == nobody)


def test_a_retry_at_another_worker_is_a_replay(slug: str, editors: list[Editor]) -> None:
    first, second, third = editors
    posted = first.submit("Once", slug, key="k-1")
    for editor in editors:
        again = editor.submit("Once", slug, key="k-1")
        assert again.status_code == 201
        assert again.headers["idempotent-replayed"] == "true"
        assert again.json() == posted.json()
        assert editor.submit("Another", slug, key="k-1").status_code == 422
    updated = second.revise(posted.json(), "update", key="k-2", headline="Twice")
    again = third.revise(posted.json(), "update", key="k-2", headline="Twice")
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == updated.json()
    stale = first.revise(posted.json(), "update", headline="Thrice")
    assert stale.status_code == 412
    assert stale.json()["current"]["version"] == updated.json()["version"]
    third.revised(updated.json(), "kill", note="withdrawn")
    assert first.submit("Once", slug, key="k-1").status_code == 410
    assert len(first.get(f"/v1/feeds/{slug}/items").json()["items"]) == 1


def test_two_servers_over_one_folder_are_as_good_as_two_workers(
    serve: Callable[..., Server],
) -> None:
    one, other = serve(), serve()
    with one.editing() as here, other.editing() as there, Reader(other) as reader:
        reader.join()
        posted = here.submit("Once", key="k")
        reader.until(lambda: posted.json()["id"] in reader.client.rows)
        again = there.submit("Once", key="k")
        assert again.headers["idempotent-replayed"] == "true"
        assert again.json() == posted.json()


def test_a_reader_with_the_newest_cursor_gets_changes_from_a_worker_that_is_behind(
    trio: Server, slug: str, editors: list[Editor]
) -> None:
    epoch = editors[0].get(f"/v1/feeds/{slug}").json()["cursor"].partition(".")[0]
    for number in range(40):
        editor = editors[number % 3]
        etag = editor.post(
            f"/v1/feeds/{slug}/items",
            json={"headline": f"News {number}"},
            headers={"Prefer": "respond-async"},
        ).json()["etag"]
        cursor = f"{epoch}.{etag.replace('-', '.')}"
        with ExitStack() as stack:
            # Four connections to three workers: over all rounds each of them is asked often.
            readers = [stack.enter_context(Reader(trio, slug, cursor).shake()) for _ in range(4)]
            for reader in readers:
                reader.client.cursor = cursor
                reader.until(lambda reader=reader: reader.messages)
                [message] = reader.messages
                assert (message["type"], message["since"]) == ("changes", cursor)
                assert message["items"] == []


def test_polling_and_streaming_with_the_newest_cursor_go_on_from_it_at_any_worker(
    slug: str, editors: list[Editor]
) -> None:
    for number in range(12):
        editor = editors[number % 3]
        item = editor.item("News", slug)
        changes = f"/v1/feeds/{slug}/changes"
        cursor = editor.get(f"/v1/feeds/{slug}").json()["cursor"]
        assert cursor.split(".")[1] == str(item["version"])
        for other in editors:
            answer = other.get(changes, params={"since": cursor}).json()
            assert (answer["type"], answer["items"]) == ("changes", [])
            with other.stream("GET", f"/v1/feeds/{slug}/stream?since={cursor}") as stream:
                line = next(line for line in stream.iter_lines() if line.startswith("data: "))
                assert json.loads(line[6:])["type"] == "changes"


def test_a_token_that_the_command_revokes_is_refused_by_all_within_a_moment(
    trio: Server, slug: str, editors: list[Editor]
) -> None:
    name = f"leaving {slug}"
    token = trio.cli("token", "add", name, "--feed", slug)
    for editor in editors:
        editor.headers["Authorization"] = f"Bearer {token}"
    for editor in editors:
        eventually(lambda editor=editor: editor.submit(slug=slug).status_code == 201)
    trio.cli("token", "revoke", name)
    for editor in editors:
        eventually(lambda editor=editor: editor.submit(slug=slug).status_code == 401)


def test_a_feed_closed_by_the_command_ends_for_the_readers_of_all_workers(
    trio: Server, slug: str
) -> None:
    with ExitStack() as stack:
        crowd = readers_at(trio, slug, workers(trio), 1)
        for reader in crowd:
            stack.enter_context(reader)
        trio.cli("feed", "close", slug)
        for reader in crowd:
            assert reader.until_over() == 4410
            assert reader.client.ended
            assert reader.client.feed["closed_at"]


def test_a_new_feed_is_known_to_all_workers_at_once(editors: list[Editor]) -> None:
    assert editors[0].configure("brand-new", title="New").status_code == 201
    for editor in editors:
        assert editor.get("/v1/feeds/brand-new").status_code == 200
        assert editor.get("/v1/feeds/brand-new/changes").json()["feed"]["title"] == "New"
        assert editor.submit(slug="brand-new").status_code == 201


def test_the_words_of_a_withdrawn_item_are_in_no_file_and_no_workers_answer(
    trio: Server, slug: str, editors: list[Editor]
) -> None:
    secret = "unutterable"
    for _ in range(3):  # so that more than one page of the database holds it
        items = [editor.item(f"An {secret} thing", slug, body=secret * 50) for editor in editors]
        for editor in editors:
            assert secret in editor.get(f"/v1/feeds/{slug}/items").text
        for editor, item in zip(editors, items, strict=True):
            killed = editor.revise(item, "kill", note="withdrawn")
            if killed.headers["purge"] == "pending":
                eventually(lambda: "unfinished_purges" not in editors[0].get("/readyz").json())
        for editor in editors:
            for path in ("/items", "/changes", f"/items/{item['id']}"):
                eventually(lambda e=editor, p=path: secret not in _text(e, f"/v1/feeds/{slug}{p}"))
        for file in trio.data.iterdir():
            assert secret.encode() not in file.read_bytes(), file.name


def _readers(editor: Editor, slug: str) -> dict[str, Any]:
    found: dict[str, Any] = editor.get(f"/v1/feeds/{slug}/readers").json()
    return found


def _text(client: httpx.Client, path: str) -> str:
    return client.get(path).text


# Has every process write down, once a second, how many functions were called meanwhile.
COUNT_CALLS = """
import os, sys, threading, time
calls = 0
def count(frame, event, arg):
    global calls
    calls += event in ("call", "c_call")
def write_down():
    global calls
    sys.setprofile(None)
    path = os.path.join(os.environ["COUNTED"], str(os.getpid()))
    while True:
        calls = 0
        time.sleep(1)
        with open(path, "a") as file:
            print(calls, file=file, flush=True)
def start():
    threading.Thread(target=write_down, daemon=True).start()
os.register_at_fork(after_in_child=start)
threading.setprofile(count)
sys.setprofile(count)
start()
"""
CALLS_MAX = 4_000  # a second; an idle worker's are a quarter of it, and no hundredth of a core


def test_nobody_works_while_there_is_no_news(tmp_path: Path) -> None:
    counted = tmp_path / "counted"
    counted.mkdir()
    with (
        Server(
            tmp_path / "data",
            "--workers",
            "2",
            first=COUNT_CALLS,
            environ={"COUNTED": str(counted)},
        ) as server,
        server.editing() as editor,
    ):
        files = [counted / str(pid) for pid in (server.pid, *workers(server))]

        def quiet() -> bool:
            """Say whether each had five idle seconds on end, while a monitor asked."""
            assert editor.get("/healthz").is_success
            time.sleep(0.3)
            seconds = [path.read_text().split() if path.exists() else [] for path in files]
            return all(
                len(last) == 5 and max(map(int, last)) <= CALLS_MAX
                for last in (calls[-5:] for calls in seconds)
            )

        eventually(quiet)
