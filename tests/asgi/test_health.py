"""Is it alive, is it ready?"""

from __future__ import annotations

import httpx
import pytest
from answers import Feed, problem


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_nobody_keeps_a_report(anyone: httpx.Client, path: str) -> None:
    answer = anyone.get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    head = anyone.head(path)
    assert head.status_code == 200
    assert head.content == b""
    problem(anyone.post(path), 405, "wrong-method")


def test_healthz_says_that_the_process_runs(anyone: httpx.Client) -> None:
    assert anyone.get("/healthz").json() == {"status": "ok"}


def test_readyz_says_what_it_reads_and_what_is_left_to_do(feed: Feed) -> None:
    before = feed.reader.get("/readyz").json()
    assert before["status"] == "ready"
    item = feed.item()
    after = feed.reader.get("/readyz").json()
    assert after["head"] >= item["version"] > before["head"] - 1
    assert feed.cursor.startswith(after["epoch"])
    assert isinstance(after["readers"], int)
    assert "unfinished_purges" not in after


def test_a_purge_that_was_waited_for_is_no_longer_reported(feed: Feed) -> None:
    answer = feed.editor.revise(feed.item(), "kill", note="n")
    assert answer.headers["purge"] == "done"
    assert "unfinished_purges" not in feed.reader.get("/readyz").json()
