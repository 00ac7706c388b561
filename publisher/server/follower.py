"""Follows a feed over connections that come and go, for as long as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from feedserver.wire import Json
from publisher.failures import NotReached
from publisher.server.reader_state import (
    ConnectionLost,
    News,
    Next,
    ReaderState,
    Step,
    wait_to_come_back,
)
from publisher.server.retries import tries
from publisher.server.streams import event_messages, websocket_messages
from publisher.server.transport import open_loop

Messages = Callable[[str, str, ReaderState, float], AsyncGenerator[Json]]
FIRST_TRIES = 3  # to reach a server at all; one that was reached is waited for without end


def follow(
    url: str,
    feed: str,
    timeout: float,
    on_news: Callable[[News], None],
    notice: Callable[[str], None],
) -> None:
    """Hand over each change until the feed is closed; `timeout` is that of opening a connection.

    Raises Failure where the server cannot be reached at all.
    """
    with open_loop() as loop:
        loop.run(_follow(url, feed, timeout, on_news, notice))


async def _follow(
    url: str,
    feed: str,
    timeout: float,
    on_news: Callable[[News], None],
    notice: Callable[[str], None],
) -> None:
    state = ReaderState()
    messages: Messages = websocket_messages
    missed = 0  # connections in a row that brought no message
    asked_again = False
    while True:
        before = state.cursor, len(state.items)
        try:
            async with aclosing(messages(url, feed, state, timeout)) as received:
                step, why = await _apply(received, state, on_news), "the server is leaving"
        except ConnectionLost as lost:
            if lost.blocked and messages is websocket_messages:
                messages = event_messages
                continue
            missed = missed + 1 if (state.cursor, len(state.items)) == before else 1
            step, why = Step(then=Next.COME_BACK), str(lost)
            if state.cursor is None and lost.final is not None:
                raise lost.final from None
            if state.cursor is None and missed >= FIRST_TRIES:
                raise NotReached(f"{why}; gave up after {tries(missed)}") from None
        else:
            missed = 0
        if step.then is Next.END:
            return
        messages = websocket_messages
        if step.then is Next.ASK_AGAIN and not asked_again:
            asked_again = True
            continue
        asked_again = False
        wait = step.wait if step.wait is not None else wait_to_come_back(missed)
        notice(f"{why}; coming back in {wait:.0f} s")
        await asyncio.sleep(wait)


async def _apply(
    messages: AsyncGenerator[Json], state: ReaderState, on_news: Callable[[News], None]
) -> Step:
    """Apply the messages of one connection; return what ended it. Raises ConnectionLost."""
    async for message in messages:
        step = state.apply(message)
        for news in step.news:
            on_news(news)
        if step.then is not Next.STAY:
            return step
    return Step(then=Next.END)
