"""Markdown, for people and language models: dates, marks and corrections in words."""

from __future__ import annotations

from feedserver.model import Status
from feedserver.site.wording import wording_for
from feedserver.syndication.documents import MARKDOWN, Document, Format
from feedserver.syndication.elements import clean
from feedserver.syndication.entries import Entry
from feedserver.syndication.paragraphs import as_markdown, blocks_of_text, escaped_markdown

MEDIA_TYPE = "text/markdown"


def _document(document: Document, entries: list[bytes]) -> bytes:
    feed, say = document.feed, wording_for(document.feed)
    parts = [f"# {_line(feed.title)}"]
    if feed.summary:
        parts.append(as_markdown(blocks_of_text(feed.summary)))
    if feed.description:
        parts.append(escaped_markdown(feed.description))
    if feed.closed_at is not None:
        closed = say.words["closed"].replace("{t}", say.dated(feed.closed_at))
        parts.append(f"*{_line(closed)}*")
    parts.append(f"<{document.page_url}>")
    head = clean("\n\n".join(parts)).encode()
    if not entries:
        entries = [_line(say.words["empty" if feed.closed_at is None else "none"]).encode()]
    following = document.next_url(MARKDOWN)
    more = [f"[{_line(say.words['more'])}](<{following}>)".encode()] if following else []
    return b"\n\n".join([head, *entries, *more]) + b"\n"


def _entry(document: Document, entry: Entry) -> bytes:
    item, say = entry.item, wording_for(document.feed)
    marks = [say.dated(item.published_at)]
    if item.updated_at is not None and entry.is_changed:
        marks.append(say.words["updated"].replace("{t}", say.dated(item.updated_at)))
    marks += [say.words[name] for name in ("breaking", "pinned") if getattr(item, name)]
    parts = [f"## {_line(entry.title)}", f"*{_line(' · '.join(marks))}*"]
    if item.byline:
        parts.append(_line(item.byline))
    parts.append(as_markdown(entry.blocks))
    parts += [f"![{_line(one.alt or '')}](<{_address(one.url)}>)" for one in item.media]
    if item.status is not Status.KILLED:
        parts.append(f"<{entry.url}>")
    return clean("\n\n".join(filter(None, parts))).encode()


def _line(text: str) -> str:
    """Write text in one line, as text."""
    return escaped_markdown(" ".join(text.split()))


def _address(url: str) -> str:
    return url.replace("<", "%3C").replace(">", "%3E")


FORMAT = Format(MARKDOWN, f"{MEDIA_TYPE}; charset=utf-8", _entry, _document)
