"""In Firefox and WebKit: whatever comes above, what is being read stays where it is."""

from __future__ import annotations

import pytest
from chromium import Feed
from readers import Reader

pytestmark = pytest.mark.more

PIXEL = 1.0
WORDS = "Some words of the text. " * 8
# A picture of the server's own, 180 px square, of which the item does not say how large it is.
PICTURE = "/icon-180.png"


def story(feed: Feed, **fields: object) -> list[dict[str, object]]:
    """Post forty items of one past day, a minute apart, oldest first."""
    return [
        feed.post(f"Item {n}", body=WORDS, at=f"2025-05-17T07:{n:02}:00.000Z", **fields)
        for n in range(40)
    ]


def go_down_to(reader: Reader, headline: str) -> None:
    """Scroll until a row is cut by the top of what scrolls; from then on watch it."""
    reader.ask(
        """(headline) => {
            const [row, scroller] = [reader.find(headline), reader.scroller()];
            const top = document.querySelector('live-ticker')
                ? scroller.getBoundingClientRect().top : 0;
            scroller.scrollTop += row.getBoundingClientRect().top - top + 20;
        }""",
        headline,
    )
    settle(reader)
    assert reader.ask("() => reader.scroller().scrollTop") > 500
    reader.ask("(headline) => reader.watch(reader.find(headline))", headline)


def settle(reader: Reader) -> None:
    """Wait until nothing moves: some frames, and no animation under way."""
    reader.ask(
        "() => { window.left = 20; (function go() { if (--left) requestAnimationFrame(go) })() }"
    )
    reader.wait(
        "() => !left && document.getAnimations().every(({ playState }) => playState !== 'running')"
    )


def strayed(reader: Reader) -> float:
    """Return how far what is watched ever stood from its place, in px, in any frame."""
    settle(reader)
    assert reader.ask("() => reader.frames()") > 10
    return max(reader.ask("() => reader.strayed()"))


def test_what_is_read_stays_at_its_pixel_while_all_changes_above(reader: Reader) -> None:
    feed = reader.site.feed()
    items = story(feed)
    reader.open(feed)
    go_down_to(reader, "Item 20")

    feed.post("New")
    reader.wait("() => !reader.button().hidden && reader.button().textContent.startsWith('1 new')")
    assert "New" not in reader.headlines()
    feed.post("From the archive", body=WORDS, at="2025-05-17T07:35:30.000Z")
    reader.wait("() => reader.find('From the archive')")
    feed.do(items[30], "update", body=WORDS * 4)
    reader.wait("() => reader.words('Item 30').includes('Updated')")
    feed.do(items[31], "kill", note="It was not so.")
    reader.wait("() => reader.find('It was not so.')")
    feed.do(items[21], "correct", body=WORDS * 3, note="It was more.")
    reader.wait("() => reader.words('Item 21').includes('It was more.')")
    feed.do(items[20], "update", body=WORDS * 3)
    reader.wait("() => reader.words('Item 20').includes('Updated')")
    feed.do(items[10], "pin")
    reader.wait("() => reader.headlines()[0] === 'Item 10'")
    assert strayed(reader) <= PIXEL


def test_what_is_read_stays_at_its_pixel_in_a_fast_burst_above(reader: Reader) -> None:
    feed = reader.site.feed()
    items = story(feed)
    reader.open(feed)
    go_down_to(reader, "Item 20")
    for n in range(22, 40):
        at = f"2025-05-17T07:{n:02}:30.000Z"
        feed.post(f"Archive {n}", body=WORDS * (n % 4), at=at)
        feed.do(items[n], "update", body=WORDS * (n % 5 + 1))
        feed.post(f"New {n}")
    reader.wait("() => reader.find('Archive 39') && reader.words('Item 39').includes('Updated')")
    reader.wait("() => reader.button().textContent.startsWith('18 new')")
    assert strayed(reader) <= PIXEL


def test_pictures_that_load_above_move_nothing_that_is_read(page_reader: Reader) -> None:
    reader = page_reader
    feed = reader.site.feed()
    items = story(feed, media=[{"url": f"{reader.site.server.url}{PICTURE}", "alt": "A bell"}])
    reader.open(feed)
    go_down_to(reader, "Item 20")
    url = f"{reader.site.server.url}{PICTURE}?another"
    feed.do(items[21], "update", media=[{"url": url, "alt": "Another"}])
    reader.wait(
        "(url) => [...document.images].find(({ src }) => src === url)?.naturalHeight === 180", url
    )
    assert strayed(reader) <= PIXEL


@pytest.mark.parametrize("down", [0, 900])
def test_the_page_around_a_ticker_never_moves(visitor: Reader, down: int) -> None:
    feed = visitor.site.feed()
    items = story(feed)
    visitor.embed(
        f"<p id=above>Above</p>{visitor.ticker(feed)}<p id=below>Below</p>"
        "<p style='height: 3000px'>"
    )
    visitor.ask(
        """(down) => {
            scrollTo(0, down);
            for (const name of ['above', 'below']) reader.watch(document.getElementById(name));
        }""",
        down,
    )
    feed.post("New")
    visitor.wait("() => reader.find('New') || !reader.button().hidden")
    feed.do(items[39], "update", body=WORDS * 5)
    visitor.wait("() => reader.words('Item 39').includes('Updated')")
    feed.do(items[38], "kill", note="It was not so.")
    visitor.wait("() => reader.find('It was not so.')")
    for n in range(12):
        feed.post(f"Burst {n}", body=WORDS)
    visitor.wait("() => !reader.button().hidden")
    visitor.ask("() => reader.button().click()")
    visitor.wait("() => reader.find('Burst 11')")
    assert strayed(visitor) == 0
    assert visitor.ask("() => scrollY") == down
