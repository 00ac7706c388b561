"""The options that verbs share, and how they become the fields of a request and back."""

from __future__ import annotations

import argparse
import re
from argparse import ArgumentParser, Namespace
from typing import Any

from feedserver.model import is_slug
from feedserver.wire import Json
from publisher.failures import Misused
from publisher.text.media import NextMedium, OfMedium, medium_words

LINES = ("headline", "occurred_at", "byline", "source", "url", "language")
CLEARABLE = (
    "body", "occurred-at", "byline", "source", "url", "tags", "breaking", "language", "media",
)  # fmt: skip
TIMEOUT = 10.0  # seconds for one try; an editor who waits longer has lost the thread
A_TIME = "such as 2025-05-17T06:17+03:00"
_KEY = re.compile(r"[\x21-\x7e]{1,128}")


def add_common(parser: ArgumentParser) -> None:
    """Add what every verb has."""
    group = parser.add_argument_group("every verb")
    group.add_argument("--feed", metavar="SLUG", type=_slug, help="the feed, if not the usual one")
    group.add_argument("--json", action="store_true", help="answer and fail in JSON, for scripts")
    group.add_argument(
        "--timeout", metavar="SECONDS", type=_seconds, default=TIMEOUT,
        help="how long one try waits for the server (10)",
    )  # fmt: skip
    group.add_argument(
        "--insecure", action="store_true", help="send the token over plain http to another machine"
    )


def count(text: str) -> int:
    """Read the whole number that --limit takes. Raises Misused."""
    if not text.isdecimal() or not text.isascii() or len(text) > 9 or not int(text):
        raise Misused(f"--limit takes a whole number from 1 on, and {text!r} is none")
    return int(text)


def add_item(parser: ArgumentParser) -> None:
    """Add the item's number, which comes first."""
    parser.add_argument("id", type=_item, help="the item's number, as `publisher list` shows it")


def add_sending(parser: ArgumentParser, *, editing: bool) -> None:
    """Add what every verb that changes something has."""
    group = parser.add_argument_group("sending")
    group.add_argument(
        "--key", type=_key, help="the Idempotency-Key of an earlier try, or your own"
    )
    if editing:
        group.add_argument(
            "--if-match", metavar="ETAG", type=_etag,
            help="only if the item is still this version (`publisher show` tells)",
        )  # fmt: skip
    group.add_argument(
        "--at",
        metavar="TIME",
        help=f"when it happened, {A_TIME}; needs an import token",
    )


def add_yes(parser: ArgumentParser) -> None:
    """Add the answer to a question that is asked at a terminal."""
    parser.add_argument("--yes", action="store_true", help="do not ask first")


def add_words(parser: ArgumentParser, *, headline: bool) -> None:
    """Add what may stand free: `-` for a body on stdin, and a post's headline."""
    if headline:
        help_text = "a headline in quotes, and - to read the body from stdin"
    else:
        help_text = "read the body from stdin"
    metavar = "HEADLINE -" if headline else "-"
    parser.add_argument("words", nargs="*", metavar=metavar, help=help_text)


def take_words(args: Namespace, *, headline: bool) -> None:
    """Set `stdin` and `headline` from the free words. Raises Misused."""
    words = list(args.words)
    args.stdin = "-" in words
    if args.stdin:
        words.remove("-")
    if headline and words:
        if args.headline is not None:
            raise Misused("give the headline once, free or as --headline")
        args.headline = words.pop(0)
    if words:
        hint = (
            "put a headline of several words in quotes" if headline else "use --headline or --body"
        )
        raise Misused(f"{words[0]!r} is too much; {hint}")


def add_note(parser: ArgumentParser, meaning: str, *, required: bool = False) -> None:
    """Add the note, whose readers depend on the verb."""
    parser.add_argument("--note", metavar="TEXT", required=required, help=meaning)


def add_content(parser: ArgumentParser, *, editing: bool) -> None:
    """Add everything that an item says."""
    group = parser.add_argument_group("what it says")
    group.add_argument("--headline", metavar="TEXT")
    group.add_argument("--body", metavar="TEXT", help="the text; - reads it from stdin")
    group.add_argument("--edit", action="store_true", help="write headline and body in $EDITOR")
    group.add_argument("--file", metavar="PATH", help="headline on the first line, body below it")
    group.add_argument("--byline", metavar="NAME")
    group.add_argument("--source", metavar="NAME")
    group.add_argument("--url", metavar="URL", help="where the story can be read in full")
    tags = group.add_mutually_exclusive_group()
    tags.add_argument("--tag", action="append", help="repeat for more; replaces all earlier tags")
    if editing:
        tags.add_argument("--no-tags", action="store_true")
    group.add_argument("--breaking", action=argparse.BooleanOptionalAction)
    group.add_argument("--language", metavar="TAG", help="such as en or uk")
    group.add_argument("--occurred-at", metavar="TIME", help=A_TIME)
    group.add_argument(
        "--media", metavar="URL", action=NextMedium, help="a picture; repeat for more, replaces all"
    )
    for option, metavar, what in (
        ("--alt", "TEXT", "what that picture shows"),
        ("--credit", "NAME", "whose that picture is"),
        ("--size", "WxH", "that picture's size in pixels"),
    ):
        group.add_argument(option, metavar=metavar, action=OfMedium, help=f"{what}, after --media")
    if editing:
        group.add_argument(
            "--clear", metavar="FIELD", action="append", type=_clearable,
            help=f"leave a field empty: {', '.join(CLEARABLE)}",
        )  # fmt: skip


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
            raise Misused(f"--clear {option} and a new {option} do not go together")
        fields[name] = None
    check_text(fields)
    return fields


def check_text(value: Any) -> None:
    """Refuse what came in as bytes that are no UTF-8. Raises Misused."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            check_text(part)
    elif isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as fault:
            raise Misused(
                f"character {fault.start + 1} of {value[:40]!r} is not UTF-8; "
                "check the terminal's encoding"
            ) from None


def words_of(fields: Json) -> list[str]:
    """Return the command-line words that `fields_of` would read as these fields."""
    words: list[str] = []
    for name, value in fields.items():
        option = f"--{name.replace('_', '-')}"
        if value is None:
            words += ["--clear", option[2:]]
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
        side = {"alt": "--alt", "credit": "--credit", "width": "--size", "height": "--size"}
        return side.get(part, "--media")
    if name == "origin":
        return f"--origin-{part}" if part else "--origin-uri"
    if name == "tags":
        return "--tag"
    return f"--{name.replace('_', '-')}" if name else ""


def _slug(text: str) -> str:
    if not is_slug(text):
        raise Misused(f"{text!r} cannot be a feed's name, which has a-z, 0-9 and - only")
    return text


def _item(text: str) -> int:
    if not text.isdecimal() or not text.isascii() or len(text) > 15 or not int(text):
        raise Misused(f"{text!r} is not an item number; see: publisher list")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 600:
        raise Misused(f"--timeout takes a number of seconds, at most 600, not {text!r}")
    return seconds


def _key(text: str) -> str:
    if not _KEY.fullmatch(text):
        raise Misused("--key takes 1 to 128 visible ASCII characters, without spaces")
    return text


def _etag(text: str) -> str:
    tag = text.strip().removeprefix("W/").strip('"')
    if not _KEY.fullmatch(tag):
        raise Misused("--if-match takes a version such as 131-x7Kd; `publisher show` tells it")
    return tag


def _clearable(text: str) -> str:
    if text not in CLEARABLE:
        raise Misused(f"--clear takes one of {', '.join(CLEARABLE)}, not {text!r}")
    return text
