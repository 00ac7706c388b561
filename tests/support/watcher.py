"""A reader whose client keeps the rules, and who notes what was sent before it chose from it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from feedserver.live import messages
from support.client import Client, Json, Line, parse
from support.sockets import SocketLine, StreamLine
from support.station import Station


@dataclass(eq=False)
class Watcher:
    """A person with a page open: a client, and the line it has now or had last."""

    slug: str
    client: Client
    line: SocketLine | StreamLine | None = None
    station: Station | None = None
    connecting: asyncio.Task[None] | None = None
    lost: bool = False  # whether what it asked from can be no place in this feed
    carried: Line = field(default_factory=Line)
    snapshot: Json = field(default_factory=dict)  # the last one
    unchecked: list[Json] = field(default_factory=list)  # all that was sent since the last check

    def ask(self, since: str | None, *, lost: bool = False) -> str | None:
        """Begin again, from the client's own cursor or another; return which."""
        cursor = self.client.cursor if since is None else since
        self.lost = lost or not cursor
        self.carried = Line(cursor)
        return cursor or None

    def take(self, text: bytes) -> bool:
        """Apply a message; False: hang up and ask again."""
        message = parse(text, messages.MESSAGE_MAX)
        if self.lost:
            assert message["type"] == "snapshot"
            self.lost = False
        self.carried.take(message)
        self.unchecked.append(message)
        if message["type"] == "snapshot":
            self.snapshot = message
        return not self.client.take(message)
