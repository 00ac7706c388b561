"""Have all systems send what ours sends: the size is taken from the running server."""

import json
from collections.abc import Sequence

from bench import peers
from bench.errors import BenchError
from bench.peers.feedserver import Feedserver
from bench.peers.peer import Setting
from bench.stories import REAL, Story, item, typical, typical_snapshot
from bench.witness import Witness

AGE = 100  # items posted first, so that sequences have three digits until there are 999


def _ours(names: Sequence[str]) -> bool:
    return any(name.startswith("feedserver") for name in names)


def story_of_frame(frame: int, names: Sequence[str]) -> Story:
    """A story whose `changes` message is `frame` bytes long, to within two."""
    guess = frame // 3
    if not _ours(names):
        return typical(guess + frame - len(typical(guess).message))
    characters = guess + frame - len(_seen(guess).message)
    if characters < 1:
        raise BenchError(f"Our messages have over {frame} bytes before their text begins.")
    story = _seen(characters)
    if abs(len(story.message) - frame) > 2:
        raise BenchError(f"Asked for {frame} bytes, got {len(story.message)}: {story.message}")
    return story


def story_of_text(characters: int, names: Sequence[str]) -> Story:
    """A story with an item of so many characters of text."""
    return _seen(characters) if _ours(names) else typical(characters)


def _seen(characters: int) -> Story:
    """Post an item to a server of our own and see what a reader gets."""
    peer = peers.start("feedserver", Setting(items=AGE))
    try:
        assert isinstance(peer, Feedserver)
        witness = Witness(peer.ports[0], peer.path)
        witness.message("snapshot")
        posted = item(characters)
        peer.post(posted)
        text, _ = witness.message("changes")
        witness.close()
        return Story(posted, text)
    finally:
        peer.stop()


def snapshot(items: int, names: Sequence[str]) -> str:
    """The first message for a new reader when the feed has so many items."""
    if not _ours(names):
        return typical_snapshot(items, REAL)
    peer = peers.start("feedserver", Setting(items=items))
    try:
        witness = Witness(peer.ports[0], peer.path)
        text, parsed = witness.message("snapshot")
        witness.close()
    finally:
        peer.stop()
    if len(parsed["items"]) != items:
        raise BenchError(f"A snapshot of {len(parsed['items'])} items: {json.dumps(parsed)[:500]}")
    return text
