"""The zones of feeds, as their server told them last: times are read and shown in them.

One file for each server, beside the outbox. It is an aid: what cannot be read is not known.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import tzinfo
from pathlib import Path

from publisher.text.files import digest, state_folder, write_private
from publisher.text.times import read_zone


def known_zone(server: str, feed: str) -> tzinfo | None:
    """Return a feed's zone; None where it is not known."""
    zones = _read(server)
    return read_zone(zones[feed]) if feed in zones else None


def keep_zones(server: str, zones: Mapping[str, str | None]) -> None:
    """Remember the zones of feeds, by slug; None: a feed that names none."""
    known = _read(server)
    if {**known, **zones} == known:
        return
    with suppress(OSError):
        data = json.dumps({**known, **zones}, ensure_ascii=False).encode()
        write_private(_path(server), data, sync=False)


def _read(server: str) -> dict[str, str | None]:
    try:
        raw = json.loads(_path(server).read_bytes())
    except (OSError, ValueError):
        return {}
    good = isinstance(raw, dict) and all(isinstance(zone, str | None) for zone in raw.values())
    return raw if good else {}


def _path(server: str) -> Path:
    return state_folder() / "zones" / f"{digest(server)}.json"
