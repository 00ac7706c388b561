"""permessage-deflate, negotiated so that one compressed frame serves every reader."""

from __future__ import annotations

from collections.abc import Sequence

from websockets.exceptions import NegotiationError
from websockets.extensions.base import Extension, ServerExtensionFactory
from websockets.typing import ExtensionName, ExtensionParameter


class SharedDeflate(ServerExtensionFactory):
    """Accepts any offer that frames without a reader's own context can meet."""

    name = ExtensionName("permessage-deflate")

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], Extension]:
        """Answer an offer. Raises NegotiationError, after which websockets tries the next one."""
        names = [name for name, _ in params]
        if "server_max_window_bits" in names:
            raise NegotiationError("frames are shared, so no window can be made to measure")
        known = {"server_no_context_takeover", "client_no_context_takeover"}
        if len(set(names)) != len(names) or set(names) - known - {"client_max_window_bits"}:
            raise NegotiationError("unknown or repeated parameter")
        # What clients compress is never read, but nothing of it need be kept by them either.
        return [(name, None) for name in sorted(known)], _Agreed()


class _Agreed(Extension):
    name = ExtensionName("permessage-deflate")
