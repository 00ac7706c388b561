"""The check before publishing: asks an editor first, or tells what may be wrong afterwards.

A person at a terminal, and --strict, have the server look, which knows the feed's other headlines,
its language and zone. Elsewhere nothing waits for it: this program looks at what was stored.
"""

from __future__ import annotations

import shlex
import sys
from datetime import datetime
from typing import TYPE_CHECKING

from feedserver.errors import NotFound, WrongMethod
from feedserver.model import Verb
from publisher.editing.call import Call
from publisher.editing.edit import WRITES_WORDS, Edit
from publisher.editing.fields import option_for
from publisher.editing.lint_options import STRICT_ALL
from publisher.failures import Misused, NotReached, ServerRefusal
from publisher.output import clean_line

if TYPE_CHECKING:
    from feedserver.wire import Json
    from publisher.server.client import Client

ASKING_SECONDS = 5.0  # that a question waits for the server's look; after that it is left out
_LOOKED_AT = WRITES_WORDS | {Verb.POST}
_MENDED = frozenset({"--headline", "--byline", "--source"})  # by one short option


def look_first(call: Call, client: Client, edit: Edit) -> None:
    """Ask about what may be wrong before an edit is sent. Raises Misused, NotReached, NotDone.

    Not for a try that is repeated, nor for an import.
    """
    strict = getattr(call.args, "strict", None)
    asks = not (getattr(call.args, "no_lint", False) or call.args.key) and _at_terminal(call)
    if edit.verb not in _LOOKED_AT or not (strict or asks) or "at" in edit.fields:
        return
    item = {} if edit.item is None else {"item": edit.item, "verb": edit.verb.value}
    warnings = _looked_at(call, client, {**item, **edit.fields}, must=bool(strict))
    if strict:
        _refuse([one for one in warnings if one["asks"] or strict == STRICT_ALL])
    elif asked := [one for one in warnings if one["asks"]]:
        for one in asked:
            _tell(call, one)
        if not call.screen.ask(f"{edit.verb} it all the same?"):
            raise Misused("nothing was sent", see_help=False)


def warnings_of(edit: Edit, item: Json) -> list[Json]:
    """Look here at an item that was stored, and return what may be wrong with it."""
    if edit.verb not in _LOOKED_AT:
        return []
    from feedserver.lint import Circumstances, lint  # only now: tables of three languages
    from feedserver.lint.items import content_of

    now = datetime.now().astimezone()
    given = Circumstances(edit.verb, 0, now.date(), note=edit.fields.get("note"))
    return [finding.as_json() for finding in lint(content_of(item), given)]


def say_warnings(call: Call, data: Json) -> None:
    """Print what may be wrong with an item, with the command that puts it right."""
    for one in data.get("warnings", ()):
        _tell(call, one)
        if command := _mending(call, data["id"], one):
            call.screen.notice(f"  to put it right: {command}")


def _at_terminal(call: Call) -> bool:
    if call.screen.as_json or sys.stdin is None:
        return False
    return sys.stdin.isatty() and sys.stderr.isatty()


def _looked_at(call: Call, client: Client, body: Json, *, must: bool) -> list[Json]:
    """Return the server's warnings; `must`: without them nothing is sent."""
    try:
        return client.lint(call.feed, body, None if must else ASKING_SECONDS)
    except ServerRefusal as refusal:
        is_older = refusal.status in {NotFound.status, WrongMethod.status}
        if must and is_older:
            raise Misused(
                f"{call.url} does not check before publishing; leave --strict out", see_help=False
            ) from None
        return []  # what is refused here is refused when it is sent, in its own words
    except NotReached as failure:
        failure.in_doubt = False  # to look stores nothing
        if must:
            failure.add("Nothing was sent, as it could not be checked first.", stored="no")
            raise
        return []


def _refuse(warnings: list[Json]) -> None:
    if not warnings:
        return
    failure = Misused("nothing was sent, as --strict was given:", see_help=False)
    failure.add(*(f"  {_sentence(one)}" for one in warnings), stored="no", warnings=warnings)
    raise failure


def _tell(call: Call, warning: Json) -> None:
    call.screen.notice(_sentence(warning))


def _sentence(warning: Json) -> str:
    option = option_for(str(warning["pointer"]))
    return clean_line(f"{warning['code']}, {option or 'the item'}: {warning['detail']}")


def _mending(call: Call, item: int, warning: Json) -> str:
    """Return the command that does what a warning suggests; empty where it takes an editor."""
    suggestion, option = warning.get("suggestion"), option_for(str(warning["pointer"]))
    if suggestion and option in _MENDED:
        return shlex.join(["publisher", "fix", str(item), *call.choosing, f"{option}={suggestion}"])
    if suggestion and option == "--body":
        return shlex.join(["publisher", "fix", str(item), *call.choosing, "--edit"])
    return ""
