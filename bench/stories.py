"""What is published: texts of a known size, and messages of the contract's shape around them."""

import json
from dataclasses import dataclass

STORY = (
    "Firefighters have brought the blaze at the harbour warehouse under control, four hours after "
    "the first call. Seven people were treated for smoke at the scene and two of them were taken "
    "to hospital, the fire service said; none is in danger. Residents of Quay Street may return "
    "from noon, and the ferry terminal stays closed until the structure has been inspected. The "
    "cause is not known yet. The owner, a grain trader, said that the hall had stood empty since "
    "March. Traffic is being led over the northern bridge, where delays of up to forty minutes "
    "are reported by the police today."
)  # 530 characters or more of English, so that compression meets real text
HEADLINE = "Harbour fire under control"
REAL = 530  # characters of text of "a real item"


@dataclass(frozen=True, slots=True)
class Story:
    """One piece of news. `item` is what our server is posted; `message` is the text frame that
    the other systems send, of the length that ours has for that item."""

    item: dict[str, str]
    message: str


def item(characters: int) -> dict[str, str]:
    """An item with so many characters of text."""
    text = (STORY + " ") * (characters // len(STORY) + 1)
    return {"headline": HEADLINE, "body": text[:characters].rstrip().ljust(characters, ".")}


def typical(characters: int) -> Story:
    """A story without a server at hand, in the shape that the contract gives it."""
    posted = item(characters)
    return Story(posted, _dump({"type": "changes", "since": _CURSOR, "items": [_state(posted)]}))


def typical_snapshot(items: int, characters: int) -> str:
    """The first message for a new reader, with so many items."""
    feed = {"slug": "bench", "title": "Bench", "language": "en", "timezone": "UTC"}
    states = [_state(item(characters))] * items
    return _dump({"type": "snapshot", "feed": feed, "items": states, "heartbeat": 25})


_CURSOR = "x7KdQ2vB.131.a9Zk"


def _state(posted: dict[str, str]) -> dict[str, object]:
    return {
        "id": 128,
        "feed": "bench",
        "version": 131,
        "etag": "131-x7Kd",
        "status": "live",
        "headline": posted["headline"],
        "blocks": [[posted["body"]]],
        "published_at": "2025-05-17T07:13:00.000Z",
    }


def _dump(message: dict[str, object]) -> str:
    full = {**message, "epoch": "x7KdQ2vB", "cursor": _CURSOR, "now": "2025-05-17T07:13:00.010Z"}
    return json.dumps(full, separators=(",", ":"))
