"""A text that was typed, in a file until the server has it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from publisher.failures import Misused, as_failure
from publisher.text.files import own_folder, write_private


@dataclass(slots=True)
class SavedText:
    """The file of a text. `ours` is removed once the server has it; a file of the editor stays."""

    path: Path | None = None
    ours: bool = False

    def save(self, content: str | bytes, environ: Mapping[str, str]) -> Path:
        """Write the text to a private file, the same one each time. Raises Misused."""
        name = f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}.txt"
        path = own_folder(environ, "XDG_STATE_HOME", ".local/state") / "texts" / name
        if self.ours and self.path is not None:
            path = self.path
        try:
            write_private(path, content if isinstance(content, bytes) else content.encode())
        except OSError as fault:
            raise Misused(f"the text cannot be saved at {path}: {fault.strerror}") from None
        self.path, self.ours = path, True
        return path

    def remove(self) -> None:
        """Remove the file: nothing in it is needed any more."""
        if self.ours and self.path is not None:
            self.path.unlink(missing_ok=True)
        self.path, self.ours = None, False


@contextmanager
def saving_text() -> Iterator[SavedText]:
    """Yield a text to save. A failure names its file, success removes it."""
    saved = SavedText()
    try:
        yield saved
    except BrokenPipeError:
        raise  # only the result was not read to its end
    except (Exception, KeyboardInterrupt) as fault:
        failure = as_failure(fault)
        if saved.ours:
            failure.add(f"Your text is saved in {saved.path}", saved=str(saved.path))
        raise failure from None
    saved.remove()
