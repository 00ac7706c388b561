"""How an edit goes together with what others changed since the version it was written against."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from publisher.editing import changes
from publisher.editing.edit import Edit
from publisher.text.words import WORDS, alike, differing, words_in

if TYPE_CHECKING:
    from feedserver.wire import Json


@dataclass(frozen=True, slots=True)
class Meeting:
    """An edit and the item as others left it.

    `edit`: against that version, with the fields to send. `clashes`: the fields that both sides
    changed; if there are any, it cannot be sent. `others`: those that others changed; None where
    the version that the edit was written against is not known.
    """

    edit: Edit
    clashes: list[str] = field(default_factory=list)
    others: list[str] | None = None


def meet(edit: Edit, current: Json) -> Meeting:
    """Merge by fields: an edit, its base, and the item as it is now."""
    base, now = edit.base, words_in(current)
    fields = dict(edit.fields)
    typed = [name for name in WORDS if name in fields]
    clashes, left = [], []
    for name in typed:
        same = alike(name, now.get(name), fields[name])
        if same or (base is not None and alike(name, base.get(name), now.get(name))):
            continue
        if base is not None and alike(name, base.get(name), fields[name]):
            left.append(name)  # only others changed it
        elif base is not None or now.get(name):  # else there is nothing that could be lost
            clashes.append(name)
    if left and len(left) == len(typed) and not edit.changes:
        clashes += left  # it was typed in order to stand there
    elif not clashes:
        for name in left:
            del fields[name]
    if changes.clash(edit.changes, base, now):
        clashes.append("media")
    others = None if base is None else differing(base, now)
    if clashes:
        return Meeting(edit, clashes, others)
    merged = replace(
        edit,
        etag=current["etag"],
        base=now,
        sent={**fields, **changes.apply(edit.changes, now)},
    )
    return Meeting(merged, [], others)
