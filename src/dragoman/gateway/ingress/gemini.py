"""`POST /v1beta/models/{model}:generateContent` and `:streamGenerateContent` (under `/v1` and `/v1alpha` too).

A stream is server-sent events where the query says `alt=sse`, and one JSON array otherwise: the array is written anew,
so such a stream is always translated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from dragoman.dialects import load
from dragoman.engine.relay import read_body
from dragoman.errors import InvalidRequest
from dragoman.gateway.ingress.asked import Asked, PublicDialect, checked_shape

if TYPE_CHECKING:
    from dragoman.engine.relay import Members
    from dragoman.gateway.ingress.known_tools import KnownTools

__all__ = ["METHODS", "PUBLIC", "VERSIONS", "model_and_method", "read"]

VERSIONS = ("v1beta", "v1", "v1alpha")
"""The segments that the vendor's clients begin a path with, whichever they were set to."""

METHODS = ("generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents")
_RUN_BY_PROVIDER = (
    b'"googleSearch"',
    b'"google_search"',
    b'"codeExecution"',
    b'"code_execution"',
    b'"urlContext"',
    b'"url_context"',
    b'"googleMaps"',
    b'"google_maps"',
    b'"googleSearchRetrieval"',
    b'"google_search_retrieval"',
    b'"computerUse"',
    b'"computer_use"',
    b'"fileSearch"',
    b'"file_search"',
    b'"retrieval"',
)


def _acts(members: Members, known: KnownTools | None) -> bool:
    tools = members.get("tools")
    if tools is None:
        return False
    raw = bytes(tools)
    return any(name in raw for name in _RUN_BY_PROVIDER)


PUBLIC = PublicDialect(
    name="gemini",
    keep_alive=b"\n",
    comments=False,
    control=frozenset({"contents", "tools"}),
    acts=_acts,
    state_marks=(b'"thoughtSignature"', b'"thought_signature"'),
    request_id_header="x-request-id",
)
ARRAY = PublicDialect(
    name="gemini",
    keep_alive=b"\n",
    comments=False,
    control=PUBLIC.control,
    acts=_acts,
    state_marks=(b'"thoughtSignature"', b'"thought_signature"'),
    request_id_header="x-request-id",
    stream_type="application/json",
)


def model_and_method(path: str) -> tuple[str, str]:
    """`…/models/{model}:{method}` → both. Raises `InvalidRequest` for another form."""
    address, colon, method = path.rpartition(":")
    _, _, model = unquote(address).partition("/models/")
    if not colon or not model or any(step in ("", ".", "..") for step in model.split("/")):
        raise InvalidRequest("the path must be …/models/{model}:{method}", path="model")
    return model, method


def read(body: bytes, path: str, query: str, model: str, method: str) -> Asked:
    """What a call of generateContent asks. Raises `InvalidRequest`."""
    members, outline = read_body(body)
    shape = checked_shape(members, PUBLIC.control)
    stream = method == "streamGenerateContent"
    events = stream and "alt=sse" in query.split("&")
    return Asked(
        PUBLIC if events or not stream else ARRAY,
        load("gemini"),
        body=body,
        outline=outline,
        members=members,
        shape=shape,
        model=model,
        stream=stream,
        path=f"{path}?{query}" if query else path,
        relayable=events or not stream,
    )
