"""`publisher pin`: keep it on top."""

from feedserver.model import Verb
from publisher.editing.revising import revising

COMMAND = revising(
    Verb.PIN,
    "publisher pin 131",
    note="for colleagues only",
)
