"""Items are found by their marks, by whose they are and since when; times are those of the feed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zlib import crc32
from zoneinfo import ZoneInfo

import pytest
from editors import InProcess
from hostile import ITEM, answers, problem
from support.server import Server

from publisher.editing import finding

FEED = {"slug": "world", "timezone": "Europe/Berlin"}


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A server whose feeds are each a test's own."""
    with Server(tmp_path_factory.mktemp("finding") / "data") as server:
        yield server


@pytest.fixture
def ann(tmp_path, room, request):
    """An editor at work in a feed of the test's own, which is in New York."""
    slug = f"feed-{crc32(request.node.name.encode())}"
    room.cli("feed", "add", slug, "--title", "World", "--timezone", "America/New_York")
    return editor(tmp_path / "ann", room, slug)


def editor(home, server, slug):
    home.mkdir()
    return InProcess(home).at(server.url, server.token, slug)


def post(someone, headline, *words):
    done = someone("post", headline, "--json", *words)
    assert done.code == 0, done.err
    return str(done.json["id"])


def listed(someone, *words):
    done = someone("list", *words, "--json")
    assert done.code == 0, done.err
    return [item["headline"] for item in done.json["items"]]


def test_items_are_found_by_their_marks(ann):
    held, pinned, corrected, plain, gone = (post(ann, name) for name in "HPCXG")
    assert ann("hold", held).code == ann("pin", pinned).code == 0
    assert ann("correct", corrected, "--note=Wrong.").code == 0
    assert ann("pin", gone).code == ann("correct", gone, "--note=Wrong.").code == 0
    assert ann("kill", gone, "--note=Wrong.").code == 0
    assert listed(ann, "--held") == ["H"]
    assert listed(ann, "--pinned") == ["P"]
    assert listed(ann, "--corrected") == ["C"]
    assert listed(ann, "--held", "--pinned") == []
    assert ann("pin", held).code == 0
    assert listed(ann, "--held", "--pinned") == ["H"]
    assert listed(ann, "--pinned") == ["P", "H"]
    assert f"{plain}  " not in ann("list", "--corrected").out
    assert "there is nothing here" in ann("list", "--held", "--corrected").err


def test_pinned_items_are_found_however_old_and_under_a_tag(ann, monkeypatch):
    monkeypatch.setattr(finding, "LOOKED_AT_MAX", 10)
    old = post(ann, "Old", "--tag=a")
    assert ann("pin", old).code == 0
    for number in range(60):
        assert ann("post", f"News {number}", "--json").code == 0
    assert listed(ann, "--pinned") == ["Old"]
    assert listed(ann, "--pinned", "--tag=a") == ["Old"]
    assert listed(ann, "--pinned", "--tag=b") == []
    told = ann("list", "--pinned", "--json").json
    assert told.keys() == {"items", "feed", "epoch", "cursor", "now"}


def test_mine_are_those_of_this_machine(ann, tmp_path, room, monkeypatch):
    theirs = editor(tmp_path / "bob", room, ann.environ["PUBLISHER_FEED"])
    post(ann, "Mine")
    changed = post(theirs, "Changed by me")
    post(theirs, "Theirs")
    assert ann("fix", changed, "--tag=x").code == 0
    assert listed(ann, "--mine") == ["Changed by me", "Mine"]
    assert listed(ann, "--mine", "--tag=x") == ["Changed by me"]
    assert listed(theirs, "--mine") == ["Theirs", "Changed by me"]
    # No more pages are read than it takes to find them all.
    monkeypatch.setattr(finding, "PAGE", 1)
    monkeypatch.setattr(finding, "LOOKED_AT_MAX", 2)
    told = theirs("list", "--mine", "--json").json
    assert [item["headline"] for item in told["items"]] == ["Theirs", "Changed by me"]
    assert "looked_at" not in told
    assert ann("list", "--mine", "--json").json["looked_at"] == 2


def test_since_reads_a_time_in_the_feeds_zone_and_names_it(ann):
    new_york = ZoneInfo("America/New_York")
    now = datetime.now(new_york)
    for hours in (1, 30, 60):
        at = (now - timedelta(hours=hours)).isoformat(timespec="seconds")
        post(ann, f"{hours} h ago", "--published-at", at)
    assert listed(ann, "--since", "2 h ago") == ["1 h ago"]
    yesterday = now - timedelta(days=1)
    done = ann("list", "--since", "yesterday")
    assert f"--since is {yesterday:%Y-%m-%d} 00:00 America/New_York" in done.err
    assert "1 h ago" in done.out
    assert "60 h ago" not in done.out
    assert len(listed(ann, "--since", (now - timedelta(days=3)).isoformat())) == 3
    assert len(listed(ann, "--since", "3 days ago", "--limit=2")) == 2
    assert listed(ann, "--since", "2 days ago", "--search=30") == ["30 h ago"]
    told = ann("list", "--since", "2 days ago", "--json")
    assert told.err == ""
    assert "next" not in told.json


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("soon", "--since: 'soon' is not a time; write 10:13, yesterday 18:00, 2 h ago"),
        ("2025-13-01T00:00Z", "--since: '2025-13-01T00:00Z' is no day and time that there is"),
    ],
)
def test_a_time_that_is_none_is_refused_with_how_to_write_one(ann, text, said):
    failed = ann("list", "--since", text)
    assert failed.code == 2
    assert said in failed.err


def test_without_a_limit_all_since_then_are_shown_and_with_one_there_may_be_more(ann):
    for number in range(25):
        assert ann("post", f"News {number}", "--json").code == 0
    assert len(listed(ann)) == 20
    assert len(listed(ann, "--since=1 h ago")) == 25
    assert len(listed(ann, "--mine")) == 20
    done = ann("list", "--mine", "--limit=3")
    assert len(done.out.splitlines()) == 3
    assert "there is more: --all, or a larger --limit" in done.err
    assert "there is more" not in ann("list", "--mine", "--limit=25").err


def test_what_is_chosen_here_is_looked_for_in_so_many_items_and_that_is_said(ann, monkeypatch):
    monkeypatch.setattr(finding, "PAGE", 5)
    monkeypatch.setattr(finding, "LOOKED_AT_MAX", 10)
    old = post(ann, "Old")
    assert ann("correct", old, "--note=Wrong.").code == 0
    for number in range(12):
        assert ann("post", f"News {number}", "--json").code == 0
    done = ann("list", "--corrected")
    assert (done.code, done.out) == (0, "")
    assert "of the newest 10 items, which were looked at; --all looks at all" in done.err
    assert ann("list", "--corrected", "--json").json["looked_at"] == 10
    assert listed(ann, "--corrected", "--all") == ["Old"]
    assert len(listed(ann, "--since=1 h ago", "--limit=12")) == 12


def test_times_are_shown_in_the_feeds_zone_as_readers_see_them(ann):
    number = post(ann, "Bus hit", "--published-at=2025-05-17T07:13Z")
    assert "2025-05-17 03:13 EDT  " in ann("list").out
    assert "Published 2025-05-17 03:13 EDT" in ann("show", number).out
    when = datetime.now(ZoneInfo("America/New_York"))
    assert f"{when:%Z}  post by" in ann("show", number, "--revisions").out
    assert "2025-05-17 03:13 EDT  post" in ann("show", number, "--history").out


def test_every_time_is_read_as_people_write_it_and_echoed(ann, room):
    token = room.cli("token", "add", "importer", "--import")
    ann.at(room.url, token, ann.environ["PUBLISHER_FEED"])
    done = ann("post", "Bus hit", "--occurred-at=17 May 2025 18:00", "--published-at=3 days ago")
    assert done.code == 0, done.err
    assert "--occurred-at is 2025-05-17 18:00 America/New_York\n" in done.err
    assert "--published-at is 20" in done.err
    item = ann("show", "last", "--json").json
    assert item["occurred_at"] == "2025-05-17T22:00:00.000Z"
    ago = datetime.now(UTC) - datetime.fromisoformat(item["published_at"])
    assert timedelta(days=3) <= ago < timedelta(days=3, minutes=5)
    done = ann("update", str(item["id"]), "--headline=Bus hit twice", "--at=yesterday noon")
    assert done.code == 0, done.err
    assert " 12:00 America/New_York\n" in done.err
    again = ann("fix", "last", "--occurred-at=2025-05-17 6 pm")
    assert "no revision was made" in again.out


def test_a_time_that_is_still_to_come_today_is_asked_for_again(ann):
    late = datetime.now(ZoneInfo("America/New_York")) + timedelta(minutes=1)
    if late.hour == late.minute == 0:
        pytest.skip("in New York the day is about to end")
    failed = ann("post", "Bus hit", f"--occurred-at={late:%H:%M}")
    assert failed.code == 2
    assert f"is still to come today, {late:%Y-%m-%d %H:%M} America/New_York; say" in failed.err
    assert listed(ann) == []
    assert ann("list", f"--since={late:%H:%M}").code == 0


def test_with_the_server_away_the_zone_is_that_of_before(ann, hostile):
    server = hostile(
        answers(200, {"items": [], "feed": FEED}), problem(503, "unavailable")
    )  # fmt: skip
    words = ["post", "Bus hit", "--occurred-at=17 May 2025 18:00", "--timeout=0.4", "--no-lint"]
    other = InProcess(ann.home).at(server.url)
    assert other("list").code == 0
    kept = other(*words)
    assert kept.code == 3
    assert "--occurred-at is 2025-05-17 18:00 Europe/Berlin" in kept.err
    assert "--occurred-at=2025-05-17T18:00:00+02:00" in kept.err
    unknown = hostile(problem(503, "unavailable"))
    failed = InProcess(ann.home).at(unknown.url)(*words)
    assert failed.code == 3
    assert "the zone of the feed world is not known on this machine; write the time" in failed.err
    assert all(request.method == "GET" for request in unknown.requests)


def test_a_zone_that_this_machine_does_not_know_is_not_taken_for_another(ann, hostile):
    server = hostile(answers(200, {"slug": "world", "timezone": "Moon/Tranquillity"}))
    failed = InProcess(ann.home).at(server.url)("post", "Bus hit", "--occurred-at=yesterday")
    assert failed.code == 2
    assert "the zone of the feed world is not known on this machine; write the time" in failed.err
    assert [request.method for request in server.requests] == ["GET"]


def test_a_feed_that_is_not_there_is_refused_as_ever(ann):
    failed = ann("post", "Bus hit", "--feed=absent", "--occurred-at=10:13")
    assert failed.code == 1
    assert "has no feed absent; its feeds:" in failed.err


def test_pages_in_which_an_item_comes_twice_show_it_once(ann, hostile, monkeypatch):
    monkeypatch.setattr(finding, "PAGE", 2)
    items = [ITEM | {"id": number, "status": "held"} for number in (5, 4, 4, 3)]
    first = answers(200, {"items": items[:2], "next": "x"})
    server = hostile(first, answers(200, {"items": items[2:]}))
    told = InProcess(ann.home).at(server.url)("list", "--held", "--json").json
    assert [item["id"] for item in told["items"]] == [5, 4, 3]
