"""How a request that is sent again is known again, without keeping what it said."""

from __future__ import annotations

import base64
import hashlib
import hmac

import orjson

from feedserver.errors import KeyReused


def keyed_hash(salt: str, scope: tuple[str, ...]) -> bytes:
    """Return the MAC by which a retry key or an import's origin is found again: 16 bytes."""
    return hmac.new(salt.encode(), orjson.dumps(scope), hashlib.sha256).digest()[:16]


def digest_of(request: object) -> str:
    """Return what is kept of a request with its record: 12 bytes tell those of one key apart."""
    body = _serialised(request)
    return base64.urlsafe_b64encode(hashlib.blake2b(body, digest_size=12).digest()).decode()


def is_same_request(digest: str, request: object) -> bool:
    """Compare a request with the digest that was kept of an earlier one.

    One from before this format is a salt, a dollar sign, and a MAC keyed with the salt.
    """
    salt, dollar, mac = digest.partition("$")
    if not dollar:
        return hmac.compare_digest(digest, digest_of(request))
    body = _serialised(request)
    return hmac.compare_digest(mac, hmac.new(salt.encode(), body, hashlib.sha256).hexdigest())


def key_reused() -> KeyReused:
    """Return the refusal of a key that another request has used."""
    return KeyReused(
        "this Idempotency-Key was used before with another body; use a new key for new news"
    )


def _serialised(request: object) -> bytes:
    # Sorted, so that a retry that was serialised anew is still the same body.
    return orjson.dumps(request, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
