"""How long others wait while words are erased, and how long until the words are gone."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench import folders
from bench.archive import NotMeasured, Part, Sizes, slots
from bench.archive.newsroom import LONG_WAIT, Newsroom, open_newsroom
from bench.errors import BenchError
from bench.press import Press
from bench.report import Table
from bench.stories import REAL, item
from bench.urgent import urgent

PACE = 0.02  # seconds between the posts of an editor beside
SPAN = 4.0  # seconds that are watched at least
REVISIONS = 200  # of the item whose keys are watched, besides its post
LOOK = 0.02  # seconds between looks at what is unfinished
FULL_WORK, LATER = 64, 1.0  # connections, and seconds that they post before the kill

Act = Callable[[Newsroom, dict[str, Any]], None]


def kill(newsroom: Newsroom, of: dict[str, Any]) -> None:
    newsroom.revised(of, "kill", note="It was not so.")


def redact(newsroom: Newsroom, of: dict[str, Any]) -> None:
    newsroom.revised(of, "redact", version=of["id"], note="A name that must not be there.")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Seconds: the longest wait of a post without and beside it, and until the words were gone."""

    without: float
    beside: float
    done: float

    @property
    def on_top(self) -> float:
        return self.beside - self.without


def measure(sizes: Sizes) -> Part:
    rows, figures, notes = [], dict[str, object](), list[str]()
    with open_newsroom(folders.archive(sizes.items), sizes.items) as newsroom:
        acts: dict[str, Act] = {"kill": kill}
        if _knows_redact(newsroom):
            acts["redact"] = redact
        else:
            notes.append("redact: not measured, this server does not know the verb.")
        for name, act in acts.items():
            outcomes = [_beside_an_editor(newsroom, act) for _ in range(sizes.kills)]
            worst = max(outcomes, key=lambda outcome: outcome.on_top)
            rows.append([f"{name}, beside an editor", str(sizes.kills), *_ms(worst)])
            rows[-1].append(f"{max(outcome.done for outcome in outcomes):.2f}")
            figures[name] = {
                "on_top": worst.on_top,
                "outcomes": [(one.without, one.beside, one.done) for one in outcomes],
            }
            done = _beside_full_work(newsroom, act, sizes.posts)
            rows.append([f"{name}, beside {FULL_WORK} connections", "1", "-", "-", "-"])
            rows[-1].append(f"{done:.2f}")
            figures[f"{name} beside full work"] = {"done": done}
        try:
            figures["keys"] = keys = _keys(newsroom)
            notes.append(
                f"The keys of {REVISIONS + 1} records: {1e3 * keys:.1f} ms from the commit."
            )
        except NotMeasured as missing:
            notes.append(f"Keys destroyed: not measured, {missing}")
    columns = [
        "erased",
        "times",
        "longest wait of a post without, ms",
        "beside it, ms",
        "on top, ms",
    ]
    title = f"{sizes.items:,} items: the worst of several"
    return Part([Table(title, [*columns, "words gone after, s"], rows)], figures, notes)


def _ms(outcome: Outcome) -> list[str]:
    times = (outcome.without, outcome.beside, outcome.on_top)
    return [f"{1e3 * seconds:.1f}" for seconds in times]


def _knows_redact(newsroom: Newsroom) -> bool:
    of = _old_item(newsroom)
    answer = newsroom.revise(of, "redact", version=of["id"], note="A name.")
    return answer.status == 201


def _old_item(newsroom: Newsroom) -> dict[str, Any]:
    """An item from long ago, which was updated since: its first words are not the shown ones."""
    of = newsroom.get(f"/v1/feeds/bench/items/{newsroom.any_item()}")
    return newsroom.revised(of, "update", headline="Later words", body="That are all others.")


def _beside_an_editor(newsroom: Newsroom, act: Act) -> Outcome:
    of = _old_item(newsroom)
    without = max(_posts(newsroom, lambda: True))
    gone = threading.Event()
    start = threading.Event()
    took: list[float] = []

    def erase() -> None:
        with newsroom.beside() as other:
            start.wait(LONG_WAIT)
            began = time.monotonic()
            try:
                act(other, of)
                _until_gone(other)
                took.append(time.monotonic() - began)
            finally:
                gone.set()

    eraser = threading.Thread(target=erase)
    eraser.start()
    with urgent():  # a thread that is started now would be so too
        start.set()
        beside = max(_posts(newsroom, gone.is_set))
    eraser.join()
    if not took:
        raise BenchError("The words were not erased; the server's log says why.")
    return Outcome(without, beside, took[0])


def _posts(newsroom: Newsroom, over: Callable[[], bool]) -> list[float]:
    """Post at an editor's pace for a while, and until it is over; seconds that each took."""
    took, began = [], time.monotonic()
    while time.monotonic() - began < SPAN or not over():
        words = newsroom.words()
        asked = time.monotonic()
        newsroom.post(words)
        took.append(time.monotonic() - asked)
        time.sleep(PACE)
    return took


def _beside_full_work(newsroom: Newsroom, act: Act, posts: int) -> float:
    """Seconds until the words are gone, while as much as possible is posted all the time."""
    of = _old_item(newsroom)
    gone = threading.Event()

    def work() -> None:
        while not gone.is_set():
            Press(newsroom.server, item(REAL), FULL_WORK, posts).run()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        time.sleep(LATER)
        began = time.monotonic()
        with newsroom.beside() as other:
            act(other, of)
            _until_gone(other)
        return time.monotonic() - began
    finally:
        gone.set()
        worker.join()


def _until_gone(newsroom: Newsroom) -> None:
    end = time.monotonic() + LONG_WAIT
    while newsroom.get("/readyz").get("unfinished_purges"):
        if time.monotonic() > end:
            raise BenchError(f"Words are still in a file after {LONG_WAIT:.0f} s.")
        time.sleep(LOOK)


def _keys(newsroom: Newsroom) -> float:
    """Seconds from the commit of a kill until all keys of a long item are overwritten."""
    of = newsroom.posted_item()
    versions = [of["version"]]
    for number in range(REVISIONS):
        of = newsroom.revised(of, "fix", body=f"Version {number} of this text.")
        versions.append(of["version"])
    with slots.watched(newsroom.server.data, versions) as watch, newsroom.beside() as other:
        killing = threading.Thread(target=kill, args=(other, of))
        killing.start()
        seconds = watch.seconds()
        killing.join()
    return seconds
