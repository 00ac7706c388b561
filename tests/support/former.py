"""The program as it was before today's format, run as a process: it makes old folders."""

from __future__ import annotations

import subprocess
import tarfile
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest

from feedserver import wire
from feedserver.model import Correction, Item, Media, Status
from feedserver.sqlite.copying import open_copy
from feedserver.sqlite.folder import DATABASE
from feedserver.sqlite.former import Former
from feedserver.sqlite.state_hash import hash_of_state
from support.server import ROOT, Server

COMMIT = "ada85fbbefe912aea190e72e9a659c68836f05e6"
Json = dict[str, Any]


@pytest.fixture(scope="session")
def former_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the old program into a folder of its own."""
    folder = tmp_path_factory.mktemp("former")
    packed = subprocess.run(
        ["git", "archive", COMMIT, "feedserver", "publisher", "web"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if packed.returncode != 0:
        pytest.skip("the history of the repository is not here")
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def former_server(code: Path, data: Path, *, new: bool = True) -> Server:
    """Return the old server over a folder, not started."""
    # The working directory must not hide the old program behind the new one.
    environ = {"PYTHONPATH": str(code), "PYTHONSAFEPATH": "1"}
    return Server(data, environ=environ, new=new)


def fill(server: Server) -> Json:
    """Do some of everything at an old server; return what must be the same afterwards."""
    ida = server.cli("token", "add", "ida", "--import")
    server.cli("feed", "add", "sport", "--title", "Sport", "--description", "All that rolls")
    bob = server.cli("token", "add", "bob", "--feed", "sport")
    cursors = []
    with server.editing() as anna, server.editing(ida) as importer, server.editing(bob) as other:
        anna.configure(
            title="World", language="uk", timezone="Europe/Kyiv", description="The world"
        )
        cursors.append(anna.get("/v1/feeds/world").json()["cursor"])
        item = anna.item(
            "Bus hit in Druzhkivka",
            key="rich",
            body="**Seven** hurt, says [the police](https://police.example/1).\n\nMore soon.",
            tags=["druzhkivka", "bus"],
            byline="Ann Example",
            source="Police",
            url="https://news.example/1",
            media=[{"url": "https://cdn.example/a.jpg", "alt": "The bus", "width": 1200}],
            language="en",
            occurred_at="2025-05-17T10:13:00Z",
            breaking=True,
        )
        item = anna.revise(item, "fix", key="fix", tags=["druzhkivka"], note="a tag").json()
        item = anna.revised(item, "update", body="Four hurt.\nNobody killed.", byline=None)
        cursors.append(anna.get("/v1/feeds/world").json()["cursor"])
        item = anna.revised(item, "correct", headline="Bus hit", note="It was four, not seven")
        item = anna.revised(item, "pin")
        anna.revised(item, "hold", note="the ministry denies it")
        killed = anna.item("Grivna falls", body="Zolotnik", key="grivna", tags=["grivna"])
        killed = anna.revise(killed, "update", key="grivna-2", body="Arshin").json()
        killed = anna.revised(killed, "hold")
        killed = anna.revise(killed, "kill", key="kill", note="It was wrong").json()
        imported = importer.item(
            "Old news",
            origin={"uri": "https://old.example/feed", "id": "17"},
            at="2020-01-01T00:00:00Z",
            key="imported",
        )
        importer.revised(imported, "correct", note="Older", at="2020-01-02T00:00:00Z")
        gone = importer.item(
            "Sazhen",
            origin={"uri": "https://old.example/feed", "id": "18"},
            at="2020-01-03T00:00:00Z",
        )
        importer.revised(gone, "kill", note="Withdrawn by the source.", at="2020-01-04T00:00:00Z")
        anna.item("Filed late", slug="sport", published_at="2025-05-17T09:00:00Z")
        late = anna.item("Filed late too", slug="sport", published_at="2025-05-17T09:30:00Z")
        anna.revised(late, "kill", note="Twice")
        released = other.item("A goal", slug="sport")
        released = other.revised(released, "hold")
        other.revised(other.revised(released, "release"), "pin")
        for number in range(60):
            anna.item(f"News {number}", body="x" * (1 + number * 37 % 700), key=f"n{number}")
        cursors.append(anna.get("/v1/feeds/sport").json()["cursor"])
        anna.configure("sport", closed=True)
    server.cli("token", "revoke", "bob")
    return {"cursors": cursors, "ida": ida}


def former_hash(data: Path) -> str:
    """Return the hash of an old folder's state, read from its tables as the old program kept it."""
    with closing(open_copy(data / DATABASE)) as old:
        records = old.execute("SELECT sequence, rid, item, act FROM records ORDER BY 1").fetchall()
        rids = {row[0]: row[1] for row in records}
        worded = {"post", "fix", "update", "correct", "kill"}
        words_at = {row[2]: row[0] for row in records if row[3] in worded}
        items = []
        for (state,) in old.execute("SELECT state FROM items ORDER BY id"):
            raw = orjson.loads(state)
            del raw["origin"]
            raw["tags"] = tuple(raw["tags"])
            raw["media"] = tuple(Media(**one) for one in raw["media"])
            raw["corrections"] = tuple(Correction(**one) for one in raw["corrections"])
            raw["status"] = Status(raw["status"])
            blocks = wire.dumps(wire.blocks_json(raw["body"])) if raw["body"] else None
            items.append(
                Item(**raw, rid=rids[raw["id"]], blocks=blocks, words_at=words_at[raw["id"]])
            )
        macs = old.execute("SELECT mac, sequence FROM keys ORDER BY mac").fetchall()
        former = Former(old)
        return hash_of_state(
            sorted(former.feeds(), key=lambda feed: feed.slug),
            items,
            sorted(former.tokens(), key=lambda token: token.name),
            [(bytes.fromhex(mac)[:16], sequence) for mac, sequence in macs],
        )


RETRIES: list[tuple[str, Json]] = [
    ("grivna", {"headline": "Grivna falls", "body": "Zolotnik", "tags": ["grivna"]}),
    ("n7", {"headline": "News 7", "body": "x" * (1 + 7 * 37)}),
    ("n8", {"headline": "Not what was sent"}),
]


def answers(server: Server, known: Json) -> dict[str, Any]:
    """Ask a server all that it can be asked; what only times and the new format add is left out."""
    found: dict[str, Any] = {"tokens": server.cli("token", "list")}
    with server.editing() as anna, server.editing(known["ida"]) as importer:
        for slug in ("world", "sport"):
            feed = _bare(anna.get(f"/v1/feeds/{slug}").json())
            feed["url"] = feed["url"].partition("/feeds/")[2]
            found[slug] = feed
            path, items = f"/v1/feeds/{slug}/items", []
            page = anna.get(path, params={"limit": 30}).json()
            while True:
                items += page["items"]
                if "next" not in page:
                    break
                page = anna.get(path, params={"limit": 30, "before": page["next"]}).json()
            found[f"{slug} items"] = [_bare(item) for item in items]
            for item in items[-12:]:
                one = f"{path}/{item['id']}"
                for what in ("", "/revisions", "/history"):
                    answer = anna.get(f"{one}{what}")
                    found[f"{one}{what}"] = (answer.status_code, _bare(answer.json()))
        for cursor in known["cursors"]:
            for slug in ("world", "sport"):
                changes = anna.get(f"/v1/feeds/{slug}/changes", params={"since": cursor}).json()
                changes.pop("now")
                if "feed" in changes:
                    changes["feed"] = changes["feed"]["slug"]
                changes["items"] = [_bare(item) for item in changes["items"]]
                found[f"{slug} since {cursor}"] = _bare(changes)
        for key, raw in RETRIES:
            answer = anna.post("/v1/feeds/world/items", json=raw, headers={"Idempotency-Key": key})
            replayed = answer.headers.get("Idempotent-Replayed")
            found[f"retry {key}"] = (answer.status_code, replayed, _bare(answer.json()))
        again = importer.submit("Old news", origin={"uri": "https://old.example/feed", "id": "17"})
        found["imported again"] = (again.status_code, again.json()["detail"])
        gone = importer.submit("Sazhen", origin={"uri": "https://old.example/feed", "id": "18"})
        found["withdrawn, imported again"] = (gone.status_code, gone.json()["detail"])
    return found


def _but_time(fields: Json | None) -> Json:
    return {name: one for name, one in (fields or {}).items() if name != "published_at"}


def _bare(value: Any) -> Any:
    """Leave out what the new format alone has, and addresses of the server."""
    if isinstance(value, dict):
        new = {"uid", "redacted_at", "purge"}
        if "alt" in value or "width" in value:  # a picture
            new |= {"type"}
        if "slug" in value:
            new |= {"version", "etag"}
        if "verb" in value:  # what a post asked for is its item's time
            value = value | {"fields": _but_time(value.get("fields"))}
        return {name: _bare(one) for name, one in value.items() if name not in new}
    if isinstance(value, list):
        return [_bare(one) for one in value]
    return value
