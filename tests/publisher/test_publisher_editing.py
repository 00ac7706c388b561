"""An editor's work from `login` to `kill`, with the real program and the real server."""

from __future__ import annotations

import re
import shlex
import stat

import pytest
from editors import InProcess
from hostile import ITEM, answers

from publisher.commands.program import SYNONYMS, TABLE


@pytest.fixture
def editor(tmp_path, shared_newsroom):
    home = tmp_path / "home"
    home.mkdir()
    return InProcess(home).at(shared_newsroom.url, shared_newsroom.token)


def post(editor, headline="Bus hit", *words, **more):
    done = editor("post", headline, *words, "--json", **more)
    assert done.code == 0, done.err
    return done.json


def test_login_checks_the_token_and_saves_it_for_its_owner_alone(publisher, newsroom):
    refused = publisher("login", newsroom.url, stdin="nf_wrong\n")
    assert refused.code == 1
    assert f"{newsroom.url} refuses the token" in refused.err
    assert f"With another token: publisher login {newsroom.url}" in refused.err
    assert not (publisher.home / ".config").exists()

    done = publisher("login", newsroom.url, stdin=f"{newsroom.token}\n")
    assert done.code == 0
    assert newsroom.token not in done.out + done.err
    path = publisher.home / ".config/publisher/profile.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert publisher("post", "It works").code == 0


def test_login_takes_the_address_of_a_feeds_page(publisher, newsroom):
    newsroom.cli("feed", "add", "sport", "--title", "Sport")
    done = publisher("login", f"{newsroom.url}/feeds/sport", "--json", stdin=newsroom.token)
    assert done.json["feed"] == "sport"
    assert publisher("post", "1:0", "--json").json["feed"] == "sport"
    assert publisher("post", "1:0", "--json", "--feed", "world").json["feed"] == "world"
    assert publisher("post", "1:0", "--json", PUBLISHER_FEED="world").json["feed"] == "world"
    unknown = publisher("login", newsroom.url, "--feed", "culture", stdin=newsroom.token)
    assert unknown.code == 2
    assert unknown.err.splitlines()[0].endswith("no feed culture; its feeds: sport, world")
    misspelt = publisher("login", f"{newsroom.url}/feeds/wrold", stdin=newsroom.token)
    assert misspelt.code == 2
    assert "its feeds: sport, world; did you mean world?" in misspelt.err


def test_a_saved_token_goes_to_no_other_server(publisher, newsroom, hostile):
    assert publisher("login", newsroom.url, stdin=newsroom.token).code == 0
    other = hostile(answers(200, ITEM))
    stopped = publisher("post", "Bus hit", PUBLISHER_URL=other.url)
    assert stopped.code == 2
    assert other.requests == []
    assert publisher("show", "128", PUBLISHER_URL=other.url).code == 0
    assert "authorization" not in other.requests[0].headers


def test_a_token_does_not_travel_unencrypted(publisher, tmp_path):
    publisher.at("http://news.invalid")
    stopped = publisher("post", "Bus hit")
    assert stopped.code == 2
    assert "unencrypted" in stopped.err
    assert publisher("post", "Bus hit", "--insecure").code == 3  # tried, and not found
    assert publisher("post", "Bus hit", PUBLISHER_INSECURE="1").code == 3


def test_the_story_of_an_item(editor):
    item = post(
        editor, "Drone strike on bus kills 9", "-", "--tag", "ukraine", "--tag", "sumy",
        "--breaking", "--byline", "Anna", "--source", "Reuters", "--language", "en",
        "--url", "https://news.example/bus", "--occurred-at", "2025-05-17T06:17:00+03:00",
        "--media", "https://news.example/bus.jpg", "--alt", "The bus", "--credit", "AP",
        "--size", "1200x800", stdin="A drone hit a **bus**.\n\nFour were injured.\n",
    )  # fmt: skip
    assert item["body"] == "A drone hit a **bus**.\n\nFour were injured."
    assert item["media"][0]["width"] == 1200
    assert item["occurred_at"] == "2025-05-17T03:17:00.000Z"
    assert item["delivered"] == {"readers": 0, "of": 0, "ms": 0}
    number = str(item["id"])

    updated = editor("update", number, "--headline", "Drone strike on bus kills 9, injures 7")
    assert updated.code == 0
    assert f"Updated {number}: Drone strike on bus kills 9, injures 7" in updated.out
    assert f"/feeds/world/items/{number} · no reader is connected right now" in updated.out

    fixed = editor("fix", number, "--no-tags", "--no-breaking", "--clear=source", "--json").json
    assert fixed["byline"] == "Anna"
    assert not {"tags", "breaking", "source"} & fixed.keys()
    corrected = editor("correct", number, "-", "--note", "It was seven.", "--json", stdin="Seven.")
    assert corrected.json["corrections"][0]["note"] == "It was seven."
    assert corrected.json["body"] == "Seven."
    assert editor("pin", number, "--json").json["pinned"] is True
    assert "pinned" not in editor("unpin", number, "--json").json
    assert editor("hold", number, "--note", "calling them", "--json").json["status"] == "held"
    assert editor("release", number, "--json").json["status"] == "live"
    assert f"Held {number}: " in (held := editor("hold", number).out)
    assert "marked “Being checked”" in held

    log = editor("show", number, "--revisions")
    assert "calling them" in log.out
    assert [line.split(" by ")[0].rsplit(" ", 1)[1] for line in log.out.splitlines()] == [
        "post", "update", "fix", "correct", "pin", "unpin", "hold", "release", "hold",
    ]  # fmt: skip
    assert "A drone hit a bus." in editor("show", number, "--history").out
    shown = editor("show", number).out
    assert "Correction" in shown
    assert " UTC" in shown  # the zone of the feed, which names none, and not this machine's

    killed = editor("kill", number, "--note", "It named a victim.")
    assert killed.code == 0
    assert f"Withdrawn {number}: Drone strike on bus kills 9, injures 7" in killed.out
    gone = editor("show", number, "--json")
    assert (gone.code, gone.json["status"]) == (0, "killed")
    shown = editor("show", number).out
    assert "It named a victim." in shown
    assert shown.lower().count("withdrawn") == 1
    again = editor("update", number, "--headline", "Back")
    assert again.code == 1
    assert "withdrawn" in again.err
    assert f"publisher show {number}\n" in again.err
    assert "publisher post" in again.err
    history = editor("show", number, "--history").err
    assert f"publisher show {number}\n" in history
    assert "publisher post" not in history


def test_an_update_reads_as_a_sentence_in_any_order(editor):
    number = str(post(editor)["id"])
    for words in (
        ["update", number, "-", "--headline=One"],
        ["update", number, "--headline=One", "-"],
        ["update", "--headline=One", number, "--body", "-"],
        ["update", "--headline", "One", "--", number, "-"],
    ):
        done = editor(*words, "--json", stdin="Text") if "--" not in words else editor(
            *words, stdin="Text"
        )  # fmt: skip
        assert done.code == 0, done.err
    assert editor("show", number, "--json").json["body"] == "Text"


@pytest.mark.parametrize(
    "words",
    [
        ["update", "1"],
        ["update", "1", "--note", "only a note"],
        ["update", "x", "--headline", "y"],
        ["update", "1", "surplus", "--headline", "y"],
        ["correct", "1", "--headline", "y"],
        ["kill", "1"],
        ["kill", "1", "--note", "x", "--headline", "y"],
        ["post"],
        ["post", "a", "b"],
        ["post", "a", "--headline", "b"],
        ["post", "a", "-", "--body", "b"],
        ["post", "a", "--alt", "no picture"],
        ["post", "a", "--media", "https://e.example", "--size", "big"],
        ["post", "a", "--key", "with space"],
        ["post", "a", "--feed", "No Slug"],
        ["post", "a", "--file", "/nowhere/at/all"],
        ["fix", "1", "--clear", "headline"],
        ["fix", "1", "--clear", "byline", "--byline", "x"],
        ["fix", "1", "--tag", "a", "--no-tags"],
        ["redact"],
        ["list", "--limit", "0"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_2_and_sends_nothing(publisher, hostile, words):
    server = hostile(answers(200, ITEM))
    done = publisher.at(server.url)(*words)
    assert done.code == 2
    assert done.err.startswith("publisher: ")
    assert publisher(*words, "--json").problem["type"] == "usage"
    assert server.requests == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["update", "1", "--headlin", "x"], "no option --headlin; did you mean --headline?"),
        (["kill", "1", "--notes=x"], "no option --notes; did you mean --note?"),
        (["list", "--qqq"], "no option --qqq\n"),
    ],
)
def test_a_misspelt_option_is_answered_with_a_suggestion(publisher, words, said):
    done = publisher(*words)
    assert done.code == 2
    assert said in done.err


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("psot", "did you mean post?"),
        ("correct131", "did you mean correct?"),
        *((word, "publisher kill ID --note") for word in ("delete", "remove", "retract")),
        *((word, "publisher kill ID --note") for word in ("withdraw", "unpublish", "rm")),
        *((word, "publisher fix, update or correct") for word in ("edit", "change", "amend")),
        *((word, "publisher kill ID --note") for word in ("Delete", "erase", "recall", "takedown")),
        *((word, "nothing is taken back") for word in ("undo", "revert", "undelete", "restore")),
        ("unhold", "publisher release ID"),
        ("typo", "publisher fix ID"),
        ("send", "publisher outbox"),
        ("me", "publisher whoami"),
        ("profiles", "publisher login URL; a second one: --as NAME"),
        ("sign-out", "publisher logout"),
        ("revisions", "publisher show ID --history"),
        ("publish", "publisher post"),
        ("view", "publisher show ID"),
        ("ls", "publisher list"),
        ("follow", "publisher watch"),
    ],
)
def test_another_word_for_a_verb_is_answered_with_the_verb(publisher, typed, said):
    done = publisher(typed, "5")
    assert done.code == 2
    assert f"there is no command '{typed}'" in done.err
    assert said in done.err


@pytest.mark.parametrize("typed", ["kil", "kll", "skill", "relase", "releas", "delease", "elease"])
def test_nobody_is_led_to_kill_or_release_by_likeness(publisher, typed):
    done = publisher(typed, "5")
    assert done.code == 2
    assert "did you mean" not in done.err
    assert "the commands: login, whoami" in done.err


def test_only_words_that_mean_it_lead_to_kill_or_release():
    """What looks alike could mean the opposite."""
    led = {word for word, said in SYNONYMS.items() if "publisher kill" in said}
    assert led == {
        "delete", "del", "remove", "rm", "erase", "retract", "withdraw", "recall", "unpublish",
        "takedown", "pull", "purge", "forget", "scrub", "expunge",
    }  # fmt: skip
    assert {word for word, said in SYNONYMS.items() if "publisher release" in said} == {"unhold"}
    commands = {entry.name for entry in TABLE}
    assert not SYNONYMS.keys() & commands
    for said in SYNONYMS.values():
        assert set(re.findall(r"publisher (\w+)", said)) <= commands


def test_words_that_only_look_like_options_are_taken(editor):
    assert post(editor, "x", "--body=--headlin")["body"] == "--headlin"
    assert post(editor, "x", "--body=--")["body"] == "--"
    for headline in ("--never before: a headline", "-10°C", "-5", "-x", "- a list", "-1 – 2"):
        assert post(editor, headline)["headline"] == headline
        assert post(editor, "--tag=a", f"--headline={headline}")["headline"] == headline
    assert post(editor, "--headline", "-10°C", "--body", "-x")["body"] == "-x"
    assert editor("post", "--tag", "-a", "--", "--minus").code == 0


def test_a_text_that_must_be_an_option_names_the_way_out(editor):
    refused = editor("post", "--minus-ten")
    assert refused.code == 2
    assert "there is no option --minus-ten; if it is a text and no option, put -- before" in (
        refused.err
    )
    taken = editor("post", "--", "--minus-ten")
    assert taken.code == 0
    assert ": --minus-ten\n" in taken.out


def test_a_wish_that_is_fulfilled_already_is_no_fault(editor):
    number = str(post(editor)["id"])
    for verb, now, other in (
        ("pin", "is pinned already", "unpin"),
        ("unpin", "is not pinned", "pin"),
        ("hold", "is held already", "release"),
        ("release", "is not held", "hold"),
    ):
        editor(verb, number)
        version = editor("show", number, "--json").json["version"]
        done = editor(verb, number, "--note", "once more")
        assert done.code == 0, (verb, done)
        assert f"Item {number} {now}; nothing changed" in done.out
        assert "the note was not stored" in done.out
        given = editor(verb, number, "--json").json
        assert (given["unchanged"], given["version"]) == (True, version)
        assert "key" not in given
        assert editor(other, number).code == 0


def test_a_feed_that_is_not_there_is_answered_with_those_that_are(publisher, newsroom):
    newsroom.cli("feed", "add", "sport", "--title", "Sport")
    token = newsroom.cli("token", "add", "sue", "--feed", "sport")
    for words, key in (
        (["list"], newsroom.token),
        (["show", "1"], newsroom.token),
        (["watch"], newsroom.token),
        (["post", "x"], newsroom.token),
        (["post", "x"], token),
        (["update", "1", "--headline=x"], newsroom.token),
    ):
        done = publisher.at(newsroom.url, key)(*words, "--feed", "wrold")
        assert done.code == 1
        assert f"{newsroom.url} has no feed wrold; its feeds: sport, world" in done.err
        assert "did you mean world?" in done.err
    failed = publisher("list", "--feed", "wrold", "--json")
    assert failed.problem["feeds"] == ["sport", "world"]
    elsewhere = publisher.at(newsroom.url, token)("post", "x")
    assert elsewhere.code == 1
    assert "did you mean" not in elsewhere.err
    assert f"publisher login {newsroom.url}" in elsewhere.err


def test_a_refusal_says_what_to_run(editor):
    number = str(post(editor)["id"])
    time = "2025-05-17T06:17+03:00"
    for words, said in (
        (["update", "999999", "--body=x"], "publisher list\n"),
        (["update", "999999", "--body=x", "--feed=world"], "publisher list --feed=world\n"),
        (["update", number, "--body=x", "--if-match=bad"], f"publisher show {number}\n"),
        (["post", "x", "--at", time], "--published-at"),
        (["post", "x", "--at", time, "--origin-uri=u:x", "--origin-id=1"], "--at and --origin-uri"),
        (["fix", number, "--body=x", "--at", time], "feedserver token add NAME --import"),
        (["post", "x", "--at", "2025-05-17T24:13Z"], "--at: no such time"),
        (["fix", number, "--body=x", "--if-match", f"{number}-abcd"], "was changed meanwhile"),
    ):
        done = editor(*words)
        assert done.code == 1, (words, done)
        assert said in done.err
    assert "--published-at" not in editor("fix", number, "--body=x", "--at", time).err


@pytest.mark.parametrize("verb", ["fix", "update"])
def test_what_an_item_says_already_makes_no_revision(editor, verb):
    item = post(
        editor, "Bus hit", "--body=A drone.", "--tag=sumy", "--breaking",
        "--occurred-at=2025-05-17T06:17+03:00", "--media=https://e.example/a.jpg",
    )  # fmt: skip
    number = str(item["id"])
    same = [
        ["--headline= Bus hit "],
        ["--body=A drone.\n"],
        ["--tag=sumy", "--breaking", "--note=again"],
        ["--occurred-at=2025-05-17T03:17Z", "--clear=byline"],
        ["--media=https://e.example/a.jpg"],
    ]
    for words in same:
        done = editor(verb, number, *words)
        assert done.code == 0, (words, done)
        assert "no revision was made" in done.out
    done = editor(verb, number, "-", "--json", stdin="A drone.\n").json
    assert (done["unchanged"], done["version"]) == (True, item["version"])
    assert editor.texts == []
    assert editor("show", number, "--json").json["version"] == item["version"]
    for words in (["--body=A drone!"], ["--no-breaking", "--headline=Bus hit"], ["--clear=media"]):
        assert "unchanged" not in editor(verb, number, *words, "--json").json, words


def test_a_retry_of_what_was_done_is_told_so_though_nothing_would_change(editor):
    number = str(post(editor)["id"])
    words = ["fix", number, "--body=Text", "--key", "done-once", "--json"]
    assert "replayed" not in editor(*words).json
    assert editor(*words).json["replayed"]


def test_what_the_server_refuses_is_exit_1(editor):
    number = str(post(editor)["id"])
    for words, said in (
        (["post", "x" * 301], "--headline: is 301 characters long"),
        (["post", "x", "--url", "ftp://x"], "--url: "),
        (["post", "x", "--at", "2025-01-01T00:00:00Z"], "--import"),
        (["post", "x", "--occurred-at", "2025-05-17 25:17Z"], "--occurred-at: no such time"),
        (["post", "x", "--body", "\x1b[31mred"], "--body: holds a character"),
        (["post", "x", "--media", "nowhere"], "--media: "),
        (["release", number, f"--if-match={number}-abcd"], "was changed meanwhile"),
        (["update", "999999", "--headline", "x"], "no item 999999"),
        (["show", "999999"], "no item 999999"),
        (["list", "--feed", "culture"], "no feed culture"),
        (["watch", "--feed", "culture"], "no feed culture"),
        (["update", number, "--headline", "x", "--if-match", "bad"], "If-Match"),
    ):
        done = editor(*words)
        assert done.code == 1, (words, done)
        assert said in done.err
    bad = editor("post", "", "--headline", "", "--json")
    assert bad.code == 2


def test_a_key_makes_a_retry_from_elsewhere_safe(editor):
    first = post(editor, "Bus hit", "--key", "story-1")
    again = post(editor, "Bus hit", "--key", "story-1")
    assert (again["id"], again["replayed"]) == (first["id"], True)
    other = editor("post", "Other news", "--key", "story-1")
    assert other.code == 1
    assert "--key story-1 was used before" in other.err
    number = str(first["id"])
    made = editor("update", number, "--body=x", "--key", "story-2", "--json").json
    assert editor("update", number, "--body=x", "--key", "story-2", "--json").json["replayed"]
    assert editor("show", number, "--json").json["version"] == made["version"]
    for _ in range(2):
        assert editor("kill", number, "--note", "Wrong.", "--key", "story-3").code == 0
    assert editor("update", number, "--body=x", "--key", "story-2").code == 1


def test_a_conflict_is_told_and_the_told_command_settles_it(editor):
    item = post(editor, "Bus hit", "--body", "Old.")
    number = str(item["id"])
    assert editor("update", number, "--body", "Theirs.").code == 0
    failed = editor("update", number, "-", "--if-match", item["etag"], stdin="Mine.")
    assert failed.code == 1
    for said in ("Theirs.", "Mine.", "update by anna"):
        assert said in failed.err
    into, over = (line for line in failed.err.splitlines() if line.startswith("  publisher "))
    assert "--edit" in into
    assert editor(*shlex.split(over)[1:]).code == 0
    assert editor("show", number, "--json").json["body"] == "Mine."


def test_somebody_else_is_faster_while_the_editor_is_open(editor):
    number = str(post(editor, "Bus hit", "--body", "Old.")["id"])
    slow = editor.editor(
        "import subprocess\n"
        f"subprocess.run([sys.executable, '-m', 'publisher', 'update', '{number}', "
        "'--body=Theirs.'], check=True, capture_output=True)\n"
        "text = text.replace('Old.', 'Mine.')"
    )
    failed = editor("fix", number, "--edit", EDITOR=slow)
    assert failed.code == 1
    assert "Theirs." in failed.err
    assert editor.texts == ["\n\nMine.\n"]
    assert editor("show", number, "--json").json["body"] == "Theirs."


def test_an_item_is_written_and_rewritten_in_the_editor(editor):
    write = editor.editor("text = 'Bus hit\\n\\nA drone.\\n\\nTwice.\\n' + text.lstrip('\\n')")
    item = editor("post", "--edit", "--tag=sumy", "--json", EDITOR=write).json
    assert (item["headline"], item["body"]) == ("Bus hit", "A drone.\n\nTwice.")
    number = str(item["id"])
    change = editor.editor("text = text.replace('Twice.', 'Three times.')")
    assert editor("fix", number, "--edit", EDITOR=change).code == 0
    clear = editor.editor("text = 'Bus hit\\n'")
    assert "body" not in editor("fix", number, "--edit", "--json", EDITOR=clear).json
    log = editor("show", number, "--revisions", "--json").json["revisions"]
    assert [sorted(revision.get("fields", {})) for revision in log[1:]] == [["body"], ["body"]]
    assert editor.texts == []


def test_an_editor_that_changes_nothing_or_fails_sends_nothing(editor):
    number = str(post(editor)["id"])
    version = editor("show", number, "--json").json["version"]
    assert editor("update", number, "--edit", EDITOR="true").code == 2
    assert editor("post", "--edit", EDITOR="true").code == 2
    assert editor.texts == []
    assert editor("update", number, "--edit", EDITOR="/no/such/editor").code == 2
    failed = editor("update", number, "--edit", EDITOR="false")
    assert "ended with status 1; nothing was sent" in failed.err
    assert "saved" not in failed.err
    assert "--help" not in failed.err
    for script in ("text = ''", "file.unlink()\nsys.exit()"):
        assert editor("fix", number, "--edit", EDITOR=editor.editor(script)).code == 2
    assert editor.texts == []
    blank = editor.editor("text = '\\n\\nA text without a headline'")
    assert editor("update", number, "--edit", EDITOR=blank).code == 2
    assert editor("post", "--edit", EDITOR=blank).code == 2
    assert sum("A text without a headline" in text for text in editor.texts) == 2
    dies = editor.editor("file.write_text('Half a story')\nsys.exit(1)")
    assert "is saved in" in editor("post", "--edit", EDITOR=dies).err
    assert any("Half a story" in text for text in editor.texts)
    assert editor("show", number, "--json").json["version"] == version


def test_a_file_holds_headline_and_body(editor, tmp_path):
    story = tmp_path / "story.txt"
    story.write_text("Bus hit\n\nA drone.\n")
    item = editor("post", "--file", str(story), "--json").json
    assert (item["headline"], item["body"]) == ("Bus hit", "A drone.")
    assert story.exists()
    assert editor("post", "--file=-", "--json", stdin="From stdin").json["headline"] == "From stdin"


def test_list_shows_a_page_and_all_pages(publisher, newsroom):
    editor = publisher.at(newsroom.url, newsroom.token)
    for number in range(7):
        tag = "odd" if number % 2 else "even"
        post(editor, f"News {number}", "--tag", tag, "--body", f"unique{number}")
    first = editor("list", "--limit", "3")
    assert [line.split()[-1] for line in first.out.splitlines()[:3]] == ["6", "5", "4"]
    assert "there is more" in first.err
    assert len(editor("list", "--all", "--json").json["items"]) == 7
    assert len(editor("list", "--tag", "odd", "--json").json["items"]) == 3
    [found] = editor("list", "--search", "unique4", "--json").json["items"]
    assert found["headline"] == "News 4"
    assert "nothing here" in editor("list", "--tag", "none").err


def test_an_import_keeps_its_own_times(publisher, newsroom):
    token = newsroom.cli("token", "add", "wire", "--import")
    wire = publisher.at(newsroom.url, token)
    words = ["post", "Older news", "--at", "2025-05-17T03:20:00Z"]
    origin = ["--origin-uri", "https://wire.example", "--origin-id", "7"]
    item = wire(*words, *origin, "--json").json
    assert item["published_at"] == "2025-05-17T03:20:00.000Z"
    later = ["--at", "2025-05-17T07:40:00Z", "--json"]
    updated = wire("update", str(item["id"]), "--body=x", *later).json
    assert updated["updated_at"] == "2025-05-17T07:40:00.000Z"
    assert wire(*words, *origin).code == 1  # imported before
    past = wire("post", "Past", "--published-at", "2025-05-16T00:00:00Z", "--json").json
    assert past["published_at"] == "2025-05-16T00:00:00.000Z"


def test_a_closed_feed_and_a_revoked_token_refuse(publisher, newsroom):
    editor = publisher.at(newsroom.url, newsroom.token)
    number = str(post(editor)["id"])
    newsroom.cli("feed", "close", "world")
    closed = editor("post", "More")
    assert (closed.code, "closed" in closed.err) == (1, True)
    assert "feedserver feed reopen world" in closed.err
    assert editor("correct", number, "--note", "Wrong.", "--json").code == 0
    newsroom.cli("token", "revoke", "anna")
    revoked = editor("fix", number, "--body", "x")
    assert revoked.code == 1
    assert "publisher login" in revoked.err


def test_a_restart_in_between_is_not_noticed(publisher, newsroom):
    editor = publisher.at(newsroom.url, newsroom.token)
    port = newsroom.port
    newsroom.stop()
    waiting = editor.start("post", "Through a restart", "--json")
    newsroom.start(port)
    out, err = waiting.communicate(timeout=60)
    if waiting.returncode == 3:  # the restart took longer than five tries: the key tells
        assert "nothing was stored" in err.lower() or '"stored": "no"' in err
        out = editor("post", "Through a restart", "--json").out
    assert "Through a restart" in out
    assert len(editor("list", "--json").json["items"]) == 1
