"""The check before publishing, from the editor's command: asked, refused, told afterwards."""

from __future__ import annotations

from typing import Any

from hostile import ITEM, answers, problem

BODY = "A coach left the road, killing seven people."
WRONG = "Four killed in crash"
FLOOD = "Five killed on road"


def test_lint_tells_what_may_be_wrong_and_changes_nothing(editor: Any) -> None:
    done = editor("lint", WRONG, "-", stdin=BODY)
    assert (done.code, done.err) == (1, "")
    told, better = done.out.splitlines()
    assert told.startswith("number-contradicted  --headline: the headline says “Four”, the text ")
    assert better == "  better: Seven killed in crash"
    done = editor("lint", "Rain", "--json")
    assert (done.code, done.json) == (0, {"warnings": []})
    item = editor("post", "Rain over the the sea", "--json").json
    done = editor("lint", str(item["id"]), "--json")
    assert (done.code, [one["code"] for one in done.json["warnings"]]) == (1, ["doubled-word"])
    done = editor("lint")
    assert (done.code, "publisher lint ID" in done.err) == (2, True)


def test_without_a_terminal_it_is_posted_and_told_on_stderr_and_in_json(editor: Any) -> None:
    done = editor("post", WRONG, "-", stdin=BODY)
    assert done.code == 0
    number = done.out.split()[1].rstrip(":")
    assert done.err.splitlines() == [
        "publisher: number-contradicted, --headline: the headline says “Four”, the text "
        "“killing seven people”",
        f"publisher:   to put it right: publisher fix {number} '--headline=Seven killed in crash'",
    ]
    again = editor("fix", number, "--headline=Eight killed in crash", "--json")
    assert (again.code, again.err) == (0, "")
    assert [one["code"] for one in again.json["warnings"]] == ["number-contradicted"]
    mended = editor("fix", number, "--headline=Seven killed in crash", "--json")
    assert "warnings" not in mended.json


def test_strict_refuses_before_anything_is_sent(editor: Any) -> None:
    doubled = "Seven killed in the the crash"
    for option, headline, code in (
        ("--strict", WRONG, "number-contradicted"),
        ("--strict=all", doubled, "doubled-word"),
    ):
        done = editor("post", option, headline, "--body", BODY)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("publisher: nothing was sent, as --strict was given:\n")
        assert code in done.err
        failed = editor("post", headline, "--body", BODY, option, "--json").problem
        assert (failed["stored"], failed["warnings"][0]["code"]) == ("no", code)
    assert editor("post", doubled, "--body", BODY, "--strict").code == 0


def test_at_a_terminal_it_asks_and_no_keeps_it_back(editor: Any) -> None:
    with editor.at_terminal("post", FLOOD, "--body", BODY) as terminal:
        shown = terminal.read_until("post it all the same? [y/N] ")
        terminal.type("n")
        code, out = terminal.result()
    assert "the text “killing seven people”" in shown
    assert (code, out) == (2, "")
    assert editor("outbox", "--json").json == {"outbox": []}
    with editor.at_terminal("post", FLOOD, "--body", BODY) as terminal:
        terminal.read_until("[y/N] ")
        terminal.type("y")
        code, out = terminal.result()
    assert (code, out.split()[0]) == (0, "Posted")
    with editor.at_terminal("post", FLOOD) as terminal:  # the same headline minutes ago
        shown = terminal.read_until("[y/N] ")
        terminal.type("")
        assert terminal.result()[0] == 2
    assert "repeated-headline" in shown
    with editor.at_terminal("post", FLOOD, "--body", BODY, "--no-lint") as terminal:
        code, out = terminal.result()
    assert (code, out.split()[0]) == (0, "Posted")


def test_a_server_that_cannot_look_keeps_nothing_back_but_from_strict(
    publisher: Any, hostile: Any
) -> None:
    server = hostile(problem(404, "not-found"), answers(201, ITEM))
    publisher.at(server.url)
    with publisher.at_terminal("post", "Bus hit") as terminal:
        code, out = terminal.result()
    assert (code, out.split()[:2]) == (0, ["Posted", "128:"])
    older = hostile(problem(404, "not-found"))
    publisher.at(older.url)
    done = publisher("post", "Bus hit", "--strict")
    assert (done.code, "leave --strict out" in done.err) == (2, True)
    assert len(older.requests) == 1
    publisher.at("http://127.0.0.1:1")  # where nobody listens
    done = publisher("post", "Bus hit", "--strict", "--timeout=1")
    assert (done.code, "could not be checked" in done.err) == (3, True)
