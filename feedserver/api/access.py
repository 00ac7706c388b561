"""Who may come in: tokens for editors, and no pages from elsewhere."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from urllib.parse import urlsplit

from starlette.requests import Request

from feedserver.errors import Forbidden, Unauthorized
from feedserver.model import Token
from feedserver.rules import Change

PREFIX = "nf_"


def check_may_edit(editor: Token, slug: str) -> None:
    """Check that a token edits a feed. Raises Forbidden."""
    if not editor.may_edit(slug):
        raise Forbidden(f"this token does not edit the feed {slug[:80]}")


def new_secret() -> tuple[str, str]:
    """Make a token: the text for its owner, and the digest that is kept."""
    secret = PREFIX + secrets.token_urlsafe(32)
    return secret, digest(secret)


def digest(secret: str) -> str:
    """Return a token's SHA-256 in hex. Its 256 random bits need no slower hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class Tokens:
    """The tokens that are good now, kept level with the journal."""

    def __init__(self, tokens: tuple[Token, ...] = (), known_to: int = 0) -> None:
        self.known_to = known_to  # the sequence of the newest change that was taken in
        self._tokens = {token.name: token for token in tokens}

    def renew(self, tokens: tuple[Token, ...], known_to: int) -> None:
        """Take all tokens as they are read at a sequence."""
        self.known_to = max(self.known_to, known_to)
        self._tokens = {token.name: token for token in tokens}

    def apply(self, changes: tuple[Change, ...]) -> None:
        """Take in tokens made and revoked."""
        for change in changes:
            self.known_to = max(self.known_to, change.sequence)
            if change.token is not None:
                self._tokens[change.token.name] = change.token

    def find(self, secret: str) -> Token | None:
        """Return the token, if it is good; takes as long whether it is or not."""
        asked = digest(secret)
        found = None
        for token in self._tokens.values():
            if hmac.compare_digest(token.digest, asked) and token.revoked_at is None:
                found = token
        return found


def editor(request: Request, tokens: Tokens, public_url: str) -> Token:
    """Return whose request this is. Raises Unauthorized, Forbidden."""
    check_origin(request, public_url)
    sent = request.headers.getlist("authorization")
    scheme, _, secret = sent[0].partition(" ") if len(sent) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthorized("send the header Authorization: Bearer TOKEN, once")
    token = tokens.find(secret.strip())
    if token is None:
        raise Unauthorized("this token is not known, or was revoked; ask for a new one")
    return token


def has_token(request: Request) -> bool:
    """Say whether the request comes with a token, good or bad. A proxy's own login is none."""
    sent = request.headers.getlist("authorization")
    return any(each.partition(" ")[0].lower() == "bearer" for each in sent)


def check_origin(request: Request, public_url: str) -> None:
    """Refuse pages of other sites. Raises Forbidden."""
    # A proxy may have rewritten Host; the address that readers see is ours all the same.
    own = {request.headers.get("host", "").lower(), _site(public_url)} - {""}
    for origin in request.headers.getlist("origin"):
        if _site(origin) not in own:
            raise Forbidden(f"pages of {origin[:80]} may read here, not edit")


def _site(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
