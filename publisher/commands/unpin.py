"""`publisher unpin`: back to its place."""

from feedserver.model import Verb
from publisher.editing.revising import command

COMMAND = command(
    Verb.UNPIN,
    "let it go back to its place in the feed",
    "publisher unpin 131",
    note="for colleagues only",
)
