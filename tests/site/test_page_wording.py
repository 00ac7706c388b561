"""The page's script writes every time as the server does: else pages would flicker as it starts."""

from __future__ import annotations

import json
import random
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from feedserver.model import Feed
from feedserver.site.wording import languages, wording_for

MODULE = Path(__file__).resolve().parents[2] / "web/src/page/wording.js"
SCRIPT = """
import { readFileSync } from 'node:fs';
const { wordingFor } = await import(process.argv[1]);
const { words, cases } = JSON.parse(readFileSync(0, 'utf8'));
console.log(JSON.stringify(cases.map(([language, zone, ms, other]) => {
    const { clock, day, offset, dated, beside } = wordingFor(words[language], zone);
    return [clock(ms), day(ms), offset(ms), dated(ms), beside(ms, other)];
})));
"""
ZONES = ["Europe/Kyiv", "UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Auckland", "Asia/Tokyo"]
FEED = Feed("world", "World", 0, 1, 1, "abcd")


def test_both_write_the_same_times() -> None:
    chance = random.Random(20250517)
    first, last = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (1990, 2025))
    cases = []
    for language in languages():
        for zone in ZONES:
            for _ in range(20):
                at = chance.randrange(first, last) * 1000
                cases.append((language, zone, at, at + chance.randrange(-40_000_000, 40_000_000)))
    done = subprocess.run(
        ["node", "--input-type=module", "-e", SCRIPT, str(MODULE)],
        input=json.dumps({"words": languages(), "cases": cases}),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    for (language, zone, at, other), by_script in zip(cases, json.loads(done.stdout), strict=True):
        say = wording_for(replace(FEED, language=language, timezone=zone))
        by_server = [
            say.clock(at),
            say.day(at),
            say.offset(at),
            say.dated(at),
            say.beside(at, other),
        ]
        assert by_script == by_server
