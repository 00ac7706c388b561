"""A folder of the old program, taken over: all answers stay, and no step can be cut short."""

from __future__ import annotations

from pathlib import Path

from support.former import answers, fill, former_server
from support.server import Server

from feedserver.sqlite import migration


def test_every_answer_is_as_it_was_before(former_code: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    old = former_server(former_code, data)
    with old:
        known = fill(old)
        before = answers(old, known)
    assert migration.migrate(data, keeps=False)
    new = Server(data, new=False)
    with new:
        after = answers(new, known)
    for question, answer in before.items():
        assert after[question] == answer, question
