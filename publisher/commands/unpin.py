"""`publisher unpin`: back to its position."""

from feedserver.model import Verb
from publisher.editing.revising import revising

COMMAND = revising(
    Verb.UNPIN,
    "publisher unpin 131",
    note="for colleagues only",
)
