"""Headline and body as they were typed: on the command line, on stdin or in a file.

Such a file has the headline on its first line (blank: not sent) and the body below.
"""

from __future__ import annotations

import codecs
import re
import sys
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from publisher.failures import Misused
from publisher.text.saved import SavedText

if TYPE_CHECKING:
    from feedserver.wire import Json

SCISSORS = "-- >8 -- nothing from this line on is sent --"
# A mark at the beginning names the encoding beyond doubt. The longer ones begin as shorter ones do.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)


@dataclass(frozen=True, slots=True)
class Text:
    """A headline and a body. None: not given; an empty body clears it."""

    headline: str | None = None
    body: str | None = None

    @classmethod
    def of(cls, headline: str | None, body: str | None) -> Text:
        """Return the text as the server would keep it, so that it reads back from a file alike."""
        if headline is not None:
            headline = re.sub(r"\s*[\r\n]+\s*", " ", headline).strip()
        if body is not None:
            body = body.replace("\r\n", "\n").replace("\r", "\n").strip("\n").rstrip()
        return cls(headline, body)

    @classmethod
    def parse(cls, text: str) -> Text:
        """Read a file's text; what is blank in it is not given."""
        lines = text.replace("\r\n", "\n").split("\n")
        if SCISSORS in lines:
            lines = lines[: lines.index(SCISSORS)]
        found = cls.of(lines[0] if lines else "", "\n".join(lines[1:]))
        return cls(found.headline or None, found.body or None)

    def fields(self) -> Json:
        """Return the fields of a request."""
        given: Json = {}
        if self.headline is not None:
            given["headline"] = self.headline
        if self.body is not None:
            given["body"] = self.body or None
        return given

    def changed_from(self, old: Text) -> Text:
        """Return only what differs from `old`; a text that is gone clears the body."""
        return Text(
            self.headline if self.headline != old.headline else None,
            (self.body or "") if (self.body or "") != (old.body or "") else None,
        )

    def __str__(self) -> str:
        return f"{self.headline or ''}\n\n{self.body or ''}\n"


def read_typed(args: Namespace, saved: SavedText) -> Text:
    """Return what the options, a file or stdin give. Raises Misused."""
    check_text([args.headline, args.body])
    sources = [args.body is not None, args.stdin, args.file is not None]
    if sum(sources) > 1:
        raise Misused("give the body once: as --body TEXT, as - from stdin, or as --file PATH")
    if args.edit and (args.stdin or args.body == "-" or args.file == "-"):
        raise Misused("--edit needs the terminal that - reads from; give one of them")
    if args.file is not None:
        if args.headline is not None:
            raise Misused("--file holds the headline; leave the other one out")
        return _read_file(args, saved)
    if args.stdin or args.body == "-":
        text = Text.of(args.headline, read_stdin(saved, _clearing(args)))
        saved.try_to_save(str(text))
        return text
    return Text.of(args.headline, args.body)


def read_stdin(saved: SavedText, clearing: str) -> str:
    """Return the text on stdin. Raises Misused, with `clearing` where nothing comes."""
    if sys.stdin is None:
        raise Misused("stdin is closed, so no text can come from it; nothing was sent")
    if sys.stdin.isatty():
        print("Type the text; end with Ctrl-D on a line of its own.", file=sys.stderr)
    try:
        data = sys.stdin.buffer.read()
    except OSError as fault:
        raise Misused(f"stdin cannot be read ({fault.strerror}); nothing was sent") from None
    try:
        text = decode(data, "stdin")
    except Misused:
        saved.try_to_save(data)
        raise
    if not text.strip():
        # A command before the pipe that failed must not take the text away.
        raise Misused(f"nothing came on stdin; nothing was sent{clearing}", see_help=False)
    return text


def check_text(value: Any) -> None:
    """Refuse text whose bytes were not UTF-8. Raises Misused."""
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


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes. Raises Misused."""
    try:
        return path.read_bytes()
    except OSError as fault:
        raise Misused(f"{path} cannot be read: {fault.strerror}") from None


def decode(data: bytes, name: str) -> str:
    """Return the text of a file or of stdin: UTF-8, or what its mark says. Raises Misused."""
    found = (known for known in _MARKS if data.startswith(known[0]))
    _, codec, encoding = next(found, (b"", "utf-8", "UTF-8"))
    try:
        return data.decode(codec)
    except UnicodeDecodeError as fault:
        raise Misused(
            f"{name} is not {encoding} (byte {fault.start + 1}); nothing was sent"
        ) from None


def _clearing(args: Namespace) -> str:
    return "; to clear the text: --clear body" if hasattr(args, "clear") else ""


def _read_file(args: Namespace, saved: SavedText) -> Text:
    if args.file == "-":
        text = Text.parse(read_stdin(saved, _clearing(args)))
        saved.try_to_save(str(text))
        return text
    saved.path = Path(args.file)
    return Text.parse(decode(read_bytes(saved.path), args.file))
