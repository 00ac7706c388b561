"""`publisher update`: the story moved on."""

from feedserver.model import Verb
from publisher.editing.revising import revising

COMMAND = revising(
    Verb.UPDATE,
    'publisher update 131 --headline "Drone strike on bus kills 9, injures 7"',
    "publisher update 131 - < text.txt",
    "publisher update 131 --edit",
    note="for colleagues only",
    content=True,
)
