"""Which process serves whom, readers on bare sockets, and a crowd of them."""

from __future__ import annotations

import os
import random
import selectors
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from support.client import Client, Json, Line, due, parse
from support.server import Editor, Server, live_url
from websockets.client import ClientProtocol
from websockets.extensions.base import ClientExtensionFactory
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

PATIENCE = 20.0  # seconds; nothing here should ever need them
RECEIVE_MAX = 1 << 16  # bytes taken from a socket at once


def eventually(true: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Ask until the answer is true, and return it."""
    end = time.monotonic() + patience
    while not (found := true()):
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.01)
    return found


# Which process serves whom


def workers(server: Server) -> list[int]:
    """Return the process ids of a server's workers."""
    return children(server.pid)


def children(parent: int) -> list[int]:
    """Return the processes that a process has started, oldest first."""
    return sorted(pid for pid in _processes() if _parent(pid) == parent)


def is_alive(pid: int) -> bool:
    """Say whether a process runs; one that only waits to be buried does not."""
    return _stat(pid)[:1] not in ([], ["Z"])


def worker_of(server: Server, port: int) -> int:
    """Return which worker accepted the connection from `port`, once one did."""
    return int(eventually(lambda: _owner(server, port)))


def _owner(server: Server, port: int) -> int:
    ends = (f"0100007F:{server.port:04X}", f"0100007F:{port:04X}")
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if (fields[1], fields[2]) == ends and fields[9] != "0":
            for pid in workers(server):
                if f"socket:[{fields[9]}]" in _open_files(pid):
                    return pid
    return 0


def _open_files(pid: int) -> set[str]:
    found = set()
    folder = f"/proc/{pid}/fd"
    try:
        for name in os.listdir(folder):
            found.add(os.readlink(f"{folder}/{name}"))
    except OSError:
        pass  # it died, or closed one, meanwhile
    return found


def _processes() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def _parent(pid: int) -> int:
    stat = _stat(pid)
    return int(stat[1]) if stat else 0


def _stat(pid: int) -> list[str]:
    """Return the fields from the process's state on."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


# Editors and readers


@contextmanager
def editors_at_all(server: Server) -> Iterator[list[Editor]]:
    """Give an editor at each worker, who has one connection there."""
    found: dict[int, Editor] = {}
    spare = []
    count = len(workers(server))
    try:
        while len(found) < count:
            editor = server.editing()
            worker = worker_of(server, _port(editor.get("/healthz")))
            if worker in found:
                spare.append(editor)
            else:
                found[worker] = editor
        yield list(found.values())
    finally:
        for editor in [*spare, *found.values()]:
            editor.close()


def _port(answer: httpx.Response) -> int:
    own: tuple[str, int] = answer.extensions["network_stream"].get_extra_info("client_addr")
    return own[1]


class Reader:
    """A reader on a bare socket, which reads when it is told to. `client` keeps the rules."""

    def __init__(
        self,
        server: Server,
        slug: str = "world",
        since: str | None = None,
        *,
        client: Client | None = None,
        receive_buffer: int | None = None,
        extensions: Sequence[ClientExtensionFactory] = (),
    ) -> None:
        self.server = server
        self.client = client or Client()
        self._line = Line(since or "")
        self.messages: list[Json] = []
        self.code: int | None = None
        self.is_over = False
        self.headers: Any = {}
        url = live_url(server.url, slug, since)
        self._protocol = ClientProtocol(
            parse_uri(url), extensions=extensions or None, max_size=None
        )
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", server.port))

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fileno(self) -> int:
        return self.socket.fileno()

    @property
    def worker(self) -> int:
        return worker_of(self.server, self.socket.getsockname()[1])

    def shake(self) -> Reader:
        """Ask for the feed."""
        self._protocol.send_request(self._protocol.connect())
        self._flush()
        return self

    def join(self) -> Reader:
        """Ask for the feed and take the first message."""
        self.shake().until(lambda: self.messages)
        return self

    def take(self, patience: float = PATIENCE) -> list[Json]:
        """Apply the messages that the next bytes complete, and return them."""
        self.socket.settimeout(patience)
        try:
            data = self.socket.recv(RECEIVE_MAX)
        except (TimeoutError, BlockingIOError):
            return []
        except OSError:
            data = b""
        if data:
            self._protocol.receive_data(data)
        elif not self.is_over:
            self.is_over = True
            self._protocol.receive_eof()
        found = [
            message for event in self._protocol.events_received() for message in self._on(event)
        ]
        self._flush()
        self.messages += found
        return found

    def until(self, true: Callable[[], Any]) -> None:
        """Read on until something is so."""
        end = time.monotonic() + PATIENCE
        while not true():
            assert not self.is_over, f"the connection ended, with {self.code}"
            assert time.monotonic() < end, "it did not come true"
            self.take()

    def until_over(self) -> int | None:
        """Read to the end of the connection; return the close code."""
        end = time.monotonic() + PATIENCE
        while not self.is_over:
            assert time.monotonic() < end, "the connection does not end"
            self.take()
        return self.code

    def send(self, text: str) -> None:
        """Say something, though nobody listens."""
        self._protocol.send_text(text.encode())
        self._flush()

    def close(self) -> None:
        self.socket.close()
        self.is_over = True

    def _on(self, event: Any) -> Iterator[Json]:
        if not isinstance(event, Frame):
            assert self._protocol.handshake_exc is None, self._protocol.handshake_exc
            self.headers = event.headers
        elif event.opcode is Opcode.TEXT:
            message = parse(bytes(event.data))
            self._line.take(message)
            assert not self.client.take(message), (
                "the server did not go on from the client's cursor"
            )
            yield message
        elif event.opcode is Opcode.CLOSE:
            self.code = int.from_bytes(event.data[:2], "big")

    def _flush(self) -> None:
        try:
            for data in self._protocol.data_to_send():
                if data:
                    self.socket.sendall(data)
        except OSError:
            pass  # the other end is gone: the next read says so


def readers_at(server: Server, slug: str, pids: Iterable[int], each: int) -> list[Reader]:
    """Return so many readers of each of these workers, each with its first message."""
    found: dict[int, list[Reader]] = {pid: [] for pid in pids}
    end = time.monotonic() + PATIENCE
    while any(len(some) < each for some in found.values()):
        assert time.monotonic() < end, "the kernel never chose that worker"
        reader = Reader(server, slug).join()
        some = found.get(reader.worker)
        if some is not None and len(some) < each:
            some.append(reader)
        else:
            reader.close()
    return [reader for some in found.values() for reader in some]


class Person:
    """Somebody with a page open: a client, the reader it has now, and how it came to have it."""

    def __init__(self, server: Server, slug: str, receive_buffer: int | None = None) -> None:
        self.server = server
        self.slug = slug
        self.client = Client()
        self.receive_buffer = receive_buffer
        self.reader: Reader | None = None
        self.stalled = False
        self.comebacks: list[str] = []  # the type of the first message of each connection

    @property
    def is_served(self) -> bool:
        return self.reader is not None and bool(self.reader.messages)

    def connect(self) -> None:
        """Come, or come back with the cursor."""
        self.client.ended = False
        reader = Reader(
            self.server,
            self.slug,
            self.client.cursor or None,
            client=self.client,
            receive_buffer=self.receive_buffer,
        )
        self.reader = reader.shake()

    def hang_up(self) -> None:
        if self.reader is not None:
            self.reader.close()
            self.reader = None

    def read(self) -> None:
        """Take what is there."""
        assert self.reader is not None
        is_first = not self.reader.messages
        if self.reader.take(0) and is_first:
            self.comebacks.append(self.reader.messages[0]["type"])
        if self.reader.is_over:
            self.hang_up()


@contextmanager
def crowd(server: Server, slug: str, count: int) -> Iterator[list[Person]]:
    """Give so many people, and see them off in the end."""
    people = [Person(server, slug) for _ in range(count)]
    try:
        yield people
    finally:
        for person in people:
            person.hang_up()


def attend(people: list[Person], patience: float = 0.0) -> None:
    """Let everybody who is connected and not stalled read what there is."""
    with selectors.DefaultSelector() as selector:
        for person in people:
            if person.reader is not None and not person.stalled:
                selector.register(person.reader, selectors.EVENT_READ, person)
        if selector.get_map():
            for key, _ in selector.select(patience):
                key.data.read()


def converge(people: list[Person], server: Server, slug: str) -> None:
    """Bring everybody back, and hold what each of them shows against the API."""
    with server.reading() as anyone:
        cursor = anyone.get(f"/v1/feeds/{slug}").json()["cursor"]
        items = anyone.get(f"/v1/feeds/{slug}/items?limit=200").json()["items"]
    end = time.monotonic() + PATIENCE
    while any(person.client.cursor != cursor for person in people):
        assert time.monotonic() < end, "they do not get the news"
        for person in people:
            person.stalled = False
            if person.reader is None:
                person.connect()
        attend(people, 0.1)
    for person in people:
        assert person.client.shown == due(items, person.client.floor)


def submitted(server: Server, send: Callable[[Editor], httpx.Response]) -> httpx.Response:
    """Send as a careful editor does: again, with the same key, for as long as no answer comes."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with server.editing() as editor:
                answer = send(editor)
        except httpx.TransportError:
            assert time.monotonic() < end, "the server does not come back"
            time.sleep(0.02 + random.random() * 0.05)
            continue
        if answer.status_code != 503:
            return answer
