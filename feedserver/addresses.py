"""Web addresses: what a reader may be sent to, and what is wrong with anything else."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from feedserver.model import URL_MAX

# Letters, symbols and marks without ink.
BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SCHEME = re.compile(r"https?://", re.IGNORECASE)
# What RFC 3986 has no place for in an address, and letters of other scripts have not either.
_UNFIT = re.compile(r"[ <>\"`{}|^\\]")
_UNSEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})  # categories of what leaves no ink


def is_unseen(character: str) -> bool:
    """Say whether a character leaves no ink: white space, controls, marks of direction."""
    return unicodedata.category(character) in _UNSEEN or character in BLANKS


def trimmed(text: str) -> str:
    """Take away what cannot be seen at the ends of an address: it came along with a copy."""
    start, end = 0, len(text)
    while start < end and is_unseen(text[start]):
        start += 1
    while end > start and is_unseen(text[end - 1]):
        end -= 1
    return text[start:end]


def seen_part(text: str) -> str:
    """Return the beginning of an address, up to what cannot be seen: there it ends in a text."""
    if _is_all_seen(text):
        return text
    return text[: next(i for i, character in enumerate(text) if is_unseen(character))]


def is_link(text: str) -> bool:
    """Say whether `text` is a whole address that a reader may be sent to."""
    return fault_of(text) is None


def fault_of(text: str) -> str | None:
    """Say what is wrong with an address, as the end of a sentence; None: nothing."""
    for position, character in enumerate("" if _is_all_seen(text) else text, 1):
        if is_unseen(character) and character != " ":
            return (
                f"holds a character that cannot be seen ({name_of(character)} at position "
                f"{position}): remove it, or write {_encoded(character)} where it belongs"
            )
    if not _SCHEME.match(text):
        return "must be a whole address that starts with https:// or http://"
    if len(text) > URL_MAX:
        return f"is {len(text)} characters long; at most {URL_MAX} fit"
    if found := _UNFIT.search(text):
        named = "a space" if found[0] == " " else found[0]
        return f"holds {named} at position {found.start() + 1}: write {_encoded(found[0])} there"
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return "has a host or port that cannot be read"
    if "@" in parts.netloc:  # a name before @ hides the host
        return "must not name a user before @: it hides where the link leads"
    return None if (parts.hostname or "").strip(".-") else "names no host"


def name_of(character: str) -> str:
    """Name a character as Unicode does, such as U+200B ZERO WIDTH SPACE."""
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()


def _is_all_seen(text: str) -> bool:
    """Say at once, of most texts, that each of their characters leaves ink."""
    return BLANKS.isdisjoint(text) if text.isprintable() else not any(map(is_unseen, text))


def _encoded(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())
