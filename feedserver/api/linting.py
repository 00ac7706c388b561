"""The door of the check before publishing: what may be wrong with an item, changing nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feedserver import draft as drafts
from feedserver.api.access import check_may_edit
from feedserver.api.context import Context, context
from feedserver.api.editing import json_response, read_json
from feedserver.api.lookups import feed_named, item_or_tombstone
from feedserver.api.queries import ID_DIGITS
from feedserver.errors import FieldError, Invalid, Killed
from feedserver.lint import REPEATED_WITHIN, Circumstances, Recent, lint
from feedserver.model import Content, Item, Millis, Status, Verb
from feedserver.rules import WRITES_WORDS

RECENT_MAX = 50  # newest items whose headlines are compared
UNSAID = "–"  # the note of a redact that is only asked about


async def post_lint(request: Request) -> Response:
    """Tell an editor what may be wrong with a draft, or with an item as a verb would leave it.

    Of a redact, of an item or of the feed itself, it tells what would be erased.
    """
    here = context(request)
    editor = await here.editor(request)
    raw = await read_json(request)
    slug = request.path_params["feed"]
    check_may_edit(editor, slug)
    now = here.newsroom.now()
    sent = {name: value for name, value in raw.items() if name not in {"item", "verb"}}
    if "item" not in raw and raw.get("verb") == Verb.REDACT:
        version, _ = drafts.feed_redaction({"note": UNSAID, **raw})
        erases = await here.newsroom.feed_erases(slug, version)
        return json_response({"warnings": [], "erases": list(erases)})
    if "item" not in raw:
        draft = drafts.draft(raw, Verb.POST, now)
        return await _answer(here, slug, draft.applied_to(Content()), now=now)
    verb = _verb(raw)
    if verb is None and sent:
        raise Invalid([FieldError("/verb", "say which verb the fields are sent with")])
    if verb is Verb.REDACT:
        sent.setdefault("note", UNSAID)
    draft = drafts.draft(sent, verb, now) if verb is not None else drafts.Draft()
    item = await _item(here, slug, raw["item"], killed=verb is Verb.REDACT)
    if verb is Verb.REDACT:
        assert draft.version is not None
        erases = await here.newsroom.erases(slug, item.id, draft.version)
        return json_response({"warnings": [], "erases": list(erases)})
    if verb is not None and verb not in WRITES_WORDS:
        return json_response({"warnings": []})
    content = draft.applied_to(item.content)
    return await _answer(here, slug, content, now=now, item=item, verb=verb, note=draft.note)


routes = [Route("/v1/feeds/{feed}/lint", post_lint, methods=["POST"])]


async def _answer(
    here: Context,
    slug: str,
    content: Content,
    *,
    now: Millis,
    item: Item | None = None,
    verb: Verb | None = Verb.POST,
    note: str | None = None,
) -> Response:
    feed = await feed_named(here, slug)
    published = item.published_at if item is not None else now
    given = Circumstances(
        verb,
        now,
        _day(published, feed.settings.timezone),
        feed.settings.language,
        item.content if item is not None and verb is not None else None,
        note,
        await _recent(here, slug, item, now),
    )
    # In a thread: a long text takes a tenth of a second, in which readers are served.
    found = await here.work.run(here.work.checks, lambda: asyncio.to_thread(lint, content, given))
    return json_response({"warnings": [finding.as_json() for finding in found]})


async def _recent(here: Context, slug: str, item: Item | None, now: Millis) -> tuple[Recent, ...]:
    page = await here.mirror.page(slug, RECENT_MAX)
    return tuple(
        Recent(one.id, one.content.headline, at)
        for one in (page.items if page is not None else ())
        if one.status is not Status.KILLED
        and (item is None or one.id != item.id)
        and now - (at := max(one.published_at, one.updated_at or 0)) <= REPEATED_WITHIN
    )


async def _item(here: Context, slug: str, number: object, *, killed: bool) -> Item:
    if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < 10**ID_DIGITS:
        raise Invalid([FieldError("/item", "must be an item's number, such as 131")])
    found = await item_or_tombstone(here, slug, number)
    if found.status is Status.KILLED and not killed:
        raise Killed(f"item {found.id} was withdrawn and takes no further verb", found)
    return found


def _verb(raw: dict[str, Any]) -> Verb | None:
    verb = raw.get("verb")
    if verb is None:
        return None
    known = [one for one in Verb if one is not Verb.POST]
    if verb not in known:
        raise Invalid([FieldError("/verb", f"must be one of {', '.join(known)}")])
    return Verb(verb)


def _day(at: Millis, zone: str | None) -> date:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone or "UTC")).date()
