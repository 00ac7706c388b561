"""The options that verbs share."""

from __future__ import annotations

import argparse
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Callable

from feedserver.model import is_slug
from publisher.failures import Misused
from publisher.parser import Parser
from publisher.server.profile import chosen_name
from publisher.text.item_name import ItemName, read_item_name
from publisher.text.media import KnownMedium, NextMedium, OfMedium

CLEARABLE = (
    "body", "occurred-at", "byline", "source", "url", "tags", "breaking", "language", "media",
)  # fmt: skip
TIMEOUT = 30.0  # seconds for all tries; an editor who waits longer has lost the thread
TIMEOUT_MAX = 600  # seconds
TIME_EXAMPLE = "such as 10:13, “yesterday 18:00” or 2025-05-17T06:17+03:00"
_KEY = re.compile(r"[\x21-\x7e]{1,128}")


def add_common(parser: ArgumentParser) -> None:
    """Add what every verb has."""
    group = parser.add_argument_group("every verb")
    group.add_argument("--feed", metavar="SLUG", type=_slug, help="the feed, if not the usual one")
    group.add_argument(
        "--as", metavar="NAME", dest="profile", type=_profile,
        help="with the profile that `publisher login URL --as NAME` saved",
    )  # fmt: skip
    group.add_argument(
        "--timeout", metavar="SECONDS", type=_seconds, default=TIMEOUT,
        help="how long the server is tried and waited for in all (30)",
    )  # fmt: skip
    group.add_argument(
        "--insecure", action="store_true", help="send the token over plain http to another machine"
    )


def count(text: str) -> int:
    """Read the whole number that --limit takes. Raises Misused."""
    if not text.isdecimal() or not text.isascii() or len(text) > 9 or not int(text):
        raise Misused(f"--limit must be a positive whole number, not {text!r}")
    return int(text)


def add_item(parser: Parser) -> None:
    """Add the item, which comes first."""
    parser.when_missing(
        "ID",
        f"which item? its number comes first: {parser.prog} 131 … (a shell takes #131 for a "
        "comment: leave # out, or put it in quotes)",
    )
    parser.add_argument(
        "id", type=_item, metavar="ID",
        help="the item's number, as `publisher list` shows it; its address; or last, or last:2, "
        "which you posted or changed last from here",
    )  # fmt: skip


def add_sending(parser: ArgumentParser, *, editing: bool, writing: bool = False) -> None:
    """Add what every verb that changes something has.

    `editing`: it is for an item that is there. `writing`: it changes the words of one.
    """
    group = parser.add_argument_group("sending")
    group.add_argument(
        "--key", type=_key, help="the Idempotency-Key of an earlier try, or your own"
    )
    if editing:
        group.add_argument(
            "--if-match", metavar="ETAG", type=_etag("--if-match"),
            help="only if the item is still this version (`publisher show` tells)",
        )  # fmt: skip
    if writing:
        group.add_argument(
            "--seen", metavar="ETAG", type=_etag("--seen"),
            help="the version that you wrote from, if it is not the one that you were shown last",
        )  # fmt: skip
        group.add_argument(
            "--overwrite", action="store_true",
            help="write over what others changed meanwhile, whatever it is",
        )  # fmt: skip
    group.add_argument(
        "--at",
        metavar="TIME",
        help=f"when it happened, {TIME_EXAMPLE}; needs an import token",
    )


def add_yes(parser: ArgumentParser) -> None:
    """Add the answer to a question that is asked at a terminal."""
    parser.add_argument("--yes", action="store_true", help="do not ask first")


def add_words(parser: ArgumentParser, *, headline: bool) -> None:
    """Add the arguments beside the options: `-` for a body on stdin, and a post's headline."""
    if headline:
        help_text = "a headline in quotes, and - to read the body from stdin"
    else:
        help_text = "read the body from stdin"
    metavar = "HEADLINE -" if headline else "-"
    parser.add_argument("words", nargs="*", default=[], metavar=metavar, help=help_text)


def take_words(args: Namespace, *, headline: bool) -> None:
    """Set `stdin` and `headline` from the arguments. Raises Misused."""
    words = list(args.words)
    args.stdin = "-" in words
    if args.stdin:
        words.remove("-")
    if headline and words:
        if args.headline is not None:
            raise Misused("give the headline once, as an argument or as --headline")
        args.headline = words.pop(0)
    if words:
        hint = (
            "put a headline of several words in quotes" if headline else "use --headline or --body"
        )
        raise Misused(f"unexpected argument: {words[0]}; {hint}")


def add_note(parser: ArgumentParser, help_text: str, *, required: bool = False) -> None:
    """Add the note, whose readers depend on the verb."""
    parser.add_argument("--note", metavar="TEXT", required=required, help=help_text)


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
        for option, what in (("--add-tag", "one tag more"), ("--remove-tag", "one tag less")):
            group.add_argument(
                option, metavar="TAG", action="append", help=f"{what}; the others stay"
            )
    group.add_argument("--breaking", action=argparse.BooleanOptionalAction)
    group.add_argument("--language", metavar="TAG", help="such as en or uk")
    group.add_argument("--occurred-at", metavar="TIME", help=TIME_EXAMPLE)
    group.add_argument(
        "--media",
        metavar="URL",
        action=NextMedium,
        help="a picture, video or sound; repeat for more, replaces all",
    )
    after = "after --media"
    if editing:
        after += " or --picture"
        group.add_argument(
            "--picture", metavar="N", action=KnownMedium,
            help="a picture that the item has, by its number; the others stay",
        )  # fmt: skip
    for option, metavar, what in (
        ("--alt", "TEXT", "what that picture shows"),
        ("--caption", "TEXT", "what stands below that picture"),
        ("--credit", "NAME", "whose that picture is"),
        ("--size", "WxH", "that picture's size in pixels"),
    ):
        group.add_argument(option, metavar=metavar, action=OfMedium, help=f"{what}, {after}")
    if editing:
        group.add_argument(
            "--clear", metavar="FIELD", action="append", type=_clearable,
            help=f"leave a field empty: {', '.join(CLEARABLE)}",
        )  # fmt: skip


def _slug(text: str) -> str:
    if not is_slug(text):
        raise Misused(f"{text!r} cannot be a feed's name, which has only a-z, 0-9 and -")
    return text


def _profile(text: str) -> str:
    return chosen_name({}, text)


def _item(text: str) -> ItemName:
    name = read_item_name(text)
    if name is None:
        raise Misused(
            f"{text!r} is not an item's number, nor its address, nor last; see: publisher list"
        )
    return name


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= TIMEOUT_MAX:
        raise Misused(f"--timeout must be a number of seconds up to {TIMEOUT_MAX}, not {text!r}")
    return seconds


def _key(text: str) -> str:
    if not _KEY.fullmatch(text):
        raise Misused("--key must be 1 to 128 visible ASCII characters, without spaces")
    return text


def _etag(option: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        tag = text.strip().removeprefix("W/").strip('"')
        if not _KEY.fullmatch(tag):
            raise Misused(f"{option} must be a version such as 131-x7Kd; `publisher show` tells it")
        return tag

    return read


def _clearable(text: str) -> str:
    if text not in CLEARABLE:
        raise Misused(f"--clear must be one of {', '.join(CLEARABLE)}, not {text!r}")
    return text
