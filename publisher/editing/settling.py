"""What becomes of a command that is kept in the outbox while it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from feedserver.errors import Stale
from publisher.editing.call import Call
from publisher.editing.edit import DONE, Edit
from publisher.editing.fields import option_for
from publisher.editing.keeping import note_not_reached, note_refused
from publisher.failures import Misused, NotReached, ServerRefusal
from publisher.text.outbox import Kept
from publisher.text.saved import SavedText


@contextmanager
def settling(call: Call, edit: Edit, saved: SavedText, kept: Kept | None) -> Iterator[None]:
    """Note in the outbox what becomes of an edit that is sent in this context."""
    try:
        yield
    except NotReached as failure:
        note_not_reached(call, edit, saved, kept, failure)
        raise
    except ServerRefusal as refusal:
        note_refused(call, edit, saved, kept, refusal, add_reasons(edit, refusal))
        raise
    except (Misused, KeyboardInterrupt):  # before anything was sent
        if kept is not None:
            kept.give_back()
        raise
    if kept is not None:
        kept.remove()


def add_reasons(edit: Edit, refusal: ServerRefusal) -> str:
    """Add to a refusal what it is about, and return it in one sentence."""
    why = str(refusal.problem["detail"])
    refusal.add(key=edit.key)
    listed = refusal.problem.get("errors")
    errors = (
        [error for error in listed if isinstance(error, dict)] if isinstance(listed, list) else []
    )
    if errors:
        refusal.headline = f"not {DONE[edit.verb].lower()}:"
        lines = []
        for error in errors:
            error["option"] = option_for(str(error.get("pointer", "")))
            option = f"{error['option']}: " if error["option"] else ""
            lines.append(f"{option}{error.get('detail', '')}")
        refusal.add(*(f"  {line}" for line in lines))
        why = "; ".join(lines)
    elif refusal.status == Stale.status:
        why = refusal.headline
    return why
