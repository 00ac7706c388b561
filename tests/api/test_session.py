"""An editor is told whose token they have, and what it may do."""

from __future__ import annotations

import httpx
import pytest
from support.answers import problem
from support.server import Server


@pytest.mark.parametrize(
    ("words", "more"),
    [
        ([], {}),
        (["--feed", "world"], {"feeds": ["world"]}),
        (["--import"], {"import": True}),
    ],
)
def test_a_token_is_told_its_name_and_rights(
    house: Server, words: list[str], more: dict[str, object]
) -> None:
    name = f"Ann {' '.join(words)}"
    with house.editing(house.cli("token", "add", name, *words)) as editor:
        answer = editor.get("/v1/session")
        assert answer.status_code == 200
        assert answer.json() == {"name": name} | more
        assert answer.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in answer.headers


def test_who_has_no_token_is_told_nothing(house: Server, anyone: httpx.Client) -> None:
    problem(anyone.get("/v1/session"), 401, "unauthorized")
    with house.editing("nf_unknown") as stranger:
        problem(stranger.get("/v1/session"), 401, "unauthorized")
    with house.editing() as editor:
        elsewhere = {"Origin": "https://elsewhere.example"}
        problem(editor.get("/v1/session", headers=elsewhere), 403, "forbidden")


def test_a_token_is_told_nothing_from_the_moment_it_is_revoked(house: Server) -> None:
    with house.editing(house.cli("token", "add", "Leaver")) as editor:
        assert editor.get("/v1/session").json()["name"] == "Leaver"
        house.cli("token", "revoke", "Leaver")
        # A server may need a moment to see what another process wrote.
        while (answer := editor.get("/v1/session")).status_code == 200:
            pass
        problem(answer, 401, "unauthorized")
