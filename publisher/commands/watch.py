"""`publisher watch`: follow the feed as readers do."""

from __future__ import annotations

from functools import partial

from publisher.command_line import Command
from publisher.editing.call import Call
from publisher.editing.looking import forget_withdrawn
from publisher.editing.options import add_common
from publisher.output import clean_line, fit
from publisher.server.reader_state import News
from publisher.text.items import local_time


def _run(call: Call) -> None:
    screen = call.screen
    try:
        # Only now: help and completion do without the libraries that it loads.
        from publisher.server.follower import follow
        from publisher.server.retries import TRY_SECONDS

        screen.notice(f"following {call.feed} at {call.url}; Ctrl-C ends it")
        timeout = min(call.args.timeout, TRY_SECONDS)
        follow(call.url, call.feed, timeout, partial(_say, call), screen.notice)
        screen.notice(
            f"the feed {call.feed} is closed: no new items will come. Corrections and "
            "withdrawals still can; publisher list shows them"
        )
    except KeyboardInterrupt:
        if screen.columns() is not None:
            screen.say()  # past the ^C that the terminal shows


def _say(call: Call, news: News) -> None:
    forget_withdrawn(call, [news.item])
    call.screen.give(news.item)
    item = news.item
    headline = clean_line(item.get("headline") or item.get("note") or "")
    line = f"{local_time(news.at, call.zone)}  {item['id']}  {news.what}  {headline}"
    columns = call.screen.columns()
    call.screen.say(fit(line, columns) if columns is not None else line)


COMMAND = Command(
    "",
    add_common,
    _run,
    ("publisher watch", "publisher watch --json | jq -r .headline"),
)
