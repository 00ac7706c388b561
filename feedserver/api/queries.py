"""The parameters of a query string, read and checked."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from feedserver.errors import BadRequest
from feedserver.model import Status, is_slug

PAGE_ITEMS = 50
PAGE_ITEMS_MAX = 200
QUERY_MAX = 200  # characters of tag and q
CURSOR_MAX = 64
ID_DIGITS = 15  # of an item's id
FEEDS_MAX = 1_000  # feeds of one list


@dataclass(frozen=True, slots=True)
class Question:
    """Which items of a feed a page is to have. One of `before`, `after` and `at` at most."""

    limit: int = PAGE_ITEMS
    before: tuple[int, int] | None = None
    tag: str | None = None
    words: str | None = None
    after: tuple[int, int] | None = None
    at: int | None = None  # an item's id
    held: bool = False  # those that are held alone

    @property
    def is_newest(self) -> bool:
        """Whether it asks for the newest items, as most readers do."""
        return self.limit <= PAGE_ITEMS and self == Question(self.limit)


def question_of(request: Request) -> Question:
    """Return what the query asks for. Raises BadRequest."""
    return _checked(
        Question(
            _limit_of(request, PAGE_ITEMS, PAGE_ITEMS_MAX),
            before_of(request),
            text_of(request, "tag"),
            text_of(request, "q"),
            after_of(request),
            at_of(request),
            _held_of(request),
        )
    )


def page_question_of(request: Request) -> Question:
    """Return what the query of a page for people asks for. Raises BadRequest."""
    # What the form sends where nothing was typed is no search.
    words = text_of(request, "q") if request.query_params.get("q", "").strip() else None
    return _checked(
        Question(
            before=before_of(request),
            tag=text_of(request, "tag"),
            words=words,
            after=after_of(request),
            at=at_of(request),
        )
    )


def _checked(question: Question) -> Question:
    asked = [name for name in ("at", "before", "after") if getattr(question, name) is not None]
    if len(asked) > 1:
        raise BadRequest(f"{asked[0]} and {asked[1]} exclude one another; send one of them")
    if asked and asked[0] != "before" and (question.tag or question.words):
        raise BadRequest(f"{asked[0]} goes with neither tag nor q; leave these out")
    if question.held and (question.tag or question.words or (asked and asked[0] != "before")):
        raise BadRequest("status goes with none of at, after, tag and q; leave these out")
    return question


def feeds_question_of(request: Request) -> tuple[int, str]:
    """Return how many feeds are asked for, and behind which slug; "": from the first on.

    Raises BadRequest.
    """
    after = request.query_params.get("after")
    if after is not None and not is_slug(after):
        raise BadRequest("after takes the next of a former list")
    return _limit_of(request, FEEDS_MAX, FEEDS_MAX), after or ""


def _limit_of(request: Request, default: int, most: int) -> int:
    text = request.query_params.get("limit", str(default))
    if not (_is_number(text) and 1 <= int(text) <= most):
        raise BadRequest(f"limit takes a number from 1 to {most}")
    return int(text)


def before_of(request: Request) -> tuple[int, int] | None:
    """Return the item's order that `before` names. Raises BadRequest."""
    return _order_of(request, "before", "next")


def after_of(request: Request) -> tuple[int, int] | None:
    """Return the item's order that `after` names. Raises BadRequest."""
    return _order_of(request, "after", "previous")


def at_of(request: Request) -> int | None:
    """Return the item that `at` names. Raises BadRequest."""
    text = request.query_params.get("at")
    if text is not None and not (_is_number(text) and len(text) <= ID_DIGITS):
        raise BadRequest("at takes an item's id, which is a number")
    return None if text is None else int(text)


def _held_of(request: Request) -> bool:
    text = request.query_params.get("status")
    if text not in (None, Status.HELD):
        raise BadRequest(f"status takes {Status.HELD} alone")
    return text is not None


def _order_of(request: Request, name: str, member: str) -> tuple[int, int] | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    at, _, item = text.partition(".")
    if not (_is_number(at.removeprefix("-")) and _is_number(item)):
        raise BadRequest(f"{name} takes the {member} of a former page")
    return int(at), int(item)


def text_of(request: Request, name: str) -> str | None:
    """Return `tag` or `q`. Raises BadRequest."""
    text = request.query_params.get(name)
    if text is not None and (len(text) > QUERY_MAX or not text.strip()):
        raise BadRequest(f"{name} takes 1 to {QUERY_MAX} characters")
    return text


def cursor_text(request: Request) -> str | None:
    """Return the cursor in `since`. Raises BadRequest if it cannot be one."""
    text = request.query_params.get("since")
    if text is not None and not is_cursor_text(text):
        raise BadRequest("since takes a cursor as a message or page gave it")
    return text or None


def is_cursor_text(text: str) -> bool:
    """Say whether `text` has the form of a cursor, of this program or another version of it."""
    return len(text) <= CURSOR_MAX and all(
        c.isascii() and (c.isalnum() or c in "_.-") for c in text
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 16
