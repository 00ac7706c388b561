"""The text of one paragraph to spans: **bold**, *italic*, [link](https://…), bare addresses.

Emphasis is a flag on a span, not a tree, so markers may overlap freely, and every text parses in
one pass, in linear time. Links are read as CommonMark reads inline links; titles are dropped. A
backslash takes the sign behind it literally.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from feedserver.addresses import is_link, seen_part, trimmed
from feedserver.model import URL_MAX

NESTED_MAX = 4  # parentheses in parentheses of an address: each is read so many times at most

_ESCAPED = r"\\(?P<escaped>[\\*\[\]()\-•>.])"
_SIGNS = r"(?P<strong>\*\*)|(?P<em>\*)|(?P<open>\[)|(?P<close>\])"
# Where a bare address ends: at a blank or what cannot be seen, quotation marks, what no address
# holds, and the punctuation of Chinese, Japanese and Korean, behind which no blank stands.
_ENDS = (
    r"\s<>\"«»“”„`{}|^\\\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff"
    r"\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
_TOKEN = re.compile(rf"{_ESCAPED}|{_SIGNS}|(?P<text>[^\\*\[\]]+|\\)")
_TOKEN_OR_ADDRESS = re.compile(
    rf"{_ESCAPED}|{_SIGNS}"
    rf"|(?P<address>[hH][tT][tT][pP][sS]?://[^{_ENDS}\[\]]*(?:\[[^{_ENDS}\[\]]*\][^{_ENDS}\[\]]*)*)"
    r"|(?P<text>[^\\*\[\]hH]+|[\\hH])"
)
_TAIL = ".,;:!?'’*)]"  # at the end of a bare address it belongs to the sentence
_CLOSING = {")": "(", "]": "["}
_WEB = re.compile(r"[hH][tT][tT][pP][sS]?://")
# Scripts that are written without spaces: a marker inside a word is one there.
_SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u19e0-\u19ff\u3005-\u3007\u3040-\u30ff"
    "\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\ua9e0-\ua9ff\uaa60-\uaa7f"
    "\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one manner; a line feed in it is a line break."""

    text: str
    strong: bool = False
    em: bool = False
    href: str | None = None


Paragraph = tuple[Span, ...]


@dataclass(slots=True)
class _Piece:
    text: str
    marker: str | None = None
    opens: bool = False
    closes: bool = False
    href: str | None = None


@dataclass(slots=True)
class _Reading:
    """What was read of a text so far."""

    pieces: list[_Piece] = field(default_factory=list)
    brackets: list[int] = field(default_factory=list)  # indexes of pieces that may begin a link
    bad: list[str] = field(default_factory=list)  # targets of what is written as a link and is none


def spans(text: str) -> Paragraph:
    """Read the markup of one paragraph."""
    if not any(sign in text for sign in ("\\", "*", "[", "://")):
        return (Span(text),)
    pieces = _read(text).pieces
    switches = _switches(pieces)
    strong = em = False
    # Runs of one manner are joined at the end: adding to a span's text would take square time.
    runs: list[tuple[tuple[bool, bool, str | None], list[str]]] = []
    for i, piece in enumerate(pieces):
        if i in switches:
            strong, em = strong ^ (piece.marker == "strong"), em ^ (piece.marker == "em")
            continue
        if not piece.text:
            continue
        manner = (strong, em, piece.href)
        if not runs or runs[-1][0] != manner:
            runs.append((manner, []))
        runs[-1][1].append(piece.text)
    return tuple(Span("".join(texts), *manner) for manner, texts in runs)


def bad_targets(text: str) -> list[str]:
    """List the targets of what is written as a link in one paragraph, and can be none."""
    return _read(text).bad if "](" in text else []


def _switches(pieces: list[_Piece]) -> set[int]:
    """Return which markers mean something: pairs with text between. All others are text."""
    found: set[int] = set()
    opened: dict[str, int] = {}
    newest_text = -1
    for i, piece in enumerate(pieces):
        start = opened.get(piece.marker) if piece.marker is not None else None
        if piece.marker is not None and start is None and piece.opens:
            opened[piece.marker] = i
        elif piece.marker is not None and start is not None and piece.closes:
            del opened[piece.marker]
            if newest_text > start:
                found |= {start, i}
            else:
                newest_text = i
        elif piece.text:
            newest_text = i
    return found


def _read(text: str) -> _Reading:
    """Split text at what may be a marker, and at links."""
    reading = _Reading()
    token = _TOKEN_OR_ADDRESS if "://" in text else _TOKEN
    position = 0
    while position < len(text):
        m = token.match(text, position)
        assert m is not None, "every character is a token at least"
        position = m.end()
        match m.lastgroup:
            case "strong" | "em":
                reading.pieces.append(_marker(text, m))
            case "open":
                reading.brackets.append(len(reading.pieces))
                reading.pieces.append(_Piece("["))
            case "close":
                position = _close(text, position, reading)
            case "address":
                position = _take_address(text, m, reading)
            case kind:
                reading.pieces.append(_Piece(m[kind or 0]))
    return reading


def _close(text: str, position: int, reading: _Reading) -> int:
    """End a link at a closing bracket, if it is one; return where to read on."""
    start = reading.brackets.pop() if reading.brackets else None
    is_link_written = start is not None and text.startswith("(", position)
    found = _target(text, position) if is_link_written else None
    if found is None or start is None:
        reading.pieces.append(_Piece("]"))
        if text.startswith("(", position) and _WEB.match(text, position + 1):
            reading.bad.append(text[position + 1 : position + URL_MAX].split(maxsplit=1)[0])
        return position
    target, end = found
    label = reading.pieces[start + 1 :]
    if is_link(target) and any(piece.text for piece in label):
        reading.pieces[start].text = ""
        for piece in label:
            piece.href = target
        reading.brackets.clear()  # no link stands in another
    else:
        reading.bad.append(target)
        reading.pieces.append(_Piece(text[position - 1 : end]))
    return end


def _target(text: str, start: int) -> tuple[str, int] | None:
    """Read `(address "title")` at `start`; return the address, and where it all ends."""
    position = _after_blanks(text, start + 1)
    if text.startswith("<", position):
        target, position = _until(text, position + 1, ">", "<\n")
    else:
        target, position = _unquoted(text, position)
    if position < 0:
        return None
    after = _after_blanks(text, position)
    if after > position and text[after : after + 1] in ('"', "'", "("):
        opening = text[after]
        closing, stops = (")", "(") if opening == "(" else (opening, "")
        _, position = _until(text, after + 1, closing, stops)
        if position < 0:
            return None
        after = _after_blanks(text, position)
    return (trimmed(target), after + 1) if text.startswith(")", after) else None


def _unquoted(text: str, start: int) -> tuple[str, int]:
    """Read an address up to a blank, or a parenthesis that it does not open; -1: none is there."""
    depth, position = 0, start
    parts: list[str] = []
    while position < len(text) and not text[position].isspace():
        character = text[position]
        if character == "\\" and text[position + 1 : position + 2] in ("(", ")", "\\"):
            position += 1
        elif character == ")" and not depth:
            break
        elif character in "()":
            depth += 1 if character == "(" else -1
            if depth > NESTED_MAX:
                return "", -1
        parts.append(text[position])
        position += 1
    return ("", -1) if depth else ("".join(parts), position)


def _until(text: str, start: int, end: str, stops: str) -> tuple[str, int]:
    """Read up to a character and behind it; -1: one of `stops`, or the text's end, comes first."""
    position = start
    parts: list[str] = []
    while position < len(text) and text[position] not in stops:
        if text[position] == end:
            return "".join(parts), position + 1
        if text[position] == "\\" and position + 1 < len(text):
            position += 1
        parts.append(text[position])
        position += 1
    return "", -1


def _after_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _take_address(text: str, m: re.Match[str], reading: _Reading) -> int:
    """Make a bare address a link, if it is whole; return where to read on."""
    end = _end_of_address(m["address"])
    address = m["address"][:end]
    before = text[m.start() - 1] if m.start() else " "
    is_in_a_word = before.isascii() and before.isalnum()
    href = None if is_in_a_word or not is_link(address) else address
    reading.pieces.append(_Piece(address, href=href))
    return m.start() + end


def _end_of_address(found: str) -> int:
    """Return where an address ends: punctuation and unopened brackets behind it are the text's."""
    found = seen_part(found)
    link = found.find("](")  # of a label that stands right behind the address
    end = len(found) if link < 0 else found.rfind("[", 0, link)
    counts = {sign: found.count(sign, 0, end) for sign in "()[]"}
    while end and found[end - 1] in _TAIL:
        sign = found[end - 1]
        if sign in _CLOSING:
            if counts[sign] <= counts[_CLOSING[sign]]:
                break
            counts[sign] -= 1
        end -= 1
    return end


def _marker(text: str, m: re.Match[str]) -> _Piece:
    before = text[m.start() - 1] if m.start() else " "
    after = text[m.end()] if m.end() < len(text) else " "
    # As in "5*3": a marker inside a word is no marker, but where words have no spaces between.
    is_split = bool(_SPACELESS.match(before) or _SPACELESS.match(after))
    opens = not after.isspace() and (is_split or not before.isalnum())
    closes = not before.isspace() and (is_split or not after.isalnum())
    return _Piece(m[0], m.lastgroup if opens or closes else None, opens, closes)
