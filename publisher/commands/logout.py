"""`publisher logout`: remove a saved profile, its token and what it was shown."""

from __future__ import annotations

from publisher.command_line import Command
from publisher.editing.call import Call
from publisher.editing.looking import forget_editor
from publisher.editing.options import add_common
from publisher.failures import Misused
from publisher.output import clean_line
from publisher.server.profile import Profile, chosen_name, load, remove
from publisher.text.outbox import open_outbox, waiting


def _run(call: Call) -> None:
    name = chosen_name(call.environ, call.args.profile)
    try:
        saved = load(call.environ, name)
    except Misused:
        saved = Profile(name=name)  # it cannot be read, and goes all the same
    removed = remove(call.environ, name)
    if saved.url and saved.token:
        forget_editor(saved.url, name, saved.token)
    where = {"url": saved.url} if saved.url else {}
    call.screen.give({"as": name, "removed": removed, **where})
    if removed:
        at = f" of {saved.url}" if saved.url else ""
        call.screen.say(clean_line(f"Logged out{at}: the profile {name} is removed"))
        call.screen.say("Its token is good until it is revoked: feedserver token revoke NAME")
    else:
        call.screen.say(f"There is no profile {name}; nothing changed")
    if call.environ.get("PUBLISHER_TOKEN"):
        call.screen.notice("PUBLISHER_TOKEN is set, and is still used: unset PUBLISHER_TOKEN")
    if left := _waiting(name):
        call.screen.notice(
            f"{left} of its commands in the outbox can be sent once you log in again, or dropped: "
            "publisher outbox"
        )


def _waiting(name: str) -> int:
    try:
        entries = open_outbox().entries()
    except OSError:
        return 0
    return sum(entry.profile == name for _, entry in waiting(entries))


COMMAND = Command("", add_common, _run, ("publisher logout", "publisher logout --as sport"))
