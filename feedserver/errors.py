"""The family of errors. Each says what is wrong and what to do; its class carries the policy.

FeedError
├── Refused                     the request was understood and is not done; nothing was stored
│   ├── BadRequest        400   broken JSON, cursor, If-Match
│   ├── Unauthorized      401   no token, or one that is not known or revoked
│   ├── Forbidden         403   a known token that may not do this
│   ├── NotFound          404   no such feed, item or page
│   ├── WrongMethod       405   the path exists, the method does not
│   ├── TooSlow           408   the request did not arrive in time
│   ├── WrongState        409   the verb does not fit the item's state
│   ├── FeedClosed        409   the verb does not fit a closed feed
│   ├── Killed            410   the item was withdrawn; carries its tombstone
│   ├── Stale             412   someone else was faster; carries the current item
│   ├── FeedStale         412   the same of a feed's own settings
│   ├── TooLarge          413
│   ├── WrongType         415
│   ├── Invalid           422   bad fields; carries a pointer and a sentence for each
│   ├── KeyReused         422   the same Idempotency-Key with another body
│   ├── NoCondition       428   If-Match is missing
│   ├── TooMany           429   sent by nothing here, but by proxies to the publisher
│   ├── UpgradeNeeded     426   a WebSocket's address, asked for without an upgrade
│   ├── HeadTooLarge      431
│   ├── UnknownCoding     501   a Transfer-Encoding other than chunked
│   └── UnknownFormat     501   an oEmbed format other than JSON and XML
├── Unavailable           503   not now: nothing was stored, come back after `retry_after` seconds
│   ├── Behind            503   this process has not heard of it yet: it may exist
│   └── OutcomeUnknown    503   may have been stored: retry with the same key
└── SetupError                  the operator has to act: exit 1 with the sentence
    └── BadSetting              an option or a variable has no such value: exit 2
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feedserver.model import Feed, Item


class FeedError(Exception):
    """Base of every error this program raises on purpose; `detail` is a sentence for a person."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Refused(FeedError):
    """Not done, nothing stored. `slug` is the stable problem type, `status` its HTTP status."""

    slug: ClassVar[str] = "refused"
    status: ClassVar[int] = 400
    title: ClassVar[str] = "Refused"


class BadRequest(Refused):
    """Broken JSON, cursor, query or If-Match."""

    slug = "bad-request"
    title = "Bad request"


class Unauthorized(Refused):
    """No token, or one that is unknown or revoked."""

    slug = "unauthorized"
    status = 401
    title = "Token needed"


class Forbidden(Refused):
    """The token is good, but not for this."""

    slug = "forbidden"
    status = 403
    title = "Not allowed"


class NotFound(Refused):
    """No such feed, item or page."""

    slug = "not-found"
    status = 404
    title = "Not found"


class WrongMethod(Refused):
    """The path exists, the method does not."""

    slug = "wrong-method"
    status = 405
    title = "Method not allowed"


class TooSlow(Refused):
    """The request did not arrive in time."""

    slug = "too-slow"
    status = 408
    title = "Request timeout"


class WrongState(Refused):
    """The verb does not fit the state of the item."""

    slug = "wrong-state"
    status = 409
    title = "Wrong state"


class FeedClosed(Refused):
    """The feed is closed to this verb."""

    slug = "feed-closed"
    status = 409
    title = "Feed closed"


class Killed(Refused):
    """The item was withdrawn; `tombstone` is what may still be shown of it."""

    slug = "withdrawn"
    status = 410
    title = "Withdrawn"

    def __init__(self, detail: str, tombstone: Item) -> None:
        super().__init__(detail)
        self.tombstone = tombstone


class Stale(Refused):
    """If-Match named a version that is not the current one; `current` is."""

    slug = "stale"
    status = 412
    title = "Changed meanwhile"

    def __init__(self, detail: str, current: Item) -> None:
        super().__init__(detail)
        self.current = current


class FeedStale(Refused):
    """A feed's own settings were changed meanwhile; `current` has them, None: there is no feed."""

    slug = "stale"
    status = 412
    title = "Changed meanwhile"

    def __init__(self, detail: str, current: Feed | None) -> None:
        super().__init__(detail)
        self.current = current


class TooLarge(Refused):
    """The request is larger than any item can be."""

    slug = "too-large"
    status = 413
    title = "Too large"


class WrongType(Refused):
    """The request is not JSON."""

    slug = "wrong-content-type"
    status = 415
    title = "Wrong content type"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One bad field: a JSON pointer to it, and what to do about it."""

    pointer: str
    detail: str


class Invalid(Refused):
    """Bad fields, each with its pointer."""

    slug = "invalid-fields"
    status = 422
    title = "Bad fields"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{e.pointer or 'request'}: {e.detail}" for e in errors))
        self.errors = tuple(errors)


class KeyReused(Refused):
    """The Idempotency-Key was used before with another body."""

    slug = "key-reused"
    status = 422
    title = "Key used before"


class NoCondition(Refused):
    """A verb on an item needs If-Match."""

    slug = "if-match-needed"
    status = 428
    title = "If-Match needed"


class TooMany(Refused):
    """Too much from one client, as a proxy says: nothing here raises it."""

    slug = "too-many-requests"
    status = 429
    title = "Too many requests"


class HeadTooLarge(Refused):
    """The request's head is larger than any that is needed."""

    slug = "head-too-large"
    status = 431
    title = "Head too large"


class UpgradeNeeded(Refused):
    """The address is that of a WebSocket, and the request does not ask for one."""

    slug = "upgrade-needed"
    status = 426
    title = "Upgrade needed"


class UnknownCoding(Refused):
    """The body is coded for the transfer in a way that nothing here reads."""

    slug = "unknown-transfer-coding"
    status = 501
    title = "Unknown transfer coding"


class UnknownFormat(Refused):
    """The answer is asked for in a format that nothing here writes."""

    slug = "unknown-format"
    status = 501
    title = "Unknown format"


class Unavailable(FeedError):
    """Cannot be done now; nothing was stored. `retry_after` in seconds."""

    slug: ClassVar[str] = "unavailable"
    status: ClassVar[int] = 503
    title: ClassVar[str] = "Not now"

    def __init__(self, detail: str, retry_after: int = 2) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Behind(Unavailable):
    """What was asked for is not known here, but this process is behind the journal: come back."""

    def __init__(self) -> None:
        super().__init__("this server has not heard of the newest news yet; come back in a moment")


class OutcomeUnknown(Unavailable):
    """The commit's answer was lost; a retry with the same key tells."""

    slug = "outcome-unknown"
    title = "Outcome unknown"


class SetupError(FeedError):
    """The operator has to act before the program can run."""


class BadSetting(SetupError):
    """An option or a variable was given a value that it cannot have."""
