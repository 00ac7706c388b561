"""XML, written without a tree: an element is made of its children's text, and is itself text."""

from __future__ import annotations

import re

DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>\n'
REPLACEMENT = "\ufffd"

# The characters that XML 1.0 has no way to write. What editors send has none of them, but one in an
# old row would make the whole document unreadable.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_IN_ATTRIBUTE = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
    | {blank: f"&#{ord(blank)};" for blank in "\t\n\r"}
)


class Element(str):
    """XML that is written already, and is not escaped again."""

    __slots__ = ()


def clean(text: str) -> str:
    """Replace what neither XML nor UTF-8 can carry."""
    return _FORBIDDEN.sub(REPLACEMENT, text)


def element(name: str, *children: str | None, **attributes: str | int | None) -> Element:
    """Write an element. Children that are no elements are text; None is left out.

    In an attribute's name `_` stands for `:`.
    """
    opened = name + "".join(
        f' {key.replace("_", ":")}="{clean(str(value)).translate(_IN_ATTRIBUTE)}"'
        for key, value in attributes.items()
        if value is not None
    )
    content = "".join(
        child if isinstance(child, Element) else clean(child).translate(_IN_TEXT)
        for child in children
        if child is not None
    )
    return Element(f"<{opened}>{content}</{name}>" if content else f"<{opened}/>")


def optional(name: str, text: str | None, **attributes: str | int | None) -> Element | None:
    """Write an element with this text; None if there is none."""
    return element(name, text, **attributes) if text else None
