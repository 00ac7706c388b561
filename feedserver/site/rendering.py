"""From what is known of a feed to the HTML of its pages. No I/O but the templates, read once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from feedserver import markup
from feedserver.api.context import Site
from feedserver.markup import Listed, Quote
from feedserver.media_types import media_kind
from feedserver.model import Feed, Item, Millis, Revision, Status
from feedserver.site import assets, bodies
from feedserver.site.preview import HIDDEN, Card, feed_card, item_card, locale, site_card
from feedserver.site.wording import Wording, wording_for

INDEX_TICKERS = 4  # feeds that the list shows live; each is a socket
FALLBACK_ITEMS = 10  # in an iframe whose script cannot run
TAGS_SHOWN = 12  # beside the search, as web/src/page/find.js shows
TOP_ARTICLES = 2  # whose picture may be in sight before anything is scrolled
LAZY, EAGER = 'loading="lazy"', 'loading="eager"'


class ArticleKey(NamedTuple):
    """All that a rendered item depends on; `dated` ones show their day too."""

    item: int
    version: int
    feed_version: int
    dated: bool


Articles = dict[ArticleKey, Markup]


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a feed, newest first, and which one. `front` pages put pinned items on top.

    It begins below `before`, ends above `after`, or has the item `at` in its middle; `next` and
    `previous` lead to what is below and above it.
    """

    feed: Feed
    items: Sequence[Item]
    cursor: str
    heartbeat: int
    next: str | None = None
    before: str | None = None
    after: str | None = None
    at: int | None = None
    previous: str | None = None
    tag: str | None = None
    query: str | None = None
    changed_at: Millis | None = None  # when readers last saw a front page change

    @property
    def scope(self) -> str:
        """What belongs on this page: `front`, `tag`, or only what is on it (`page`, `search`)."""
        if self.query:
            return "search"
        if self.before or self.after or self.at:
            return "page"
        return "tag" if self.tag else "front"

    def is_on_top(self, item: Item) -> bool:
        """Say whether an item stands above the others, as pinned ones do on a front page."""
        return item.pinned and self.scope == "front"

    @property
    def anchor(self) -> Item | None:
        """The item that the page is around, unless it is withdrawn."""
        found = next((item for item in self.items if item.id == self.at), None)
        return None if found is None or found.status is Status.KILLED else found

    @property
    def own_path(self) -> str:
        """The address of this page."""
        at = None if self.at is None else str(self.at)
        return self.path(before=self.before, after=self.after, at=at)

    def path(self, **stretch: str | None) -> str:
        """Return the address of a stretch of this list."""
        asked = {"tag": self.tag, "q": self.query, **stretch}
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"/feeds/{self.feed.slug}" + (f"?{query}" if query else "")


def render_index(site: Site, feeds: Iterable[Feed], empty: Collection[str]) -> str:
    """Render the list of feeds: where news came last first, then the `empty`, then the closed."""
    say = wording_for()
    ordered = sorted(
        feeds, key=lambda feed: (feed.closed_at is not None, feed.slug in empty, -feed.head)
    )
    entries = [(feed, wording_for(feed)) for feed in ordered]
    names = ", ".join(feed.title for feed, _ in entries)
    card = site_card(site, names or site.name)
    return _render(
        "index.html", site, say, card=card, entries=entries, empty=empty, tickers=INDEX_TICKERS
    )


def article_keys(listing: Listing) -> list[ArticleKey]:
    """List the keys of the articles that a page has."""
    return [_article_key(listing, item) for item in listing.items]


def render_feed(site: Site, listing: Listing, known: Articles, made: Articles) -> str:
    """Render a page of a feed, with the articles in `known`; the others are put into `made`."""
    feed, say = listing.feed, wording_for(listing.feed)
    title, changed_at = _title(listing, say), listing.changed_at or feed.created_at
    front_since = changed_at if listing.scope == "front" else None
    path = listing.own_path
    card = feed_card(site, feed, listing.items, path, title, front_since=front_since)
    if (anchor := listing.anchor) is not None:
        # The page of an item within its stream is found and shared as the item's own.
        card = replace(item_card(site, feed, anchor), described={})
    elif listing.at or listing.after:
        card = replace(card, robots=HIDDEN)
    return _render(
        "feed.html",
        site,
        say,
        card=card,
        feed=feed,
        groups=_groups(listing, say, known, made),
        changed_at=max(map(_shown_change, listing.items), default=None),
        newest_at=max((item.published_at for item in listing.items), default=None),
        summary=list(markup.blocks(feed.summary)) if feed.summary else [],
        cursor=listing.cursor,
        epoch=_epoch(listing.cursor),
        heartbeat=listing.heartbeat,
        scope=listing.scope,
        next=listing.next,
        older=listing.path(before=listing.next) if listing.next else None,
        above=listing.path(after=listing.previous) if listing.previous else None,
        nothing=_nothing(listing, say),
        back="newest" if listing.scope == "page" else "all" if listing.scope != "front" else None,
        tag=listing.tag,
        tags=_tags(listing),
        query=listing.query,
        zone=say.zone.key,
        words_json=_json(say.words),
    )


def render_item(
    site: Site,
    feed: Feed,
    item: Item,
    versions: Sequence[Revision],
    cursor: str,
    heartbeat: int,
    neighbours: tuple[int | None, int | None] = (None, None),
) -> str:
    """Render an item's own page, with what readers were shown of it before.

    `neighbours` are the ids of the next newer and the next older item.
    """
    say = wording_for(feed)
    shown = [(one.act, one.effective_at, one.item) for one in versions if one.item is not None]
    return _render(
        "item.html",
        site,
        say,
        card=item_card(site, feed, item),
        feed=feed,
        item=item,
        shown=list(zip(shown, say.apart([at for _, at, _ in shown]), strict=True)),
        changed_at=_shown_change(item),
        newer=neighbours[0],
        older=neighbours[1],
        cursor=cursor,
        epoch=_epoch(cursor),
        heartbeat=heartbeat,
        zone=say.zone.key,
        words_json=_json(say.words),
    )


def render_gone(site: Site, feed: Feed, item: Item) -> str:
    """Render what is left of a withdrawn item."""
    say = wording_for(feed)
    card = Card(say.words["killed"], say.words["killed"], robots=HIDDEN)
    return _render("gone.html", site, say, card=card, feed=feed, item=item)


def render_embed(site: Site, feed: Feed, items: Iterable[Item]) -> str:
    """Render the ticker alone, for iframes; newest headlines where scripts cannot run."""
    shown = [item for item in items if item.status is not Status.KILLED][:FALLBACK_ITEMS]
    url = f"{site.url}/feeds/{feed.slug}"
    return _render("embed.html", site, wording_for(feed), feed=feed, items=shown, url=url)


def render_configurator(site: Site, feed: Feed) -> str:
    """Render the page that makes the snippet of a feed; in English, as it is for developers."""
    url = f"{site.url}/feeds/{feed.slug}"
    return _render("configure.html", site, wording_for(), feed=feed, url=url)


def render_error(site: Site, status: int, title: str, detail: str) -> str:
    """Render what went wrong and what to do."""
    sentence = detail[:1].upper() + detail[1:] + ("" if detail.endswith((".", "?")) else ".")
    card = Card(title, sentence, robots=HIDDEN)
    return _render("error.html", site, wording_for(), card=card, status=status, detail=sentence)


def _groups(
    listing: Listing, say: Wording, known: Articles, made: Articles
) -> list[tuple[str, Millis, list[Markup]]]:
    """Render the items under their headings: `pinned`, then by `day` and zone."""
    parts = _environment().get_template("parts.html")
    values = {"say": say, "words": say.words, "feed": listing.feed}
    module: Any = parts.make_module(values)

    def rendered(item: Item) -> Markup:
        key = _article_key(listing, item)
        html = known.get(key)
        if html is None:
            html = made[key] = module.article(item, 3, key.dated)
        return html

    groups = []
    pinned = [item for item in listing.items if listing.is_on_top(item)]
    if pinned:
        groups.append(("pinned", pinned[0].published_at, list(map(rendered, pinned))))
    others = [item for item in listing.items if not listing.is_on_top(item)]
    for _, part in groupby(others, lambda item: say.day_and_zone(item.published_at)):
        of_day = list(part)
        groups.append(("day", of_day[0].published_at, list(map(rendered, of_day))))
    _load_at_once(groups)
    return groups


def _tags(listing: Listing) -> list[str]:
    """Return the tags of a page's items, those of most items first."""
    on_top = [item for item in listing.items if listing.is_on_top(item)]
    others = [item for item in listing.items if not listing.is_on_top(item)]
    counts = Counter(tag for item in on_top + others for tag in item.tags)
    return [tag for tag, _ in counts.most_common(TAGS_SHOWN)]


def _load_at_once(groups: list[tuple[str, Millis, list[Markup]]]) -> None:
    """Let the picture on top of the page load before the page is laid out."""
    left = TOP_ARTICLES
    for _, _, articles in groups:
        for number, html in enumerate(articles[:left]):
            if LAZY in html:
                eager = str(html).replace(LAZY, EAGER, 1)
                articles[number] = Markup(eager)  # noqa: S704
                return
        left -= len(articles[:left])


def _article_key(listing: Listing, item: Item) -> ArticleKey:
    return ArticleKey(item.id, item.version, listing.feed.version, listing.is_on_top(item))


def _epoch(cursor: str) -> str:
    return cursor.partition(".")[0]


def _title(listing: Listing, say: Wording) -> str:
    title = listing.feed.title
    if listing.tag:
        title = f"{say.words['tagged'].replace('{t}', listing.tag)} · {title}"
    elif listing.query:
        title = f"{say.words['found'].replace('{t}', listing.query)} · {title}"
    if listing.own_path != listing.path():
        newest = say.dated(listing.items[0].published_at) if listing.items else listing.before
        title = f"{title} · {newest}"
    return title


def _nothing(listing: Listing, say: Wording) -> str:
    """Return what a page without items says."""
    asked = listing.query or listing.tag
    ended = listing.feed.closed_at is not None
    words: str = say.words["nothing" if asked else "none" if ended else "empty"]
    return words.replace("{t}", f"“{asked}”")


def _shown_change(item: Item) -> Millis:
    """Return when readers last saw a fact of the item change; fixes and pins don't count."""
    return max(item.published_at, item.updated_at or 0, item.killed_at or 0)


def _json(words: dict[str, Any]) -> Markup:
    return Markup(orjson.dumps(words).decode().replace("<", "\\u003c"))  # noqa: S704


def _render(name: str, site: Site, say: Wording, **values: Any) -> str:
    template = _environment().get_template(name)
    html = template.render(site=site, say=say, words=say.words, **values)
    # A template's context is a reference cycle, and the collector runs seldom: long texts would
    # stay in memory for minutes.
    for value in values.values():
        if isinstance(value, list):
            value.clear()
        elif isinstance(value, Card):
            value.described.clear()
    return html


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(assets.web_folder() / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= {
        "asset": assets.versioned,
        "blocks": bodies.blocks,
        "host": _host,
        "locale": locale,
        "media_kind": media_kind,
        "quoted": _quoted,
    }
    environment.tests["web_link"] = _is_web_link
    environment.tests["listed"] = lambda block: isinstance(block, Listed)
    environment.tests["quoted"] = lambda block: isinstance(block, Quote)
    return environment


def _is_web_link(url: str | None) -> bool:
    return url is not None and url.lower().startswith(("http://", "https://"))


def _host(url: str) -> str:
    host = urlsplit(url).hostname or url
    return f"[{host}]" if ":" in host else host


def _quoted(text: str) -> str:
    """Quote for a query as encodeURIComponent does, so that both renderers agree."""
    return quote(text, safe="!'()*")
