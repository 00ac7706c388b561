"""Our server over a folder that was filled before, and the questions that are put to it."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench import peers, prose
from bench.errors import BenchError
from bench.http import Answer, Connection
from bench.peers.feedserver import Feedserver, accepted
from bench.peers.peer import Made, Setting

LONG_WAIT = 180.0  # seconds: what is measured here may take minutes, and must not end the run


@dataclass(slots=True)
class Newsroom:
    """A server, a connection to it, and how many items it began with."""

    server: Feedserver
    items: int
    connection: Connection
    posted: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def words(self) -> dict[str, str]:
        """What the next item says."""
        self.posted += 1
        return prose.item(self.items + self.posted)

    def post(self, words: dict[str, str], feed: str = "bench") -> Answer:
        """Post an item, to be answered before readers have it."""
        headers = self.server.headers(respond_async=True)
        path = f"/v1/feeds/{feed}/items"
        return accepted(self.connection.post(path, json.dumps(words).encode(), headers))

    def posted_item(self) -> dict[str, Any]:
        """Post one more prose-like item."""
        item: dict[str, Any] = json.loads(self.post(self.words()).body)
        return item

    def revise(self, item: dict[str, Any], verb: str, **words: object) -> Answer:
        """Do a verb on an item as it was last answered."""
        headers = self.server.headers() | {"If-Match": f'"{item["etag"]}"'}
        path = f"/v1/feeds/bench/items/{item['id']}/revisions"
        body = json.dumps({"verb": verb, **words}).encode()
        return self.connection.post(path, body, headers)

    def revised(self, item: dict[str, Any], verb: str, **words: object) -> dict[str, Any]:
        after: dict[str, Any] = json.loads(accepted(self.revise(item, verb, **words)).body)
        return after

    def ask(self, path: str) -> Answer:
        """Ask as a reader; an error unless it is answered 200."""
        answer = self.connection.get(path, {})
        if answer.status != 200:
            raise BenchError(f"GET {path} was answered {answer.status}: {answer.body[:300]!r}")
        return answer

    def get(self, path: str) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.ask(path).body)
        return said

    def any_item(self) -> int:
        """The id of some item that it began with."""
        # The feed and the token have the first two sequences.
        return self.chance.randrange(3, self.items + 3)

    @contextmanager
    def beside(self) -> Iterator["Newsroom"]:
        """The same server over a connection of its own."""
        connection = Connection(self.connection.port, LONG_WAIT)
        try:
            yield Newsroom(self.server, self.items, connection)
        finally:
            connection.close()


@contextmanager
def open_newsroom(made: Made, items: int) -> Iterator[Newsroom]:
    """Start a server over a copy of a folder."""
    server = peers.start("feedserver", Setting(made=made))
    assert isinstance(server, Feedserver)
    connection = Connection(server.ports[0], LONG_WAIT)
    try:
        yield Newsroom(server, items, connection)
    finally:
        connection.close()
        server.stop()
