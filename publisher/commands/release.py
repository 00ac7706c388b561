"""`publisher release`: the doubt is cleared."""

from feedserver.model import Verb
from publisher.editing.revising import revising

COMMAND = revising(
    Verb.RELEASE,
    "publisher release 131",
    note="for colleagues only",
)
