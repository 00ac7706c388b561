"""Blocks to HTML, to plain text and to Markdown. Blocks are as an item's JSON has them."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson

from feedserver import wire
from feedserver.model import Item

Spans = Sequence[Any]  # strings, or {text, strong, em, href}
Block = Any  # spans, {list: [spans…], ordered}, or {quote: [spans…], cite}

_MARKDOWN = re.compile(r"[\\`*_\[\]<>&|~]")
_AT_LINE_START = re.compile(r"^(\s*)([#+=-]|\d+(?=[.)]))", re.MULTILINE)


def blocks_of(item: Item) -> list[Block]:
    """Return an item's body in blocks."""
    if item.blocks is None:  # nobody has parsed it yet
        return blocks_of_text(item.body)
    found: list[Block] = orjson.loads(item.blocks)
    return found


def blocks_of_text(text: str) -> list[Block]:
    """Return what was typed, in the body's markup, in blocks."""
    return list(wire.blocks_json(text))


def as_html(blocks: Iterable[Block]) -> str:
    """Write blocks as HTML of p, br, strong, em, a, ul, ol, li, blockquote and cite alone."""
    return "".join(map(_html_block, blocks))


def as_text(blocks: Iterable[Block]) -> str:
    """Write blocks as plain text, a blank line between them."""
    return "\n\n".join(_marked(block, _text_spans, str) for block in blocks)


def as_markdown(blocks: Iterable[Block]) -> str:
    """Write blocks as Markdown."""
    return "\n\n".join(_marked(block, _markdown_spans, escaped_markdown) for block in blocks)


def escaped_markdown(text: str) -> str:
    """Write text so that Markdown reads it as text."""
    text = _MARKDOWN.sub(r"\\\g<0>", text)
    return _AT_LINE_START.sub(
        lambda m: m[1] + (m[2] + "\\" if m[2].isdigit() else "\\" + m[2]), text
    )


def _html_block(block: Block) -> str:
    if isinstance(block, dict) and "list" in block:
        name = "ol" if block.get("ordered") else "ul"
        entries = "".join(f"<li>{_html_spans(spans)}</li>" for spans in block["list"])
        return f"<{name}>{entries}</{name}>"
    if isinstance(block, dict):
        quoted = "".join(f"<p>{_html_spans(spans)}</p>" for spans in block["quote"])
        cite = block.get("cite")
        return f"<blockquote>{quoted}{f'<p><cite>{_html(cite)}</cite></p>' if cite else ''}" + (
            "</blockquote>"
        )
    return f"<p>{_html_spans(block)}</p>"


def _html_spans(spans: Spans) -> str:
    return "".join(map(_html_span, spans))


def _html_span(span: Any) -> str:
    if isinstance(span, str):
        return _html(span)
    written = _html(span["text"])
    if span.get("em"):
        written = f"<em>{written}</em>"
    if span.get("strong"):
        written = f"<strong>{written}</strong>"
    if _is_web_link(href := span.get("href")):
        written = f'<a href="{html.escape(href)}">{written}</a>'
    return written


def _html(text: str) -> str:
    return html.escape(text, quote=False).replace("\n", "<br>")


def _marked(block: Block, spans_of: Callable[[Spans], str], text_of: Callable[[str], str]) -> str:
    """Write a block with the signs of lists and quotes, its spans and its cite by these."""
    if isinstance(block, dict) and "list" in block:
        return "\n".join(
            f"{f'{number}.' if block.get('ordered') else '-'} {spans_of(spans)}"
            for number, spans in enumerate(block["list"], 1)
        )
    if isinstance(block, dict):
        cite = block.get("cite")
        return _quoted(map(spans_of, block["quote"]), text_of(cite) if cite else None)
    return spans_of(block)


def _text_spans(spans: Spans) -> str:
    return "".join(span if isinstance(span, str) else span["text"] for span in spans)


def _markdown_spans(spans: Spans) -> str:
    return "".join(map(_markdown_span, spans))


def _markdown_span(span: Any) -> str:
    if isinstance(span, str):
        return _markdown(span)
    text: str = span["text"]
    words = text.strip()
    if not words:
        return _markdown(text)
    before, _, after = text.partition(words)
    signs = "*" * (2 * bool(span.get("strong")) + bool(span.get("em")))
    written = f"{signs}{_markdown(words)}{signs}"
    if _is_web_link(href := span.get("href")):
        target = href.replace("<", "%3C").replace(">", "%3E")
        written = f"[{written}](<{target}>)"
    return f"{before}{written}{after}"


def _markdown(text: str) -> str:
    return escaped_markdown(text).replace("\n", "\\\n")


def _quoted(paragraphs: Iterable[str], cite: str | None) -> str:
    text = "\n\n".join(paragraphs) + (f"\n\n— {cite}" if cite else "")
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _is_web_link(href: str | None) -> bool:
    return href is not None and href.lower().startswith(("http://", "https://"))
