"""`publisher fix`: a typo, a link, a tag."""

from feedserver.model import Verb
from publisher.editing.revising import revising

COMMAND = revising(
    Verb.FIX,
    'publisher fix 131 --headline "Drone strike on bus in Sumy Oblast kills 9"',
    "publisher fix 131 --tag ukraine --tag sumy",
    "publisher fix 131 --edit",
    note="for colleagues only",
    content=True,
)
