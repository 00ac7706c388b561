"""What `check` can find."""

from __future__ import annotations

from dataclasses import dataclass

DATABASE_FAULT = "database"  # SQLite finds its file damaged
UNREADABLE = "unreadable"  # a record or its slot was changed, cut or swapped
MISSING = "missing"  # records that should be there are not
UNEXPLAINED = "unexplained"  # a key is gone, and no kill or redact says so
NOT_ERASED = "not-erased"  # a kill or redact is not executed
CONTRADICTION = "contradiction"  # the state does not follow from the records
FUTURE = "future"  # an item bears a time that has not come yet
WENT_BACK = "went-back"  # the journal lacks records that were committed


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `item` is set where a repair can do something for an item."""

    kind: str
    detail: str
    sequence: int | None = None
    item: int | None = None
