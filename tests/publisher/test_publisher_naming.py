"""An item is named by its number, by its address, or as the last one of the editor's own."""

from __future__ import annotations

import pytest
from editors import InProcess
from hostile import ITEM, answers
from support.server import Server

from publisher.text import recent
from publisher.text.item_name import ItemName, read_item_name
from publisher.text.recent import Recent, RecentItems

NOTE = "--note=Wrong."


@pytest.fixture
def ann(tmp_path, shared_newsroom):
    home = tmp_path / "ann"
    home.mkdir()
    return InProcess(home).at(shared_newsroom.url, shared_newsroom.token)


def post(editor, headline, *words):
    done = editor("post", headline, *words)
    assert done.code == 0, done.err
    return int(done.out.split()[1].removesuffix(":"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("131", {"id": 131}),
        ("#131", {"id": 131}),
        ("last", {"last": 1}),
        ("last:3", {"last": 3}),
        ("https://a.example/feeds/world/items/131", {"id": 131}),
        ("https://a.example/feeds/world/items/131/", {"id": 131}),
        ("https://a.example/feeds/world/items/131#item-131", {"id": 131}),
        ("https://a.example/feeds/world/items/131?utm_source=x", {"id": 131}),
        ("https://a.example/feeds/world/items/131.ninjs", {"id": 131}),
        ("https://a.example/feeds/world#item-131", {"id": 131}),
        ("https://a.example/feeds/world?at=131", {"id": 131}),
        ("https://a.example/v1/feeds/world/items/131/revisions", {"id": 131}),
    ],
)
def test_a_name_is_read(text, name):
    where = {"server": "https://a.example", "feed": "world"} if text.startswith("http") else {}
    assert read_item_name(text) == ItemName(text, **name, **where)


@pytest.mark.parametrize(
    "text",
    [
        "", "0", "#", "-1", "1.5", "١٣", "9" * 16, "last:0", "last:", "last:x", "Last 2", "latest",
        "https://a.example/feeds/world", "https://a.example/items/131", "a.example/feeds/w/items/1",
        "ftp://a.example/feeds/world/items/131", "https://a:b@a.example/feeds/world/items/131",
        "https://a.example:x/feeds/world/items/131", "https://a.example/feeds/WORLD/items/131",
        "https:///feeds/world/items/131", "https://a.example/feeds/world/items/131x",
    ],
)  # fmt: skip
def test_what_names_no_item_is_not_taken_for_one(text):
    assert read_item_name(text) is None


def test_a_server_below_a_path_is_told_from_the_feeds_address():
    name = read_item_name("https://a.example:8443/news/feeds/world/items/7")
    assert name == ItemName(
        name.text, 7, server="https://a.example:8443/news", feed="world"
    )  # fmt: skip


def test_every_verb_takes_a_number_with_a_hash_and_an_address(ann, shared_newsroom):
    number = post(ann, "Bus hit")
    page = f"{shared_newsroom.url}/feeds/world/items/{number}"
    assert f"Fixed {number}: Bus hit" in ann("fix", f"#{number}", "--headline=Bus hit twice").out
    assert ann("pin", f"{page}#item-{number}").code == 0
    assert ann("show", f"{shared_newsroom.url}/feeds/world#item-{number}", "--json").json["pinned"]
    assert ann("lint", page).out == "Nothing found\n"
    assert ann("unpin", page).code == 0
    assert ann("hold", page).code == ann("release", page).code == 0
    assert ann("update", page, "--headline=More").code == ann("correct", page, NOTE).code == 0
    assert ann("kill", page, NOTE).code == 0


def test_the_feed_is_that_of_the_address(ann, shared_newsroom):
    shared_newsroom.cli("feed", "add", "sport", "--title", "Sport")
    number = post(ann, "Goal", "--feed=sport")
    page = f"{shared_newsroom.url}/feeds/sport/items/{number}"
    assert ann("show", page, "--json").json["feed"] == "sport"
    assert ann("fix", page, "--headline=Goal!").code == 0
    assert ann("show", page, "--feed=sport").code == 0
    failed = ann("fix", page, "--headline=Own goal", "--feed=world")
    assert failed.code == 2
    assert "--feed says world, and the address is in the feed sport" in failed.err


def test_an_address_elsewhere_is_refused_and_that_server_is_sent_nothing(ann, hostile):
    other = hostile(answers(200, ITEM))
    for words in (["show"], ["fix", "--headline=x"], ["kill", NOTE], ["lint"]):
        failed = ann(words[0], f"{other.url}/feeds/world/items/128", *words[1:])
        assert failed.code == 2
        assert f"is on another server than {ann.environ['PUBLISHER_URL']}" in failed.err
        assert f"to work there: publisher login {other.url}\n" in failed.err
    assert other.requests == []


def test_an_address_on_the_server_of_another_profile_names_that_profile(ann, hostile):
    other = hostile(answers(200, {"feeds": [{"slug": "world"}]}), answers(200, {"readers": 0}))
    assert ann("login", other.url, "--as=there", stdin="nf_x").code == 0
    asked = len(other.requests)
    failed = ann("show", f"{other.url}/feeds/world/items/128")
    assert failed.code == 2
    assert failed.err.endswith("; to work there: --as there\n")
    assert len(other.requests) == asked


def test_the_address_that_readers_use_is_that_of_the_same_server(tmp_path):
    public = {"FEEDSERVER_URL": "https://news.example"}
    with Server(tmp_path / "data", environ=public) as server:
        (tmp_path / "home").mkdir()
        ann = InProcess(tmp_path / "home").at(server.url, server.token)
        number = post(ann, "Bus hit")
        page = f"https://news.example/feeds/world/items/{number}"
        assert ann("show", page).out.startswith("Bus hit\n")
        assert ann("show", page.replace("news.", "other.")).code == 2
        assert ann("show", page.replace("world", "absent")).code == 2


def test_last_is_what_was_posted_or_changed_last_and_is_echoed(ann):
    first, second = post(ann, "Bus hit"), post(ann, "Train late")
    done = ann("show", "last")
    assert f"last is {second} in world, “Train late”" in done.err
    assert done.out.startswith("Train late\n")
    assert ann("show", "last:2").out.startswith("Bus hit\n")
    done = ann("fix", "last:2", "--headline=Bus hit twice")
    assert f"Fixed {first}: Bus hit twice\n" in done.out
    assert f"last is {first} in world, “Bus hit twice”" in ann("pin", "last").err
    assert ann("show", "last:2", "--json").json["id"] == second
    failed = ann("show", "last:3")
    assert failed.code == 2
    assert (
        "last:3 is not known: with this profile only 2 items were posted or changed" in failed.err
    )
    # What was only looked at, or left as it was, is not the last one.
    assert ann("show", str(second)).code == 0
    assert ann("unpin", str(second)).code == 0
    assert ann("show", "last", "--json").json["id"] == first


def test_last_is_of_this_editor_and_server_alone(ann, tmp_path, shared_newsroom):
    post(ann, "Bus hit")
    bob = InProcess(ann.home).at(shared_newsroom.url, shared_newsroom.cli("token", "add", "bob-l"))
    failed = bob("fix", "last", "--headline=x")
    assert failed.code == 2
    assert "last is not known: with this profile no item was posted or changed" in failed.err


def test_last_finds_its_feed_and_keeps_to_one_that_is_named(ann, shared_newsroom):
    shared_newsroom.cli("feed", "add", "culture", "--title", "Culture")
    world, culture = post(ann, "Bus hit"), post(ann, "Opera opens", "--feed=culture")
    done = ann("fix", "last", "--headline=Opera closes")
    assert f"Fixed {culture}: Opera closes\n" in done.out
    assert f"last is {culture} in culture, “Opera opens”" in done.err
    assert ann("show", "last", "--feed=world", "--json").json["id"] == world


@pytest.mark.parametrize("words", [["kill"], ["kill", "--yes"], ["correct"], ["kill", "--json"]])
def test_without_a_terminal_last_is_neither_withdrawn_nor_corrected(ann, words):
    number = post(ann, "Bus hit")
    failed = ann(words[0], "last", NOTE, *words[1:])
    assert failed.code == 2
    assert f"last is {number} in world, “Bus hit”; {words[0]} takes that only from a" in failed.err
    assert ann("show", str(number), "--json").json["version"] == number


@pytest.mark.parametrize(("typed", "code"), [("y", 0), ("n", 2)])
@pytest.mark.parametrize("words", [["kill"], ["kill", "--yes"], ["correct"]])
def test_at_a_terminal_last_is_asked_about_once(publisher, shared_newsroom, words, typed, code):
    publisher.at(shared_newsroom.url, shared_newsroom.token)
    number = InProcess(publisher.home).at(shared_newsroom.url, shared_newsroom.token)
    number = post(number, f"Bus hit {words} {typed}")
    with publisher.at_terminal(words[0], "last", NOTE, *words[1:]) as terminal:
        said = terminal.read_until("[y/N]")
        assert f"last is {number} in world, “Bus hit" in said
        terminal.type(typed)
        assert terminal.result()[0] == code
    item = publisher("show", str(number), "--json").json
    assert (item["version"] == number) is (code == 2)


def test_a_withdrawn_item_stays_the_last_one_without_its_words(ann):
    first, second = post(ann, "Bus hit"), post(ann, "A victim's name")
    assert ann("kill", str(second), NOTE).code == 0
    for editor_file in (ann.home / ".local/state/publisher/recent").iterdir():
        assert "victim" not in editor_file.read_text()
    failed = ann("update", "last", "--headline=Two hurt")
    assert failed.code == 1
    assert f"last is {second} in world, without its headline" in failed.err
    assert ann("show", "last:2", "--json").json["id"] == first


def test_what_waits_in_the_outbox_is_the_last_one(ann, newsroom):
    ann.at(newsroom.url, newsroom.token)
    first, second = post(ann, "Bus hit"), post(ann, "Train late")
    newsroom.stop()
    away = ["--timeout=0.3"]
    assert ann("update", str(first), "--headline=Bus hit twice", *away).code == 3
    failed = ann("update", "last", "--headline=Bus hit thrice", *away)
    assert f"last is {first} in world, “Bus hit twice”" in failed.err
    assert ann("post", "Ship sinks", *away).code == 3
    failed = ann("update", "last", "--headline=Ship afloat", *away)
    assert failed.code == 2
    assert "last is “Ship sinks”, which is still in the outbox and has no number yet" in failed.err
    assert "publisher outbox send 3\n" in failed.err
    assert f"last:3 is {second} in world, “Train late”" in ann("show", "last:3", *away).err


def test_nothing_fails_where_it_cannot_be_remembered(ann):
    folder = ann.home / ".local/state/publisher"
    folder.mkdir(parents=True)
    (folder / "recent").write_text("a file in its place")
    assert post(ann, "Bus hit")
    assert ann("show", "last").code == 2


def test_recent_items_keep_to_their_bounds_and_read_no_broken_file(tmp_path, monkeypatch):
    monkeypatch.setattr(recent, "ITEMS_MAX", 3)
    mine = RecentItems(tmp_path / "recent", "http://127.0.0.1:9", "ann")
    for number in range(1, 6):
        mine.note("world", number, "Bus hit")
    assert len(mine.newest()) == 3
    [path, *others] = sorted((tmp_path / "recent").iterdir())
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text('{"format": 1, "feed": 5, "item": "x", "at": 1, "headline": []}')
    others[0].write_text("[")
    assert len(mine.newest()) == 1
    draft = path.with_name(f".{path.name}.4711")
    draft.write_text("half the headl")
    for number in range(1, 6):
        mine.forget("world", number)
    assert [one.headline for one in mine.newest()] == [None]
    assert not draft.exists()
    nowhere = RecentItems(None, "http://127.0.0.1:9", "ann")
    nowhere.note("world", 1, "Bus hit")
    assert nowhere.newest() == []
    assert isinstance(mine.newest()[0], Recent)
