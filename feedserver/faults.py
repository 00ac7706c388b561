"""What is wrong with a request, collected: an editor on deadline reads all of it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from feedserver.errors import FieldError, Invalid

Check = Callable[[Any], Any]
"""Returns what is stored of a raw JSON value. Raises ValueError with the end of a sentence that
begins with the field's name."""

ERRORS_MAX = 20  # faults told at once, however many a request has
NAME_MAX = 80  # characters of an unknown field's name in an answer


class Faults:
    """What is wrong with a request: the first `ERRORS_MAX` faults, and how many more there are."""

    def __init__(self) -> None:
        self.told: list[FieldError] = []
        self.count = 0

    def __bool__(self) -> bool:
        return self.count > 0

    def add(self, pointer: str, detail: str) -> None:
        """Note that the field at `pointer` is wrong."""
        self.count += 1
        if self.count <= ERRORS_MAX:
            self.told.append(FieldError(pointer, detail))

    def add_unknown(self, names: Iterable[str], detail: str | Callable[[str], str]) -> None:
        """Note fields that there are not, each with the same sentence or with one of its own."""
        for name in sorted(names):
            self.add(f"/{escaped(name)}", detail if isinstance(detail, str) else detail(name))

    def has(self, pointer: str) -> bool:
        """Say whether that field was found wrong."""
        return any(fault.pointer == pointer for fault in self.told)

    def take(self, pointer: str, check: Check, value: Any) -> Any:
        """Return what `check` makes of a value; None where it is wrong."""
        try:
            return check(value)
        except _Inside as inside:
            for fault in inside.faults.told:
                self.add(pointer + fault.pointer, fault.detail)
            self.count += inside.faults.count - len(inside.faults.told)
        except ValueError as fault:
            self.add(pointer, str(fault))
        return None

    def take_each(self, checks: Mapping[str, Check], given: dict[str, Any]) -> dict[str, Any]:
        """Return what the checks make of those of their fields that were given; null stays None."""
        return {
            name: None if given[name] is None else self.take(f"/{name}", check, given[name])
            for name, check in checks.items()
            if name in given
        }

    def raise_all(self) -> None:
        """Raise Invalid if anything was found. The last fault says how many are left out."""
        if not self:
            return
        errors = list(self.told)
        if more := self.count - len(errors):
            last, others = errors[-1], "1 more fault" if more == 1 else f"{more} more faults"
            errors[-1] = FieldError(
                last.pointer, f"{last.detail} (and {others}, which are not listed)"
            )
        raise Invalid(errors)

    def raise_inside(self) -> None:
        """Raise, within a checker, what was found inside of its value."""
        if self:
            raise _Inside(self)


class _Inside(ValueError):
    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self.faults = faults


def members(raw: object, faults: Faults) -> dict[str, Any]:
    """Return the members of a JSON object; notes if it is none."""
    if isinstance(raw, dict):
        return raw
    faults.add("", "send a JSON object")
    return {}


def escaped(name: str) -> str:
    """Write a member's name, cut if it is long, as JSON pointers have it."""
    shown = name if len(name) <= NAME_MAX else name[: NAME_MAX - 1] + "…"
    return shown.replace("~", "~0").replace("/", "~1")
