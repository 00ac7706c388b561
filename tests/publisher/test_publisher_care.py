"""Whatever could lose a text or publish a wrong one is asked about, reported or refused."""

from __future__ import annotations

import shlex
import sys

import pytest
from hostile import ITEM, answers

from publisher.text.items import local_time

posted = answers(201, ITEM)
NOTE = ["--note", "Wrong."]
TOMBSTONE = {"id": 128, "etag": "140-abcd", "status": "killed", "note": "Wrong."}


@pytest.mark.parametrize("stdin", ["", " \n\n", "\ufeff\n"], ids=["empty", "blank", "mark-only"])
@pytest.mark.parametrize(
    "words", [["update", "6", "-"], ["fix", "6", "--body=-"], ["update", "6", "--file=-"]]
)
def test_an_empty_stdin_takes_no_text_away(publisher, hostile, words, stdin):
    server = hostile(answers(200, ITEM))
    failed = publisher.at(server.url)(*words, stdin=stdin)
    assert failed.code == 2
    assert "nothing came on stdin; nothing was sent; to clear the text: --clear body" in failed.err
    assert "saved" not in failed.err
    assert all(request.method == "GET" for request in server.requests)


def test_an_empty_stdin_posts_nothing(publisher, hostile):
    server = hostile(posted)
    failed = publisher.at(server.url)("post", "x", "-")
    assert failed.code == 2
    assert failed.err == "publisher: nothing came on stdin; nothing was sent\n"
    assert server.requests == []
    assert publisher.texts == []


def test_a_byte_order_mark_reaches_no_reader(publisher, hostile):
    server = hostile(posted)
    assert publisher.at(server.url)("post", "x", "-", stdin="\ufeffText").code == 0
    assert server.requests[0].json["body"] == "Text"
    assert publisher("post", "--file=-", stdin="\ufeffHead\n\nText").code == 0
    assert server.requests[1].json == {"headline": "Head", "body": "Text"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_mark_at_the_beginning_says_how_a_text_is_encoded(publisher, hostile, tmp_path, encoding):
    """As PowerShell and Notepad write it."""
    mark = "\ufeff" if encoding.endswith("e") else ""  # the others write it themselves
    data = f"{mark}Злива\r\n\r\n“Text” 🌧\r\n".encode(encoding)
    story = tmp_path / "story.txt"
    story.write_bytes(data)
    server = hostile(posted)
    publisher.at(server.url)
    assert publisher("post", "--file", str(story)).code == 0
    assert publisher("post", "--file=-", stdin=data).code == 0
    for request in server.requests:
        assert request.json == {"headline": "Злива", "body": "“Text” 🌧"}
    write = f"{sys.executable} -c \"import shutil, sys; shutil.copy('{story}', sys.argv[1])\""
    assert publisher("post", "--edit", EDITOR=write).code == 0
    assert server.requests[-1].json == {"headline": "Злива", "body": "“Text” 🌧"}


def test_a_text_that_breaks_off_amid_a_character_is_kept_and_not_sent(publisher, hostile):
    server = hostile(posted)
    data = "\ufeffText".encode("utf-16-le")[:-1]
    failed = publisher.at(server.url)("post", "x", "-", stdin=data)
    assert failed.code == 2
    assert "stdin is not UTF-16 (byte " in failed.err
    assert f"saved in {publisher.home}" in failed.err
    assert server.requests == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_token_may_come_from_a_file_in_utf_16(publisher, newsroom, encoding):
    token = f"{newsroom.token}\r\n".encode(encoding)
    assert publisher("login", newsroom.url, stdin=token).code == 0
    assert publisher("post", "It works").code == 0
    failed = publisher("login", newsroom.url, stdin=b"caf\xe9\n")
    assert failed.code == 2
    assert "the token on stdin is not UTF-8" in failed.err


def test_without_the_scissors_line_the_hint_is_still_not_published(publisher, hostile):
    server = hostile(posted)
    script = "text = 'Bus hit\\n\\nText\\n' + text.split('is sent --\\n')[1]"
    done = publisher.at(server.url)("post", "--edit", EDITOR=publisher.editor(script))
    assert done.code == 0
    assert server.requests[0].json == {"headline": "Bus hit", "body": "Text"}


def test_a_withdrawal_says_what_it_withdrew(publisher, hostile):
    for words in ([], ["--if-match=128-x7Kd"], ["--yes"]):
        server = hostile(answers(200, ITEM), answers(201, TOMBSTONE))
        done = publisher.at(server.url)("kill", "128", *NOTE, *words)
        assert done.code == 0
        assert done.out.startswith("Withdrawn 128: Bus hit\n")


@pytest.mark.parametrize(("typed", "code"), [("y", 0), ("n", 2), ("", 2)])
def test_at_a_terminal_a_withdrawal_shows_the_item_and_asks(publisher, hostile, typed, code):
    server = hostile(answers(200, ITEM), answers(201, TOMBSTONE))
    with publisher.at(server.url).at_terminal("kill", "128", *NOTE) as terminal:
        assert "withdraw 128, “Bus hit”, and erase its text?" in terminal.read_until("[y/N]")
        assert [request.method for request in server.requests] == ["GET"]
        terminal.type(typed)
        assert terminal.result()[0] == code
    assert len(server.requests) == (2 if code == 0 else 1)


@pytest.mark.parametrize("option", ["--yes", "--json"])
def test_who_says_yes_and_who_asks_for_json_is_not_asked(publisher, hostile, option):
    server = hostile(answers(200, ITEM), answers(201, TOMBSTONE))
    with publisher.at(server.url).at_terminal("kill", "128", *NOTE, option) as terminal:
        assert terminal.result()[0] == 0


def test_a_conflict_forgets_nothing_that_was_typed(publisher, hostile):
    current = {**ITEM, "version": 140, "etag": "140-abcd", "headline": "9 dead", "body": "Theirs."}
    stale = {"type": "stale", "title": "Changed", "detail": "changed", "current": current}
    conflict = answers(412, stale, "application/problem+json")
    server = hostile(conflict, answers(200, {"revisions": []}))
    failed = publisher.at(server.url)(
        "update", "128", "--headline=Mine", "--tag=a", "--tag=b c", "--body=", "--note=n",
        "--key=k", "--if-match=128-x7Kd", "--byline=Anna",
    )  # fmt: skip
    assert failed.code == 1
    into, over = (line for line in failed.err.splitlines() if line.startswith("  publisher "))
    editor = publisher.editor(
        "text = text.replace('<<<<<<< 9 dead ======= Mine >>>>>>>', 'Nine dead')\n"
        "text = text.replace('Theirs.', '')"
    )
    for command, headline in ((over, "Mine"), (into, "Nine dead")):
        server = hostile(answers(200, current), answers(200, {"revisions": []}), answers(201, ITEM))
        if command is over:
            del server.responses[:2]
        done = publisher.at(server.url)(*shlex.split(command)[1:], EDITOR=editor)
        assert done.code == 0, done.err
        sent = server.requests[-1]
        assert sent.json == {
            "verb": "update",
            "headline": headline,
            "body": None,
            "tags": ["a", "b c"],
            "note": "n",
            "byline": "Anna",
        }
        assert sent.headers["idempotency-key"] == "k"
        assert sent.headers["if-match"] == '"140-abcd"'


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["update"], "which item? its number comes first: publisher update 131 … (a shell"),
        (["kill", "1"], "kill needs --note\n"),
        (["hold", "6", "7"], "unexpected argument: 7\nusage: publisher hold ID [options]"),
        (["post", "a", "b"], "unexpected argument: b; put a headline of several words in quotes"),
        (["hold", "x"], "'x' is not an item's number, nor its address, nor last; see: publisher"),
        (["post", "x", "--key="], "--key must be 1 to 128 visible ASCII characters"),
        (["hold", "6", "--if-match="], "--if-match must be a version such as 131-x7Kd"),
        (
            ["list", "--timeout=x"],
            "--timeout must be a number of seconds up to 600, not 'x'\n",
        ),
        (["list", "--limit=0"], "--limit must be a positive whole number, not '0'\n"),
        (
            ["post", "--headline"],
            "--headline needs a value; type one that begins with -- as --headline=--x",
        ),
        (["fix", "1", "--clear=headline"], "--clear must be one of body, occurred-at"),
        (["fix", "1", "--tag=a", "--no-tags"], "--no-tags and --tag cannot be used together\n"),
        (["post", "x", "--alt=y"], "--alt comes after the --media that it describes\n"),
        (["list", "--json=x"], "--json takes no value"),
    ],
)
def test_wrong_words_are_answered_in_full_sentences(publisher, words, said):
    done = publisher(*words)
    assert done.code == 2
    problem = done.problem["detail"] + "\n" if done.err.startswith("{") else done.err
    assert said in problem


def test_a_search_for_nothing_names_the_option(editor):
    failed = editor("list", "--search", "")
    assert failed.code == 1
    assert "--search" in failed.err
    assert "q takes" not in failed.err


def test_only_items_are_counted_in_a_list(publisher, hostile):
    page = {"items": [ITEM, {**ITEM, "id": 129}], "next": "more"}
    done = publisher.at(hostile(answers(200, page)).url)("list", "--limit=2")
    assert len(done.out.splitlines()) == 2
    assert "there is more: --all" in done.err
    done = publisher.at(hostile(answers(200, {"items": []})).url)("list")
    assert (done.out, done.err) == ("", "publisher: there is nothing here\n")


def test_a_text_that_was_saved_stays_until_its_owner_removes_it(publisher, hostile, tmp_path):
    dies = publisher.editor("file.write_text('Half\\n\\na story')\nsys.exit(1)")
    publisher.at(hostile(posted).url)
    saved = publisher("post", "--edit", "--json", EDITOR=dies).problem["saved"]
    assert publisher("post", "--file", saved).code == 0
    assert publisher.texts == ["Half\n\na story"]


def test_a_year_that_no_clock_shows_is_shown_as_it_is():
    for text in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        assert local_time(text) == text
