"""`publisher kill`: the item must not be shown."""

from feedserver.model import Verb
from publisher.editing.revising import revising

COMMAND = revising(
    Verb.KILL,
    'publisher kill 131 --note "This item named a victim before the family was told."',
    note="why: readers see it instead of the item",
    note_needed=True,
    asks=True,
)
