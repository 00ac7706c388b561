"""What every endpoint works with, carried in the app's state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from starlette.requests import HTTPConnection, Request

from feedserver import wire
from feedserver.api import access
from feedserver.api.access import Tokens
from feedserver.api.work import Lane, Work
from feedserver.clock import Clock
from feedserver.errors import Behind, Unauthorized, Unavailable
from feedserver.journal import Journal, Mirror
from feedserver.live.hub import Hub
from feedserver.live.receipts import Receipt
from feedserver.model import Cursor, Feed, Millis, Token
from feedserver.newsroom import Newsroom

T = TypeVar("T")


class OwnJournal(Journal, Protocol):
    """A journal with files of its own on this machine."""

    trouble: str | None  # why the last commit failed; None if it did not

    @property
    def damage(self) -> str | None:
        """What is broken in the files; None if nothing is known to be."""

    @property
    def moved(self) -> str | None:
        """Which file is no longer in its place; None if all are."""

    @property
    def misplaced(self) -> str | None:
        """Which file was away at the last poll, and is away still. For the hot path."""

    async def look_again(self) -> None:
        """Read something, to learn if the damage has passed."""

    async def purged(self, timeout: float, version: int | None = None) -> bool:
        """Wait up to `timeout` seconds until words that were withdrawn are gone from the files.

        With a version: those that were withdrawn up to it.
        """


class OwnMirror(Mirror, Protocol):
    """A mirror in files of its own on this machine."""

    @property
    def unreadable(self) -> int:
        """How many records were met that cannot be read, and are left out."""


class OwnFolder(Protocol):
    """A data folder on this machine, as its operator should know it."""

    @property
    def filesystem(self) -> str:
        """The name of its file system."""

    @property
    def filesystem_remark(self) -> str | None:
        """What to know about erasing on that file system; None: nothing."""

    async def last_backup(self) -> Millis | None:
        """Return when the last backup was made; None: never, as far as it is known."""


class Targets(Protocol):
    """What the server tells others by itself."""

    def failing(self, before: Millis) -> dict[str, tuple[Millis, str]]:
        """Return who has taken nothing since `before` or longer: since when, and why.

        It reads a file: call it beside the loop.
        """


class Crowd(Protocol):
    """All readers of this machine, whatever process they are connected to."""

    async def delivered(self, slug: str, sequence: int, timeout: float) -> Receipt:
        """Say how many took the change at `sequence`; wait `timeout` seconds at most."""

    async def count(self, slug: str) -> tuple[int, int]:
        """Return how many read a feed by WebSocket and by SSE."""

    async def applied(self, sequence: int, timeout: float) -> bool:
        """Wait until every process has taken in all changes up to `sequence`; False: it has not."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where readers find this server, and what its pages say of whose it is."""

    url: str  # without a slash at its end
    name: str
    image: str = ""  # the address of the link previews' picture; empty means ours
    links: tuple[tuple[str, str], ...] = ()  # names and addresses, for the foot of each page
    hub: str = ""  # the WebSub hub that is told of changed documents; empty: none


@dataclass(frozen=True, slots=True)
class Context:
    """The live parts of one server process."""

    journal: OwnJournal
    mirror: OwnMirror
    newsroom: Newsroom
    hub: Hub
    crowd: Crowd
    tokens: Tokens
    site: Site
    clock: Clock | None = None  # that stamps news
    folder: OwnFolder | None = None  # that the files are in
    targets: Targets | None = None  # where anybody is told anything
    faults: list[BaseException] = field(default_factory=list)  # what parts of the server died of
    work: Work = field(default_factory=Work)  # that takes long, and is made in turn

    async def editor(self, request: Request) -> Token:
        """Return whose request this is. Raises Unauthorized, Forbidden, Behind.

        A token that is not known here may have been made since, at another process.
        """
        try:
            return access.editor(request, self.tokens, self.site.url)
        except Unauthorized:
            if not await self.journal.level():
                raise Behind from None
            if self.tokens.known_to >= await self.journal.head():
                raise
        head = await self.journal.head()
        self.tokens.renew(await self.mirror.tokens(), head)
        return access.editor(request, self.tokens, self.site.url)

    def check_place(self) -> None:
        """Raise Unavailable if a file is away: nobody knows whether its news is still the news."""
        if misplaced := self.journal.misplaced:
            raise Unavailable(f"nothing can be read or written: {misplaced}", retry_after=10)

    async def once(self, lane: Lane, name: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Return what `make` makes in its turn, once for all who ask for it by this name.

        Raises Unavailable, also if another journal came meanwhile: what the question and the answer
        name may be something else there.
        """
        epoch = self.hub.epoch
        return self._of_this_journal(await self.work.once(lane, (epoch, name), make), epoch)

    async def run(self, lane: Lane, make: Callable[[], Awaitable[T]]) -> T:
        """Return what `make` makes in its turn, for one who asks. Raises what `once` raises."""
        epoch = self.hub.epoch
        return self._of_this_journal(await self.work.run(lane, make), epoch)

    def _of_this_journal(self, made: T, epoch: str) -> T:
        if epoch != self.hub.epoch:
            raise Unavailable("a backup was restored just now; ask again", 1)
        return made

    def page_url(self, slug: str) -> str:
        """Return the address of a feed's page."""
        return f"{self.site.url}/feeds/{slug}"

    def feed_json(self, feed: Feed, *, body: bool = False) -> dict[str, Any]:
        """Return a feed's public object, with the cursor of its head.

        `body`: with its key points as they were typed, where there are any, for an editor.
        """
        told = wire.feed_json(feed, self.page_url(feed.slug), self.cursor(feed))
        return told | {"body": feed.summary} if body and feed.summary else told

    def cursor(self, feed: Feed) -> str:
        """Return the cursor of a feed's head."""
        return str(Cursor(self.hub.epoch, feed.head, feed.check))

    def etag(self, feed: Feed) -> str:
        """Return the entity tag of what follows a feed's head: a list, a page, a message."""
        return f'W/"{self.cursor(feed)}"'


def context(connection: HTTPConnection) -> Context:
    """Return the parts that serve this request."""
    found: Context = connection.app.state.context
    return found
