"""Lighthouse finds nothing to mend: accessibility, best practices, search; and nothing shifts."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest
from support.browser import CHROMIUM, CHROMIUM_ARGS
from support.server import ROOT, Server

CATEGORIES = ("accessibility", "best-practices", "seo")
COMMAND = [
    "node",
    str(ROOT / "node_modules/lighthouse/cli/index.js"),
    "--quiet",
    "--output=json",
    "--disable-full-page-screenshot",
    f"--only-categories={','.join(CATEGORIES)}",
    "--only-audits=cumulative-layout-shift",
    f"--chrome-flags={' '.join(['--headless=new', *CHROMIUM_ARGS])}",
]
# What it says itself where its recording is incomplete, as some are on a busy machine.
AGAIN = "Please run Lighthouse again"
TRIES = 3


def examine(url: str, *options: str) -> dict[str, Any]:
    for _ in range(TRIES):
        report = examine_once(url, *options)
        if not any(AGAIN in fault for _, fault in failures(report)):
            break
    return report


def examine_once(url: str, *options: str) -> dict[str, Any]:
    done = subprocess.run(
        [*COMMAND, *options, url],
        capture_output=True,
        text=True,
        env=os.environ | {"CHROME_PATH": CHROMIUM},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def failures(report: dict[str, Any]) -> list[tuple[str, str]]:
    """Return which audits could not be made, and why."""
    audits = report["audits"].values()
    return [(a["id"], a["errorMessage"]) for a in audits if a["scoreDisplayMode"] == "error"]


@pytest.mark.parametrize(
    ("page", "options"),
    [
        ("feed", ["--preset=desktop"]),
        pytest.param("feed", [], marks=pytest.mark.more),
        pytest.param("item", ["--preset=desktop"], marks=pytest.mark.more),
        pytest.param("item", [], marks=pytest.mark.more),
        pytest.param("feeds", ["--preset=desktop"], marks=pytest.mark.more),
        pytest.param("feeds", [], marks=pytest.mark.more),
    ],
    ids=lambda value: value if isinstance(value, str) else "desktop" if value else "phone",
)
def test_lighthouse_has_nothing_to_mend(server: Server, page: str, options: list[str]) -> None:
    with server.editing() as editor:
        editor.configure(title="World news", language="en", description="What is happening now.")
        item = editor.item("Bridge reopens", body="Traffic **flows** again.", tags=["sumy"])
        item = editor.revised(item, "update", headline="Bridge reopens after two years")
        editor.revised(item, "correct", note="It was closed for two years, not three.")
        editor.item("Parliament sits", body="A vote is expected at noon.", breaking=True)
    path = {"feeds": "/", "feed": "/feeds/world", "item": f"/feeds/world/items/{item['id']}"}[page]
    report = examine(f"{server.url}{path}", *options)
    assert not failures(report), "Lighthouse itself failed"
    shift = report["audits"]["cumulative-layout-shift"]
    faults = [
        audit["id"]
        for audit in report["audits"].values()
        if audit["score"] not in {None, 1} and audit is not shift
    ]
    assert not faults
    assert [report["categories"][name]["score"] for name in CATEGORIES] == [1, 1, 1]
    assert shift["numericValue"] <= 0.01
