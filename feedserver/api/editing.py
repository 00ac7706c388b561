"""The editors' door: POST items and revisions, PUT feeds."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from feedserver import wire
from feedserver.api.access import check_may_edit
from feedserver.api.caching import strip_suffix
from feedserver.api.context import Context, context
from feedserver.api.lookups import find_feed, item_id, item_or_tombstone
from feedserver.errors import (
    BadRequest,
    FieldError,
    Invalid,
    TooLarge,
    WrongType,
)
from feedserver.model import BODY_MAX, Status, Verb, parse_etag
from feedserver.submission import Condition, FeedOutcome, Outcome, Submission

REQUEST_MAX = 512 * 1024  # bytes: the longest body with every character escaped, and the rest
DISCARD_MAX = 8 * 1024 * 1024  # bytes of a larger request that are read and thrown away
KEY_MAX = 128  # characters of an Idempotency-Key
DELIVERY_SECONDS = 0.25  # seconds that an answer waits for readers
PURGE_SECONDS = 3.0  # seconds that a kill's answer waits for the files to be clean

NO_STORE = {"Cache-Control": "no-store", "Vary": "Authorization"}


async def post_item(request: Request) -> Response:
    """Post a new item."""
    here = context(request)
    editor = await here.editor(request)
    raw = await read_json(request)
    feed = request.path_params["feed"]
    key = _key(request)
    outcome = await here.newsroom.submit(Submission(feed, Verb.POST, raw, editor, key=key))
    return await _answer(here, request, outcome)


async def post_revision(request: Request) -> Response:
    """Do any other verb to an item."""
    here = context(request)
    editor = await here.editor(request)
    raw = await read_json(request)
    outcome = await here.newsroom.submit(
        Submission(
            request.path_params["feed"],
            _verb(raw),
            raw,
            editor,
            item=item_id(request),
            condition=_condition(request),
            key=_key(request),
        )
    )
    return await _answer(here, request, outcome)


async def get_revisions(request: Request) -> Response:
    """Tell an editor who did what when."""
    here = context(request)
    editor = await here.editor(request)
    feed = request.path_params["feed"]
    check_may_edit(editor, feed)
    revisions = await here.mirror.revisions(feed, item_id(request))
    if not revisions:
        await item_or_tombstone(here, feed, item_id(request))
        revisions = await here.mirror.revisions(feed, item_id(request))
    told = wire.revisions_json(revisions)
    unfinished = {purge.version for purge in await here.mirror.purges()}
    for line in told:
        if line["verb"] in {Verb.KILL, Verb.REDACT}:
            line["purge"] = "pending" if line["version"] in unfinished else "done"
    return json_response({"revisions": told})


async def put_feed(request: Request) -> Response:
    """Create, change, close or reopen a feed."""
    here = context(request)
    editor = await here.editor(request)
    raw = await read_json(request)
    outcome = await here.newsroom.configure(
        request.path_params["feed"], raw, editor, _condition(request), _key(request)
    )
    is_first = outcome.created or outcome.replayed  # a replay is 201, as of an item
    return await _feed_answer(here, request, outcome, status=201 if is_first else 200)


async def post_feed_revision(request: Request) -> Response:
    """Redact earlier key points of a feed."""
    here = context(request)
    editor = await here.editor(request)
    raw = await read_json(request)
    outcome = await here.newsroom.redact_feed(
        request.path_params["feed"], raw, editor, _condition(request), _key(request)
    )
    return await _feed_answer(here, request, outcome, status=201)


async def get_feed_revisions(request: Request) -> Response:
    """Tell an editor who changed the feed's own settings when."""
    here = context(request)
    slug = request.path_params["feed"]
    check_may_edit(await here.editor(request), slug)
    await find_feed(here, request)
    revisions = await here.mirror.feed_revisions(slug)
    return json_response({"revisions": wire.feed_revisions_json(revisions)})


async def get_readers(request: Request) -> Response:
    """Tell an editor how many are reading."""
    here = context(request)
    editor = await here.editor(request)
    slug = request.path_params["feed"]
    check_may_edit(editor, slug)
    await find_feed(here, request)
    sockets, streams = await here.crowd.count(slug)
    return json_response({"readers": sockets + streams, "by": {"ws": sockets, "sse": streams}})


def json_response(
    body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Make an answer for an editor, which no one keeps."""
    return Response(
        orjson.dumps(body),
        status_code=status,
        headers=NO_STORE | (headers or {}),
        media_type="application/json",
    )


async def read_json(request: Request) -> dict[str, Any]:
    """Read the JSON object that an editor sent. Raises WrongType, TooLarge, BadRequest, Invalid."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise WrongType("send JSON, with the header Content-Type: application/json")
    raw = wire.loads_once(await _body(request))
    if not isinstance(raw, dict):
        raise Invalid([FieldError("", "send a JSON object")])
    return raw


routes = [
    Route("/v1/feeds/{feed}/items", post_item, methods=["POST"]),
    Route("/v1/feeds/{feed}/items/{item}/revisions", post_revision, methods=["POST"]),
    Route("/v1/feeds/{feed}/items/{item}/revisions", get_revisions, methods=["GET"]),
    Route("/v1/feeds/{feed}", put_feed, methods=["PUT"]),
    Route("/v1/feeds/{feed}/revisions", post_feed_revision, methods=["POST"]),
    Route("/v1/feeds/{feed}/revisions", get_feed_revisions, methods=["GET"]),
    Route("/v1/feeds/{feed}/readers", get_readers, methods=["GET"]),
]


async def _answer(here: Context, request: Request, outcome: Outcome) -> Response:
    item = outcome.item
    headers = {
        "ETag": f'"{item.etag}"',
        "Location": f"/v1/feeds/{item.feed}/items/{item.id}",
    }
    headers |= await _progress(
        here,
        request,
        item.feed,
        item.version,
        replayed=outcome.replayed,
        redacted=outcome.redacted,
        withdrawn=item.status is Status.KILLED or bool(outcome.redacted),
    )
    return json_response(wire.item_json(item, body=True), status=201, headers=headers)


async def _feed_answer(
    here: Context, request: Request, outcome: FeedOutcome, status: int
) -> Response:
    feed = outcome.feed
    headers = {"ETag": f'"{feed.etag}"'}
    headers |= await _progress(
        here,
        request,
        feed.slug,
        feed.version,
        replayed=outcome.replayed,
        redacted=outcome.redacted,
        withdrawn=bool(outcome.redacted),
    )
    return json_response(here.feed_json(feed, body=True), status=status, headers=headers)


async def _progress(
    here: Context,
    request: Request,
    slug: str,
    version: int,
    *,
    replayed: bool,
    redacted: tuple[int, ...],
    withdrawn: bool,
) -> dict[str, str]:
    """Return the headers that say how far a change got: to readers, and out of the files."""
    # Whoever has the answer may ask this process at once, and must find the change.
    await here.hub.applied(version, DELIVERY_SECONDS)
    headers: dict[str, str] = {}
    if replayed:
        headers["Idempotent-Replayed"] = "true"
    elif "respond-async" in ",".join(request.headers.getlist("prefer")).lower():
        headers["Preference-Applied"] = "respond-async"
    else:
        receipt = await here.crowd.delivered(slug, version, DELIVERY_SECONDS)
        headers["Delivered"] = f"{receipt.took}; of={receipt.readers}; ms={receipt.ms}"
    if redacted:
        headers["Redacted"] = ", ".join(map(str, redacted))
    if withdrawn:
        done = await asyncio.gather(
            here.crowd.applied(version, PURGE_SECONDS), here.journal.purged(PURGE_SECONDS, version)
        )
        headers["Purge"] = "done" if all(done) else "pending"
    return headers


async def _body(request: Request) -> bytes:
    parts, total = [], 0
    try:
        async for part in request.stream():
            total += len(part)
            if total <= REQUEST_MAX:
                parts.append(part)
            elif total > DISCARD_MAX:
                break
    except ClientDisconnect:
        raise BadRequest("the connection ended before the request did") from None
    if total > REQUEST_MAX:
        # Read first: an answer to one who is still sending is lost with the connection.
        raise TooLarge(f"a request has {REQUEST_MAX} bytes at most; an item's body {BODY_MAX}")
    return b"".join(parts)


def _verb(raw: dict[str, Any]) -> Verb | None:
    known = [verb for verb in Verb if verb is not Verb.POST]
    return Verb(raw["verb"]) if raw.get("verb") in known else None


def _key(request: Request) -> str | None:
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return None
    key = keys[0]
    good = 0 < len(key) <= KEY_MAX and all("\x21" <= character <= "\x7e" for character in key)
    if not good or len(keys) > 1:
        raise BadRequest(f"send one Idempotency-Key of 1 to {KEY_MAX} visible ASCII characters")
    return key


def _version_in(tag: str) -> tuple[int, str] | None:
    return parse_etag(tag[1:-1]) if len(tag) > 2 and tag[0] == tag[-1] == '"' else None


def _condition(request: Request) -> Condition | BadRequest:
    sent = request.headers.getlist("if-match")
    if not sent:
        return None
    text = ",".join(sent)
    if text.strip() == "*":
        return ()
    tags = []
    for part in text.split(","):
        tag = part.strip().removeprefix("W/")  # as proxies that compress make of our strong tags
        found = _version_in(tag) or _version_in(strip_suffix(tag))
        if found is None:
            return BadRequest('If-Match takes an item\'s ETag in quotes, such as "131-x7Kd"')
        tags.append(found)
    return tuple(tags)
