"""An item whose record is damaged: not gone, and not for a cache to remember."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from support.answers import problem
from support.server import Server


def damage(server: Server, sequence: int) -> None:
    """Flip a bit of what a record has sealed."""
    with closing(sqlite3.connect(server.data / "feed.db")) as connection:
        find = "SELECT sealed FROM records WHERE sequence = ?"
        sealed = bytearray(connection.execute(find, [sequence]).fetchone()[0])
        sealed[-3] ^= 1
        change = "UPDATE records SET sealed = ? WHERE sequence = ?"
        connection.execute(change, [bytes(sealed), sequence])
        connection.commit()


def test_an_item_that_cannot_be_read_is_503_and_the_rest_goes_on(server: Server) -> None:
    with server.editing() as editor:
        before, item, after = (editor.item(name) for name in ("Before", "Damaged", "After"))
        assert editor.submit("Damaged again", key="k").status_code == 201
        second = editor.get("/v1/feeds/world/items").json()["items"][0]
    for one in (item, second):
        damage(server, one["id"])
    server.restart()
    with server.editing() as editor, server.reading() as anyone:
        path = f"/v1/feeds/world/items/{item['id']}"
        for reader, rest in ((anyone, ""), (editor, ""), (anyone, "/history")):
            found = problem(reader.get(path + rest), 503, "unavailable")
            assert f"item {item['id']} cannot be read" in found["detail"]
        page = anyone.get(f"/feeds/world/items/{item['id']}", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["cache-control"]) == (503, "no-store")
        assert int(page.headers["retry-after"]) > 0
        for listed in (
            anyone.get("/v1/feeds/world/items").json()["items"],
            anyone.get("/v1/feeds/world/changes").json()["items"],
        ):
            assert [one["id"] for one in listed] == [after["id"], before["id"]]
        assert anyone.get("/feeds/world").status_code == 200

        for verb in ("hold", "fix"):
            problem(editor.revise(item, verb, headline="New"), 503, "unavailable")
        problem(editor.submit("Damaged again", key="k"), 503, "unavailable")

        # A kill needs none of its words.
        assert editor.revise(item, "kill", note="withdrawn").status_code == 201
        for rest in ("", "/history"):
            assert anyone.get(path + rest).status_code == 410


def test_a_retry_is_answered_though_a_later_revision_cannot_be_read(server: Server) -> None:
    with server.editing() as editor:
        first = editor.submit("First words", key="k").json()
        later = editor.revised(first, "fix", headline="Later words")
    damage(server, later["version"])
    server.restart()
    with server.editing() as editor:
        again = editor.submit("First words", key="k")
        assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
        assert (again.json()["version"], again.json()["headline"]) == (first["id"], "First words")


def test_revisions_of_an_item_whose_only_record_says_nothing_known_are_503(server: Server) -> None:
    with server.editing() as editor:
        item = editor.item("News")
    server.stop()
    with closing(sqlite3.connect(server.data / "feed.db")) as connection:
        connection.execute("UPDATE records SET act = 'sing' WHERE sequence = ?", [item["id"]])
        connection.commit()
    server.start()
    with server.editing() as editor:
        path = f"/v1/feeds/world/items/{item['id']}/revisions"
        problem(editor.get(path), 503, "unavailable")
        problem(editor.get("/v1/feeds/world/items/9999/revisions"), 404, "not-found")
