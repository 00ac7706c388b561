"""Headline and body as they were typed: on the command line, on stdin, in a file, in $EDITOR.

What was typed anywhere but on the command line is kept in a file from then on, until the server
has it. Such a file has the headline on its first line (blank: not sent) and the body below.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
import signal
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from pathlib import Path

from feedserver.wire import Json
from publisher.editing.options import check_text
from publisher.failures import Misused, as_failure
from publisher.server.profile import folder, write_private

SCISSORS = "-- >8 -- nothing from this line on is sent --"
_HINT = """\
The first line is the headline. Leave a blank line, then write the text:
a blank line between paragraphs, **bold**, *italic*, [a link](https://…).
Nothing is sent if the headline is empty or nothing was changed.
"""


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


@dataclass(slots=True)
class Kept:
    """Where the text lies. `ours` is removed once the server has it; a file of the editor stays."""

    path: Path | None = None
    ours: bool = False

    def keep(self, content: str | bytes, environ: Mapping[str, str]) -> Path:
        """Write the text to a private file, the same one each time. Raises Misused."""
        name = f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}.txt"
        path = folder(environ, "XDG_STATE_HOME", ".local/state") / "texts" / name
        if self.ours and self.path is not None:
            path = self.path
        try:
            write_private(path, content if isinstance(content, bytes) else content.encode())
        except OSError as fault:
            raise Misused(f"no place to keep the text at {path}: {fault.strerror}") from None
        self.path, self.ours = path, True
        return path

    def forget(self) -> None:
        """Remove the file: nothing in it is worth keeping."""
        if self.ours and self.path is not None:
            self.path.unlink(missing_ok=True)
        self.path, self.ours = None, False


@contextmanager
def keeping() -> Iterator[Kept]:
    """Hand out a place for the text. On failure its path is told, on success it is removed."""
    kept = Kept()
    try:
        yield kept
    except BrokenPipeError:
        raise  # only the result was not read to its end
    except (Exception, KeyboardInterrupt) as fault:
        failure = as_failure(fault)
        if kept.ours:
            failure.add(f"Your text is saved in {kept.path}", saved=str(kept.path))
        raise failure from None
    kept.forget()


def read_typed(args: Namespace, kept: Kept, environ: Mapping[str, str]) -> Text:
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
        return _read_file(args, kept, environ)
    body = args.body
    if args.stdin or body == "-":
        if sys.stdin is not None and sys.stdin.isatty():
            print("Type the text; end with Ctrl-D on a line of its own.", file=sys.stderr)
        text = Text.of(args.headline, _read_stdin(args, kept, environ))
        kept.keep(str(text), environ)
        return text
    return Text.of(args.headline, body)


def write_in_editor(start: Text, about: str, kept: Kept, environ: Mapping[str, str]) -> Text:
    """Open $VISUAL, $EDITOR or vi on the text and return what was made of it. Raises Misused."""
    below = f"{SCISSORS}\n{about}\n{_HINT}"
    content = f"{start}\n{below}"
    path = kept.keep(content, environ)
    try:
        _edit(path, environ)
        lines = _decode(_read_bytes(path), str(path)).replace("\r\n", "\n").split("\n")
        # Whoever deletes the scissors line still publishes nothing of what stood below it.
        ours = {line for line in below.split("\n") if line}
        own = takewhile(lambda line: line not in ours, lines)
        return Text.parse("\n".join(own))
    except Misused:
        if not _holds_words(path, content):
            kept.forget()
        raise


def _edit(path: Path, environ: Mapping[str, str]) -> None:
    command = environ.get("VISUAL") or environ.get("EDITOR") or "vi"
    # Ctrl-C belongs to the editor meanwhile; a handler, unlike SIG_IGN, is not handed down to it.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        ended = subprocess.run([*shlex.split(command), os.fspath(path)], check=False)  # noqa: S603
    except (OSError, ValueError) as fault:
        raise Misused(
            f"the editor {command!r} cannot be started ({fault}); set EDITOR", see_help=False
        ) from None
    finally:
        signal.signal(signal.SIGINT, before)
    if ended.returncode:
        status = ended.returncode
        raise Misused(f"the editor ended with status {status}; nothing was sent", see_help=False)


def _holds_words(path: Path, content: str) -> bool:
    """Say whether the file has more in it than what was put there for the editor."""
    try:
        return path.read_bytes() not in {b"", content.encode()}
    except OSError:
        return False


def _read_stdin(args: Namespace, kept: Kept, environ: Mapping[str, str]) -> str:
    if sys.stdin is None:
        raise Misused("stdin is closed, so no text can come from it; nothing was sent")
    try:
        data = sys.stdin.buffer.read()
    except OSError as fault:
        raise Misused(f"stdin cannot be read ({fault.strerror}); nothing was sent") from None
    try:
        text = _decode(data, "stdin")
    except Misused:
        kept.keep(data, environ)
        raise
    if not text.strip():
        # A command before the pipe that failed must not take the text away.
        clearing = "; to clear the text: --clear body" if hasattr(args, "clear") else ""
        raise Misused(f"nothing came on stdin; nothing was sent{clearing}", see_help=False)
    return text


def _read_file(args: Namespace, kept: Kept, environ: Mapping[str, str]) -> Text:
    if args.file == "-":
        text = Text.parse(_read_stdin(args, kept, environ))
        kept.keep(str(text), environ)
        return text
    kept.path = Path(args.file)
    return Text.parse(_decode(_read_bytes(kept.path), args.file))


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise Misused(f"{path} cannot be read: {fault.strerror}") from None


def _decode(data: bytes, name: str) -> str:
    try:
        return data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as fault:
        raise Misused(f"{name} is not UTF-8 (byte {fault.start + 1}); nothing was sent") from None
