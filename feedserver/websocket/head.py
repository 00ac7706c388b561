"""A request's head by the rules of RFC 9110 and 9112 that the parser leaves to the server."""

from __future__ import annotations

from collections.abc import Iterable

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from feedserver.api.problems import problem
from feedserver.errors import BadRequest, HeadTooLarge, Refused, Unavailable, UnknownCoding

Headers = list[tuple[bytes, bytes]]  # names in small letters

HEAD_MAX = 64 * 1024  # bytes of a request besides its body
HEAD_RULE = f"a request's head has {HEAD_MAX} bytes at most"


def check_head(url: bytes, version: str, headers: Headers) -> None:
    """Check a head. Raises HeadTooLarge, BadRequest, UnknownCoding."""
    size, hosts = len(url), 0
    for name, value in headers:
        size += len(name) + len(value)
        hosts += name == b"host"
    if size > HEAD_MAX:
        raise HeadTooLarge(HEAD_RULE)
    if hosts > 1 or (hosts == 0 and version == "1.1"):
        raise BadRequest("send one Host header, which HTTP/1.1 demands of every request")
    codings = options_of(headers, b"transfer-encoding")
    if codings not in ([], [b"chunked"]):
        raise UnknownCoding(
            "send the body as it is, or chunked; no other Transfer-Encoding is read"
        )


def options_of(headers: Headers, name: bytes) -> list[bytes]:
    """Return the options of a header that is a list, in small letters, of all its lines."""
    found = [value for header, value in headers if header == name]
    if not found:
        return []
    return [option for option in map(bytes.strip, b",".join(found).lower().split(b",")) if option]


def asks_for(protocol: bytes, headers: Headers) -> bool:
    """Say whether a head asks for the connection to become one of this protocol."""
    is_upgrade = b"upgrade" in options_of(headers, b"connection")
    return is_upgrade and options_of(headers, b"upgrade") == [protocol]


def without_upgrade(method: bytes, url: bytes, version: str, headers: Headers) -> bytes:
    """Write a head anew without its wish for another protocol, which a server may ignore."""
    options = [one for one in options_of(headers, b"connection") if one != b"upgrade"]
    kept = [header for header in headers if header[0] not in {b"connection", b"upgrade"}]
    if options:
        kept.append((b"connection", b", ".join(options)))
    first = b"%b %b HTTP/%b" % (method, url, version.encode())
    return b"%b\r\n%b\r\n" % (first, header_lines(kept))


def header_lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Write headers as HTTP/1.1 has them, one a line."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])


def last_answer(fault: Refused | Unavailable, headers: Headers) -> bytes:
    """Write the answer that says what is wrong, with these headers too; then the line ends."""
    answer = problem(fault)
    lines = header_lines([*headers, *answer.raw_headers, (b"connection", b"close")])
    return b"%b%b\r\n%b" % (STATUS_LINE[fault.status], lines, bytes(answer.body))
