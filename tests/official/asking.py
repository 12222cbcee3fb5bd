"""What the tests of this folder ask: what does the official client of a dialect make of these bytes?"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from tests.official.clients import Client, OfficialClients
from tests.official.replay_server import ReplayServer
from tests.wire.binary_frames import binary_frames, is_binary

__all__ = ["Official"]

_TRIMMED = re.compile(rb"TRIMMED\[[^\]]*\]")
"""Long base64 is cut short in the recordings, by words that are none; clients that decode it get some that is."""


class Official:
    """`given` an answer, gives the client that will hear it from the local server."""

    def __init__(self, server: ReplayServer, clients: OfficialClients) -> None:
        self._server = server
        self._clients = clients

    def given(
        self, dialect: str, body: bytes | object, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Client:
        """With bytes as a stream, or an object as a JSON body."""
        kind = "text/event-stream" if isinstance(body, bytes) else "application/json"
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        told = {"content-type": kind, **(headers or {})}
        if is_binary(data):
            data = b"".join(frame.wire(_TRIMMED.sub(b"AAAA", frame.payload)) for frame in binary_frames(data))
        else:
            data = _TRIMMED.sub(b"AAAA", data)
        return self._clients.of(dialect, self._server.serve(data, status=status, headers=told))
