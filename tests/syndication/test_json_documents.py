"""JSON Feed and ninjs: valid by the schemas that others published, and true to each verb."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import schemas_of_others
from desk import Desk
from jsonschema import ValidationError
from jsonschema.protocols import Validator

POSTED = "2025-05-17T07:13:00.000Z"
LATER = "2025-05-17T07:20:30.000Z"
STORY: dict[str, Any] = {
    "body": "Seven **hurt**.",
    "byline": "Olena Secret",
    "source": "Agency Secret",
    "url": "https://secret.example/story",
    "tags": ["transport"],
    "media": [
        {
            "url": "https://secret.example/bus.webm?x=1",
            "alt": "A bus",
            "credit": "Photo Secret",
            "width": 640,
            "height": 480,
        }
    ],
    "breaking": True,
    "occurred_at": "2025-05-17T07:00:00.000Z",
    "published_at": POSTED,
}
SCHEMAS: dict[str, Validator] = {
    ".json": schemas_of_others.json_feed(),
    ".ninjs": schemas_of_others.ninjs(),
}


def load(desk: Desk, rest: str, status: int = 200) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(desk.get(rest, status).content)
    return found


def only(desk: Desk) -> dict[str, Any]:
    (found,) = load(desk, ".ninjs")["associations"]
    return dict(found)


def tell_all(desk: Desk) -> list[dict[str, Any]]:
    """Play a story of each verb; return its items, as they then are."""
    items = [desk.post(f"News {number} ]]> </script>", **STORY) for number in range(4)]
    items[1] = desk.editor.revised(items[1], "correct", note="Four.\nNot seven.", at=LATER)
    items[1] = desk.editor.revised(items[1], "hold")
    items[2] = desk.editor.revised(items[2], "update", body="Nine.", at=LATER)
    items[3] = desk.editor.revised(items[3], "kill", note="A hoax.", at=LATER)
    desk.post("Bare")
    return items


@pytest.mark.parametrize("suffix", SCHEMAS)
@pytest.mark.parametrize("query", ["", "?before=99999999999999.9", "?before=1.1"])
def test_a_document_follows_its_schema(desk: Desk, suffix: str, query: str) -> None:
    SCHEMAS[suffix].validate(load(desk, suffix))
    tell_all(desk)
    desk.editor.configure(desk.slug, title="World", description="All", summary="- Key\n- Points")
    SCHEMAS[suffix].validate(load(desk, suffix + query))


@pytest.mark.parametrize(
    ("suffix", "list_name", "name", "value"),
    [
        (".json", "items", "id", 7),
        (".json", "items", "tags", "transport"),
        (".ninjs", "associations", "pubStatus", "killed"),
        (".ninjs", "associations", "anything", "else"),
    ],
)
def test_a_schema_refuses_what_is_wrong(
    desk: Desk, suffix: str, list_name: str, name: str, value: Any
) -> None:
    desk.post(**STORY)
    wrong = load(desk, suffix)
    wrong[list_name][0][name] = value
    with pytest.raises(ValidationError):
        SCHEMAS[suffix].validate(wrong)


def test_a_json_feed_says_where_the_live_news_is(desk: Desk) -> None:
    desk.editor.configure(desk.slug, title="World", description="All", summary="Key **point**")
    told = load(desk, ".json")
    own = told["_newsfeed"]
    assert told["description"] == "Key point\n\nAll"
    assert own["summary"] == "Key point"
    feed = desk.reader.get(f"/v1/feeds/{desk.slug}").json()
    assert (own["cursor"], own["uid"]) == (feed["cursor"], feed["uid"])
    assert desk.reader.get(own["changes"], params={"since": own["cursor"]}).json()["items"] == []
    assert own["live"].startswith("ws://")
    assert own["live"].endswith(f"/v1/feeds/{desk.slug}/live")
    assert "expired" not in told
    desk.editor.configure(desk.slug, title="World", closed=True)
    assert load(desk, ".json")["expired"] is True


def test_a_json_feeds_item_has_what_json_feed_has_no_member_for(desk: Desk) -> None:
    item = desk.editor.revised(desk.post(**STORY), "correct", note="Four.", at=LATER)
    (told,) = load(desk, ".json")["items"]
    assert told["external_url"] == STORY["url"]
    assert told["date_published"] == POSTED
    assert told["date_modified"] == LATER
    assert "image" not in told, "a clip is none"
    assert told["attachments"] == [
        {"url": STORY["media"][0]["url"], "mime_type": "video/webm", "title": "A bus"}
    ]
    assert told["content_text"].endswith("Seven hurt.\n\nSource: Agency Secret")
    assert told["_newsfeed"] == {
        "id": item["id"],
        "version": item["version"],
        "status": "live",
        "breaking": True,
        "imported": True,
        "source": "Agency Secret",
        "occurred_at": "2025-05-17T07:00:00.000Z",
        "corrections": [{"at": LATER, "note": "Four."}],
    }


def test_ninjs_tells_marks_in_the_trades_own_words(desk: Desk) -> None:
    item = desk.post("News", **STORY)
    before = only(desk)
    assert (before["pubStatus"], before["uri"], before["urgency"]) == ("usable", item["uid"], 1)
    assert before["firstCreated"] == before["versionCreated"] == POSTED
    assert before["associations"][0]["type"] == "video"
    item = desk.editor.revised(item, "hold")
    held = only(desk)
    assert (held["pubStatus"], held["edNote"]) == ("withheld", "Being checked")
    item = desk.editor.revised(item, "release")
    item = desk.editor.revised(item, "correct", note="Four.")
    corrected = only(desk)
    assert (corrected["pubStatus"], corrected["edNote"]) == ("usable", "Correction: Four.")
    told = (corrected["versionCreated"], corrected["version"])
    assert told == (item["updated_at"], str(item["version"]))


def test_a_killed_item_is_canceled_in_the_feed_and_alone(desk: Desk) -> None:
    item = desk.post("Secret", **STORY)
    path = f"/items/{item['id']}.ninjs"
    alone = load(desk, path)
    SCHEMAS[".ninjs"].validate(alone)
    assert alone["headlines"][0]["value"] == "Secret"
    killed = desk.editor.revised(item, "kill", note="A hoax.", at=LATER)
    expected = {
        "uri": item["uid"],
        "type": "text",
        "pubStatus": "canceled",
        "version": str(killed["version"]),
        "firstCreated": POSTED,
        "versionCreated": LATER,
        "edNote": "Withdrawn: A hoax.",
        "altIds": [{"role": "web", "value": desk.url(f"/items/{item['id']}")}],
        "language": "en",
    }
    assert only(desk) == expected | {"name": f"item-{item['id']}", "rel": "item"}
    gone = load(desk, path, 410)
    SCHEMAS[".ninjs"].validate(gone)
    assert gone == expected | {"standard": gone["standard"]}
    answer = desk.get(path, 410)
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=2"
    assert answer.headers["Cache-Tag"] == f"feed-{desk.slug},item-{item['id']}"


def test_an_items_ninjs_is_kept_until_it_changes(desk: Desk) -> None:
    item = desk.post()
    path = f"/items/{item['id']}.ninjs"
    etag = desk.get(path).headers["ETag"]
    desk.post("Another")
    desk.get(path, 304, **{"If-None-Match": etag})
    desk.editor.revised(item, "hold")
    assert load(desk, path)["pubStatus"] == "withheld"
    answer = desk.reader.get(f"/feeds/{desk.slug}/items/999999999.ninjs")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
