"""What the tests of this dialect share: a target, bodies in the forms that clients and hosts write, and ways to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import msgspec

from dragoman.dialects import EncodedRequest
from dragoman.dialects.gemini.dialect import DIALECT
from dragoman.values import (
    Choice,
    Finish,
    GeminiQuirks,
    Message,
    MessageRole,
    Part,
    Quirks,
    Request,
    Response,
    Target,
)
from tests.wire.comparing import first_difference
from tests.wire.laws import Run, check_events, run_decoder

PATH = "/v1beta/models/gemini-x:generateContent"
STREAM_PATH = "/v1beta/models/gemini-x:streamGenerateContent?alt=sse"
TARGET = Target(provider="google", issuer="google", model="gemini-x")
ELSEWHERE = Target(provider="vertex", issuer="vertex", model="gemini-x")


def target(**quirks: Any) -> Target:
    return Target(provider="google", issuer="google", model="gemini-x", quirks=Quirks(gemini=GeminiQuirks(**quirks)))


def asked(body: Any, path: str = PATH) -> Request:
    return DIALECT.decode_request(body, TARGET, path)


def survives(body: Any, path: str = PATH) -> Request:
    """Decodes a request body, encodes it again, and asserts that nothing changed."""
    request = asked(body, path)
    encoded = DIALECT.encode_request(request, TARGET)
    assert first_difference(body, encoded.body) is None
    assert encoded.adaptations == ()
    return request


def encoded(request: Request, to: Target = TARGET) -> EncodedRequest:
    return DIALECT.encode_request(request, to)


def paths(encoded: EncodedRequest) -> list[str]:
    return [entry.path for entry in encoded.adaptations]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything in a body."""
    found = [path] if path else []
    if isinstance(value, dict):
        for name, item in cast("dict[str, Any]", value).items():
            found.extend(places(item, (*path, name)))
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            found.extend(places(item, (*path, index)))
    return found


def changed(value: Any, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:
    """A copy of a body with one place changed by `change(holder, name)`."""
    copied = value.copy()
    if len(path) == 1:
        change(copied, path[0])
    else:
        copied[path[0]] = changed(value[path[0]], path[1:], change)
    return copied


def turn(*parts: Any, role: str = "user") -> dict[str, Any]:
    return {"role": role, "parts": list(parts)}


def asked_with(*parts: Any, role: str = "user") -> Any:
    return {"contents": [turn(*parts, role=role)]}


def conversation(*messages: Message, **settings: Any) -> Request:
    return Request(model="gemini-x", messages=messages, **settings)


def answered(body: Any) -> Response:
    return DIALECT.decode_response(body, TARGET)


def answer_survives(body: Any) -> Response:
    response = answered(body)
    again = DIALECT.encode_response(response, TARGET)
    assert first_difference(body, again.body) is None
    assert again.adaptations == ()
    return response


def answer(*parts: Any, **members: Any) -> Any:
    candidate = {"content": {"parts": list(parts), "role": "model"}, "finishReason": "STOP", "index": 0, **members}
    return {"candidates": [candidate], "modelVersion": "gemini-x-001", "responseId": "r-1"}


def foreign(*parts: Part, reason: Any = "stop", **members: Any) -> Response:
    """An answer that another provider gave over another wire."""
    message = Message(MessageRole.ASSISTANT, parts=parts)
    return Response(
        id="msg_1",
        model="other-model",
        provider="other",
        dialect="anthropic",
        choices=(Choice(message=message, finish=Finish(reason=reason, raw="end_turn")),),
        **members,
    )


def chunk(*parts: Any, **members: Any) -> Any:
    """One chunk of a stream; members that are the answer's own stand beside the candidate."""
    whole = {name: members.pop(name) for name in ("usageMetadata", "createTime", "promptFeedback") if name in members}
    candidate = {"content": {"parts": list(parts), "role": "model"}, "index": 0, **members}
    return {"candidates": [candidate], **whole, "modelVersion": "gemini-x-001", "responseId": "r-1"}


def sse(*chunks: Any) -> bytes:
    return b"".join(b"data: " + msgspec.json.encode(item) + b"\r\n\r\n" for item in chunks)


def run(pieces: bytes | Iterable[bytes], to: Target = TARGET) -> Run:
    return run_decoder(DIALECT.stream_decoder(to), [pieces] if isinstance(pieces, bytes) else pieces)


def streamed(body: bytes) -> Response:
    """The finished answer of a stream, which is lawful however it is cut, and equal to its unstreamed form."""
    whole = run(body)
    assert whole.error is None, whole.error
    response = check_events(whole.events)
    assert response is not None
    for cut in range(1, len(body)):
        assert run([body[:cut], body[cut:]]).meant == whole.meant, f"cut at {cut}"
    assert run(body[place : place + 1] for place in range(len(body))).meant == whole.meant
    return response
