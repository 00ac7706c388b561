"""`publisher hold`: the item is under doubt."""

from feedserver.model import Verb
from publisher.editing.revising import command

COMMAND = command(
    Verb.HOLD,
    "it is under doubt; the text stays, marked “Being checked”",
    'publisher hold 131 --note "the ministry denies it, calling them"',
    note="for colleagues only",
)
