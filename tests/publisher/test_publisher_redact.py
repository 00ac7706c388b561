"""The words of an earlier version go: from the server, from the outbox, from what was shown."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from editors import InProcess
from hostile import ITEM, answers, problem
from support.server import Server

SECRET = "Olena Petrenko of Sumy died"  # what must go
STATE = ".local/state/publisher"


@pytest.fixture(scope="module")
def tokens(shared_newsroom):
    return [
        shared_newsroom.cli("token", "add", name) for name in ("redacting-ann", "redacting-bob")
    ]


@pytest.fixture
def ann(tmp_path, shared_newsroom, tokens):
    return _editor(tmp_path / "ann", shared_newsroom.url, tokens[0])


@pytest.fixture
def bob(tmp_path, shared_newsroom, tokens):
    return _editor(tmp_path / "bob", shared_newsroom.url, tokens[1])


def _editor(home, url, token):
    home.mkdir()
    return InProcess(home).at(url, token)


def named(editor, *words):
    """Post what names somebody, and take the name out again; return the item and its version."""
    item = editor("post", SECRET, "--body=She was 34.", *words, "--json").json
    number = str(item["id"])
    assert editor("fix", number, "--headline=A woman died", "--json").code == 0
    return number, str(item["version"])


def log(editor, number):
    found = editor("show", number, "--revisions", "--json").json["revisions"]
    return {str(one["version"]): one for one in found}


def at_home(editor) -> str:
    """Return all that stands in the files of an editor's home."""
    files = [path for path in Path(editor.home).rglob("*") if path.is_file()]
    return "\n".join(path.read_text(errors="replace") for path in files)


def test_the_answer_names_what_was_erased_and_readers_are_shown_the_same(ann):
    number, version = named(ann)
    done = ann("redact", number, "--version", version, "--note=It named her.")
    assert done.code == 0, done.err
    first, _, last = done.out.splitlines()
    assert first == f"Redacted {number}: A woman died"
    assert last == f"Erased: the words of {version} · Purge: done"
    line = log(ann, number)[version]
    assert "fields" not in line
    assert line["redacted_at"]
    assert ann("show", number, "--json").json["headline"] == "A woman died"
    assert "words erased" in ann("show", number, "--revisions").out
    assert SECRET not in ann("show", number, "--history").out


def test_in_json_the_answer_has_the_versions_the_purge_and_the_key(ann):
    number, version = named(ann)
    told = ann("redact", number, f"--version={version}", "--note=It named her.", "--json").json
    assert told["redacted"] == [int(version)]
    assert told["purge"] == "done"
    assert told["key"]
    assert "dropped" not in told


def test_what_would_be_erased_is_shown_and_asked_about_at_a_terminal(ann):
    number, version = named(ann, "--tag=sumy")
    words = ["redact", number, "--version", version, "--note=It named her."]
    with ann.at_terminal(*words) as terminal:
        shown = terminal.read_until("[y/N]")
        assert f"Item {number}, “A woman died”" in shown
        assert f"Headline: {SECRET}" in shown
        assert "Body: She was 34." in shown
        assert f"erase the words of version {version} for good?" in shown
        terminal.type("n")
        assert terminal.result()[0] == 2
    assert "redacted_at" not in log(ann, number)[version]
    with ann.at_terminal(*words) as terminal:
        terminal.read_until("[y/N]")
        terminal.type("y")
        code, out = terminal.result()
    assert (code, f"Erased: the words of {version}" in out) == (0, True)
    with ann.at_terminal(*words) as terminal:  # there is nothing left to ask about
        code, out = terminal.result()
    assert (code, f"has no words of version {version} any more" in out) == (0, True)


def test_versions_that_repeat_the_words_are_shown_and_erased_with_them(ann):
    number = str(ann("post", SECRET, "--body=She was 34.", "--json").json["id"])
    second = str(ann("fix", number, "--body=She was 35.", "--json").json["version"])
    assert ann("fix", number, "--headline=A woman died", "--body=", "--json").code == 0
    words = ["redact", number, "--version", number, "--note=It named her."]
    with ann.at_terminal(*words) as terminal:
        shown = terminal.read_until("[y/N]")
        assert "erase the words of these 2 versions for good?" in shown
        assert "Body: She was 35." in shown
        terminal.type("y")
        code, out = terminal.result()
    assert (code, f"Erased: the words of {number}, {second} · Purge: done" in out) == (0, True)


def test_words_are_shown_whose_version_stands_behind_an_erased_one(ann):
    number, version = named(ann)
    assert ann("update", number, "--headline=Halyna Bondar died").code == 0
    named_again = str(ann("show", number, "--json").json["version"])
    assert ann("fix", number, "--headline=Two women died").code == 0
    for erased in list(log(ann, number))[:2]:
        assert ann("redact", number, "--version", erased, "--note=Names.").code == 0
    assert "fields" not in log(ann, number)[named_again]
    with ann.at_terminal("redact", number, "--version", named_again, "--note=Name.") as terminal:
        assert "Headline: Halyna Bondar died" in terminal.read_until("[y/N]")
    assert version != named_again


def test_with_yes_nobody_is_asked(ann):
    number, version = named(ann)
    with ann.at_terminal("redact", number, "--version", version, "--note=x", "--yes") as terminal:
        assert terminal.result()[0] == 0
    assert log(ann, number)[version]["redacted_at"]


def test_what_readers_are_shown_now_is_not_erased_and_the_way_is_told(ann):
    item = ann("post", SECRET, "--json").json
    number, words = str(item["id"]), f"--version={item['version']}"
    refused = ann("redact", number, words, "--note=It named her.")
    assert refused.code == 1
    assert "change them first, then redact it" in refused.err
    assert f"publisher fix {number} --edit" in refused.err
    again = next(line for line in refused.err.splitlines() if line.startswith("  publisher redact"))
    with ann.at_terminal("redact", number, words, "--note=It named her.") as terminal:
        said = terminal.read_until("then redact it")  # before anybody is asked
        assert "[y/N]" not in said
        assert terminal.result()[0] == 1
    assert ann("fix", number, "--headline=A woman died").code == 0
    assert ann(*shlex.split(again)[1:]).code == 0
    assert log(ann, number)[str(item["version"])]["redacted_at"]
    assert ann("outbox").err == "publisher: the outbox is empty\n"


def test_a_version_that_there_is_not_is_refused_by_its_option(ann):
    number, _ = named(ann)
    refused = ann("redact", number, "--version=7", "--note=x", "--json")
    assert refused.code == 1
    assert [one["option"] for one in refused.problem["errors"]] == ["--version"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["redact", "128", "--note=x"], "redact needs --version"),
        (["redact", "128", "--version=3"], "redact needs --note"),
        (["redact", "--version=3", "--note=x"], "which item?"),
        (["redact", "128", "--version=x", "--note=x"], "--version must be a version's number"),
        (["redact", "128", "--version=0-abcd", "--note=x"], "--version must be a version's number"),
    ],
)
def test_what_redact_does_not_understand(ann, words, said):
    done = ann(*words)
    assert done.code == 2
    assert said in done.err


def test_the_note_of_a_withdrawal_can_be_redacted_and_readers_see_the_new_one(ann):
    number, _ = named(ann)
    killed = ann("kill", number, f"--note={SECRET} is alive.", "--json").json
    version = str(killed["version"])
    with ann.at_terminal(
        "redact", number, f"--version={killed['etag']}", "--note=She is alive."
    ) as terminal:
        shown = terminal.read_until("[y/N]")
        assert f"“{SECRET} is alive.”" in shown
        assert "Readers see this note instead: She is alive." in shown
        terminal.type("y")
        code, out = terminal.result()
    assert (code, f"Erased: the words of {version}" in out) == (0, True)
    shown = ann("show", number)
    assert "She is alive." in shown.out
    assert SECRET not in shown.out + at_home(ann)
    other = ann("redact", number, f"--version={number}", "--note=x")
    assert other.code == 1
    assert "only its note can be redacted" in other.err
    assert f"publisher show {number} --revisions" in other.err
    assert ann("outbox").out == ""


def test_the_note_of_a_correction_gets_another_text_and_the_words_stay(ann):
    number, _ = named(ann)
    corrected = ann("correct", number, f"--note={SECRET}? No.", "--json").json
    done = ann("redact", number, f"--version={corrected['version']}", "--note=A name was wrong.")
    assert done.code == 0, done.err
    item = ann("show", number, "--json").json
    assert item["headline"] == "A woman died"
    assert [one["note"] for one in item["corrections"]] == ["A name was wrong."]
    assert SECRET not in ann("show", number).out


def test_no_word_of_it_is_left_at_home_whoever_was_shown_it(ann, bob):
    number, version = named(ann)
    # A second editor on the same machine, who was shown the name; and ann herself.
    second = InProcess(ann.home).at(ann.environ["PUBLISHER_URL"], bob.environ["PUBLISHER_TOKEN"])
    item = second("fix", number, f"--headline={SECRET} at 34", "--json").json
    third = str(item["version"])
    assert second("show", number).code == ann("show", number).code == 0
    assert second("fix", number, "--headline=A woman died", "--tag=sumy").code == 0
    # Refused ones: one that repeats it, one that was made from it, one with other words.
    assert ann("update", number, f"--headline={SECRET} today", "--if-match=1-aaaa").code == 1
    assert ann("update", number, "-", f"--if-match={item['etag']}", stdin="At 34.").code == 1
    assert ann("update", number, "--source=AP", "--if-match=1-aaaa").code == 1
    assert SECRET in at_home(ann)
    assert len(ann.texts) == 1

    done = ann("redact", number, "--version", version, "--note=It named her.")
    assert done.code == 0, done.err
    done = ann("redact", number, "--version", third, "--note=It named her.", "--json")
    assert done.code == 0, done.err
    assert SECRET not in at_home(ann)
    assert "34" not in "".join(ann.texts)
    left = ann("outbox", "--json").json["outbox"]
    assert [one["fields"] for one in left] == [{"source": "AP"}]
    assert SECRET not in done.out + done.err


def test_what_leaves_the_outbox_is_told(ann):
    number, version = named(ann)
    assert ann("fix", number, f"--headline={SECRET}", "--if-match=1-aaaa").code == 1
    done = ann("redact", number, "--version", version, "--note=It named her.")
    assert "Taken out of the outbox, as it repeated these words: 1" in done.out
    assert ann("outbox").out == ""


def test_a_colleagues_edit_that_was_not_seen_stays_unseen_after_a_redact(ann, bob):
    number, version = named(ann)
    assert ann("show", number).code == 0
    assert bob("fix", number, "--headline=A woman of 34 died").code == 0
    done = ann("redact", number, "--version", version, "--note=It named her.", "--json")
    assert done.code == 0
    refused = ann("update", number, "--headline=A woman died at home", "--json")
    assert refused.code == 1
    assert refused.problem["conflicts"] == ["headline"]


def test_a_retry_with_the_same_key_erases_once_and_names_it_again(ann):
    number, version = named(ann)
    words = ["redact", number, "--version", version, "--note=It named her.", "--key", f"r{number}"]
    assert ann(*words).code == 0
    again = ann(*words, "--json")
    assert again.code == 0, again.err
    assert again.json["replayed"] is True
    assert (again.json["redacted"], again.json["purge"]) == ([int(version)], "done")
    with ann.at_terminal(*words) as terminal:  # what was done is not asked about
        assert terminal.result()[0] == 0
    verbs = [one["verb"] for one in log(ann, number).values()]
    assert verbs == ["post", "fix", "redact"]
    assert ann(*words[:-1], "another").out.startswith(f"Item {number} has no words of version")


def test_a_redact_against_an_older_version_is_refused_where_that_was_asked_for(ann):
    number, version = named(ann)
    words = ["redact", number, "--version", version, "--note=x"]
    refused = ann(*words, "--if-match=1-aaaa", "--json")
    assert refused.code == 1
    assert refused.problem["status"] == 412
    retry = shlex.split(refused.problem["retry"])
    assert ann(*retry[1:]).code == 0


DIES_ONCE_IT_IS_STORED = """
import os, signal
import feedserver.api.editing as editing
progress = editing._progress
async def dies(*args, redacted, **more):
    if redacted:
        os.kill(os.getpid(), signal.SIGKILL)
    return await progress(*args, redacted=redacted, **more)
editing._progress = dies
"""


def test_a_redact_whose_answer_a_killed_server_did_not_give_is_done_once(publisher, tmp_path):
    with Server(tmp_path / "data", first=DIES_ONCE_IT_IS_STORED) as room:
        editor = publisher.at(room.url, room.token)
        number, version = named(editor)
        assert editor("show", number).code == 0
        assert editor("update", number, f"--headline={SECRET}", f"--seen={version}-aaaa").code == 1
        port = room.port
        failed = editor("redact", number, "--version", version, "--note=x", "--timeout=3")
        assert failed.code == 3
        assert "It is not known whether it was stored" in failed.err
        room.ended()
        room._first = ""
        room.start(port)
        sent = editor("outbox", "send", "--json")
        assert sent.code == 0, sent.err
        [one] = sent.json["sent"]
        assert (one["replayed"], one["redacted"]) == (True, [int(version)])
        assert one["purge"] in {"done", "pending"}
        assert [each["verb"] for each in log(editor, number).values()] == ["post", "fix", "redact"]
        assert SECRET not in at_home(editor)
        assert editor("outbox").out == ""


def test_a_redact_in_the_outbox_is_sent_from_there_and_takes_the_words_along(publisher, newsroom):
    editor = publisher.at(newsroom.url, newsroom.token)
    number, version = named(editor)
    port = newsroom.port
    assert editor("show", number).code == 0
    assert editor("fix", number, f"--headline={SECRET}", "--if-match=1-aaaa").code == 1
    newsroom.stop()
    assert editor("redact", number, "--version", version, "--note=x", "--timeout=2").code == 3
    newsroom.start(port)
    sent = editor("outbox", "send", "--json")
    assert sent.code == 0, sent.err
    [one] = sent.json["sent"]
    assert (one["redacted"], one["dropped"]) == ([int(version)], [1])
    assert SECRET not in at_home(editor)


DIES = """
import os, sys
import publisher.editing.submitting as sending
from publisher.commands.program import main
sending.forget_erased = lambda *_: os._exit(9)
main(sys.argv[1:])
"""


def test_a_command_that_dies_once_it_is_done_leaves_the_rest_to_a_retry(ann):
    number, version = named(ann)
    assert ann("show", number).code == 0
    assert ann("fix", number, f"--headline={SECRET}", f"--if-match={version}-aaaa").code == 1
    words = ["redact", number, "--version", version, "--note=x"]
    died = subprocess.run([sys.executable, "-c", DIES, *words], env=ann.environ, check=False)
    assert died.returncode == 9
    assert log(ann, number)[version]["redacted_at"]
    assert SECRET in at_home(ann)
    sent = ann("outbox", "send", "--json")
    assert sent.code == 0, sent.err
    assert sent.json["sent"][0]["redacted"] == [int(version)]
    assert SECRET not in at_home(ann)
    assert ann("outbox").out == ""


def test_words_that_are_still_being_erased_are_told(publisher, hostile):
    log = {"revisions": [{"version": 120, "verb": "post", "fields": {"headline": "A name"}}]}
    done = answers(201, ITEM, redacted="120, 121", purge="pending")
    server = hostile(answers(200, ITEM), answers(200, log), done)
    publisher.at(server.url)
    said = publisher("redact", "128", "--version=120", "--note=x").out
    assert "Erased: the words of 120, 121 · Purge: pending" in said
    assert "the server keeps trying until they are gone" in said
    server.responses = [answers(200, ITEM), answers(200, log), done]
    told = publisher("redact", "128", "--version=120", "--note=x", "--json").json
    assert (told["redacted"], told["purge"]) == ([120, 121], "pending")


def test_a_server_that_answers_the_question_otherwise_erases_nothing_unasked(publisher, hostile):
    item = {"id": 128, "etag": "131-x7Kd", "version": 131, "headline": "A woman died"}
    server = hostile(
        answers(200, item), answers(200, {"revisions": []}),
        problem(422, "invalid-fields", "unknown verb"),
    )  # fmt: skip
    publisher.at(server.url)
    with publisher.at_terminal("redact", "128", "--version=128", "--note=x") as terminal:
        assert terminal.result()[0] == 1
    assert [request.path.rpartition("/")[2] for request in server.requests] == [
        "128", "revisions", "lint",
    ]  # fmt: skip


@pytest.mark.parametrize("word", ["erase", "forget"])
def test_a_word_that_people_try_for_it_is_answered_with_both_ways(ann, word):
    assert "publisher redact ID --version V" in ann(word, "128").err
    assert "publisher redact" not in ann("redac", "128").err


@pytest.fixture
def both(tmp_path, newsroom):
    """One editor at two machines, the first of which was shown what the other erased."""
    first, other = (_editor(tmp_path / name, newsroom.url, newsroom.token) for name in "ab")
    number, version = named(first)
    assert first("fix", number, f"--headline={SECRET} there").code == 0
    again = str(first("show", number, "--json").json["version"])
    assert first("show", number).code == 0
    assert other("fix", number, "--headline=A woman died").code == 0
    assert other("redact", number, "--version", again, "--note=x").code == 0
    assert other("redact", number, "--version", version, "--note=x", "--key=both").code == 0
    assert SECRET in at_home(first)
    return first, number, version


def test_words_that_were_erased_from_another_machine_leave_with_a_retry(both):
    first, number, version = both
    done = first("redact", number, "--version", version, "--note=x", "--key=both")
    assert done.code == 0, done.err
    assert SECRET not in done.out + done.err + at_home(first)


def test_words_that_were_erased_from_another_machine_leave_once_the_log_is_read(both):
    first, number, _ = both
    assert first("show", number, "--revisions", "--json").code == 0
    assert SECRET not in at_home(first)
    refused = first("update", number, "--headline=She died", "--json")
    assert refused.problem["conflicts"] == ["headline"]
