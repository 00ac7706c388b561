"""One call of the command line: what every verb needs to do its work."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from datetime import tzinfo
from functools import cached_property
from typing import TYPE_CHECKING

from feedserver.model import is_slug
from publisher.failures import Misused
from publisher.output import Screen
from publisher.server.profile import ENVIRONMENT, Profile, check_token_may_travel, resolve
from publisher.text.zones import known_zone

if TYPE_CHECKING:
    from publisher.server.client import Client


class Call:
    """The options, the profile that they select, and the screen to answer on."""

    def __init__(self, args: Namespace, environ: Mapping[str, str], screen: Screen) -> None:
        self.args = args
        self.environ = environ
        self.screen = screen
        self.agreed_headline: str | None = None  # of the item that the person said yes to

    @cached_property
    def profile(self) -> Profile:
        """The server, token and feed to use. Raises Misused."""
        return resolve(self.environ, self.args.feed, self.args.profile)

    @property
    def url(self) -> str:
        """The server's address."""
        assert self.profile.url is not None
        return self.profile.url

    @property
    def feed(self) -> str:
        """The feed to use. Raises Misused."""
        feed = self.profile.feed
        if not feed:
            raise Misused("which feed? say --feed SLUG or set PUBLISHER_FEED")
        if not is_slug(feed):
            raise Misused(f"{feed!r} cannot be a feed's name, which has only a-z, 0-9 and -")
        return feed

    def choose_feed(self, feed: str) -> None:
        """Use this feed, as if --feed had named it."""
        self.args.feed = feed
        self.__dict__.pop("profile", None)  # it is settled anew with that feed

    @property
    def profile_name(self) -> str:
        """Where the token comes from: a key belongs to the editor whose token it is sent with."""
        return self.profile.name

    @property
    def source_of_token(self) -> str:
        """Where the token comes from, in words."""
        name = self.profile_name
        return "PUBLISHER_TOKEN" if name == ENVIRONMENT else f"the profile {name}"

    @property
    def choosing(self) -> list[str]:
        """The words that choose the same profile and feed for another command."""
        args = self.args
        profile = [f"--as={args.profile}"] if args.profile else []
        return profile + ([f"--feed={args.feed}"] if args.feed else [])

    @cached_property
    def zone(self) -> tzinfo | None:
        """The feed's zone, in which times are shown; None where it is not known: this machine's."""
        return known_zone(self.url, self.feed)

    @property
    def insecure(self) -> bool:
        """Whether a token may travel unencrypted."""
        return bool(self.args.insecure or self.environ.get("PUBLISHER_INSECURE") == "1")

    def items_path(self, item: int | None = None) -> str:
        """Return the path of the feed's items, or of one."""
        path = f"/v1/feeds/{self.feed}/items"
        return path if item is None else f"{path}/{item}"

    def page(self, item: int) -> str:
        """Return the address of an item's page, for people."""
        return f"{self.url}/feeds/{self.feed}/items/{item}"

    def editor(self) -> Client:
        """Return a client that may edit. Raises Misused."""
        token = self.profile.token
        if token is None:
            named = self.environ.get("PUBLISHER_URL") and not self.args.profile
            source = " (the address is that of PUBLISHER_URL)" * bool(named)
            raise Misused(
                f"no token for {self.url}{source}; log in first: publisher login {self.url}"
            )
        return self.client(self.url, token)

    def reader(self) -> Client:
        """Return a client that reads; with the token, so that items carry their body."""
        token = self.profile.token
        if token is not None and self._may_carry_token():
            return self.client(self.url, token)
        return self._open(self.url, None)

    def client(self, url: str, token: str) -> Client:
        """Return a client with a token that is safe on the way. Raises Misused."""
        check_token_may_travel(url, insecure=self.insecure)
        if not token.isascii() or not token.isprintable() or " " in token:
            raise Misused("the token holds characters that no token has; copy it again")
        return self._open(url, token)

    def _open(self, url: str, token: str | None) -> Client:
        from publisher.server.client import Client  # only now: help does without what it loads

        return Client(url, token, self.args.timeout, self.screen.notice, self.screen.count_down)

    def _may_carry_token(self) -> bool:
        try:
            check_token_may_travel(self.url, insecure=self.insecure)
        except Misused:
            return False
        return True
