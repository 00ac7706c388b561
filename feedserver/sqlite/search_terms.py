"""From texts to the terms of the search index, and from a question to what a hit must have.

A word is a run of letters and digits; one with an apostrophe counts as a whole and by its parts.
Where a script writes no spaces between words, and in Korean, which joins them, single characters
and pairs of them stand for words. A word of four letters and more is also found by its beginning.

A term is a keyed hash: the index holds no words, and nobody without the key can tell which they
were. Pure: no I/O.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from feedserver.folding import APOSTROPHE, characters, fold, fold_tag
from feedserver.model import Item

START_LETTERS = 4  # of a word that is found by its beginning
HASH_BYTES = 6  # two of a partition's words hardly ever have the same
BEGINNING, REST = 6, 9  # hexadecimal digits of the term of a word that is found by its beginning
KNOWN_MAX = 65_536  # terms that are kept in memory, some 12 MB, and as many older ones
PART_MAX = 40  # characters: longer parts of texts hardly come again

_WORD, _START, _TAG = "wst"  # what a term begins with

_PUNCTUATION = '.,:;!?"()[]-'
_UNSPACED = characters("unspaced")
_LETTER = f"(?:[^\\W_{_UNSPACED}]++|[{characters('signs')}]++)++"
_LETTERS = re.compile(_LETTER)
_TOKENS = re.compile(f"([{_UNSPACED}]+)|({_LETTER}(?:{APOSTROPHE}{_LETTER})*)")


@dataclass(frozen=True, slots=True)
class Query:
    """What a hit must have: all of these terms, and a text that passes the check.

    Without terms nothing can be found. `runs` and `beginning` are what terms alone do not tell.
    """

    terms: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    beginning: str | None = None

    def fits(self, item: Item) -> bool:
        """Say whether an item that has all terms is found."""
        if not self.runs and self.beginning is None:
            return True
        text = fold(text_of(item.headline, item.body, item.blocks, item.tags))
        return all(run in text for run in self.runs) and (
            self.beginning is None or _has_word_from(self.beginning, text)
        )


def parse(tag: str | None, words: str | None) -> Query:
    """Read a question: a tag, words, or both."""
    terms: list[str] = []
    runs: list[str] = []
    beginning = None
    if tag is not None:
        terms.append(_tag_term(tag))
    tokens = _TOKENS.findall(fold(words or ""))
    for number, (run, word) in enumerate(tokens, start=1):
        if run:
            terms += [_WORD + part for part in _pairs(run) or run]
            if len(run) > 2:
                runs.append(run)
        elif number == len(tokens) and (start := _start(word)) is not None:
            terms.append(_START + start)
            beginning = word
        else:
            terms.append(_WORD + word)
    if words is not None and not tokens:
        return Query()
    return Query(tuple(dict.fromkeys(terms)), tuple(runs), beginning)


def text_of(headline: str, body: str, blocks: bytes | None, tags: Iterable[str]) -> str:
    """Return the words of an item as a reader sees them, a line for each part."""
    lines = [headline]
    if blocks is None:
        lines.append(body)
    else:
        for block in orjson.loads(blocks):
            lines += _lines(block)
    return "\n".join([*lines, *tags])


@dataclass(frozen=True, slots=True)
class Text:
    """What is searched of an item of a feed; the text has a line for each part, and the tags."""

    feed: str
    text: str
    tags: Sequence[str]


class Terms:
    """Makes the terms of one partition, under its key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._feeds: dict[str, _FeedTerms] = {}

    def of_items(self, items: Sequence[Text]) -> list[str]:
        """Return all terms of each item's words, parted by blanks.

        What many items share is looked up once for all of them.
        """
        parts = [item.text.split() for item in items]
        shared: dict[str, set[str]] = {}
        for item, own in zip(items, parts, strict=True):
            shared.setdefault(item.feed, set()).update(own)
        self._age()
        terms = {feed: self._of_feed(feed).of_parts(all_of) for feed, all_of in shared.items()}
        return [
            " ".join([*map(terms[item.feed].__getitem__, own), *self._of_tags(item)])
            for item, own in zip(items, parts, strict=True)
        ]

    def match(self, feed: str, terms: Iterable[str]) -> str:
        """Return the expression that finds the rows with all of these terms."""
        made = _FeedTerms(self._key, feed)
        return " ".join(map(made.expression, terms))

    def _of_feed(self, feed: str) -> _FeedTerms:
        made = self._feeds.get(feed)
        if made is None:
            made = self._feeds[feed] = _FeedTerms(self._key, feed)
        return made

    def _of_tags(self, item: Text) -> Iterator[str]:
        made = self._of_feed(item.feed)
        return (made.hashed(_tag_term(tag)) for tag in item.tags)

    def _age(self) -> None:
        if sum(one.known for one in self._feeds.values()) > KNOWN_MAX:
            for one in self._feeds.values():
                one.age()


class _FeedTerms:
    """Makes the terms of one feed's items: the same word has others in another feed."""

    def __init__(self, key: bytes, feed: str) -> None:
        self._parts: dict[str, str] = {}  # of texts, between blanks: with their terms
        self._older: dict[str, str] = {}
        self._starts: dict[str, str] = {}
        self._short: dict[str, str] = {}  # words of one or two characters
        self._keyed = {
            kind: blake2b(f"{feed}\n{kind}".encode(), key=key, digest_size=HASH_BYTES)
            for kind in (_WORD, _START, _TAG)
        }
        self._copy_keyed = self._keyed[_WORD].copy

    @property
    def known(self) -> int:
        """How many terms are kept."""
        return len(self._parts) + len(self._short) + len(self._starts)

    def age(self) -> None:
        """Forget what was not used for long."""
        self._older, self._parts, self._short, self._starts = self._parts, {}, {}, {}

    def of_parts(self, parts: Iterable[str]) -> dict[str, str]:
        """Return the terms of parts of texts."""
        known = self._parts
        return {part: known.get(part) or self._learn(part) for part in parts}

    def _learn(self, part: str) -> str:
        """Return the terms of a part of a text, and keep them."""
        terms = self._older.get(part)
        if terms is None:
            word = part.strip(_PUNCTUATION)
            if word.isascii() and word.isalnum():  # most parts are; this is quicker
                terms = self._word(word.lower())
            else:
                terms = " ".join(map(self._known_word, set(_words_of(fold(part))))) or " "
        if len(part) <= PART_MAX:
            self._parts[part] = terms
        return terms

    def hashed(self, term: str) -> str:
        """Return what stands for a term in the index."""
        kind, text = term[0], term[1:]
        return self._word(text) if kind == _WORD else self._hash(kind, text)

    def expression(self, term: str) -> str:
        """Return the expression that finds rows with the term."""
        if term[0] == _START:
            return f'"{self._hash(_START, term[1:])[:BEGINNING]}" *'
        return f'"{self.hashed(term)}"'

    def _known_word(self, word: str) -> str:
        if len(word) > 2:
            return self._word(word)
        known = self._short.get(word)
        if known is None:
            known = self._short[word] = self._word(word)
        return known

    def _word(self, word: str) -> str:
        """Return a word's term; those of words with the same four first letters begin alike."""
        keyed = self._copy_keyed()
        keyed.update(word.encode())
        if len(word) < START_LETTERS or (start := _start(word)) is None:
            return keyed.hexdigest()
        known = self._starts.get(start)
        if known is None:
            known = self._starts[start] = self._hash(_START, start)[:BEGINNING]
        return known + keyed.hexdigest()[:REST]

    def _hash(self, kind: str, text: str) -> str:
        keyed = self._keyed[kind].copy()
        keyed.update(text.encode())
        return keyed.hexdigest()


def _words_of(text: str) -> Iterator[str]:
    """Yield the words of a folded text, and what stands for them in a run without spaces."""
    for run, word in _TOKENS.findall(text):
        if run:
            yield from run
            yield from _pairs(run)
            continue
        yield word
        if APOSTROPHE in word:
            yield from word.split(APOSTROPHE)


def _has_word_from(beginning: str, text: str) -> bool:
    """Say whether a word of a folded text begins so."""
    at = text.find(beginning)
    while at > 0 and _LETTERS.match(text, at - 1):
        at = text.find(beginning, at + 1)
    return at >= 0


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]


def _start(word: str) -> str | None:
    """Return the first four letters of a word, with the apostrophes among them; None: fewer."""
    if APOSTROPHE not in word:
        return word[:START_LETTERS] if len(word) >= START_LETTERS else None
    letters = 0
    for at, letter in enumerate(word, start=1):
        letters += letter != APOSTROPHE
        if letters == START_LETTERS:
            return word[:at]
    return None


def _tag_term(tag: str) -> str:
    return _TAG + fold_tag(tag)


def _lines(block: Any) -> Iterator[str]:
    """Yield the lines of a block: a paragraph of spans, or anything that holds some."""
    if isinstance(block, str):
        yield block
    elif isinstance(block, dict):
        if "text" in block:
            yield block["text"]
        else:
            for part in block.values():
                yield from _lines(part)
    elif isinstance(block, list):
        if any(isinstance(part, list) for part in block):
            for part in block:
                yield from _lines(part)
        else:
            yield "".join(part if isinstance(part, str) else part.get("text", "") for part in block)
