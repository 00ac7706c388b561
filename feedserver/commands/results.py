"""Feeds and tokens as commands answer with them in JSON. Absent is null, false or empty."""

from __future__ import annotations

from typing import Any

from feedserver.model import Feed, Token
from feedserver.submission import FeedOutcome
from feedserver.wire import Json, time_text


def feed_result(feed: Feed) -> Json:
    """Return a feed's own settings."""
    return _present(
        slug=feed.slug,
        title=feed.title,
        language=feed.language,
        timezone=feed.timezone,
        description=feed.description,
        created_at=time_text(feed.created_at),
        closed_at=None if feed.closed_at is None else time_text(feed.closed_at),
    )


def outcome_result(outcome: FeedOutcome) -> Json:
    """Return a feed as a command left it; `unchanged` where nothing was written."""
    return feed_result(outcome.feed) | ({"unchanged": True} if outcome.unchanged else {})


def token_result(token: Token, secret: str | None = None) -> Json:
    """Return what a token may do; with the secret itself, once. No feeds: all of them."""
    return {
        "name": token.name,
        **({} if secret is None else {"token": secret}),
        "feeds": list(token.feeds),
        **_present(
            import_=token.importer,
            created_at=time_text(token.created_at),
            revoked_at=None if token.revoked_at is None else time_text(token.revoked_at),
        ),
    }


def _present(**members: Any) -> Json:
    return {name.rstrip("_"): value for name, value in members.items() if value}
