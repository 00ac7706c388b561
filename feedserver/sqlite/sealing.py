"""How a record's words are sealed: AES-256-GCM under a key of the record's own."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from feedserver.sqlite.slots import Unreadable

NONCE = 12  # bytes, in front of what they seal


def seal(key: bytes, words: bytes, bound: bytes) -> bytes:
    """Encrypt `words`; `bound` is not in the result, but must be the same to open it."""
    nonce = secrets.token_bytes(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, words, bound)


def unseal(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    """Decrypt what `seal` made. Raises Unreadable for anything that was changed since."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], bound)
    except (InvalidTag, ValueError):
        raise Unreadable("its words or what is bound to them were changed") from None
