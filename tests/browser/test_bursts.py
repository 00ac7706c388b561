"""Five hundred items at once: nothing jumps, nothing freezes, and no row is lost or shown twice.

Nothing freezes: what one task of the page does is counted, as the time that it takes is the
machine's too. However many items came, it lays the page out a few times and touches what it shows.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from chromium import MEASURES, Feed, Site, headlines, in_row, rows, settle
from playwright.sync_api import Page

BURST = 500
SHIFT = 0.02
LAYOUTS = 4  # in one task: it may ask where something stands, but not after each row
ELEMENTS = 15  # of each row that is shown, and …
OTHERS = 100  # … beside the rows, that one task may style anew, or lay out
STEPS = 40  # of the script, for each item that came, to show all that waited
TASK = "ThreadControllerImpl::RunTask"


def withstand(
    page: Page, feed: Feed, shown: Callable[[Page], list[str]], show: str, most: int
) -> None:
    """Send a burst, and hold what the page does and shows.

    `show` presses the button by script: shifts that follow a reader's own press do not count.
    """
    browser = page.context.browser
    assert browser is not None
    page.wait_for_timeout(300)
    page.evaluate("shifts = 0")
    browser.start_tracing(page=page, categories=["toplevel", "devtools.timeline"])
    posted = [f"News {number}" for number in range(BURST)]
    for headline in posted:
        feed.post(headline, body="With some words of text.")
        if headline == posted[BURST // 2]:
            page.evaluate(show)
    page.wait_for_timeout(300)
    assert steps_of(page, show) <= STEPS * BURST
    in_row(page, posted[-1]).wait_for()
    page.wait_for_timeout(600)
    tasks = work_of_tasks(browser.stop_tracing())
    assert max(layouts for layouts, _, _ in tasks) <= LAYOUTS
    assert max(styled for _, styled, _ in tasks) <= ELEMENTS * most + OTHERS
    assert most <= max(laid_out for _, _, laid_out in tasks) <= ELEMENTS * most + OTHERS
    assert shown(page) == posted[: -most - 1 : -1]
    assert page.evaluate("shifts") <= SHIFT


def steps_of(page: Page, script: str) -> int:
    """Run a script in the page; return how often blocks of code were entered meanwhile."""
    session = page.context.new_cdp_session(page)
    session.send("Profiler.enable")
    session.send("Profiler.startPreciseCoverage", {"callCount": True, "detailed": True})
    page.evaluate(script)
    scripts = session.send("Profiler.takePreciseCoverage")["result"]
    session.send("Profiler.disable")
    session.detach()
    return sum(
        part["count"]
        for each in scripts
        for function in each["functions"]
        for part in function["ranges"]
    )


def work_of_tasks(trace: bytes) -> list[tuple[int, int, int]]:
    """Return of each task of a page's main thread: layouts, elements styled, objects laid out."""
    events = json.loads(trace)["traceEvents"]
    main = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    found = []
    for thread in main:
        own = [event for event in events if (event["pid"], event["tid"]) == thread]
        works = [event for event in own if event["name"] in {"Layout", "UpdateLayoutTree"}]
        for task in own:
            if task["name"] == TASK and "dur" in task:
                end = task["ts"] + task["dur"]
                found.append(work_of([e for e in works if task["ts"] <= e["ts"] <= end]))
    assert found, "the trace has no task"
    return found


def work_of(events: list[dict[str, Any]]) -> tuple[int, int, int]:
    layouts = [event["args"]["beginData"] for event in events if event["name"] == "Layout"]
    styled = [event["args"].get("elementCount", 0) for event in events]
    return len(layouts), sum(styled), sum(each["dirtyObjects"] for each in layouts)


def test_the_page_takes_a_burst(site: Site) -> None:
    feed = site.feed()
    for n in range(12):  # a screenful: what stands under a shorter list has to make room
        feed.post(f"Before {n}")
    page = site.open(f"/feeds/{feed.slug}", init=MEASURES)
    page.wait_for_selector(".bar.live")
    withstand(page, feed, headlines, "document.querySelector('.pending button').click()", 150)


def test_the_ticker_takes_a_burst_and_moves_nothing_around_it(site: Site) -> None:
    feed = site.feed()
    feed.post("Before")
    page = site.embed(site.ticker(feed, "max=20") + "<p id=below>Below</p>", init=MEASURES)
    settle(page)
    below = page.locator("#below").bounding_box()
    withstand(page, feed, rows, "document.querySelector('live-ticker').showPending()", 20)
    assert page.locator("#below").bounding_box() == below
