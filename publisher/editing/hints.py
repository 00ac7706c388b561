"""Hints: what an editor can do about a failure, where the server has not said so."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from feedserver.errors import (
    BadRequest,
    FeedClosed,
    Forbidden,
    KeyReused,
    Killed,
    NotFound,
    Unauthorized,
)
from feedserver.suggestions import did_you_mean
from publisher.editing.call import Call
from publisher.failures import Failure, NotReached, ServerRefusal
from publisher.server.schemas import tombstone_of

_OF_IMPORTS = ("--at", "--origin-uri", "--origin-id")


def add_hints(call: Call, verb: str, failure: Failure) -> None:
    """Add to a failure of `verb` what can be done about it."""
    if isinstance(failure, NotReached) and not failure.hints:
        failure.add(
            f"Is the server running, and is that its address?{_source_of_address(call, verb)}"
        )
    elif isinstance(failure, ServerRefusal):
        _add_hints_to_refusal(call, verb, failure)


def no_feed(url: str, feed: str, feeds: Sequence[str]) -> str:
    """Say that a server has no such feed, and which it has."""
    near = did_you_mean(feed, feeds)
    return f"{url} has no feed {feed}; its feeds: {', '.join(feeds) or 'none yet'}{near}"


def _add_hints_to_refusal(call: Call, verb: str, refusal: ServerRefusal) -> None:
    given = vars(call.args)
    match refusal.status:
        case Unauthorized.status:
            refusal.headline = f"{refusal.url} refuses the token: {refusal.headline}"
            refusal.add(_another_token(call, refusal.url))
        case Killed.status:
            number = tombstone_of(refusal).get("id", given.get("id"))
            refusal.add(f"What is left of it: {_command(call, 'show', str(number))}")
            if "key" in given:  # a verb that changes something
                refusal.add(f"News is a new item: {_command(call, 'post', '…')}")
        case FeedClosed.status if refusal.problem.get("type") == FeedClosed.slug:
            refusal.add(f"Whoever runs the server reopens it: feedserver feed reopen {call.feed}")
        case BadRequest.status if given.get("search") is not None:
            refusal.headline = re.sub(r"^q\b", "--search", refusal.headline)
        case BadRequest.status if given.get("if_match") or given.get("seen"):
            shown = _command(call, "show", str(given["id"]))
            option = "--if-match" if given.get("if_match") else "--seen"
            refusal.add(f"The version that {option} takes: {shown}")
        case KeyReused.status if refusal.problem.get("type") == KeyReused.slug:
            refusal.headline = f"--key {given['key']} was used before, for something else"
            refusal.add("For something new leave --key out: each command makes its own.")
        case Forbidden.status if "--import" in refusal.headline:
            given_here = [name for name in _OF_IMPORTS if given.get(name[2:].replace("-", "_"))]
            refusal.headline = f"only a token made with --import may set {' and '.join(given_here)}"
            if verb == "post" and given.get("at"):
                refusal.add("With this token, --published-at files an item in the past.")
            refusal.add("A token for imports is made by: feedserver token add NAME --import")
        case NotFound.status | Forbidden.status if verb != "login":
            feeds = _feeds(call)
            if feeds is not None and call.feed not in feeds:
                refusal.headline = no_feed(call.url, call.feed, feeds)
                refusal.add(feeds=feeds)
            elif refusal.status == NotFound.status:
                refusal.add(f"See what there is: {_command(call, 'list')}")
            else:
                refusal.add(_another_token(call, refusal.url))


def _feeds(call: Call) -> list[str] | None:
    try:
        with call.reader() as client:
            return client.feeds()
    except Failure:
        return None  # the failure is reported without them


def _another_token(call: Call, url: str) -> str:
    profile = f" --as {call.args.profile}" if call.args.profile else ""
    login = f"publisher login {url}{profile}"
    if call.environ.get("PUBLISHER_TOKEN") and not profile:
        return f"It came from PUBLISHER_TOKEN. With another token: unset that, then {login}"
    return f"With another token: {login}"


def _source_of_address(call: Call, verb: str) -> str:
    if verb == "login":
        return ""
    if call.environ.get("PUBLISHER_URL") and not call.args.profile:
        return " It comes from PUBLISHER_URL."
    return " It was saved by: publisher login"


def _command(call: Call, *words: str) -> str:
    return shlex.join(["publisher", *words, *call.choosing])
