"""`publisher correct`: we were wrong."""

from feedserver.model import Verb
from publisher.editing.revising import revising

COMMAND = revising(
    Verb.CORRECT,
    'publisher correct 131 --note "An earlier version named the wrong town." --edit',
    note="what was wrong: readers see it with the correction, for good",
    note_needed=True,
    content=True,
)
