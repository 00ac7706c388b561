"""The systems that are measured side by side, by name."""

from bench.errors import BenchError
from bench.peers.feedserver import Feedserver, FeedserverDeflate, FeedserverSingle, FeedserverUring
from bench.peers.floor import Floor, FloorSend
from bench.peers.nchan import Nchan, NchanDeflate
from bench.peers.node import NodeWs
from bench.peers.peer import Peer, Setting
from bench.peers.python import (
    Picows,
    Starlette,
    StarletteDeflate,
    Websockets,
    WebsocketsDeflate,
)
from bench.peers.reference import COMMIT, Reference

ALL: dict[str, type[Peer]] = {
    peer.name: peer
    for peer in (
        Floor,
        FloorSend,
        Feedserver,
        FeedserverDeflate,
        FeedserverSingle,
        FeedserverUring,
        Reference,
        Nchan,
        NchanDeflate,
        NodeWs,
        Picows,
        Websockets,
        WebsocketsDeflate,
        Starlette,
        StarletteDeflate,
    )
}

LABELS = {
    "floor": "C, epoll + write(): the floor",
    "floor-send": "C, epoll + send()",
    "feedserver": "feedserver",
    "feedserver-deflate": "feedserver, one shared compressed frame",
    "feedserver-single": "feedserver, --aio off",
    "feedserver-uring": "feedserver, --io-uring on",
    Reference.name: f"feedserver of {COMMIT}",
    "nchan": "Nchan (nginx, C)",
    "nchan-deflate": "Nchan, one shared compressed frame",
    "ws": "Node ws",
    "picows": "picows (Cython)",
    "websockets": "websockets.broadcast()",
    "websockets-deflate": "websockets.broadcast(), default deflate",
    "starlette": "naive Starlette under uvicorn",
    "starlette-deflate": "naive Starlette, default deflate",
}


def start(name: str, setting: Setting) -> Peer:
    """Start the system of that name and wait until it is ready."""
    if name not in ALL:
        raise BenchError(f"There is no system {name!r}; there are {', '.join(ALL)}.")
    peer = ALL[name](setting)
    peer.start()
    return peer
