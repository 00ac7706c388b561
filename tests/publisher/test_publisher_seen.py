"""Two editors on one item: only what was seen is written over, and each change is told by words."""

from __future__ import annotations

import shlex

import pytest
from editors import InProcess


@pytest.fixture(scope="module")
def tokens(shared_newsroom):
    return [shared_newsroom.cli("token", "add", name) for name in ("ann", "bob")]


@pytest.fixture
def ann(tmp_path, shared_newsroom, tokens):
    return _editor(tmp_path / "ann", shared_newsroom.url, tokens[0])


@pytest.fixture
def bob(tmp_path, shared_newsroom, tokens):
    return _editor(tmp_path / "bob", shared_newsroom.url, tokens[1])


def _editor(home, url, token):
    home.mkdir()
    return InProcess(home).at(url, token)


def post(editor, headline="Drone kills 9", *words):
    """Post without having been shown more than JSON."""
    return str(editor("post", headline, *words, "--json").json["id"])


def now(editor, number):
    return editor("show", number, "--json").json


def commands(said):
    return [shlex.split(line)[1:] for line in said.splitlines() if line.startswith("  publisher ")]


def seen_files(editor):
    folder = editor.home / ".local/state/publisher/seen"
    return [path.read_text() for path in folder.glob("*")] if folder.exists() else []


def test_an_edit_that_was_never_shown_is_not_written_over(ann, bob):
    number = post(bob)
    assert ann("show", number).code == 0
    assert bob("fix", number, "--headline=Drone kills 10").code == 0

    failed = ann("update", number, "--headline=Drone kills 9, injures 7", "--json")
    assert failed.code == 1
    assert failed.problem["conflicts"] == ["headline"]
    assert failed.problem["changed_by"] == "fix by bob"
    assert now(bob, number)["headline"] == "Drone kills 10"
    # In JSON nobody was shown what bob wrote.
    failed = ann("update", number, "--headline=Drone kills 9, injures 7")
    assert failed.code == 1
    assert "Headline, theirs: Drone kills [-9-]{+10+}" in failed.err
    assert "Headline, yours: Drone kills 9{+, injures 7+}" in failed.err
    assert (
        f"item {number} was changed meanwhile, and so was what you change: headline" in failed.err
    )
    # Now it was shown, and may be written over.
    done = ann("update", number, "--headline=Drone kills 10, injures 7")
    assert done.code == 0
    assert "  Headline: Drone kills 10{+, injures 7+}" in done.out


def test_what_others_changed_in_other_fields_stands_beside_ones_own(ann, bob):
    number = post(bob, "Drone kills 9", "--tag=sumy", "--body=Old text.", "--byline=Bob")
    assert ann("show", number).code == 0
    assert bob("fix", number, "--tag=kyiv", "--body=New text.").code == 0
    assert bob("pin", number).code == 0

    done = ann("update", number, "--headline=Drone kills 10", "--byline=Ann")
    assert done.code == 0, done.err
    own, others = done.out.split("Changed since you looked (fix by bob, pin by bob):\n")
    assert "  Headline: Drone kills [-9-]{+10+}\n  Byline: [-Bob-]{+Ann+}\n" in own
    assert "  Body: [-Old-]{+New+} text.\n  Tags: [-sumy-]{+kyiv+}\n" in others
    item = now(bob, number)
    assert (item["headline"], item["body"], item["tags"]) == (
        "Drone kills 10", "New text.", ["kyiv"],
    )  # fmt: skip
    # The answer showed all of it: the next edit is against that.
    assert ann("fix", number, "--tag=lviv", "--body=Newest text.").code == 0


def test_what_one_did_not_change_oneself_is_left_as_others_made_it(ann, bob, tmp_path):
    number = post(bob, "Drone kills 9", "--body=Old text.")
    assert ann("show", number).code == 0
    assert bob("fix", number, "--headline=Drone kills 10").code == 0
    story = tmp_path / "story.txt"
    story.write_text("Drone kills 9\n\nMy text.\n")
    assert ann("update", number, "--file", str(story)).code == 0
    item = now(bob, number)
    assert (item["headline"], item["body"]) == ("Drone kills 10", "My text.")


def test_what_is_in_json_or_in_a_list_was_not_seen_but_ones_own_edits_move_it_on(ann, bob):
    number = post(bob)
    assert ann("show", number).code == 0
    assert bob("fix", number, "--body=Bob's text.").code == 0
    for words in (["show", number, "--json"], ["list"]):
        assert ann(*words).code == 0
    # Twice, in JSON: the second is not in conflict with the first, and bob's text stays unseen.
    for headline in ("Drone kills 10", "Drone kills 11"):
        assert ann("update", number, "--headline", headline, "--json").code == 0
    assert bob("fix", number, "--add-tag=bob").code == 0
    assert ann("fix", number, "--add-tag=ann", "--json").code == 0
    for option, field in (("--body=Ann's text.", "body"), ("--tag=sumy", "tags")):
        failed = ann("update", number, option, "--json")
        assert failed.code == 1
        assert failed.problem["conflicts"] == [field]
    failed = ann("update", number, "--body=Ann's text.")
    assert "Body, theirs: {+Bob's text.+}" in failed.err
    assert "Tags, theirs: {+bob, +}ann" in failed.err
    item = now(bob, number)
    assert (item["body"], item["tags"]) == ("Bob's text.", ["bob", "ann"])


def test_an_item_that_was_never_shown_is_shown_at_a_terminal_and_asked_about(ann, bob):
    number = post(bob, "Drone kills 9", "--body=All of the text.")
    words = ["update", number, "--headline=Drone kills 10", "--no-lint"]
    with ann.at_terminal(*words) as terminal:
        shown = terminal.read_until("[y/N]")
        assert "All of the text." in shown
        assert f"you were not shown {number} before" in shown
        terminal.type("n")
        assert terminal.result()[0] == 2
    assert now(bob, number)["headline"] == "Drone kills 9"
    with ann.at_terminal(*words) as terminal:  # whatever the answer was, it has been shown now
        assert terminal.result()[0] == 0
    assert now(bob, number)["headline"] == "Drone kills 10"


def test_without_a_terminal_the_answer_says_which_version_was_written_over(ann, bob):
    item = bob("post", "Drone kills 9", "--body=Bob's text.", "--json").json
    number, etag = str(item["id"]), item["etag"]
    done = ann("update", number, "--body=Ann's text.")
    assert f"Written over version {etag}, which you were not shown" in done.out
    assert "  Body: [-Bob's-]{+Ann's+} text." in done.out
    etag = now(bob, number)["etag"]
    given = ann("update", number, "--headline=Drone kills 10", "--json").json
    assert (given["based_on"], given["unseen"]) == (etag, True)
    strict = ann("update", number, "--tag=sumy", "--if-match", etag)
    assert strict.code == 1  # though only another field has changed
    [beside, over] = commands(strict.err)
    assert "--overwrite" not in beside
    assert "--overwrite" in over
    assert ann(*beside).code == 0
    assert now(bob, number)["tags"] == ["sumy"]


def test_a_conflict_is_settled_in_the_editor_with_both_changes_in_it(ann, bob):
    body = "First.\n\nThe bus was hit at 6.\n\nLast."
    number = post(bob, "Drone kills 9 in Sumy", f"--body={body}")
    assert ann("show", number).code == 0
    theirs = body.replace("at 6", "at 7").replace("Last.", "Last, by Bob.")
    assert bob("fix", number, "--headline=Drone kills 10 in Sumy", f"--body={theirs}").code == 0
    mine = body.replace("at 6", "at 8").replace("First.", "First, by Ann.")
    failed = ann("update", number, "-", "--headline=Drone kills 9 in Sumy Oblast", stdin=mine)
    assert failed.code == 1
    into, over = commands(failed.err)
    assert "--edit" in into
    assert "--overwrite" not in into
    assert over[-3:-1] == ["--overwrite", f"--if-match={now(bob, number)['etag']}"]
    assert failed.err.index("--edit") < failed.err.index("--overwrite")

    unsettled = ann(*into, EDITOR=ann.editor("text = text"))
    assert unsettled.code == 2
    assert "both versions still stand between <<<<<<< and >>>>>>>" in unsettled.err
    keep = ann.editor(
        "assert 'Both changed the words between' in text\n"
        "text = text.replace('<<<<<<< 7 ======= 8 >>>>>>>', '8')"
    )
    done = ann(*into, EDITOR=keep)
    assert done.code == 0, done.err
    item = now(bob, number)
    assert item["headline"] == "Drone kills 10 in Sumy Oblast"
    assert item["body"] == "First, by Ann.\n\nThe bus was hit at 8.\n\nLast, by Bob."
    assert ann("outbox").out == ""


def test_an_item_in_the_editor_is_shown_whole_so_that_all_of_it_may_be_written_over(ann, bob):
    number = post(bob, "Drone kills 9", "--tag=lviv", "--byline=Bob", "--breaking")
    assert ann("show", number).code == 0
    assert bob("fix", number, "--tag=sumy").code == 0
    opened = ann.editor(
        "below = text.split('-- >8', 1)[1]\n"
        "assert '  · Tags: sumy\\n  · ' in below, below\n"
        "assert 'Byline: Bob' in below and 'Breaking: yes' in below, below\n"
        "assert 'Drone' not in below\n"
        "text = text.replace('kills 9', 'kills 10')"
    )
    done = ann("update", number, "--edit", EDITOR=opened)
    assert done.code == 0, done.err
    assert ann("fix", number, "--tag=kyiv").code == 0  # of what stood below the text
    assert now(ann, number)["tags"] == ["kyiv"]


def test_the_last_way_puts_ones_own_over_what_was_shown_and_no_newer_version(ann, bob):
    number = post(bob, "Drone kills 9", "--tag=sumy", "--byline=Bob")
    assert ann("show", number).code == 0
    assert bob("fix", number, "--tag=kyiv", "--byline=Robert").code == 0
    failed = ann("fix", number, "--tag=sumy", "--tag=lviv", "--byline=Ann", "--source=AP")
    assert failed.code == 1
    beside, over = commands(failed.err)
    assert "To send yours beside theirs (keeps their byline):" in failed.err
    assert bob("fix", number, "--tag=odesa").code == 0
    again = ann(*over)
    assert again.code == 1
    assert now(bob, number)["tags"] == ["odesa"]
    assert ann(*commands(again.err)[-1]).code == 0
    item = now(bob, number)
    assert (item["tags"], item["byline"], item["source"]) == (["sumy", "lviv"], "Ann", "AP")

    assert bob("fix", number, "--no-tags").code == 0
    done = ann("fix", number, "--tag=rivne", "--overwrite")
    assert done.code == 0
    assert "Tags: {+rivne+}" in done.out
    # What was to be sent beside theirs named the tags that were added.
    assert "--add-tag=lviv" in beside
    assert not any("byline" in word for word in beside)


def test_of_a_long_text_only_the_changed_passages_are_shown(ann, bob):
    body = " ".join(f"word{index}" for index in range(4000))
    number = post(bob, "Drone kills 9", f"--body={body}")
    assert ann("show", number).code == 0
    assert bob("fix", number, "-", stdin=body.replace("word2000 ", "bobs2000 ")).code == 0
    failed = ann("fix", number, "-", stdin=body.replace("word3000 ", "anns3000 "))
    assert failed.code == 1
    assert "[-word2000-]{+bobs2000+}" in failed.err
    assert "[-word3000-]{+anns3000+}" in failed.err
    assert len(failed.err) < 3000
    into = commands(failed.err)[0]
    assert ann(*into, EDITOR="true").code == 0  # other words: both changes stand already
    assert {"bobs2000", "anns3000"} <= set(now(bob, number)["body"].split())


def test_verbs_that_write_over_nobodys_words_take_the_version_there_is_and_tell_what_changed(
    ann, bob
):
    number = post(bob, "Drone kills 9")
    assert ann("show", number).code == 0
    assert bob("fix", number, "--headline=Drone kills 10").code == 0
    pinned = ann("pin", number)
    assert pinned.code == 0
    told = "Changed since you looked (fix by bob):\n  Headline: Drone kills [-9-]{+10+}\n"
    assert told in pinned.out
    assert "Changed since" not in ann("hold", number).out  # that was told
    for headline in ("11", "12"):
        assert bob("fix", number, f"--headline=Drone kills {headline}").code == 0
        if headline == "11":
            assert "Headline: Drone kills [-10-]{+11+}" in ann("release", number).out
    with ann.at_terminal("kill", number, "--note=Wrong.") as terminal:
        shown = terminal.read_until("[y/N]")
        assert "Changed since you looked" in shown
        assert "Drone kills [-11-]{+12+}" in shown
        assert len(seen_files(ann)) == 1
        terminal.type("y")
        code, _ = terminal.result()
    assert code == 0
    assert seen_files(ann) == []


@pytest.mark.parametrize("how", ["show", "list", "update"])
def test_the_words_of_an_item_that_somebody_withdrew_leave(ann, bob, how):
    number = post(bob, "A name")
    assert ann("show", number).code == 0
    assert "A name" in seen_files(ann)[0]
    assert bob("kill", number, "--note=Wrong.").code == 0
    ann(how, *{"show": [number], "list": [], "update": [number, "--body=x"]}[how])
    assert seen_files(ann) == []


def test_one_tag_more_or_less_leaves_the_others_as_they_are(ann, bob):
    number = post(bob, "Drone kills 9", "--tag=ukraine", "--tag=Sumy")
    done = ann("fix", number, "--add-tag=bus", "--remove-tag=sumy")
    assert done.code == 0, done.err
    assert "  Tags: ukraine, [-Sumy-]{+bus+}" in done.out
    assert ann("show", number).code == 0
    assert bob("fix", number, "--add-tag=drones").code == 0
    assert ann("fix", number, "--remove-tag=bus").code == 0  # no conflict: both stand
    assert now(bob, number)["tags"] == ["ukraine", "drones"]
    assert "says so already" in ann("fix", number, "--remove-tag=kyiv", "--add-tag=UKRAINE").out
    for words in (
        ["--tag=a", "--add-tag=b"],
        ["--no-tags", "--remove-tag=b"],
        ["--add-tag=a", "--remove-tag=A"],
    ):
        refused = ann("fix", number, *words)
        assert refused.code == 2
        assert "cannot" in refused.err


def test_one_picture_is_named_by_its_number_and_the_others_stay(ann, bob):
    jpeg = {"type": "image/jpeg"}
    pictures = ["--media=https://e.example/1.jpg", "--alt=One", "--media=https://e.example/2.jpg"]
    number = post(bob, "Drone kills 9", *pictures, "--credit=AP")
    assert "Picture 2: https://e.example/2.jpg · AP" in ann("show", number).out
    done = ann("fix", number, "--picture=2", "--alt=The bus", "--picture=1", "--alt=")
    assert done.code == 0, done.err
    assert "2.jpg{+ · The bus+} · AP" in done.out
    assert now(bob, number)["media"] == [
        {"url": "https://e.example/1.jpg", **jpeg},
        {"url": "https://e.example/2.jpg", **jpeg, "alt": "The bus", "credit": "AP"},
    ]
    # It is that picture, wherever it stands since.
    turned = ["--media=https://e.example/2.jpg", "--alt=The bus", "--credit=Reuters"]
    turned += ["--media=https://e.example/1.jpg"]
    assert bob("fix", number, *turned).code == 0
    assert ann("fix", number, "--picture=2", "--alt=A burnt-out bus").code == 0
    first = now(bob, number)["media"][0]
    assert first == {
        "url": "https://e.example/2.jpg", **jpeg, "alt": "A burnt-out bus", "credit": "Reuters",
    }  # fmt: skip
    assert bob("fix", number, "--picture=1", "--alt=Bob's").code == 0
    assert ann("fix", number, "--picture=1", "--alt=Ann's").code == 1
    for words, said in (
        (["--picture=3", "--alt=x"], "there is no picture 3: the item has 2 pictures"),
        (["--picture=1"], "say what changes of picture 1"),
        (["--picture=x", "--alt=x"], "--picture must be the number"),
        (["--picture=1", "--alt=x", "--clear=media"], "cannot be used together"),
        (["--alt=x"], "--alt comes after the --media or --picture"),
    ):
        refused = ann("fix", number, *words)
        assert refused.code == 2, refused
        assert said in refused.err


def test_what_waited_in_the_outbox_is_merged_or_in_conflict_never_written_over(tmp_path, newsroom):
    ann = _editor(tmp_path / "ann", newsroom.url, newsroom.cli("token", "add", "ann"))
    bob = _editor(tmp_path / "bob", newsroom.url, newsroom.token)
    number, other = post(bob, "Drone kills 9", "--tag=sumy"), post(bob, "Never shown to Ann")
    assert ann("show", number).code == 0
    port = newsroom.port
    newsroom.stop()
    change = ann.editor("text = text.replace('kills 9', 'kills 9, injures 7')")
    for words in (
        ["fix", number, "--add-tag=bus"],
        ["update", number, "--edit"],  # on the version that was seen
        ["fix", other, "--headline=Never shown"],
    ):
        waits = ann(*words, "--timeout=1.5", EDITOR=change)
        assert waits.code == 3, waits.err
    assert (
        "this is the version that you saw last"
        in ann("update", number, "--edit", "--timeout=0.1", EDITOR="true").err
    )
    newsroom.start(port)
    assert bob("fix", number, "--headline=Drone kills 10", "--add-tag=drones").code == 0
    sent = ann("outbox", "send")
    assert sent.code == 1
    assert "Headline, theirs: Drone kills [-9-]{+10+}" in sent.err
    item = now(bob, number)
    assert (item["headline"], item["tags"]) == ("Drone kills 10", ["sumy", "drones", "bus"])
    assert now(bob, other)["headline"] == "Never shown"
    assert "Written over version" in sent.out
    [left] = ann("outbox", "--json").json["outbox"]
    assert (left["verb"], left["state"]) == ("update", "refused")


@pytest.mark.parametrize("where", ["/dev/null/state", "/dev/full"])
def test_where_nothing_can_be_kept_every_verb_does_its_work(ann, bob, where):
    number = post(bob, "Drone kills 9")
    nowhere = {"XDG_STATE_HOME": where}
    for words in (
        ["show", number],
        ["update", number, "--headline=Drone kills 10"],
        ["fix", number, "--add-tag=bus"],
        ["pin", number],
        ["kill", number, "--note=Wrong."],
    ):
        done = ann(*words, **nowhere)
        assert done.code == 0, (words, done.err)
    assert seen_files(ann) == []


def test_a_full_disk_keeps_the_version_that_was_seen_before(ann, bob):
    number = post(bob, "Drone kills 9")
    assert ann("show", number).code == 0
    # A limit on the size of files, as a full disk has it: nothing more can be written.
    limited = "ulimit -f 0; trap '' XFSZ; "
    assert bob("fix", number, "--headline=Drone kills 10").code == 0
    assert ann.through_shell(f"{limited} publisher show {number} | cat").code == 0
    update = f"{limited} publisher update {number} --headline=Mine 2>&1 | cat"
    assert "Headline, theirs" in ann.through_shell(update).out
    assert now(bob, number)["headline"] == "Drone kills 10"


@pytest.mark.parametrize(
    ("verb", "now_it"),
    [("pin", "is pinned already"), ("hold", "is held already"), ("unpin", "is not pinned")],
)
def test_a_wish_that_a_colleague_fulfilled_is_fulfilled_whatever_names_it(bob, verb, now_it):
    number = post(bob)
    bob(verb, number)
    etag = now(bob, number)["etag"]
    for words in (["--key", f"{verb}-{number}"], ["--if-match", etag], ["--note=again"]):
        done = bob(verb, number, *words)
        assert done.code == 0, done.err
        assert f"Item {number} {now_it}; nothing changed" in done.out
        assert bob(verb, number, *words, "--json").json["unchanged"] is True
    assert bob("outbox").out == ""
    assert now(bob, number)["etag"] == etag
