"""`publisher watch`: follow the feed as readers do."""

import time
from argparse import ArgumentParser
from collections.abc import Callable, Generator
from contextlib import closing

from feedserver.wire import Json
from publisher.editing.call import Call, Command
from publisher.failures import NotReached
from publisher.output import clean_line, fit, local_time
from publisher.server.follower import News, Next, Step, View, wait_to_come_back
from publisher.server.retries import tries
from publisher.server.streams import Lost, through_events, through_socket

Way = Callable[[str, str, View, float], Generator[Json]]
FIRST_TRIES = 3  # to reach a server at all; one that was reached is waited for without end


def _run(call: Call) -> None:
    view = View()
    try:
        _follow(call, view)
    except KeyboardInterrupt:
        if call.screen.columns() is not None:
            call.screen.say()  # past the ^C that the terminal shows


def _follow(call: Call, view: View) -> None:
    way: Way = through_socket
    missed = 0  # connections in a row that brought no message
    asked_again = False
    call.screen.notice(f"following {call.feed} at {call.url}; Ctrl-C ends it")
    while True:
        place = view.cursor, len(view.items)
        try:
            step, said = _listen(call, view, way), "the server is leaving"
        except Lost as lost:
            if lost.blocked and way is through_socket:
                way = through_events
                continue
            missed = missed + 1 if (view.cursor, len(view.items)) == place else 1
            step, said = Step(then=Next.COME_BACK), str(lost)
            if view.cursor is None and lost.final is not None:
                raise lost.final from None
            if view.cursor is None and missed >= FIRST_TRIES:
                raise NotReached(f"{said}; gave up after {tries(missed)}") from None
        else:
            missed = 0
        if step.then is Next.END:
            call.screen.notice(
                f"the feed {call.feed} is closed: no new items will come. Corrections and "
                "withdrawals still can; publisher list shows them"
            )
            return
        way = through_socket
        if step.then is Next.ASK_AGAIN and not asked_again:
            asked_again = True
            continue
        asked_again = False
        wait = step.wait if step.wait is not None else wait_to_come_back(missed)
        call.screen.notice(f"{said}; coming back in {wait:.0f} s")
        time.sleep(wait)


def _listen(call: Call, view: View, way: Way) -> Step:
    """Show news for as long as one connection lasts; return what ended it. Raises Lost."""
    with closing(way(call.url, call.feed, view, call.args.timeout)) as messages:
        for message in messages:
            step = view.apply(message)
            for news in step.news:
                _say(call, news)
            if step.then is not Next.STAY:
                return step
    return Step(then=Next.END)


def _say(call: Call, news: News) -> None:
    call.screen.give(news.item)
    item = news.item
    headline = clean_line(item.get("headline") or item.get("note") or "")
    line = f"{local_time(news.at)}  {item['id']}  {news.what}  {headline}"
    columns = call.screen.columns()
    call.screen.say(fit(line, columns) if columns is not None else line)


def _add_arguments(parser: ArgumentParser) -> None:
    """Take no options of its own."""


COMMAND = Command(
    "watch",
    "",
    "follow the feed as readers do: each change as one line, until Ctrl-C or the feed is closed",
    ("publisher watch", "publisher watch --json | jq -r .headline"),
    _add_arguments,
    _run,
)
