"""No reader misses news, with real processes: random verbs, stalls, comings and goings, a death."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from typing import Any

import pytest
from support.client import Json
from support.server import Server
from worker_stage import Person, attend, converge, crowd, eventually, submitted, workers

STEPS = 150
LONG = "A long text. " * 2_000  # some of these are more than the kernel keeps for a reader
TINY = 2_048  # bytes that a stalled reader's own kernel takes
PINNED_MAX = 5


class Newsroom:
    """Editors who do what comes to their mind, each time at whatever worker."""

    def __init__(self, server: Server, chance: random.Random) -> None:
        self.server = server
        self.chance = chance
        self.items: dict[int, Json] = {}
        self.done = 0

    def act(self) -> None:
        """Do one verb, that the rules allow."""
        alive = [item for item in self.items.values() if item["status"] != "killed"]
        if len(alive) < 3 or self.chance.random() < 0.45:
            self._do(None, "post", headline=self._headline(), body=self._body())
            return
        item = self.chance.choice(alive)
        pinned = sum(bool(one.get("pinned")) for one in alive)
        verbs: dict[str, dict[str, Any]] = {
            "fix": {"headline": self._headline()},
            "update": {"headline": self._headline(), "body": self._body()},
            "correct": {"headline": self._headline(), "note": "it was otherwise"},
            "release" if item["status"] == "held" else "hold": {},
            "kill": {"note": "withdrawn"},
        }
        if item.get("pinned"):
            verbs["unpin"] = {}
        elif pinned < PINNED_MAX:
            verbs["pin"] = {}
        verb = self.chance.choice(sorted(verbs))
        self._do(item, verb, **verbs[verb])

    def _do(self, item: Json | None, verb: str, **fields: Any) -> None:
        self.done += 1
        key = f"key-{self.done}"
        if item is None:
            answer = submitted(self.server, lambda at: at.submit(key=key, **fields))
        else:
            answer = submitted(self.server, lambda at: at.revise(item, verb, key, **fields))
        assert answer.status_code == 201, answer.text
        changed = answer.json()
        self.items[changed["id"]] = changed

    def _headline(self) -> str:
        return f"News {self.done}"

    def _body(self) -> str:
        return LONG if self.chance.random() < 0.5 else "Short."


def come_go_and_stall(people: list[Person], chance: random.Random) -> None:
    """Let one of them do something else than read."""
    person = chance.choice(people)
    if person.reader is None:
        person.connect()
    elif chance.random() < 0.3:
        person.hang_up()
        person.stalled = False
    else:
        person.stalled = not person.stalled


def tell(server: Server, chance: random.Random) -> None:
    newsroom = Newsroom(server, chance)
    with crowd(server, "world", 10) as people:
        for person in people[::2]:
            person.receive_buffer = TINY
        # Two come before the first item and stall at once: all there is goes past them.
        for person in people[:2]:
            person.connect()
            eventually(lambda person=person: attend(people, 0.1) or person.is_served)
            person.stalled = True
        for step in range(STEPS):
            newsroom.act()
            for _ in range(chance.randrange(3)):
                come_go_and_stall(people[2:], chance)
            attend(people)
            if step in {STEPS // 3, STEPS // 2}:
                os.kill(chance.choice(workers(server)), signal.SIGKILL)
        converge(people, server, "world")
        newcomer = Person(server, "world")
        people.append(newcomer)
        converge(people, server, "world")
        with server.reading() as anyone:
            items = anyone.get("/v1/feeds/world/items?limit=200").json()["items"]
        assert len(items) > 55, "a story too short to cross any limit"
        for item in items:
            known = newsroom.items.pop(item["id"])
            assert item == {name: known[name] for name in known if name != "body"}
        assert not newsroom.items
        assert len(newcomer.client.rows) < len(items)


@pytest.mark.parametrize("way", [("--aio", "off"), (), ("--io-uring", "on")])
def test_no_reader_of_any_worker_misses_news(
    serve: Callable[..., Server], way: tuple[str, ...]
) -> None:
    tell(serve("--workers", "2", *way), random.Random(11))


@pytest.mark.more
@pytest.mark.parametrize("seed", range(6))
def test_no_reader_of_any_worker_misses_news_in_other_stories(
    serve: Callable[..., Server], seed: int
) -> None:
    tell(serve("--workers", "3", "--io-uring", "on" if seed % 2 else "off"), random.Random(seed))
