"""What kind of picture or clip a medium is: as its type says, else as its address's suffix does."""

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

# What no page can show as a picture or play.
_OTHERS = frozenset(
    [
        *("pdf", "doc", "docx", "odt", "rtf", "txt", "epub", "ppt", "pptx", "xls", "xlsx", "csv"),
        *("zip", "gz", "tar", "7z", "rar", "exe", "apk", "dmg", "html", "htm", "xhtml", "svg"),
        *("json", "xml", "js", "css", "m3u8", "mpd"),
    ]
)


def known_type(url: str) -> str | None:
    """Return the MIME type that an address's suffix stands for; None where it says nothing."""
    return _TYPES.get(_suffix(url))


def other_suffix(url: str) -> str | None:
    """Return an address's suffix if it is known to lead to no picture, video or sound."""
    suffix = _suffix(url)
    return suffix if suffix in _OTHERS else None


def media_type(medium: Media) -> str:
    """Return the MIME type of a picture or clip."""
    return medium.type or known_type(medium.url) or _UNKNOWN_TYPE


def media_kind(medium: Media) -> str:
    """Return `image`, `video` or `audio`."""
    return media_type(medium).partition("/")[0]


def _suffix(url: str) -> str:
    name = urlsplit(url).path.rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name else ""
