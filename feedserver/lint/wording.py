"""Slips in the words themselves: doubled words, HTML entities, markup that stays raw."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from feedserver.lint.findings import Code, Finding
from feedserver.lint.language import words

SHOWN_MAX = 3  # examples in a sentence
_WORD_MAX = 60  # letters of a word that is looked at

_DOUBLED = re.compile(
    rf"(?<![\w'’ʼ-])([^\W\d_]{{2,{_WORD_MAX}}})[ \t\u00a0]+(\1)(?![\w'’ʼ-])", re.IGNORECASE
)
# What people write twice and mean.
_MEANT = words(
    "ha no so very bye knock cha that had bla tik ganz sehr sie die das der дуже ледь далеко так "
    "ну ось от"
)
_ENTITY = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]{1,30}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});")
_ADDRESS = re.compile(r"https?://[^\s<>()\"]{1,2048}")
_TAGS = (
    "a|abbr|b|blockquote|br|cite|code|div|em|figure|font|h[1-6]|hr|i|iframe|img|li|ol|p|pre|q|s|"
    "script|small|span|strong|style|sub|sup|table|tbody|td|th|tr|u|ul"
)
_TAG = re.compile(rf"</?({_TAGS})(?:[\s/][^<>]{{0,2048}})?>", re.IGNORECASE)
_BREAKING = re.compile(r"<(?:br|/p|/div|/li|/h[1-6]|/tr)\b[^<>]{0,200}>", re.IGNORECASE)
_STRONG = re.compile(r"</?(?:b|strong)\s*>", re.IGNORECASE)
_EMPHASIS = re.compile(r"</?(?:i|em)\s*>", re.IGNORECASE)
_MARKED = re.compile(r"\*\*|__|```|!?\[[^\[\]\n]{1,200}\]\([^()\s]{1,200}\)")
_LINE_MARK = re.compile(r"^(?:#{1,6} |```|!\[[^\[\]\n]{0,200}\]\()", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6} +", re.MULTILINE)


def doubled(pointer: str, text: str) -> Iterator[Finding]:
    """Find words that stand twice in a row."""
    found = [match for match in _DOUBLED.finditer(text) if _is_slip(match)]
    if found:
        mended = _DOUBLED.sub(lambda m: m[1] if _is_slip(m) else m[0], text)
        told = ", ".join(f"“{match[0]}”" for match in found[:SHOWN_MAX])
        yield Finding(Code.DOUBLED, pointer, f"a word stands twice: {told}", mended)


def _is_slip(match: re.Match[str]) -> bool:
    first, second = match.groups()
    if first.casefold() in _MEANT:
        return False
    return not (first[0].isupper() and second[0].isupper())  # a name: Duran Duran


def entities(pointer: str, text: str) -> Iterator[Finding]:
    """Find HTML entities that readers would see as they stand."""
    found = [entity for entity in _ENTITY.findall(text) if _is_readable(entity)]
    if found:
        mended = _ENTITY.sub(lambda m: unescape(m[0]) if _is_readable(m[0]) else m[0], text)
        told = ", ".join(dict.fromkeys(found[:SHOWN_MAX]))
        detail = f"readers see {told} as it stands here; write the character itself"
        yield Finding(Code.ENTITY, pointer, detail, mended)


def _is_readable(entity: str) -> bool:
    meant = unescape(entity)
    return meant != entity and all(c.isprintable() or c == "\u00a0" for c in meant)


def raw_markup(pointer: str, text: str, *, is_marked_up: bool) -> Iterator[Finding]:
    """Find HTML, and markup that this field does not have; `is_marked_up`: it is a body."""
    bare = _ADDRESS.sub("", text)
    found = [match[0] for match in _TAG.finditer(bare)]
    if not found:
        marks = _LINE_MARK if is_marked_up else _MARKED
        found = [match[0] for match in marks.finditer(bare if is_marked_up else text)]
    if found:
        told = ", ".join(dict.fromkeys(one.strip()[:40] for one in found[:SHOWN_MAX]))
        detail = f"readers see {told} as it stands here"
        yield Finding(Code.MARKUP, pointer, detail, _unmarked(text, is_marked_up))


def _unmarked(text: str, is_marked_up: bool) -> str:
    """Return a text without HTML; with the markup of bodies where it is one."""
    if is_marked_up:
        text = _BREAKING.sub("\n", text)
        text = _STRONG.sub("**", text)
        text = _EMPHASIS.sub("*", text)
        text = _HEADING.sub("", text).replace("```", "")
    else:
        text = re.sub(r"!?\[([^\[\]\n]{1,200})\]\([^()\s]{1,200}\)", r"\1", text)
        text = text.replace("**", "").replace("__", "").replace("```", "")
    return re.sub(r"[ \t]{2,}", " ", _TAG.sub("", text)).strip()
