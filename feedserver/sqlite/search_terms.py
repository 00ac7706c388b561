"""From texts to the terms of the search index, and from a question to what a hit must have.

A word is a run of letters and digits; one with an apostrophe counts as a whole and by its parts.
Where a script writes no spaces between words, and in Korean, which joins them, single characters
and pairs of them stand for words. A word of four letters and more is also found by its beginning.

A term is a keyed hash: the index holds no words, and nobody without the key can tell which they
were. Pure: no I/O.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from feedserver.folding import APOSTROPHE, characters, fold, fold_tag
from feedserver.model import Content, Item

START_LETTERS = 4  # of a word that is found by its beginning
HASH_BYTES = 6  # which are eight digits: two of a partition's words hardly ever have the same
# Digits of the term of a word that has a beginning: 24 bits for that, 36 for the word.
BEGINNING, REST = 4, 6
KNOWN_MAX = 32_768  # parts of texts whose terms are kept in memory, twice: some 14 MB

# SQLite's tokenizer takes capital and small letters for one: 64 others are needed.
_DIGITS = b"abcdefghijklmnopqrstuvwxyz0123456789!#$%&()*+,-./:;<=>?@[]^_`{|}"
TOKENIZER = f"ascii tokenchars '{_DIGITS[36:].decode()}'"
_TO_DIGITS = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", _DIGITS
)

_WORD, _START, _TAG = "wst"  # what a term begins with

_PUNCTUATION = '.,:;!?"()[]-'
_UNSPACED = characters("unspaced")
_LETTER = f"(?:[^\\W_{_UNSPACED}]++|[{characters('signs')}]++)++"
_TOKENS = re.compile(f"([{_UNSPACED}]+)|({_LETTER}(?:{APOSTROPHE}{_LETTER})*)")
_NOT_BEHIND_A_LETTER = f"(?<![^\\W_{_UNSPACED}])(?<![{characters('signs')}])"


@dataclass(frozen=True, slots=True)
class Query:
    """What a hit must have: all of these terms, and a text that passes the check.

    Without terms nothing can be found. `runs` and `beginning` are what terms alone do not tell.
    """

    terms: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    beginning: re.Pattern[str] | None = None

    def fits(self, item: Item) -> bool:
        """Say whether an item that has all terms is found."""
        if not self.runs and self.beginning is None:
            return True
        text = fold(text_of(item.headline, item.body, item.blocks, item.tags))
        return all(run in text for run in self.runs) and (
            self.beginning is None or self.beginning.search(text) is not None
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
            terms += _run_terms(run, query=True)
            if len(run) > 2:
                runs.append(run)
        elif number == len(tokens) and (start := _start(word)) is not None:
            terms.append(_START + start)
            beginning = re.compile(_NOT_BEHIND_A_LETTER + re.escape(word))
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


class Terms:
    """Makes the terms of one partition, under its key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._feeds: dict[str, _FeedTerms] = {}

    def of_item(self, feed: str, content: Content) -> str:
        """Return all terms of an item's words, parted by blanks."""
        made = self._feeds.get(feed)
        if made is None:
            made = self._feeds[feed] = _FeedTerms(self._key, feed)
        if sum(len(one.parts) for one in self._feeds.values()) > KNOWN_MAX:
            for one in self._feeds.values():
                one.age()
        known = made.parts
        text = text_of(content.headline, content.body, content.blocks, content.tags)
        found = {known.get(part) or made.learn(part) for part in set(text.split())}
        found.update(made.hashed(_tag_term(tag)) for tag in content.tags)
        return " ".join(found)

    def match(self, feed: str, terms: Iterable[str]) -> str:
        """Return the expression that finds the rows with all of these terms."""
        made = _FeedTerms(self._key, feed)
        return " ".join(map(made.expression, terms))


class _FeedTerms:
    """Makes the terms of one feed's items: the same word has others in another feed."""

    def __init__(self, key: bytes, feed: str) -> None:
        self._base = blake2b(f"{feed}\n".encode(), key=key, digest_size=HASH_BYTES)
        self.parts: dict[str, str] = {}  # of texts, between blanks: with their terms
        self._older: dict[str, str] = {}
        self._starts: dict[str, str] = {}

    def learn(self, part: str) -> str:
        """Return the terms of a part of a text, and keep them."""
        terms = self._older.get(part)
        if terms is None:
            word = part.strip(_PUNCTUATION)
            if word.isascii() and word.isalnum():  # most parts are; this is quicker
                terms = self.hashed(_WORD + word.lower())
            else:
                terms = " ".join(map(self.hashed, _terms_of(fold(part)))) or " "
        self.parts[part] = terms
        return terms

    def age(self) -> None:
        """Forget what was not used for long."""
        self._older, self.parts, self._starts = self.parts, {}, {}

    def hashed(self, term: str) -> str:
        """Return what stands for a term in the index.

        All words that begin with the same four letters have terms that begin alike.
        """
        start = _start(term[1:]) if term[0] == _WORD else None
        return self._hash(term) if start is None else self._begin(start) + self._hash(term)[:REST]

    def expression(self, term: str) -> str:
        """Return the expression that finds rows with the term."""
        return f'"{self._begin(term[1:])}" *' if term[0] == _START else f'"{self.hashed(term)}"'

    def _begin(self, start: str) -> str:
        known = self._starts.get(start)
        if known is None:
            known = self._starts[start] = self._hash(_START + start)[:BEGINNING]
        return known

    def _hash(self, text: str) -> str:
        keyed = self._base.copy()
        keyed.update(text.encode())
        return b2a_base64(keyed.digest(), newline=False).translate(_TO_DIGITS).decode()


def _terms_of(text: str) -> Iterator[str]:
    """Yield the terms of a folded text."""
    for run, word in _TOKENS.findall(text):
        if run:
            yield from _run_terms(run, query=False)
            continue
        yield _WORD + word
        if APOSTROPHE in word:
            yield from (_WORD + part for part in word.split(APOSTROPHE))


def _run_terms(run: str, *, query: bool) -> list[str]:
    """Return the terms of a run without spaces; a question needs no single ones beside pairs."""
    pairs = [_WORD + run[i : i + 2] for i in range(len(run) - 1)]
    return pairs if query and pairs else [*(_WORD + letter for letter in run), *pairs]


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
