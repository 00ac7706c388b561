"""A feed's key points: printed, changed against the version that was seen, redacted."""

from __future__ import annotations

import shlex

import pytest
from editors import InProcess
from hostile import answers, problem

POINTS = "Nine people died.\n\n- four in Sumy\n- five in **Kyiv**"


@pytest.fixture(scope="module")
def tokens(shared_newsroom):
    return [shared_newsroom.cli("token", "add", name) for name in ("points-ann", "points-bob")]


@pytest.fixture
def feed(shared_newsroom, tmp_path):
    """A feed of one's own, by its name."""
    slug = f"points-{abs(hash(str(tmp_path))) % 10**9}"
    shared_newsroom.cli("feed", "add", slug, "--title", "Key points")
    return slug


@pytest.fixture
def ann(tmp_path, shared_newsroom, tokens, feed):
    return _editor(tmp_path / "ann", shared_newsroom.url, tokens[0], feed)


@pytest.fixture
def bob(tmp_path, shared_newsroom, tokens, feed):
    return _editor(tmp_path / "bob", shared_newsroom.url, tokens[1], feed)


def _editor(home, url, token, feed):
    home.mkdir()
    return InProcess(home).at(url, token, feed)


def now(editor):
    return editor("summary", "--json").json


def commands(said):
    return [shlex.split(line)[1:] for line in said.splitlines() if line.startswith("  publisher ")]


def log(editor):
    found = editor("summary", "--revisions", "--json").json["revisions"]
    return {str(one["version"]): one for one in found}


def at_home(editor) -> str:
    files = [path for path in editor.home.rglob("*") if path.is_file()]
    return "\n".join(path.read_text(errors="replace") for path in files)


def test_key_points_are_written_and_read_back_as_they_were_typed(ann, feed):
    empty = ann("summary")
    assert empty.code == 0
    assert "there are no key points; to write some: publisher summary TEXT" in empty.err
    done = ann("summary", "-", stdin=f"{POINTS}\n")
    assert done.code == 0, done.err
    assert done.out.startswith(f"Changed the key points of {feed}\n")
    assert "  Key points: {+Nine people died." in done.out
    shown = ann("summary").out
    assert POINTS in shown
    told = now(ann)
    assert told["body"] == POINTS
    assert told["summary"][1]["list"]
    assert f"Version: {told['etag']}" in shown


def test_in_json_the_answer_is_the_feed_with_what_became_of_it(ann, feed):
    done = ann("summary", "Nine died.", "--json").json
    assert (done["body"], done["link"].endswith(f"/feeds/{feed}")) == ("Nine died.", True)
    assert {"key", "delivered", "based_on"} <= done.keys()
    again = ann("summary", "Nine died.", "--json").json
    assert again["unchanged"] is True
    assert "key" not in again
    assert len(log(ann)) == 2


def test_a_typo_leaves_the_time_that_readers_see(ann):
    assert ann("summary", "Nine dieed.").code == 0
    at = now(ann)["summary_at"]
    assert ann("summary", "Nine died.", "--typo").code == 0
    assert (now(ann)["summary_at"], now(ann)["body"]) == (at, "Nine died.")
    assert ann("summary", "Ten died.").code == 0
    assert now(ann)["summary_at"] != at


def test_key_points_are_taken_away_by_clear_alone(ann):
    assert ann("summary", "Nine died.").code == 0
    for words, stdin in ((["summary", ""], ""), (["summary", "-"], " \n")):
        refused = ann(*words, stdin=stdin)
        assert refused.code == 2
        assert "to take the key points away: --clear" in refused.err
    assert ann("summary", "--edit", EDITOR=ann.editor("text = ''")).code == 2
    assert now(ann)["body"] == "Nine died."
    assert ann("summary", "--clear").code == 0
    assert "body" not in now(ann)
    assert "The feed" in ann("summary", "--clear").out


def test_the_editor_opens_the_key_points_as_they_were_typed(ann):
    assert ann("summary", "-", stdin=POINTS).code == 0
    write = ann.editor(
        "assert text.startswith('Nine people died.\\n\\n- four in Sumy'), text\n"
        "assert '**Kyiv**\\n' in text.split('-- >8')[0], text\n"
        "text = text.replace('Nine', 'Ten').replace('- four', '- five')"
    )
    done = ann("summary", "--edit", EDITOR=write)
    assert done.code == 0, done.err
    assert "[-Nine-]{+Ten+} people" in done.out
    assert now(ann)["body"] == POINTS.replace("Nine", "Ten").replace("four", "five")
    same = ann("summary", "--edit", EDITOR="true")
    assert (same.code, "nothing was changed" in same.err) == (2, True)
    assert ann.texts == []


def test_a_colleagues_key_points_that_were_not_seen_are_not_written_over(ann, bob):
    assert bob("summary", "Nine people died.").code == 0
    assert ann("summary").code == 0
    assert bob("summary", "Ten people died.").code == 0

    failed = ann("summary", "Nine people died, seven hurt.")
    assert failed.code == 1
    assert "Changed meanwhile: summary by points-bob" in failed.err
    assert "Key points, theirs: [-Nine-]{+Ten+} people died." in failed.err
    assert "Yours: Nine people died{+, seven hurt+}." in failed.err
    assert now(bob)["body"] == "Ten people died."
    into, over = commands(failed.err)
    assert "--edit" in into
    assert "--overwrite" in over
    # The text is merged in the editor, and what is sent goes to the version that stood there.
    keep = ann.editor("assert text.startswith('Ten people died, seven hurt.\\n'), text")
    done = ann(*into, EDITOR=keep)
    assert done.code == 0, done.err
    assert now(bob)["body"] == "Ten people died, seven hurt."
    assert ann("outbox").out == ""


def test_the_last_way_writes_over_what_was_shown_and_nothing_newer(ann, bob):
    assert ann("summary", "Nine died.").code == 0
    assert bob("summary", "Ten died.").code == 0
    failed = ann("summary", "Eight died.", "--json")
    assert (failed.code, failed.problem["conflicts"]) == (1, ["summary"])
    assert failed.problem["changed_by"] == "summary by points-bob"
    over = shlex.split(failed.problem["overwrite"])[1:]
    assert bob("summary", "Eleven died.").code == 0
    assert ann(*over).code == 1
    assert now(bob)["body"] == "Eleven died."
    done = ann("summary", "Eight died.", "--overwrite")
    assert done.code == 0
    assert now(bob)["body"] == "Eight died."


def test_both_changes_of_the_same_words_stand_in_the_editor_until_one_is_kept(ann, bob):
    assert ann("summary", "Nine people died.").code == 0
    assert bob("summary", "Ten people died.").code == 0
    into, _ = commands(ann("summary", "Eight people died.").err)
    unsettled = ann(*into, EDITOR=ann.editor("text = text"))
    assert unsettled.code == 2
    assert "both versions still stand between" in unsettled.err
    keep = ann.editor(
        "assert 'Both changed the words between' in text\n"
        "text = text.replace('<<<<<<< Ten ======= Eight >>>>>>>', 'Eight')"
    )
    assert ann(*into, EDITOR=keep).code == 0
    assert now(bob)["body"] == "Eight people died."


def test_what_the_operator_changes_of_a_feed_is_no_conflict(ann, shared_newsroom, feed):
    assert ann("summary", "Nine died.").code == 0
    shared_newsroom.cli("feed", "edit", feed, "--title", "Another title")
    done = ann("summary", "Ten died.")
    assert done.code == 0, done.err
    assert now(ann)["title"] == "Another title"


def test_key_points_that_were_never_shown_are_shown_at_a_terminal_and_asked_about(ann, bob):
    assert bob("summary", "Nine people died.").code == 0
    with ann.at_terminal("summary", "Ten people died.") as terminal:
        shown = terminal.read_until("[y/N]")
        assert "Nine people died." in shown
        assert "you were not shown these key points before" in shown
        terminal.type("n")
        assert terminal.result()[0] == 2
    assert now(bob)["body"] == "Nine people died."
    assert ann("summary", "Ten people died.").code == 0  # they were shown now


def test_without_a_terminal_the_answer_says_which_version_was_written_over(ann, bob):
    etag = bob("summary", "Nine people died.", "--json").json["etag"]
    assert ann("summary", "--json").code == 0  # shows it to a program
    done = ann("summary", "Ten people died.")
    assert f"Written over version {etag}, which you were not shown" in done.out
    given = bob("summary", "Ten died.", "--if-match", etag, "--json")
    assert given.code == 1
    assert now(ann)["body"] == "Ten people died."


def test_what_a_server_that_was_away_did_not_get_is_kept_and_sent_once(publisher, newsroom):
    editor = publisher.at(newsroom.url, newsroom.token)
    assert editor("summary", "Nine died.").code == 0
    port = newsroom.port
    newsroom.kill9()
    failed = editor("summary", "-", "--timeout=2", stdin="Ten died.")
    assert failed.code == 3
    command = next(line for line in failed.err.splitlines() if line.startswith("  publisher "))
    assert command.endswith("-- 'Ten died.'")
    [entry] = editor("outbox", "--json").json["outbox"]
    assert (entry["verb"], entry["fields"]) == ("summary", {"summary": "Ten died."})
    later = editor("summary", "Eleven died.", "--timeout=2")
    assert later.code == 3
    assert len(editor("outbox", "--json").json["outbox"]) == 2
    newsroom.start(port)
    sent = editor("outbox", "send", "--json")
    assert sent.code == 1, sent.err  # the second was written over the version of before
    assert [one["body"] for one in sent.json["sent"]] == ["Ten died."]
    assert [one["conflicts"] for one in sent.json["refused"]] == [["summary"]]
    assert editor(*shlex.split(command)[1:]).code == 0  # a retry, done already
    assert [one.get("fields", {}).get("summary") for one in log(editor).values()] == [
        None, "Nine died.", "Ten died.",
    ]  # fmt: skip


def test_a_change_that_waits_goes_before_a_later_one(publisher, newsroom):
    editor = publisher.at(newsroom.url, newsroom.token)
    assert editor("summary", "Nine died.").code == 0
    port = newsroom.port
    newsroom.stop()
    assert editor("summary", "Ten died.", "--timeout=2").code == 3
    assert editor("post", "Bus hit", "--timeout=2").code == 3
    newsroom.start(port)
    done = editor("summary", "Eleven died.")
    assert done.code == 0, done.err
    assert "sent from the outbox: summary “Ten died.”" in done.err
    assert now(editor)["body"] == "Eleven died."
    [left] = editor("outbox", "--json").json["outbox"]
    assert left["verb"] == "post"


def test_a_lost_answer_changes_the_key_points_once(ann):
    words = ["summary", "Nine died.", "--key", "points-1"]
    assert ann(*words).code == 0
    again = ann(*words, "--json")
    assert (again.code, again.json["replayed"]) == (0, True)
    assert ann("summary", "Ten died.", "--key", "points-1", "--json").code == 1
    assert len(log(ann)) == 2


def test_revisions_tell_who_wrote_which_key_points(ann, bob):
    first = ann("summary", "Nine died.", "--json").json["version"]
    second = bob("summary", "Ten died.", "--json").json["version"]
    lines = ann("summary", "--revisions").out.splitlines()
    of_first = next(i for i, line in enumerate(lines) if line.startswith(f"{first}  "))
    assert "by points-ann" in lines[of_first]
    assert lines[of_first + 1] == "  Key points: Nine died."
    assert any(line.startswith(f"{second}  ") for line in lines)


def test_earlier_key_points_are_redacted_and_leave_the_editors_home(ann, bob):
    version = str(ann("summary", "Olena Petrenko died.", "--json").json["version"])
    assert ann("summary").code == bob("summary").code == 0
    refused = ann("redact", "--summary", "--version", version, "--note=A name.")
    assert refused.code == 1
    assert "publisher summary --edit" in refused.err
    again = next(line for line in refused.err.splitlines() if line.startswith("  publisher redact"))
    assert bob("summary", "A woman died.").code == 0
    failed = ann("summary", "Olena Petrenko died at 34.", "--json")  # shows a program what he wrote
    assert failed.code == 1
    assert "Olena" in at_home(ann)

    done = ann(*shlex.split(again)[1:])
    assert done.code == 0, done.err
    assert f"Erased: the words of {version} · Purge: done" in done.out
    assert "Taken out of the outbox" in done.out
    assert "Olena" not in at_home(ann)
    assert log(ann)[version]["redacted_at"]
    assert "Olena" not in ann("summary", "--revisions").out
    assert now(ann)["body"] == "A woman died."
    # Of bob's home they leave once he reads the log.
    assert bob("summary", "--revisions").code == 0
    assert "Olena" not in at_home(bob)
    # And what he wrote is still not written over unseen.
    assert ann("summary", "One died.").code == 1


def test_which_key_points_would_be_erased_is_shown_and_asked_about(ann):
    first = str(ann("summary", "Olena died.", "--json").json["version"])
    assert ann("summary", "A woman died.").code == 0
    second = str(ann("summary", "Olena died.", "--json").json["version"])
    assert ann("summary", "A woman died.").code == 0
    words = ["redact", "--summary", "--version", first, "--note=A name."]
    with ann.at_terminal(*words) as terminal:
        shown = terminal.read_until("[y/N]")
        assert shown.count("Key points: Olena died.") == 2
        assert "erase the words of these 2 versions for good?" in shown
        terminal.type("n")
        assert terminal.result()[0] == 2
    refused = ann(*words, "--if-match=1-aaaa", "--json")
    retry = shlex.split(refused.problem["retry"])
    assert (refused.code, f"--if-match={now(ann)['etag']}" in retry) == (1, True)
    done = ann(*words, "--key=points-r", "--json")
    assert done.json["redacted"] == [int(first), int(second)]
    again = ann(*words, "--key=points-r", "--json")
    assert (again.json["replayed"], again.json["redacted"]) == (True, [int(first), int(second)])
    nothing = ann(*words)
    assert (nothing.code, f"has no words of version {first} any more" in nothing.out) == (0, True)


def test_a_redact_of_key_points_waits_for_the_server_and_is_told_as_it_goes(publisher, newsroom):
    editor = publisher.at(newsroom.url, newsroom.token)
    version = str(editor("summary", "Olena died.", "--json").json["version"])
    assert editor("summary").code == 0
    port = newsroom.port
    newsroom.stop()
    assert editor("summary", "A woman died.", "--timeout=2").code == 3
    failed = editor("redact", "--summary", "--version", version, "--note=x", "--timeout=2")
    assert failed.code == 3
    newsroom.start(port)
    sent = editor("outbox", "send")
    assert sent.code == 0, sent.err
    assert "Changed the key points of world" in sent.out
    assert "Redacted the key points of world" in sent.out
    assert f"Erased: the words of {version} · Purge: done" in sent.out
    assert "Olena" not in at_home(editor)
    assert now(editor)["body"] == "A woman died."


def test_a_log_that_cannot_be_had_erases_nothing_unasked(publisher, hostile):
    told = {"slug": "world", "etag": "9-abcd", "version": 9, "body": "A woman died."}
    server = hostile(
        answers(200, told), answers(200, {"revisions": []}), problem(403, "forbidden", "not yours")
    )
    publisher.at(server.url)
    with publisher.at_terminal("redact", "--summary", "--version=5", "--note=x") as terminal:
        assert terminal.result()[0] == 1
    assert [request.path.rpartition("/")[2] for request in server.requests][:3] == [
        "world", "revisions", "lint",
    ]  # fmt: skip
    assert {request.method for request in server.requests[3:]} <= {"GET"}


def test_key_points_that_are_too_long_are_refused_by_their_argument(ann):
    refused = ann("summary", "-", "--json", stdin="x" * 5000)
    assert refused.code == 1
    assert [one["option"] for one in refused.problem["errors"]] == ["TEXT"]
    assert len(ann.texts) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["summary", "Nine", "died"], "put the key points in quotes"),
        (["summary", "Nine", "-"], "unexpected argument: Nine"),
        (["summary", "Nine", "--clear"], "--clear and a text cannot be used together"),
        (["summary", "--clear", "--edit"], "cannot be used together"),
        (["summary", "--edit", "-"], "--edit needs the terminal"),
        (["summary", "--typo"], "--typo goes with the new key points"),
        (["summary", "x", "--revisions"], "--revisions and a text cannot be used together"),
        (["summary", "x", "--seen=1-a", "--overwrite"], "--seen and --overwrite cannot be used"),
        (["redact", "7", "--summary", "--version=1", "--note=x"], "either an item's number or"),
    ],
)
def test_what_is_not_understood(publisher, words, said):
    done = publisher(*words)
    assert done.code == 2
    assert said in done.err


@pytest.mark.parametrize("body", [{"slug": "world"}, {"slug": "world", "etag": 5, "version": 1}])
def test_a_feed_of_another_shape_is_no_feedservers(publisher, hostile, body):
    failed = publisher.at(hostile(answers(200, body)).url)("summary")
    assert failed.code == 3
    assert "does not answer as a feedserver does" in failed.err
