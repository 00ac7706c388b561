"""permessage-deflate, negotiated so that one compressed frame serves every reader."""

from __future__ import annotations

from collections.abc import Sequence

from websockets.exceptions import NegotiationError
from websockets.extensions.base import Extension, ServerExtensionFactory
from websockets.typing import ExtensionName, ExtensionParameter

NO_CONTEXT = ("client_no_context_takeover", "server_no_context_takeover")
WINDOW_BITS = {None, *map(str, range(8, 16))}  # what a client may say of its own window


class SharedDeflate(ServerExtensionFactory):
    """Accepts any offer that frames without a reader's own context can meet."""

    name = ExtensionName("permessage-deflate")

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], Extension]:
        """Answer an offer. Raises NegotiationError, after which websockets tries the next one."""
        offered = dict(params)
        if "server_max_window_bits" in offered:
            raise NegotiationError("all readers share a frame, so its window is not negotiable")
        good = len(offered) == len(params) and all(
            value is None if name in NO_CONTEXT else name == "client_max_window_bits"
            for name, value in offered.items()
        )
        if not good or offered.get("client_max_window_bits") not in WINDOW_BITS:
            raise NegotiationError("a parameter that is unknown, repeated or has a bad value")
        # What clients compress is never read, but nothing of it need be kept by them either.
        return [(name, None) for name in NO_CONTEXT], _Agreed()


class _Agreed(Extension):
    name = ExtensionName("permessage-deflate")
