"""From options to the fields of a request, and back to the words of a command."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from publisher.failures import Misused
from publisher.text.media import medium_words
from publisher.text.typed import check_text

if TYPE_CHECKING:
    from feedserver.wire import Json

LINES = ("headline", "occurred_at", "byline", "source", "url", "language")


def fields_of(args: Namespace) -> Json:
    """Return the fields that the options set, without the text. Raises Misused."""
    given = vars(args)
    fields: Json = {
        name: given[name]
        for name in (*LINES, "breaking", "media", "note", "at", "published_at")
        if name != "headline" and given.get(name) is not None
    }
    if given.get("tag"):
        fields["tags"] = given["tag"]
    if given.get("no_tags"):
        fields["tags"] = None
    if given.get("origin_uri") or given.get("origin_id"):
        fields["origin"] = {"uri": given["origin_uri"] or "", "id": given["origin_id"] or ""}
    for option in given.get("clear") or ():
        name = option.replace("-", "_")
        if name in fields and fields[name] is not None:
            raise Misused(f"--clear {option} and a new {option} cannot be used together")
        fields[name] = None
    check_text(fields)
    return fields


def words_of(fields: Json) -> list[str]:
    """Return the command-line words that `fields_of` would read as these fields."""
    words: list[str] = []
    for name, value in fields.items():
        option = f"--{name.replace('_', '-')}"
        if value is None:
            words += ["--clear", option[2:]]
        elif name == "typo":
            words.append("--typo")
        elif name == "breaking":
            words.append(option if value else "--no-breaking")
        elif name == "tags":
            words += [f"--tag={tag}" for tag in value]
        elif name == "media":
            for medium in value:
                words += medium_words(medium)
        elif name == "origin":
            words += [f"--origin-uri={value['uri']}", f"--origin-id={value['id']}"]
        else:
            words.append(f"{option}={value}")
    return words


def option_for(pointer: str) -> str:
    """Return the option that set what a JSON pointer points to; empty for the whole request."""
    name, _, rest = pointer.removeprefix("/").partition("/")
    part = rest.rpartition("/")[2]
    if name == "media":
        side = {
            "alt": "--alt", "caption": "--caption", "credit": "--credit",
            "width": "--size", "height": "--size",
        }  # fmt: skip
        return side.get(part, "--media")
    if name == "origin":
        return f"--origin-{part}" if part else "--origin-uri"
    if name == "tags":
        return "--tag"
    if name == "summary":
        return "TEXT"
    return f"--{name.replace('_', '-')}" if name else ""
