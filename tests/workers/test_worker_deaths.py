"""Workers die, and the parent, and the set-up is wrong: what readers and operators see of it."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
from support.client import Json
from support.server import ROOT, Server
from worker_stage import (
    Person,
    Reader,
    attend,
    children,
    converge,
    crowd,
    eventually,
    is_alive,
    readers_at,
    submitted,
    workers,
)

Serve = Callable[..., Server]
LEFT = ["feed.db", "feed.keys", "lock", "search.db"]  # of a server that ended well


# Under fire


@contextlib.contextmanager
def storm(server: Server, name: str, editors: int, posts: int) -> Iterator[dict[str, Json]]:
    """Let editors post, each one thing after the other; yield what was acknowledged, by key."""
    acknowledged: dict[str, Json] = {}
    faults: list[BaseException] = []

    def work(editor: int) -> None:
        try:
            for number in range(posts):
                key = f"{name}-{editor}-{number}"
                answer = submitted(server, lambda at, key=key: at.submit(f"News {key}", key=key))
                assert answer.status_code == 201, answer.text
                acknowledged[key] = item = answer.json()
                if number % 4 == 0:
                    more = {"key": f"{key}-more", "headline": f"More {key}"}
                    answer = submitted(
                        server,
                        lambda at, item=item, more=more: at.revise(item, "update", **more),
                    )
                    assert answer.status_code == 201, answer.text
                    acknowledged[key] = answer.json()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(editors)]
    for thread in threads:
        thread.start()
    try:
        yield acknowledged
    finally:
        for thread in threads:
            thread.join()
    assert not faults, faults


def survive(server: Server, people: list[Person], kills: int) -> None:
    acknowledged: dict[str, Json] = {}
    for number in range(kills):
        eventually(lambda: _come_back(people) or all(one.is_served for one in people))
        at_worker = {one: one.reader.worker for one in people if one.reader is not None}
        before = {one: len(one.comebacks) for one in people}
        victim = random.choice(sorted(set(at_worker.values())))
        hurt = {one for one, worker in at_worker.items() if worker == victim}
        with storm(server, str(number), editors=3, posts=14) as done:
            eventually(lambda done=done: _attend(people) or len(done) >= 12)
            os.kill(victim, signal.SIGKILL)
            eventually(
                lambda hurt=hurt, before=before: (
                    _come_back(people) or all(len(one.comebacks) > before[one] for one in hurt)
                )
            )
        eventually(lambda: len(workers(server)) == 2)
        assert victim not in workers(server)
        for one in set(people) - hurt:
            assert len(one.comebacks) == before[one], "it noticed"
        acknowledged |= done
    converge(people, server, "world")
    for one in people:
        assert one.comebacks[1:] == ["changes"] * (len(one.comebacks) - 1)
    with server.reading() as anyone:
        items = anyone.get("/v1/feeds/world/items?limit=200").json()["items"]
    assert len(acknowledged) == len(items) == kills * 3 * 14, "an item is lost, or there twice"
    by_id = {item["id"]: item for item in items}
    for item in acknowledged.values():
        assert by_id[item["id"]] == {name: item[name] for name in item if name != "body"}


def _attend(people: list[Person]) -> None:
    attend(people, 0.01)


def _come_back(people: list[Person]) -> None:
    for person in people:
        if person.reader is None:
            person.connect()
    _attend(people)


def test_a_worker_killed_in_a_storm_is_replaced_and_nothing_is_lost(serve: Serve) -> None:
    server = serve("--workers", "2")
    with crowd(server, "world", 12) as people:
        survive(server, people, kills=1)


@pytest.mark.more
def test_workers_killed_again_and_again_in_a_storm_are_replaced_and_nothing_is_lost(
    serve: Serve,
) -> None:
    server = serve("--workers", "2")
    with crowd(server, "world", 12) as people:
        survive(server, people, kills=4)


# Notes each turn of the parent's loop that found something to do, or did not wait for it.
NOTE_TURNS = """
import os, select
from types import SimpleNamespace
from feedserver.workers import supervisor
assert supervisor.select is select
turns = os.open(os.environ["TURNS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def noted(reading, writing, other, seconds):
    found = select.select(reading, writing, other, seconds)
    if any(found) or seconds < 0.1:
        os.write(turns, b".")
    return found
supervisor.select = SimpleNamespace(select=noted)
"""


def test_the_parent_rests_after_it_has_replaced_a_worker(tmp_path: Path) -> None:
    turns = tmp_path / "turns"
    with Server(
        tmp_path / "data", "--workers", "2", first=NOTE_TURNS, environ={"TURNS": str(turns)}
    ) as server:
        replace_a_worker(server)
        before = turns.stat().st_size
        with Reader(server) as reader:
            reader.join()
            for _ in range(20):
                with server.editing() as editor:
                    item = editor.item()
                reader.until(lambda item=item: item["id"] in reader.client.rows)
        assert before >= 2  # it was told of the start, and of the death
        assert turns.stat().st_size - before <= 1  # of the new worker, it may hear this late


def replace_a_worker(server: Server) -> None:
    old = workers(server)
    os.kill(old[0], signal.SIGKILL)
    [new] = eventually(lambda: set(workers(server)) - set(old))
    # The new one has to be ready: so ready that it takes a connection.
    while True:
        with Reader(server) as reader:
            if reader.join().worker == new:
                break


def test_a_kill_cut_short_is_finished_by_the_worker_that_takes_the_place(serve: Serve) -> None:
    secret = "unutterable"
    server = serve("--workers", "2")

    def withdraw() -> None:
        submitted(server, lambda at: at.revise(item, "kill", key=str(item["id"]), note="no more"))

    for _ in range(3):  # it dies at some moment between the request and the clean file
        with server.editing() as editor:
            item = editor.item(secret, body=secret * 100)
        thread = threading.Thread(target=withdraw)
        thread.start()
        os.kill(workers(server)[0], signal.SIGKILL)
        thread.join()
        with server.reading() as anyone:
            answer = anyone.get(f"/v1/feeds/world/items/{item['id']}")
        assert answer.status_code == 410
        assert secret not in answer.text
        eventually(lambda: len(workers(server)) == 2)
    eventually(lambda: not _files_with(secret.encode(), server))


def _files_with(words: bytes, server: Server) -> list[str]:
    return [file.name for file in server.data.iterdir() if words in file.read_bytes()]


# The parent


def test_when_the_parent_is_killed_the_workers_end_too(serve: Serve) -> None:
    server = serve("--workers", "3")
    pids = workers(server)
    assert len(pids) == 3
    with Reader(server) as reader:
        reader.join()
        server.kill9()
        assert reader.until_over() == 1012
    eventually(lambda: not any(is_alive(pid) for pid in pids))


@pytest.mark.parametrize("everybody", [False, True], ids=["the parent", "the whole group"])
def test_a_signal_ends_all_with_a_goodbye_and_leaves_one_clean_file(
    serve: Serve, everybody: bool
) -> None:
    server = serve("--workers", "3")
    pids = workers(server)
    readers = readers_at(server, "world", pids, 2)
    process = server.process
    assert process is not None
    if everybody:  # as Ctrl-C in a terminal does
        for pid in [process.pid, *pids]:
            os.kill(pid, signal.SIGINT)
    else:
        process.terminate()
    for reader in readers:
        assert reader.until_over() == 1012
        goodbye = reader.messages[-1]
        assert goodbye["type"] == "goodbye"
        assert 0 < goodbye["retry_ms"] <= 30_000
        reader.close()
    assert server.ended() == 0
    assert not any(is_alive(pid) for pid in pids)
    assert sorted(file.name for file in server.data.iterdir()) == LEFT


@pytest.mark.parametrize("count", [1, 2])
def test_more_signals_do_not_cut_the_end_short(serve: Serve, count: int) -> None:
    server = serve("--workers", str(count))
    with server.editing() as editor:
        editor.item()
    process = server.process
    assert process is not None
    pids = [process.pid, *workers(server)]
    while process.poll() is None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
    assert server.ended() == 0
    assert sorted(file.name for file in server.data.iterdir()) == LEFT


def test_who_comes_when_the_end_has_begun_is_refused_at_once(serve: Serve) -> None:
    server = serve("--workers", "2")
    with Reader(server) as slow:
        slow.join()
        process = server.process
        assert process is not None
        process.terminate()
        eventually(lambda: _is_refused(server.port))
        assert process.poll() is None, "it ended before the reader had its goodbye"
        assert slow.until_over() == 1012
    assert server.ended() == 0


def _is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        pass  # it waited in the queue when the listener was closed
    return False


def test_a_signal_at_any_moment_of_the_start_ends_all(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", "--workers", "3")
    for moment in range(8):
        process = _start(server, "--port", "0")
        eventually(lambda moment=moment, p=process.pid: len(children(p)) >= moment % 4)
        pids = children(process.pid)
        process.terminate()
        out, err = process.communicate(timeout=20)
        # Before it minds signals it dies of one; from then on it ends in order.
        assert process.returncode in ({0, -signal.SIGTERM} if moment % 4 == 0 else {0}), (out, err)
        assert err == ""
        eventually(lambda pids=pids: not any(is_alive(pid) for pid in pids))


def _start(server: Server, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "feedserver", "serve", "--data", str(server.data)]
    return subprocess.Popen(
        [*command, "--workers", "3", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=server._environ,
        text=True,
    )


def _until(process: subprocess.Popen[str], words: str) -> None:
    """Read what a server logs up to the line with these words, one of the next ten."""
    assert process.stderr is not None
    lines = []
    for line in islice(process.stderr, 10):
        lines.append(line)
        if words in line:
            return
    raise AssertionError(f"it did not say {words!r}, but {lines}")


STUBBORN = """
import logging, signal, sys, time
from feedserver.workers import supervisor

def work(number, ready, life):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ready()
    time.sleep(1_000)

supervisor.STOP_SECONDS = 0.1
ready = lambda: print("ready", flush=True)
sys.exit(supervisor.supervise(2, work, ready, lambda: print("stopping", flush=True)))
"""


def test_a_worker_that_does_not_end_is_killed() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STUBBORN],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        pids = children(process.pid)
        assert len(pids) == 2
        process.terminate()
        out, _ = process.communicate(timeout=20)
        assert (process.returncode, out) == (0, "stopping\n")
        assert not any(is_alive(pid) for pid in pids)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


# The set-up


def test_a_file_that_is_no_database_is_said_once(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", new=False)
    server.data.mkdir()
    (server.data / "feed.db").write_bytes(bytes(range(256)) * 40)
    for _ in range(5):
        done = server.run("serve", "--workers", "3", "--port", "0")
        assert (done.returncode, done.stdout) == (1, "")
        [line] = done.stderr.splitlines()
        assert line.startswith("feedserver: ")
        assert "is not a feedserver database" in line


def test_a_path_through_a_file_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = Server(tmp_path / "file" / "data", new=False).run(
        "serve", "--workers", "2", "--port", "0"
    )
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert "is not a folder" in line


def test_a_new_folder_is_made_before_the_workers_that_all_start_at_once(tmp_path: Path) -> None:
    for number in range(3):
        server = Server(tmp_path / str(number), "--workers", "4", new=False).start()
        assert len(workers(server)) == 4
        assert server.stop() == 0


LOOKS = """
from feedserver.sqlite import opening

def look(*_):
    with open({path!r}, "a") as looks:
        looks.write("look\\n")

opening._look_through = look
"""


def test_the_file_is_looked_through_once_for_all_workers_and_those_that_follow(
    tmp_path: Path,
) -> None:
    looks = tmp_path / "looks"
    options = ["--workers", "3"]
    with Server(tmp_path / "data", *options, first=LOOKS.format(path=str(looks))) as server:
        victim = workers(server)[0]
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: len(workers(server)) == 3 and victim not in workers(server))
        with server.reading() as anyone:
            assert anyone.get("/readyz").status_code == 200
    assert looks.read_text() == "look\n"


def test_a_port_in_use_is_said_at_once(trio: Server, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        for port in (other.getsockname()[1], trio.port):
            server = Server(tmp_path / "data", new=False)
            done = server.run("serve", "--workers", "2", "--port", str(port))
            assert (done.returncode, done.stdout) == (1, "")
            [line] = done.stderr.splitlines()
            assert f"port {port}: it is in use; choose another with --port" in line


def test_a_worker_that_cannot_come_back_says_why_and_is_tried_again(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    process = _start(server, "--port", "0")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    database = server.data / "feed.db"
    away = database.rename(server.data / "away")
    database.mkdir()
    victim = children(process.pid)[0]
    os.kill(victim, signal.SIGKILL)
    _until(process, "worker 0 died and is replaced: signal 9")
    _until(process, "worker 0 died and is replaced: cannot open")
    database.rmdir()
    away.rename(database)
    eventually(lambda: len(children(process.pid)) == 3)
    process.terminate()
    assert process.wait(20) == 0
    process.communicate()
