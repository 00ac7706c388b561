"""Bytes on the wire for the seed story: live, compressed, and polled."""

from dataclasses import asdict, dataclass

from bench import peers
from bench.errors import BenchError
from bench.http import NOT_MODIFIED, Answer, Connection
from bench.options import Options
from bench.peers.feedserver import Feedserver
from bench.peers.peer import Setting
from bench.report import Report, Table
from bench.seed import Line, Teller, story
from bench.witness import Frame, Witness

CHANGES = "/v1/feeds/bench/changes"
HEARTBEAT = 2  # seconds: one is measured too, and the bench need not wait long

METHOD = """\
The publisher tells the seed story to a running server, as `feedserver demo` does. Two raw sockets
read on, one without and one with permessage-deflate; a frame's bytes include its header, and both
must say the same. After each change it is also polled, from the cursor before it, without
compression: the server leaves that to the proxy in front. TCP's and TLS's own bytes and the
WebSocket handshake are not counted."""


@dataclass(frozen=True, slots=True)
class Bytes:
    """One message: its text, its frame, its frame where compression was negotiated, the body of a
    polled answer and that answer with its headers."""

    text: int
    frame: int
    deflated: int
    body: int = 0
    answer: int = 0

    def __add__(self, other: "Bytes") -> "Bytes":
        sums = (asdict(self)[name] + size for name, size in asdict(other).items())
        return Bytes(*sums)

    def row(self, label: str) -> list[str]:
        share = f"{100 * self.deflated / self.frame:.0f} %"
        polled = [f"{size:,}" if size else "-" for size in (self.body, self.answer)]
        return [label, f"{self.text:,}", f"{self.frame:,}", f"{self.deflated:,}", share, *polled]


@dataclass(slots=True)
class Readers:
    """The two sockets and the poller of one server."""

    server: Feedserver
    poller: Connection

    def witness(self, *, deflate: bool) -> Witness:
        return Witness(self.server.ports[0], self.server.path, deflate=deflate)

    def poll(self, query: str = "", known: str = "") -> Answer:
        headers = {"Accept": "application/json"} | ({"If-None-Match": known} if known else {})
        answer = self.poller.get(CHANGES + query, headers)
        if answer.status != (NOT_MODIFIED if known else 200):
            raise BenchError(f"A poll was answered {answer.status}: {answer.body[:200]!r}")
        return answer


def compared(plain: Frame, packed: Frame, polled: Answer | None = None) -> Bytes:
    """An error unless both frames say the same, but for the server's time."""
    one, other = plain.parsed, packed.parsed
    one.pop("now"), other.pop("now")
    if one != other:
        raise BenchError(f"Compressed, it says something else: {plain.text} {packed.text}")
    size = (len(polled.body), polled.size) if polled else (0, 0)
    return Bytes(len(plain.text.encode()), plain.size, packed.size, *size)


def label(line: Line) -> str:
    return f"{line['verb']} “{line.get('headline') or line.get('body', '')[:40] + '…'}”"


def run(options: Options) -> Report:
    peer = peers.start("feedserver", Setting(heartbeat=HEARTBEAT))
    assert isinstance(peer, Feedserver)
    readers = Readers(peer, Connection(peer.ports[0]))
    try:
        return measure(readers)
    finally:
        readers.poller.close()
        peer.stop()


def measure(readers: Readers) -> Report:
    teller = Teller(readers.server)
    plain, packed = readers.witness(deflate=False), readers.witness(deflate=True)
    first = plain.next("snapshot")
    empty = compared(first, packed.next("snapshot"), readers.poll())
    cursor = first.parsed["cursor"]
    rows, total = [], Bytes(0, 0, 0)
    for line in story():
        teller.tell(line)
        frame = plain.next("changes")
        polled = readers.poll(f"?since={cursor}")
        each = compared(frame, packed.next("changes"), polled)
        cursor = frame.parsed["cursor"]
        rows.append(each.row(label(line)))
        total += each
    idle = compared(plain.next("heartbeat"), packed.next("heartbeat"))
    whole = readers.poll()
    late, late_packed = readers.witness(deflate=False), readers.witness(deflate=True)
    after = compared(late.next("snapshot"), late_packed.next("snapshot"), whole)
    nothing = readers.poll(known=whole.headers["etag"])
    rows += [
        total.row(f"the {len(rows)} changes together"),
        empty.row("snapshot before the story"),
        after.row("snapshot after it"),
        idle.row("heartbeat"),
    ]
    columns = ["message", "text", "frame", "compressed frame", "of the frame"]
    columns += ["polled: body", "polled: answer"]
    table = Table("Bytes for one reader of the seed story", columns, rows)
    notes = [
        f"""A poll that finds nothing new costs {nothing.asked} bytes of request and {nothing.size}
        of answer (304): every five seconds that is
        {720 * (nothing.asked + nothing.size) / 1000:,.0f} kB an hour, where heartbeats every 25 s
        take {144 * idle.frame / 1000:,.0f} kB.""",
        "Messages below 256 bytes, such as heartbeats, are never compressed.",
    ]
    figures: dict[str, object] = {
        "changes": asdict(total),
        "snapshot": asdict(after),
        "heartbeat": asdict(idle),
        "nothing": {"asked": nothing.asked, "answered": nothing.size},
    }
    return Report("wire", METHOD, [table], figures, notes)
