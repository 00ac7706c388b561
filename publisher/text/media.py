"""Pictures on the command line: --media begins one, --picture names one that the item has.

What follows describes it.
"""

from __future__ import annotations

import re
from argparse import SUPPRESS, Action, ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from publisher.failures import Misused

if TYPE_CHECKING:
    from feedserver.wire import Json

_SIZE = re.compile(r"([1-9][0-9]{0,8})x([1-9][0-9]{0,8})")


class NextMedium(Action):
    """Begin another medium."""

    def __call__(
        self,
        parser: ArgumentParser,
        namespace: Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Add its address."""
        namespace.describing = {"url": values}
        namespace.media = [*(namespace.media or ()), namespace.describing]


class KnownMedium(Action):
    """Name a picture that the item has, by its number."""

    def __call__(
        self,
        parser: ArgumentParser,
        namespace: Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Add its number. Raises Misused."""
        text = str(values)
        if not text.isdecimal() or not text.isascii() or len(text) > 3 or not int(text):
            raise Misused(f"--picture must be the number that `publisher show` tells, not {text!r}")
        namespace.describing = {"number": int(text)}
        namespace.picture = [*(namespace.picture or ()), namespace.describing]


class OfMedium(Action):
    """Say something about the medium before."""

    def __init__(self, option_strings: Sequence[str], dest: str, **more: Any) -> None:
        self.name = dest
        super().__init__(option_strings, SUPPRESS, **more)

    def __call__(
        self,
        parser: ArgumentParser,
        namespace: Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Add it. Raises Misused where no medium was begun."""
        medium = getattr(namespace, "describing", None)
        if medium is None:
            also = " or --picture" if hasattr(namespace, "picture") else ""
            raise Misused(f"--{self.name} comes after the --media{also} that it describes")
        if self.name != "size":
            medium[self.name] = values
            return
        found = _SIZE.fullmatch(str(values))
        if not found:
            raise Misused(f"--size must be as 1200x800, not {values!r}")
        medium["width"], medium["height"] = int(found[1]), int(found[2])


def medium_words(medium: Json) -> list[str]:
    """Return the words that say all of this about a picture."""
    if "number" in medium:
        words = [f"--picture={medium['number']}"]
    else:
        words = [f"--media={medium['url']}"]
    words += [f"--{name}={medium[name]}" for name in ("alt", "caption", "credit") if name in medium]
    if "width" in medium:
        words.append(f"--size={medium['width']}x{medium['height']}")
    return words
