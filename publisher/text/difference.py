"""What changed between two texts, word by word, and how two changes of one text go together.

Pure. A change reads as `kills [-9-]{+10+}`: taken away, and put there instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

THEIRS, BETWEEN, YOURS = "<<<<<<<", "=======", ">>>>>>>"
CONTEXT = 40  # characters that are shown on each side of a change
LONGEST = 600  # characters of one changed passage that are shown
PASSAGES = 8  # changed passages that are shown of one text
_PAIRS = 4_000_000  # of words; to compare more would take longer than anybody waits
# Scripts that put no blanks between words are compared by letters.
_LETTERS = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_PART = rf"[^\W{_LETTERS}]+"
_WORD = re.compile(rf"\n|[^\S\n]+|{_PART}(?:['’.,:/@-]{_PART})*|.")
_STOP = re.compile(r"[.,;:!?…]+(?=\s|$)")
_SENTENCE = re.compile(r"[^.!?\n]*[.!?\n]+\s*|[^.!?\n]+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of two texts: what stood there, and what stands there now."""

    old: str
    new: str

    @property
    def is_kept(self) -> bool:
        """Whether nothing changed here."""
        return self.old == self.new


@dataclass(frozen=True, slots=True)
class Changes:
    """Changed passages, a line each. `whole`: every word that is new stands in them."""

    passages: list[str]
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Merged:
    """A text with the changes of two sides. `clashes`: how often both changed the same words."""

    text: str
    clashes: int


def compare(old: str, new: str) -> list[Piece]:
    """Return two texts as pieces that were kept and pieces that were changed, in turn."""
    return _with_stops(_joined(_pieces(old, new, (_WORD, _SENTENCE))))


def changes(old: str, new: str) -> Changes:
    """Return what changed, with a few words around. That is a screenful, however long the texts."""
    passages: list[str] = []
    passage: str | None = None
    before, whole = "", True
    for piece in compare(old, new):
        if not piece.is_kept:
            passage = (_end(before) if passage is None else passage) + _marked(piece)
            whole = whole and len(piece.new) <= LONGEST
        elif passage is not None and len(piece.old) <= CONTEXT and "\n" not in piece.old:
            passage += piece.old
        else:
            if passage is not None:
                passages.append(passage + _start(piece.old))
            passage, before = None, piece.old
    if passage is not None:
        passages.append(passage)
    if len(passages) > PASSAGES:
        more = len(passages) - PASSAGES
        return Changes([*passages[:PASSAGES], f"… and {more} more"], whole=False)
    return Changes(passages, whole)


def merge(base: str | None, theirs: str, yours: str) -> Merged:
    """Put the changes that two sides made to a text into one; None: it is not known which text.

    Where both changed the same words, both stand there, between marks:
    `<<<<<<< theirs ======= yours >>>>>>>`.
    """
    parts: Iterable[tuple[str | None, str, str]]
    if base is None:  # then whatever differs may be a change of either
        parts = ((None, piece.old, piece.new) for piece in compare(theirs, yours))
    else:
        parts = _regions(*(_WORD.findall(text) for text in (base, theirs, yours)))
    text, clashes = "", 0
    for was, one, other in parts:
        if other in (was, one):
            text += one
        elif one == was:
            text += other
        else:
            clashes += 1
            end = one[len(one.rstrip()) :]
            if end and other.endswith(end):  # the line's end stays behind the marks
                one, other = one.removesuffix(end), other.removesuffix(end)
            else:
                end = ""
            text += f"{THEIRS} {one} {BETWEEN} {other} {YOURS}{end}"
    return Merged(text, clashes)


def has_marks(text: str) -> bool:
    """Say whether both versions of some words still stand in a text."""
    return THEIRS in text and BETWEEN in text and YOURS in text


def _pieces(old: str, new: str, patterns: Sequence[re.Pattern[str]]) -> Iterator[Piece]:
    """Compare by the first pattern whose parts are not too many."""
    if not patterns:
        yield Piece(old, new)
        return
    a, b = patterns[0].findall(old), patterns[0].findall(new)
    head, tail = _ends(a, b)
    start, end = "".join(a[:head]), "".join(a[len(a) - tail :])
    a, b = a[head : len(a) - tail], b[head : len(b) - tail]
    yield Piece(start, start)
    if len(a) * len(b) > _PAIRS:
        for piece in _pieces("".join(a), "".join(b), patterns[1:]):
            few = len(_WORD.findall(piece.old)) * len(_WORD.findall(piece.new)) <= _PAIRS
            yield from _pieces(piece.old, piece.new, (_WORD,)) if few else (piece,)
    else:
        for _, i, j, k, m in SequenceMatcher(None, a, b).get_opcodes():
            yield Piece("".join(a[i:j]), "".join(b[k:m]))
    yield Piece(end, end)


def _ends(a: list[str], b: list[str]) -> tuple[int, int]:
    """Return how many parts are the same at the beginning, and then at the end."""
    least = min(len(a), len(b))
    head = next((i for i in range(least) if a[i] != b[i]), least)
    tail = next((i for i in range(least - head) if a[-1 - i] != b[-1 - i]), least - head)
    return head, tail


def _joined(pieces: Iterator[Piece]) -> list[Piece]:
    """Join neighbours of one kind, and changes that only a blank stands between."""
    found: list[Piece] = []
    for piece in pieces:
        if not piece.old and not piece.new:
            continue
        if found and found[-1].is_kept == piece.is_kept:
            _extend(found, piece)
            continue
        blank = len(found) > 1 and found[-1].is_kept and found[-1].old.isspace()
        if blank and not piece.is_kept and "\n" not in found[-1].old:
            _extend(found, found.pop())
            _extend(found, piece)
            continue
        found.append(piece)
    return found


def _with_stops(pieces: list[Piece]) -> list[Piece]:
    """Return the pieces with the stop behind a word that was replaced as a part of that word."""
    found: list[Piece] = []
    for piece in pieces:
        replaced = found and not found[-1].is_kept and found[-1].old and found[-1].new
        if piece.is_kept and replaced and (stop := _STOP.match(piece.old)):
            _extend(found, Piece(stop[0], stop[0]))
            rest = piece.old[stop.end() :]
            piece = Piece(rest, rest)
        if found and (found[-1].is_kept == piece.is_kept or not (piece.old or piece.new)):
            _extend(found, piece)
        else:
            found.append(piece)
    return found


def _extend(found: list[Piece], piece: Piece) -> None:
    found[-1] = Piece(found[-1].old + piece.old, found[-1].new + piece.new)


def _marked(piece: Piece) -> str:
    gone = f"[-{_shortened(piece.old)}-]" if piece.old else ""
    return gone + (f"{{+{_shortened(piece.new)}+}}" if piece.new else "")


def _shortened(text: str) -> str:
    if len(text) <= LONGEST:
        return _in_line(text)
    half = LONGEST // 2
    left_out = len(text) - 2 * half
    return f"{_in_line(text[:half])} … {left_out} characters … {_in_line(text[-half:])}"


def _start(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= CONTEXT else line[:CONTEXT].rpartition(" ")[0] + " …"


def _end(text: str) -> str:
    line = text.rpartition("\n")[2]
    return line if len(line) <= CONTEXT else "… " + line[-CONTEXT:].partition(" ")[2]


def _in_line(text: str) -> str:
    return re.sub(r"\n+", " ¶ ", text)


def _regions(
    base: list[str], theirs: list[str], yours: list[str]
) -> Iterator[tuple[str, str, str]]:
    """Yield the base in stretches that both sides kept, or that one of them changed, in turn."""
    at = (0, 0, 0)
    changed: tuple[str, str, str] | None = None
    for start, stop, one, other in _kept_by_both(base, theirs, yours):
        between = (
            "".join(base[at[0] : start]),
            "".join(theirs[at[1] : one]),
            "".join(yours[at[2] : other]),
        )
        kept = "".join(base[start:stop])
        at = (stop, one + stop - start, other + stop - start)
        if changed is None:
            changed = between
        else:
            changed = (changed[0] + between[0], changed[1] + between[1], changed[2] + between[2])
        if kept.isspace() and "\n" not in kept and any(changed):
            # Words on both sides of a blank are one change: "9 people" and "10 men" have no blank
            # in common that anybody meant.
            changed = (changed[0] + kept, changed[1] + kept, changed[2] + kept)
            continue
        yield changed
        yield kept, kept, kept
        changed = None
    if changed is not None:
        yield changed


def _kept_by_both(
    base: list[str], theirs: list[str], yours: list[str]
) -> Iterator[tuple[int, int, int, int]]:
    """Yield where both sides kept the base: its start and stop, and each side's start.

    The last one is empty, at the end of all three.
    """
    ones, others = _matches(base, theirs), _matches(base, yours)
    i = k = 0
    while i < len(ones) and k < len(others):
        (a, one, size), (b, other, length) = ones[i], others[k]
        start, stop = max(a, b), min(a + size, b + length)
        if start < stop:
            yield start, stop, one + start - a, other + start - b
        if a + size < b + length:
            i += 1
        else:
            k += 1
    yield len(base), len(base), len(theirs), len(yours)


def _matches(base: list[str], side: list[str]) -> list[tuple[int, int, int]]:
    """Return what a side kept: where it stands in the base, where in the side, how many parts."""
    head, tail = _ends(base, side)
    a, b = base[head : len(base) - tail], side[head : len(side) - tail]
    found = [(0, 0, head)]
    if len(a) * len(b) <= _PAIRS:
        blocks = SequenceMatcher(None, a, b).get_matching_blocks()
        found += [(head + i, head + k, size) for i, k, size in blocks]
    return [*found, (len(base) - tail, len(side) - tail, tail)]
