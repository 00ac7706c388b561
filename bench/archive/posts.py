"""Durable posts per second, today's server and the reference by turns."""

from contextlib import ExitStack
from dataclasses import asdict
from statistics import median

from bench import peers, prose
from bench.archive import Part, Sizes
from bench.figures import figure
from bench.peers.feedserver import Feedserver
from bench.peers.peer import Setting
from bench.peers.reference import Reference
from bench.press import Press
from bench.report import Table

CONNECTIONS = (64, 1)
WARM_UP = 200
PAIR = (Feedserver.name, Reference.name)


def measure(sizes: Sizes) -> Part:
    rates: dict[int, dict[str, list[float]]] = {
        connections: {name: [] for name in PAIR} for connections in CONNECTIONS
    }
    with ExitStack() as stack:
        servers = {}
        for name in PAIR:
            server = peers.start(name, Setting())
            stack.callback(server.stop)
            assert isinstance(server, Feedserver)
            Press(server, prose.item(1), max(CONNECTIONS), WARM_UP).run()
            servers[name] = server
        for batch in range(sizes.batches):
            for connections, of in rates.items():
                count = sizes.posts if connections > 1 else sizes.posts // 3
                for name in PAIR if batch % 2 else reversed(PAIR):
                    posted = Press(servers[name], prose.item(1), connections, count).run()
                    of[name].append(posted.rate)
    rows, figures = [], dict[str, object]()
    for connections, of in rates.items():
        now, before = (of[name] for name in PAIR)
        ratio = figure([one / other for one, other in zip(now, before, strict=True)])
        label = f"{connections} connection{'s' * (connections > 1)}"
        rows.append([label, f"{median(now):,.0f}", f"{median(before):,.0f}", str(ratio)])
        figures[f"{connections}"] = {"rates": of, "ratio": asdict(ratio)}
    columns = ["durable posts", "a second", f"{peers.LABELS[Reference.name]}, a second", "ratio"]
    title = f"{sizes.batches} batches by turns, an Idempotency-Key for each post"
    return Part([Table(title, columns, rows)], figures)
