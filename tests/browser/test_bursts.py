"""Five hundred items at once: nothing jumps, nothing freezes, and no row is lost or shown twice."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from chromium import MEASURES, Feed, Stage, headlines, in_row, rows, settle
from playwright.sync_api import Page

BURST = 500
LONGEST = 100  # ms that one task may hold up what the reader does
RUNS = 6  # the machine has other things to do; what is slow by itself is slow in all of them
SHIFT = 0.02
# What a machine takes to make and lay out so many plain rows: on a slow or busy one, the bound is
# that of a task of so many times this.
TIMES = 6
REFERENCE = """() => {
    const began = performance.now();
    const box = document.createElement('div');
    for (let row = 0; row < 150; row++) {
        const article = document.createElement('article');
        for (let part = 0; part < 12; part++) {
            const element = document.createElement('span');
            element.textContent = `Part ${part} of ${row}`;
            article.append(element);
        }
        box.append(article);
    }
    document.body.append(box);
    box.getBoundingClientRect();
    box.remove();
    return performance.now() - began;
}"""


def withstand(
    page: Page, feed: Feed, shown: Callable[[Page], list[str]], show: str, most: int
) -> None:
    """Send bursts until one is taken without a long task; all else must hold in each of them.

    `show` presses the button by script: shifts that follow a reader's own press do not count.
    """
    longest, bounds = [], []
    numbers = itertools.count()
    page.wait_for_timeout(300)
    for _ in range(RUNS):
        page.evaluate("shifts = longest = 0")
        posted = [f"News {next(numbers)}" for _ in range(BURST)]
        for headline in posted:
            feed.post(headline, body="With some words of text.")
            if headline == posted[BURST // 2]:
                page.evaluate(show)
        page.wait_for_timeout(300)
        page.evaluate(show)
        in_row(page, posted[-1]).wait_for()
        page.wait_for_timeout(600)
        assert shown(page) == posted[: -most - 1 : -1]
        assert page.evaluate("shifts") <= SHIFT
        longest.append(page.evaluate("longest"))
        bounds.append(max(LONGEST, TIMES * page.evaluate(REFERENCE)))
        if longest[-1] <= bounds[-1]:
            return
    raise AssertionError(f"tasks of {longest} ms, where {bounds} ms would do")


def test_the_page_takes_a_burst(stage: Stage) -> None:
    feed = stage.feed()
    for n in range(12):  # a screenful: what stands under a shorter list has to make room
        feed.post(f"Before {n}")
    page = stage.open(f"/feeds/{feed.slug}", init=MEASURES)
    page.wait_for_selector(".bar.live")
    withstand(page, feed, headlines, "document.querySelector('.waiting button').click()", 150)


def test_the_ticker_takes_a_burst_and_moves_nothing_around_it(stage: Stage) -> None:
    feed = stage.feed()
    feed.post("Before")
    page = stage.embed(stage.ticker(feed, "max=20") + "<p id=below>Below</p>", init=MEASURES)
    settle(page)
    below = page.locator("#below").bounding_box()
    withstand(page, feed, rows, "document.querySelector('live-ticker').showPending()", 20)
    assert page.locator("#below").bounding_box() == below
