"""Is it alive, is it ready? For load balancers, and for an operator at 3 a.m."""

from __future__ import annotations

import asyncio

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feedserver import wire
from feedserver.api.context import Context, OwnFolder, context

FAILING_MAX = 3_600_000  # milliseconds that others may take nothing before an operator is told


async def healthz(request: Request) -> Response:
    """Say that the process runs."""
    return _report(200, {"status": "ok"})


async def readyz(request: Request) -> Response:
    """Say whether news can be read, could be written at the last try, and what is left to do."""
    here = context(request)
    if here.faults:
        detail = f"a part of the server died ({here.faults[0]!r}): restart it; its log says more"
        return _report(503, {"status": "broken", "detail": detail})
    if (moved := here.journal.moved) is not None:
        return _report(503, {"status": "moved", "detail": moved})
    if here.journal.damage is not None:
        await here.journal.look_again()  # a fault may have passed
    try:
        head = await here.journal.head()
        unfinished = len(await here.mirror.purges())
        damage = here.journal.damage
    except Exception as fault:
        damage = here.journal.damage or str(fault)
    if damage is not None:
        return _report(503, {"status": "no database", "detail": damage})
    body: dict[str, object] = {
        "status": "ready",
        "epoch": here.hub.epoch,
        "head": head,
        "readers": here.hub.readers,
    }
    if here.folder is not None:
        body |= await _folder(here, here.folder)
    if here.clock is not None and here.clock.step:
        seconds = here.clock.step // 1000
        body["clock"] = (
            f"the machine's clock made a step of {seconds:+} s, and is not followed: set it right, "
            "or run feedserver check --accept-clock"
        )
    if here.mirror.unreadable:
        body["unreadable"] = here.mirror.unreadable
    if here.journal.trouble is not None:
        # Still 200: whoever routes readers by this must not take them their news.
        body |= {"status": "reading only", "trouble": here.journal.trouble}
    if here.targets is not None:
        before = here.hub.now() - FAILING_MAX
        failing = await asyncio.to_thread(here.targets.failing, before)
        told = {
            name: {"since": wire.time_text(at), "detail": why}
            for name, (at, why) in failing.items()
        }
        body |= {"failing": told} if told else {}
    if unfinished:
        body |= {
            "unfinished_purges": unfinished,
            "detail": "words of withdrawn items are still in a file; it is retried",
        }
    return _report(200, body)


async def _folder(here: Context, folder: OwnFolder) -> dict[str, object]:
    filesystem = {"name": folder.filesystem}
    if folder.filesystem_remark is not None:
        filesystem["remark"] = folder.filesystem_remark
    last = await folder.last_backup()
    if last is None:
        return {"filesystem": filesystem}
    # Not where to: anybody may ask.
    ago = max(0, here.hub.now() - last) // 1000
    return {
        "filesystem": filesystem,
        "last_backup": {"at": wire.time_text(last), "seconds_ago": ago},
    }


def _report(status: int, body: dict[str, object]) -> Response:
    return Response(
        orjson.dumps(body),
        status_code=status,
        headers={"Cache-Control": "no-store"},
        media_type="application/json",
    )


routes = [Route("/healthz", healthz), Route("/readyz", readyz)]
