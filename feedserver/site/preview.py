"""What machines are told of a page: search engines, link previews, news crawlers."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from markupsafe import Markup

from feedserver import markup, wire
from feedserver.api.context import Site
from feedserver.media_types import media_kind, media_type
from feedserver.model import Feed, Item, Media, Millis, Status
from feedserver.site import bodies
from feedserver.site.assets import versioned
from feedserver.site.wording import wording_for

DESCRIPTION_MAX = 200  # characters; previews cut off what is longer
LOST_MAX = 30  # characters that are left out so that an excerpt ends with a word
INDEXED = "index, follow, max-image-preview:large"
HIDDEN = "noindex, follow"
CARD_IMAGE = "card.png"
LOGO = "icon-180.png"
CARD_SIZE = (1200, 630)
# Link previews know a language only with its country; where a tag names none, the first of it.
_COUNTRIES = {"ar": "SA", "de": "DE", "en": "GB", "es": "ES", "fr": "FR", "uk": "UA"}

_JOINER = "\u200d"
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))  # two of them are a flag
# What belongs to the character before it and is no mark: the joiner, skin tones, Thai and Lao am,
# the vowels and finals of Korean syllables in their parts.
_JOINED = frozenset(
    [_JOINER, "\u0e33", "\u0eb3", *map(chr, [*range(0x1F3FB, 0x1F400), *range(0x1160, 0x1200)])]
)


@dataclass(frozen=True, slots=True)
class Card:
    """The head of a page. Without `url` the page is nothing to point at."""

    title: str
    description: str
    url: str | None = None
    robots: str = INDEXED
    type: str = "website"
    image: str = ""
    image_alt: str = ""
    image_size: tuple[int, int] | None = None
    published_at: Millis | None = None
    modified_at: Millis | None = None
    described: dict[str, Any] = field(default_factory=dict)  # as JSON-LD has it

    @property
    def json_ld(self) -> Markup | None:
        """The page for search engines; None if there is nothing to say."""
        return _script(self.described) if self.described else None


def site_card(site: Site, description: str) -> Card:
    """Describe the list of feeds."""
    return Card(site.name, description, f"{site.url}/", **_image(site, site.name))


def feed_card(
    site: Site,
    feed: Feed,
    items: Sequence[Item],
    path: str,
    title: str,
    *,
    front_since: Millis | None,
) -> Card:
    """Describe a page of a feed; `path` is its address on the site.

    `front_since` says when a front page changed last; None for any other page.
    """
    url = f"{site.url}{path}"
    shown = [item for item in items if item.status is not Status.KILLED]
    description = feed.description or (shown[0].headline if shown else feed.title)
    return Card(
        title,
        description,
        url,
        robots=HIDDEN if "q=" in path else INDEXED,
        **_image(site, f"{site.name}: {feed.title}"),
        described={}
        if front_since is None
        else live_blog(site, feed, shown, url, max(front_since, feed.created_at)),
    )


def item_card(site: Site, feed: Feed, item: Item) -> Card:
    """Describe an item's own page."""
    picture = _image(site, f"{site.name}: {feed.title}")
    medium = next(iter(_of_kind(item, "image")), None)
    if medium is not None:
        size = (medium.width, medium.height) if medium.width and medium.height else None
        picture = {"image": medium.url, "image_alt": medium.alt or "", "image_size": size}
    described: dict[str, Any] = {
        "@context": "https://schema.org",
        **posting(site, feed, item, kind="NewsArticle"),
        "isPartOf": {
            "@type": "LiveBlogPosting",
            "name": feed.title,
            "url": f"{site.url}/feeds/{feed.slug}",
        },
    }
    return Card(
        item.headline,
        excerpt(bodies.line(item)) or f"{feed.title}: {item.headline}",
        f"{site.url}/feeds/{feed.slug}/items/{item.id}",
        type="article",
        published_at=item.published_at,
        modified_at=item.updated_at,
        described=described,
        **picture,
    )


def locale(language: str) -> str:
    """Return a language as link previews want it: `en_GB`."""
    short, *rest = language.split("-")
    country = next((part for part in rest if len(part) == 2), _COUNTRIES.get(short.lower()))
    return f"{short.lower()}_{country.upper()}" if country else short.lower()


def excerpt(text: str) -> str:
    """Return the beginning of a text on one line, cut between words where that loses little."""
    text = " ".join(text.split())
    if len(text) <= DESCRIPTION_MAX:
        return text
    kept = text[: DESCRIPTION_MAX - 1]
    whole = kept if text[len(kept)] == " " else kept.rpartition(" ")[0]
    if len(kept) - len(whole) > LOST_MAX:
        whole = kept[: _edge(text, len(kept))]
    return f"{whole.rstrip()}…"


def _edge(text: str, position: int) -> int:
    """Return where the character, as a reader sees it, begins that `position` may stand amid."""
    while position > 1 and (
        unicodedata.category(text[position])[0] == "M"
        or text[position] in _JOINED
        or text[position - 1] == _JOINER
    ):
        position -= 1
    flags = len(text[:position]) - len(text[:position].rstrip(_FLAG_LETTERS))
    is_amid_a_flag = flags % 2 and text[position] in _FLAG_LETTERS
    return position - 1 if is_amid_a_flag else position


def live_blog(
    site: Site,
    feed: Feed,
    items: Sequence[Item],
    url: str,
    changed_at: Millis,
    *,
    updates: bool = True,
) -> dict[str, Any]:
    """Return a feed's LiveBlogPosting, with its `items` unless told not to put these in."""
    return _present(
        {
            "@context": "https://schema.org",
            "@type": "LiveBlogPosting",
            "@id": url,
            "url": url,
            "headline": feed.title,
            "description": feed.description,
            "inLanguage": feed.language,
            "image": _picture(site),
            "author": {"@type": "Organization", "name": feed.title, "url": url},
            "publisher": _publisher(site),
            "coverageStartTime": wire.time_text(
                min([feed.created_at, *(i.published_at for i in items)])
            ),
            "coverageEndTime": _time(feed.closed_at),
            "datePublished": wire.time_text(feed.created_at),
            "dateModified": wire.time_text(changed_at),
            "abstract": markup.plain(feed.summary) if feed.summary else None,
            "identifier": feed.uid,
            "liveBlogUpdate": [posting(site, feed, item) for item in items] if updates else None,
        }
    )


def posting(site: Site, feed: Feed, item: Item, kind: str = "BlogPosting") -> dict[str, Any]:
    """Return an item as an update of a live blog, or as another kind of posting."""
    held = wording_for(feed).words["held"] if item.status is Status.HELD else None
    url = f"{site.url}/feeds/{feed.slug}/items/{item.id}"
    author = (
        {"@type": "Person", "name": item.byline}
        if item.byline
        else {"@type": "Organization", "name": feed.title, "url": f"{site.url}/feeds/{feed.slug}"}
    )
    return _present(
        {
            "@type": kind,
            "@id": url,
            "url": url,
            "headline": item.headline,
            "identifier": item.uid,
            "version": str(item.version),
            "creativeWorkStatus": held,
            "articleBody": "\n\n".join(filter(None, (held, bodies.text(item)))),
            "datePublished": wire.time_text(item.published_at),
            "dateModified": wire.time_text(item.updated_at or item.published_at),
            "inLanguage": item.language or feed.language,
            "keywords": list(item.tags),
            "author": author,
            "publisher": _publisher(site),
            "sourceOrganization": {"@type": "Organization", "name": item.source}
            if item.source
            else None,
            "isBasedOn": item.url,
            "contentReferenceTime": _time(item.occurred_at),
            "image": [one.url for one in _of_kind(item, "image")],
            "video": [_clip(item, one, "VideoObject") for one in _of_kind(item, "video")],
            "audio": [_clip(item, one, "AudioObject") for one in _of_kind(item, "audio")],
            "correction": [
                {
                    "@type": "CorrectionComment",
                    "text": correction.note,
                    "datePublished": wire.time_text(correction.at),
                }
                for correction in item.corrections
            ],
        }
    )


def _of_kind(item: Item, kind: str) -> list[Media]:
    return [medium for medium in item.media if media_kind(medium) == kind]


def _clip(item: Item, medium: Media, kind: str) -> dict[str, Any]:
    return _present(
        {
            "@type": kind,
            "contentUrl": medium.url,
            "encodingFormat": media_type(medium),
            "name": medium.alt or item.headline,
            "caption": medium.caption,
            "uploadDate": wire.time_text(item.published_at),
            "width": medium.width,
            "height": medium.height,
            "creditText": medium.credit,
        }
    )


def _publisher(site: Site) -> dict[str, Any]:
    logo = {"@type": "ImageObject", "url": site.url + versioned(LOGO)}
    return {"@type": "Organization", "name": site.name, "url": f"{site.url}/", "logo": logo}


def _image(site: Site, alt: str) -> dict[str, Any]:
    size = None if site.image else CARD_SIZE
    return {"image": _picture(site), "image_alt": alt, "image_size": size}


def _picture(site: Site) -> str:
    return site.image or site.url + versioned(CARD_IMAGE)


def _script(described: dict[str, Any]) -> Markup:
    # In a script element only "<" can end it; JSON lets any character be written as its number.
    return Markup(orjson.dumps(described).decode().replace("<", "\\u003c"))  # noqa: S704


def _time(at: Millis | None) -> str | None:
    return None if at is None else wire.time_text(at)


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in (None, "", [])}
