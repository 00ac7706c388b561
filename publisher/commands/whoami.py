"""`publisher whoami`: whose token is used, where, and what it may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feedserver.errors import NotFound
from publisher.command_line import Command
from publisher.editing.call import Call
from publisher.editing.options import add_common
from publisher.failures import NotDone, ServerRefusal
from publisher.output import clean_line
from publisher.server.schemas import is_session
from publisher.text.items import local_time

if TYPE_CHECKING:
    from feedserver.wire import Json
    from publisher.server.client import Client


def _run(call: Call) -> None:
    with call.editor() as client:
        session = _ask(client)
    usual = call.profile.feed
    where = {"url": call.url, "as": call.profile_name, "feed": usual}
    call.screen.give({**session, **{name: value for name, value in where.items() if value}})
    call.screen.say(clean_line(f"{session['name']} at {call.url}, by {call.source_of_token}"))
    call.screen.say(clean_line(f"Edits {', '.join(session.get('feeds') or ['all feeds'])}"))
    if session.get("verbs"):
        call.screen.say(clean_line(f"May {', '.join(session['verbs'])}"))
    if usual:
        call.screen.say(clean_line(f"The feed is {usual}, unless you say --feed."))
    if session.get("import"):
        call.screen.say("May set past times and origins, as imports do.")
    if session.get("expires"):
        call.screen.say(f"Good until {local_time(session['expires'])}")


def _ask(client: Client) -> Json:
    try:
        return client.get("/v1/session", is_session).data
    except ServerRefusal as refusal:
        if refusal.status != NotFound.status:
            raise
        detail = f"{client.url} is an older server, which does not tell whose token it is"
        raise NotDone({"type": NotFound.slug, "title": NotFound.title, "detail": detail}) from None


COMMAND = Command("", add_common, _run, ("publisher whoami", "publisher whoami --as sport"))
