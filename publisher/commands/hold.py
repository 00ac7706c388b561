"""`publisher hold`: the item is under doubt."""

from feedserver.model import Verb
from publisher.editing.revising import revising

COMMAND = revising(
    Verb.HOLD,
    'publisher hold 131 --note "the ministry denies it, calling them"',
    note="for colleagues only",
)
