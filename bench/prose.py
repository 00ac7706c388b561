"""Items that are like news to an index: as many distinct words as prose, the same in each run.

A few words make up most of a text, and many come once: rank r has a weight of 1/(r + 2.7). In 104
words of a vocabulary of 20,000 that leaves 90 distinct ones, as in English news. Plain Zipf draws
repeat too much, and make the index of an archive look four times smaller than it is.
"""

import random
from functools import cache
from itertools import accumulate

VOCABULARY, SHIFT = 20_000, 2.7
CHARACTERS = 620  # of an item: its headline, and its body
HEADLINE = 60  # of these at most
RARE_EVERY = 1_000  # items; such a one has a word that no other has
COMMONEST = "the"
SHORT = ("of", "and", "to", "in", "for", "on", "was", "at", "by", "as", "is", "it", "that", "with")
_CONSONANTS, _VOWELS = "bcdfghjklmnprstvwz", "aeiou"


def item(number: int, characters: int = CHARACTERS) -> dict[str, str]:
    """The item of that number: always the same words."""
    chance = random.Random(number)
    words, weights = _vocabulary()
    drawn = chance.choices(words, cum_weights=weights, k=characters // 4)
    if number % RARE_EVERY == 0:
        drawn.insert(20, rare_word(number))
    text = " ".join(drawn)
    headline = text[:HEADLINE].rpartition(" ")[0]
    body = text[len(headline) + 1 : characters].rpartition(" ")[0]
    return {"headline": headline.capitalize(), "body": body.ljust(characters - len(headline), ".")}


def rare_word(number: int) -> str:
    """A word of nine letters that only the item of that number has, if `RARE_EVERY` divides it."""
    letters = []
    for _ in range(8):
        number, digit = divmod(number, 26)
        letters.append(chr(ord("a") + digit))
    return "q" + "".join(reversed(letters))  # no word of the vocabulary begins so


def long_text(characters: int) -> str:
    """A long body of few distinct words, which is quickly indexed."""
    paragraph = item(1)["body"]
    return "\n\n".join([paragraph] * (characters // len(paragraph) + 1))[:characters]


def feed_name(number: int) -> str:
    """The feed of that number, of many with long items."""
    return f"long-{number}"


@cache
def _vocabulary() -> tuple[list[str], list[float]]:
    chance = random.Random(0)
    words = dict.fromkeys((COMMONEST, *SHORT))
    while len(words) < VOCABULARY:
        syllables = chance.choices((1, 2, 3, 4), weights=(2, 5, 4, 1))[0]
        pairs = [chance.choice(_CONSONANTS) + chance.choice(_VOWELS) for _ in range(syllables)]
        words["".join(pairs) + chance.choice(("", "n", "r", "s", "l"))] = None
    return list(words), list(accumulate(1 / (rank + SHIFT) for rank in range(1, VOCABULARY + 1)))
