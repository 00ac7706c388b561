"""What kind of picture or clip an address leads to, as far as its suffix says."""

from __future__ import annotations

from urllib.parse import urlsplit

from feedserver.model import Media

_TYPES = {
    "aac": "audio/aac", "avif": "image/avif", "flac": "audio/flac", "gif": "image/gif",
    "heic": "image/heic", "jpeg": "image/jpeg", "jpg": "image/jpeg", "m4a": "audio/mp4",
    "m4v": "video/mp4", "mov": "video/quicktime", "mp3": "audio/mpeg", "mp4": "video/mp4",
    "oga": "audio/ogg", "ogg": "audio/ogg", "ogv": "video/ogg", "opus": "audio/ogg",
    "png": "image/png", "svg": "image/svg+xml", "wav": "audio/wav", "webm": "video/webm",
    "webp": "image/webp",
}  # fmt: skip
_UNKNOWN_TYPE = "image/jpeg"  # readers need a type, so that one without is taken for a picture


def media_type(medium: Media) -> str:
    """Return the MIME type of a picture or clip, guessed by its address."""
    suffix = urlsplit(medium.url).path.rpartition(".")[2].lower()
    return _TYPES.get(suffix, _UNKNOWN_TYPE)


def media_kind(medium: Media) -> str:
    """Return `image`, `video` or `audio`."""
    return media_type(medium).partition("/")[0]
