"""Headline and body as they are written in $EDITOR."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path

from publisher.failures import Misused
from publisher.text.saved import SavedText
from publisher.text.typed import SCISSORS, Text, decode, read_bytes

_MARKUP = """\
a blank line between paragraphs, **bold**, *italic*, [a link](https://…),
"- " or "1. " before the entries of a list, "> " before what somebody said.
"""
_HINT = f"""\
The first line is the headline. Leave a blank line, then write the text:
{_MARKUP}Nothing is sent if the headline is empty or nothing was changed.
"""
_BODY_HINT = f"""\
Write the text above:
{_MARKUP}Nothing is sent if it is empty or nothing was changed.
"""


def write_in_editor(start: Text, about: str, saved: SavedText, environ: Mapping[str, str]) -> Text:
    """Open $VISUAL, $EDITOR or vi on a text and return what was written. Raises Misused."""
    return Text.parse(_written(f"{start}\n", f"{about}\n{_HINT}", saved, environ))


def write_body_in_editor(
    start: str, about: str, saved: SavedText, environ: Mapping[str, str]
) -> str:
    """Do the same with a text that has no headline."""
    written = _written(f"{start}\n\n", f"{about}\n{_BODY_HINT}", saved, environ)
    return Text.of(None, written).body or ""


def _written(start: str, about: str, saved: SavedText, environ: Mapping[str, str]) -> str:
    below = f"{SCISSORS}\n{about}"
    content = f"{start}{below}"
    path = saved.save(content)
    try:
        _edit(path, environ)
        lines = decode(read_bytes(path), str(path)).replace("\r\n", "\n").split("\n")
        # Whoever deletes the scissors line still publishes nothing of what stood below it.
        ours = {line for line in below.split("\n") if line}
        return "\n".join(takewhile(lambda line: line not in ours, lines))
    except Misused:
        if not _was_written(path, content):
            saved.remove()
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


def _was_written(path: Path, content: str) -> bool:
    """Say whether the file holds more than was put there for the editor."""
    try:
        return path.read_bytes() not in {b"", content.encode()}
    except OSError:
        return False
