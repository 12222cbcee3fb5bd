"""`POST /v1/messages`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.dialects import load
from dragoman.engine.relay import EDITS, read_body, text_member
from dragoman.errors import InvalidRequest
from dragoman.gateway.ingress.asked import Asked, PublicDialect, acting_members, checked_shape, stream_member

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman.engine.relay import Members
    from dragoman.gateway.ingress.known_tools import KnownTools

__all__ = ["PUBLIC", "read"]

_OWN_TOOLS = frozenset({None, "custom"})
_FORWARDED = {name.encode() for name in EDITS["anthropic"].forwarded}


def _acts(members: Members, known: KnownTools | None) -> bool:
    return acting_members(members, known, _OWN_TOOLS)


PUBLIC = PublicDialect(
    name="anthropic",
    keep_alive=b'event: ping\ndata: {"type": "ping"}\n\n',
    comments=True,
    control=frozenset({"model", "stream", "messages", "system", "tools", "max_tokens"}),
    acts=_acts,
    state_marks=(b'"signature"', b'"redacted_thinking"', b'"encrypted_content"', b'"encrypted_index"'),
    request_id_header="request-id",
)


def read(body: bytes, headers: Iterable[tuple[bytes, bytes]]) -> Asked:
    """What a message asks. Raises `InvalidRequest`."""
    members, outline = read_body(body)
    shape = checked_shape(members, PUBLIC.control)
    model = text_member(members, "model")
    if not model:
        raise InvalidRequest("model is missing: name one of those that GET /v1/models lists", path="model")
    return Asked(
        PUBLIC,
        load("anthropic"),
        body=body,
        outline=outline,
        members=members,
        shape=shape,
        model=model,
        stream=stream_member(members),
        path="/messages",
        headers=tuple((name.decode(), value.decode("latin-1")) for name, value in headers if name in _FORWARDED),
    )
