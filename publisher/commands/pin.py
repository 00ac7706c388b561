"""`publisher pin`: keep it on top."""

from feedserver.model import Verb
from publisher.editing.revising import command

COMMAND = command(
    Verb.PIN,
    "keep it on top of the feed",
    "publisher pin 131",
    note="for colleagues only",
)
