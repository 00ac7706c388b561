"""Ids last: feed readers key on them, and none repairs one that changed."""

from __future__ import annotations

from pathlib import Path

import orjson
from reading_back import ATOM, parse
from support.server import Server


def ids_of(server: Server) -> dict[str, list[str]]:
    """Return the ids of the feed, where a format has one, and of its entries."""
    with server.reading() as reader:
        body = {
            suffix: reader.get(f"/feeds/world{suffix}").content
            for suffix in (".atom", ".rss", ".json", ".ninjs", ".jsonld")
        }
    as_json = {suffix: orjson.loads(body[suffix]) for suffix in (".json", ".ninjs", ".jsonld")}
    ninjs, blog = as_json[".ninjs"], as_json[".jsonld"]
    return {
        "Atom": [str(found.text) for found in parse(body[".atom"]).iter(f"{ATOM}id")],
        "RSS": [str(found.text) for found in parse(body[".rss"]).iter("guid")],
        "JSON Feed": [item["id"] for item in as_json[".json"]["items"]],
        "ninjs": [ninjs["uri"], *(one["uri"] for one in ninjs["associations"])],
        "JSON-LD": [blog["identifier"], *(one["identifier"] for one in blog["liveBlogUpdate"])],
    }


def test_ids_are_the_same_at_another_address_and_after_a_restore_into_another_folder(
    tmp_path: Path,
) -> None:
    saved, there = tmp_path / "saved", tmp_path / "there"
    there.mkdir()
    with Server(tmp_path / "data") as server, server.editing() as anna:
        item = anna.item("News")
        anna.revised(anna.item("Hoax"), "kill", note="A hoax.")
        before = ids_of(server)
        server.cli("backup", str(saved))
    assert item["uid"] in before["RSS"]
    assert all(one.startswith("urn:uuid:") for ids in before.values() for one in ids)
    assert all(set(before["RSS"]) <= set(before[name]) for name in ("Atom", "JSON Feed", "ninjs"))
    moved = Server(there / "data", new=False, environ={"FEEDSERVER_URL": "https://news.example"})
    moved.cli("restore", str(saved), "--yes")
    with moved, moved.reading() as reader:
        assert ids_of(moved) == before
        assert "https://news.example/feeds/world" in reader.get("/feeds/world.atom").text


def test_an_item_of_another_newsroom_has_another_id_though_its_number_is_the_same(
    tmp_path: Path,
) -> None:
    numbers, uids = set(), set()
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        with Server(folder / "data") as server, server.editing() as anna:
            item = anna.item("News")
            numbers.add(item["id"])
            uids.add(item["uid"])
    assert (len(numbers), len(uids)) == (1, 2)
