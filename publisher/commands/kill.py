"""`publisher kill`: the item must not be shown."""

from feedserver.model import Verb
from publisher.editing.revising import command

COMMAND = command(
    Verb.KILL,
    "it must not be shown; readers see “Withdrawn” and the note, the text is erased for good",
    'publisher kill 131 --note "This item named a victim before the family was told."',
    note="why: readers see it in the item's place",
    note_needed=True,
    asks=True,
)
