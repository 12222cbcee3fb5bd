"""`POST /v1/chat/completions`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.dialects import load
from dragoman.engine.relay import read_body, text_member
from dragoman.errors import InvalidRequest
from dragoman.gateway.ingress.asked import Asked, PublicDialect, acting_members, checked_shape, stream_member

if TYPE_CHECKING:
    from dragoman.engine.relay import Members
    from dragoman.gateway.ingress.known_tools import KnownTools

__all__ = ["PUBLIC", "read"]

_OWN_TOOLS = frozenset({None, "function", "custom"})


def _acts(members: Members, known: KnownTools | None) -> bool:
    return acting_members(members, known, _OWN_TOOLS)


PUBLIC = PublicDialect(
    name="openai-chat",
    keep_alive=b": keep-alive\n\n",
    comments=True,
    control=frozenset(
        {"model", "stream", "stream_options", "messages", "tools", "max_tokens", "max_completion_tokens"}
    ),
    acts=_acts,
    state_marks=(b'"reasoning_details"', b'"thought_signature"', b'"signature"'),
    request_id_header="x-request-id",
)


def read(body: bytes) -> Asked:
    """What a chat completion asks. Raises `InvalidRequest`."""
    members, outline = read_body(body)
    shape = checked_shape(members, PUBLIC.control)
    model = text_member(members, "model")
    if not model:
        raise InvalidRequest("model is missing: name one of those that GET /v1/models lists", path="model")
    return Asked(
        PUBLIC,
        load("openai-chat"),
        body=body,
        outline=outline,
        members=members,
        shape=shape,
        model=model,
        stream=stream_member(members),
        path="/chat/completions",
    )
