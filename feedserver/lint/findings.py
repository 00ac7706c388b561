"""What the check before publishing says: a finding for each thing that may be wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Code(StrEnum):
    """What may be wrong."""

    NUMBER = "number-contradicted"
    REPEATED = "repeated-headline"
    WEEKDAY = "weekday"
    DOUBLED = "doubled-word"
    ENTITY = "entity"
    MARKUP = "raw-markup"
    ALT = "no-alt"
    NOTE = "no-note"


ASKED = frozenset({Code.NUMBER, Code.REPEATED})
"""What an editor is asked about before it is sent."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`pointer` is the field's, `suggestion` its whole new text."""

    code: Code
    pointer: str
    detail: str
    suggestion: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as programs are told."""
        told: dict[str, Any] = {
            "code": self.code.value,
            "pointer": self.pointer,
            "detail": self.detail,
            "asks": self.asks,
        }
        return told if self.suggestion is None else told | {"suggestion": self.suggestion}

    @property
    def asks(self) -> bool:
        """Whether an editor is asked before it is sent."""
        return self.code in ASKED
