"""The verbs of the command line, one module each."""

from publisher.commands import (
    correct,
    fix,
    hold,
    kill,
    login,
    pin,
    post,
    release,
    show,
    unpin,
    update,
    watch,
)
from publisher.commands import list_items as list
from publisher.editing.call import Command

COMMANDS: dict[str, Command] = {
    module.COMMAND.name: module.COMMAND
    for module in (
        login, post, fix, update, correct, hold, release, kill, pin, unpin, list, show, watch,
    )
}  # fmt: skip
