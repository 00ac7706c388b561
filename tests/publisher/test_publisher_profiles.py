"""Who edits what where: profiles, what they may do, and how they go."""

from __future__ import annotations

import json

import pytest
from editors import InProcess
from hostile import ITEM, answers, problem

from publisher.server.profile import Profile


@pytest.fixture
def ann(tmp_path, shared_newsroom):
    """An editor with nothing in the environment."""
    home = tmp_path / "ann"
    home.mkdir()
    return InProcess(home)


def secret(room, name, *words):
    return room.cli("token", "add", name, *words)


@pytest.fixture(scope="module")
def tokens(shared_newsroom):
    shared_newsroom.cli("feed", "add", "tennis", "--title", "Tennis news")
    return {
        "ann": secret(shared_newsroom, "Ann P.", "--feed", "world"),
        "bob": secret(shared_newsroom, "Bob P.", "--import"),
    }


@pytest.fixture
def logged_in(ann, tokens, shared_newsroom):
    """The same with a default profile of Ann's and one of Bob's."""
    assert ann("login", shared_newsroom.url, stdin=tokens["ann"]).code == 0
    done = ann("login", f"{shared_newsroom.url}/feeds/tennis", "--as=bob", stdin=tokens["bob"])
    assert done.code == 0, done.err
    return ann


def who(editor, *words, **environ):
    return editor("whoami", "--json", *words, **environ).json


def last_editor(editor, number, *words):
    return editor("show", number, "--revisions", "--json", *words).json["revisions"][-1]["editor"]


def test_whoami_tells_name_server_profile_and_rights(logged_in, shared_newsroom):
    assert who(logged_in) == {
        "name": "Ann P.",
        "feeds": ["world"],
        "url": shared_newsroom.url,
        "as": "default",
        "feed": "world",
    }
    assert logged_in("whoami").out == (
        f"Ann P. at {shared_newsroom.url}, by the profile default\n"
        "Edits world\n"
        "The feed is world, unless you say --feed.\n"
    )
    assert logged_in("whoami", "--as=bob").out == (
        f"Bob P. at {shared_newsroom.url}, by the profile bob\n"
        "Edits all feeds\n"
        "The feed is tennis, unless you say --feed.\n"
        "May set past times and origins, as imports do.\n"
    )


def test_what_a_later_server_tells_is_shown_and_an_older_one_is_named(ann, hostile):
    later = {"name": "Ann", "verbs": ["post", "fix"], "expires": "2031-05-17T07:13:00.000Z"}
    said = ann.at(hostile(answers(200, later)).url)("whoami").out
    assert "Ann at http" in said
    assert ", by PUBLISHER_TOKEN\nEdits all feeds\nMay post, fix\n" in said
    assert "\nGood until 2031-05-17 " in said
    old = hostile(problem(404, "not-found"))
    failed = ann.at(old.url)("whoami")
    assert failed.code == 1
    assert "is an older server, which does not tell whose token it is" in failed.err
    assert len(old.requests) == 1
    assert ann.at(hostile(answers(200, {"name": 5})).url)("whoami").code == 3


def test_a_token_that_is_none_is_refused_with_the_way_out(logged_in, shared_newsroom):
    failed = logged_in("whoami", PUBLISHER_TOKEN="nf_unknown")
    assert failed.code == 1
    assert "refuses the token" in failed.err
    assert "It came from PUBLISHER_TOKEN" in failed.err


def test_an_option_beats_the_environment_which_beats_the_profile(logged_in, tokens, hostile):
    assert who(logged_in)["name"] == "Ann P."
    assert who(logged_in, PUBLISHER_PROFILE="bob")["name"] == "Bob P."
    assert who(logged_in, "--as=default", PUBLISHER_PROFILE="bob")["name"] == "Ann P."
    by_token = who(logged_in, PUBLISHER_TOKEN=tokens["bob"])
    assert (by_token["name"], by_token["as"]) == ("Bob P.", "environment")
    assert who(logged_in, PUBLISHER_PROFILE="bob", PUBLISHER_FEED="world")["feed"] == "world"
    other = hostile(answers(200, ITEM))
    environ = {"PUBLISHER_URL": other.url, "PUBLISHER_TOKEN": "nf_x", "PUBLISHER_FEED": "world"}
    assert (who(logged_in, "--as=bob", **environ)["name"], who(logged_in, "--as=bob")["feed"]) == (
        "Bob P.", "tennis",
    )  # fmt: skip
    assert who(logged_in, "--as=bob", "--feed=world", **environ)["feed"] == "world"
    # A saved token goes to no server that only the environment names.
    failed = logged_in("whoami", PUBLISHER_URL=other.url)
    assert failed.code == 2
    assert f"no token for {other.url} (the address is that of PUBLISHER_URL)" in failed.err
    assert other.requests == []


@pytest.mark.parametrize("name", ["", "Bob", "a/b", "..", "environment", "b b"])
def test_a_name_that_can_be_no_profiles_is_refused(ann, shared_newsroom, name):
    failed = ann("login", shared_newsroom.url, f"--as={name}", stdin="nf_x")
    assert failed.code == 2
    assert "must be a profile's name, of a-z, 0-9 and -, not" in failed.err
    if name:
        assert "PUBLISHER_PROFILE must be" in ann("whoami", PUBLISHER_PROFILE=name).err


def test_a_profile_that_is_not_there_names_those_that_are(logged_in):
    failed = logged_in("list", "--as=carl")
    assert failed.code == 2
    assert failed.err == (
        "publisher: there is no profile carl; the profiles: default, bob. "
        "To make it: publisher login URL --as carl\n"
    )


def test_each_profile_is_a_private_file_and_a_repeated_command_names_it(logged_in, newsroom):
    folder = logged_in.home / ".config/publisher"
    for path in (folder / "profile.json", folder / "profiles/bob.json"):
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
    saved = json.loads((folder / "profiles/bob.json").read_text())
    assert saved.keys() == {"url", "token", "feed"}
    assert saved["token"] not in repr(Profile(**saved))
    failed = logged_in("fix", "999999", "--headline=x", "--as=bob", "--if-match=1-aaaa")
    assert failed.code == 1
    assert "publisher list --as=bob" in failed.err
    assert "publisher fix 999999 --as=bob --feed=tennis --headline=x" in failed.err


def test_what_is_seen_and_last_is_of_one_profile(logged_in):
    number = str(logged_in("post", "Bus hit", "--as=bob", "--feed=world", "--json").json["id"])
    assert logged_in("show", "last").code == 2
    assert logged_in("show", "last", "--as=bob").code == 0
    assert logged_in("fix", number, "--headline=Bus hit twice").code == 0
    assert last_editor(logged_in, number) == "Ann P."
    # Bob was shown the item before Ann changed its headline.
    assert (
        logged_in("fix", number, "--headline=Bus hit thrice", "--as=bob", "--feed=world").code == 1
    )
    assert logged_in("fix", "last", "--tag=x", "--as=bob").code == 0
    assert last_editor(logged_in, number) == "Bob P."


def test_an_entry_of_the_outbox_goes_with_its_own_profile_alone(ann, newsroom):
    for name in ("ann", "bob"):
        token = secret(newsroom, f"{name} outbox")
        assert ann("login", newsroom.url, f"--as={name}", stdin=token).code == 0
    port = newsroom.port
    newsroom.stop()
    for name in ("ann", "bob"):
        done = ann("post", f"News of {name}", f"--as={name}", "--feed=world", "--timeout=0.3")
        assert done.code == 3
    newsroom.start(port)
    sent = ann("outbox", "send", "--as=ann")
    assert sent.code == 3
    assert "2, post “News of bob”, stays: it was written with the profile bob" in sent.err
    assert "publisher outbox send 2 --as bob" in sent.err
    assert ann("outbox", "send", "2", "--as=bob").code == 0
    items = ann("list", "--as=ann", "--feed=world", "--json").json["items"]
    assert [item["headline"] for item in items] == ["News of bob", "News of ann"]
    assert last_editor(ann, str(items[0]["id"]), "--as=ann", "--feed=world") == "bob outbox"


def test_a_refused_entry_is_repeated_with_its_profile(logged_in):
    failed = logged_in("post", "x" * 301, "--as=bob")
    assert failed.code == 1
    assert "publisher post --as=bob --feed=tennis" in logged_in("outbox").out


def test_logging_out_takes_the_token_and_what_was_shown_from_this_machine(logged_in):
    number = str(logged_in("post", "Bus hit").out.split()[1].removesuffix(":"))
    assert logged_in("show", number, "--as=bob", "--feed=world").code == 0
    state = logged_in.home / ".local/state/publisher"
    assert len([*(state / "seen").iterdir()]) == 2
    done = logged_in("logout")
    assert done.code == 0
    assert "the profile default is removed\nIts token is good until it is revoked" in done.out
    assert not (logged_in.home / ".config/publisher/profile.json").exists()
    assert len([*(state / "seen").iterdir()]) == 1
    assert [*(state / "recent").iterdir()] == []
    assert logged_in("whoami").code == 2
    assert who(logged_in, "--as=bob")["name"] == "Bob P."
    again = logged_in("logout", "--json", PUBLISHER_TOKEN="nf_x")
    assert again.code == 0
    assert again.json == {"as": "default", "removed": False}
    assert (
        "PUBLISHER_TOKEN is set, and is still used" in logged_in("logout", PUBLISHER_TOKEN="x").err
    )
    assert logged_in("logout", PUBLISHER_PROFILE="bob").code == 0
    assert logged_in("whoami", "--as=bob").code == 2


def test_logging_out_tells_what_is_not_sent_and_removes_a_broken_profile(ann, newsroom):
    assert ann("login", newsroom.url, stdin=newsroom.token).code == 0
    newsroom.stop()
    assert ann("post", "News", "--timeout=0.3").code == 3
    path = ann.home / ".config/publisher/profile.json"
    path.write_text("{")
    done = ann("logout")
    assert done.code == 0
    assert "1 of its commands in the outbox can be sent once you log in again" in done.err
    assert not path.exists()


def test_feeds_are_listed_with_the_usual_one_and_those_of_others(logged_in, shared_newsroom):
    shared_newsroom.cli("feed", "add", "gone", "--title", "Gone")
    shared_newsroom.cli("feed", "close", "gone")
    rows = {line.split("\t")[0]: line.split("\t") for line in logged_in("feeds").out.splitlines()}
    page = f"{shared_newsroom.url}/feeds/tennis"
    assert rows["tennis"] == ["tennis", "Tennis news", "not yours", page]
    assert rows["world"][2] == "usual"
    assert rows["gone"][2] == "closed, not yours"
    told = logged_in("feeds", "--json").json
    assert (told["edits"], told["feed"]) == (["world"], "world")
    assert {feed["slug"] for feed in told["feeds"]} == rows.keys()
    told = logged_in("feeds", "--json", "--as=bob").json
    assert told["edits"] == [feed["slug"] for feed in told["feeds"]]


def test_feeds_are_read_page_by_page_and_without_a_token_or_a_session(ann, hostile):
    first = answers(200, {"feeds": [{"slug": "a"}], "next": "a"})
    server = hostile(first, answers(200, {"feeds": [{"slug": "b"}]}), problem(404, "not-found"))
    told = ann.at(server.url)("feeds", "--json").json
    assert told == {"feeds": [{"slug": "a"}, {"slug": "b"}], "feed": "world"}
    assert [request.path for request in server.requests][1] == "/v1/feeds?after=a"
    empty = hostile(answers(200, {"feeds": []}))
    done = InProcess(ann.home)("feeds", PUBLISHER_URL=empty.url)
    assert (done.code, done.out) == (0, "")
    assert "there are no feeds yet" in done.err
    assert len(empty.requests) == 1
