"""`publisher release`: the doubt is cleared."""

from feedserver.model import Verb
from publisher.editing.revising import command

COMMAND = command(
    Verb.RELEASE,
    "it is cleared; the mark “Being checked” goes",
    "publisher release 131",
    note="for colleagues only",
)
