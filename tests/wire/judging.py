"""One verdict per exchange and question: the tests assert it, the conformance page counts it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from dragoman import dialects
from dragoman.dialects import Dialect
from dragoman.errors import InvalidRequest, ProtocolViolation, ProviderError
from dragoman.values import Adaptation, Request, Response, Target, from_json, to_json
from dragoman.values.unrolled import events_of
from tests.wire.comparing import first_difference, told
from tests.wire.error_rules import expected_classes
from tests.wire.laws import LawBroken, Run, check_events, check_usage, run_decoder
from tests.wire.recordings import Exchange, body_bytes, stream_bytes, target_for

__all__ = [
    "Verdict",
    "dialect_of",
    "judge_answer",
    "judge_count_answer",
    "judge_count_request",
    "judge_embedding_answer",
    "judge_embedding_request",
    "judge_error",
    "judge_fitted_request",
    "judge_request",
    "judge_stream",
    "request_of",
    "restored",
    "run_stream",
]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`outcome` "equal" is what fidelity asks for; "adapted" and "refused" are right where the rule says so.

    "error": the answer is an error and became the right one. "different" is a fault; `detail` tells which.
    """

    outcome: Literal["equal", "adapted", "refused", "error", "different"]
    detail: str = ""

    @property
    def ok(self) -> bool:
        return self.outcome != "different"


_EQUAL = Verdict("equal")


def dialect_of(exchange: Exchange) -> Dialect:
    """The dialect of an exchange that has one."""
    name = exchange.dialect or exchange.embeddings_dialect or exchange.counting_dialect
    if name is None:
        raise LookupError(f"no dialect speaks {exchange.api}")
    return dialects.load(name)


def request_of(exchange: Exchange, target: Target | None = None) -> Request:
    """The recorded request as a value; a bare streaming one where the recording has none."""
    target = target or target_for(exchange, quirks=False)
    if exchange.request.body is None:
        return Request(model=target.model, stream=exchange.is_stream, stream_usage=True)
    return dialect_of(exchange).decode_request(exchange.request.body, target, exchange.request.path)


# -- requests ----------------------------------------------------------------------------------------------------------


def judge_request(exchange: Exchange) -> Verdict:
    """A recorded request decodes and encodes to equal JSON for the same target, without an adaptation.

    One that the provider itself refused as malformed (400, 422) may be refused by us too.
    """
    dialect = dialect_of(exchange)
    target = target_for(exchange, quirks=False)
    try:
        request = request_of(exchange, target)
    except InvalidRequest as error:
        if exchange.response.status in (400, 422):
            return Verdict("refused", error.message)
        return Verdict("different", f"refused: {error.message}")
    encoded = dialect.encode_request(request, target)
    difference = first_difference(exchange.request.body, encoded.body)
    if difference:
        return Verdict("different", difference)
    if encoded.adaptations:
        return Verdict("different", f"adapted for its own target: {encoded.adaptations[0]}")
    return _survives_json(request)


def judge_fitted_request(exchange: Exchange) -> Verdict:
    """The same with the deviations that the catalogue declares for the host: what differs is named by adaptations."""
    target = target_for(exchange)
    encoded = dialect_of(exchange).encode_request(request_of(exchange, target), target)
    difference = first_difference(exchange.request.body, encoded.body)
    if difference is None:
        return _EQUAL
    if not encoded.adaptations:
        return Verdict("different", f"{difference}, and no adaptation says so")
    return Verdict("adapted", _names(encoded.adaptations))


def _names(adaptations: tuple[Adaptation, ...]) -> str:
    return ", ".join(sorted({f"{entry.path} {entry.action}" for entry in adaptations}))


def _survives_json(value: Any) -> Verdict:
    """Our own JSON form holds all of it."""
    if from_json(to_json(value)) != value:
        return Verdict("different", "the value does not survive its own JSON form")
    return _EQUAL


# -- answers -----------------------------------------------------------------------------------------------------------


def judge_answer(exchange: Exchange) -> Verdict:
    """A recorded unstreamed answer decodes and encodes to equal JSON; an error object inside a 200 raises."""
    dialect = dialect_of(exchange)
    target = target_for(exchange)
    body: dict[str, Any] = exchange.response.content
    try:
        response = dialect.decode_response(body, target)
    except ProviderError as error:
        return _judge_mapped(error, exchange, body)
    check_usage(response.usage)
    if (response.provider, response.dialect) != (exchange.provider, dialect.name):
        return Verdict("different", f"the answer says it is of {response.provider!r} over {response.dialect!r}")
    encoded = dialect.encode_response(response, target)
    difference = first_difference(body, encoded.body)
    if difference:
        return Verdict("different", difference)
    if encoded.adaptations:
        return Verdict("different", f"adapted for its own dialect: {encoded.adaptations[0]}")
    if response.finish is not None and check_events(events_of(response)) != response:
        return Verdict("different", "the answer unrolled to events is another answer")
    return _survives_json(response)


def judge_error(exchange: Exchange) -> Verdict:
    """An answer of status >= 400 becomes the right class, with what the wire says of it."""
    error = dialect_of(exchange).decode_error(
        exchange.response.status, exchange.response.headers, body_bytes(exchange), target_for(exchange)
    )
    return _judge_mapped(error, exchange, exchange.response.content)


def _judge_mapped(error: ProviderError, exchange: Exchange, body: Any) -> Verdict:
    exception = exchange.response.headers.get("x-amzn-errortype", "").partition(":")[0]
    classes = expected_classes(exchange.provider, exchange.response.status, body, exception)
    if type(error) not in classes:
        names = " or ".join(kind.__name__ for kind in classes)
        return Verdict("different", f"became {type(error).__name__}, and should be {names}: {error}")
    wrong = [name for name, value in _owed(exchange, body).items() if getattr(error, name) != value]
    if wrong:
        told_apart = {name: getattr(error, name) for name in wrong}
        return Verdict("different", f"{told_apart} should be {_owed(exchange, body)}")
    words = _first_words(body)
    if exception:
        words.add(exception)
    if words and not words & {error.code, error.kind}:
        return Verdict("different", f"neither code {error.code!r} nor kind {error.kind!r} is among {sorted(words)}")
    advice = str(error).rpartition(error.provider_message.strip())[2]
    if len(advice) < len("Try again."):
        return Verdict("different", f"the message does not say what to do: {error}")
    return Verdict("error", type(error).__name__)


_REQUEST_ID_HEADERS = ("x-request-id", "request-id", "apim-request-id", "x-amzn-requestid")


def _owed(exchange: Exchange, body: Any) -> dict[str, Any]:
    """The fields that the error must have, since the wire has them."""
    # Headers belong to the answer, and are not given to a decoder of a 200's body.
    headers: Mapping[str, str] = exchange.response.headers if exchange.is_error else {}
    owed: dict[str, Any] = {"provider": exchange.provider}
    if exchange.is_error:
        owed["status"] = exchange.response.status
    request_id = next((headers[name] for name in _REQUEST_ID_HEADERS if name in headers), None)
    if request_id is None and isinstance(body, dict):
        request_id = cast("dict[str, Any]", body).get("request_id")
    if request_id is not None:
        owed["request_id"] = request_id
    if "retry-after-ms" in headers:
        owed["retry_after"] = float(headers["retry-after-ms"]) / 1000
    elif headers.get("retry-after", "").isdigit():
        owed["retry_after"] = float(headers["retry-after"])
    error: Any = cast("dict[str, Any]", body).get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        members = cast("dict[str, Any]", error)
        if isinstance(members.get("message"), str):
            owed["provider_message"] = members["message"]
        if isinstance(members.get("param"), str):
            owed["param"] = members["param"]
    return owed


def _first_words(body: Any) -> set[str]:
    """The words by which the provider itself calls the error."""
    members: Any = cast("dict[str, Any]", body) if isinstance(body, dict) else {}
    error: Any = members.get("error") if isinstance(members.get("error"), dict) else members
    return {error[name] for name in ("code", "type", "status") if isinstance(error.get(name), str)}


# -- streams -----------------------------------------------------------------------------------------------------------


def run_stream(exchange: Exchange, target: Target | None = None) -> Run:
    """The recorded stream decoded in one piece."""
    return run_decoder(dialect_of(exchange).stream_decoder(target or target_for(exchange)), [stream_bytes(exchange)])


_OBJECT_ARGUMENTS = frozenset({"anthropic", "gemini", "ollama", "bedrock"})
"""Dialects whose unstreamed answers hold a call's arguments as an object."""


def judge_stream(exchange: Exchange) -> Verdict:
    """A recorded stream is lawful, equals its unstreamed form, and survives our stream encoder."""
    dialect = dialect_of(exchange)
    target = target_for(exchange)
    run = run_stream(exchange)
    try:
        check_events(run.events)
    except LawBroken as broken:
        return Verdict("different", str(broken))
    if isinstance(run.error, ProviderError):
        if not run.error.in_stream:
            return Verdict("different", "the error does not say that it came inside a stream")
        return Verdict("error", type(run.error).__name__)
    response = run.response
    if response is None:
        return Verdict("different", f"no finish: {run.error!r:.300}")
    unstreamed = dialect.decode_response(dialect.encode_response(response, target).body, target)
    spelling = dialect.name not in _OBJECT_ARGUMENTS
    difference = first_difference(told(response, spelling=spelling), told(unstreamed, spelling=spelling))
    if difference:
        return Verdict("different", f"the unstreamed form: {difference}")
    return _judge_encoder(dialect, exchange, run, response)


def _judge_encoder(dialect: Dialect, exchange: Exchange, run: Run, response: Response) -> Verdict:
    """What our stream encoder writes from the events decodes to the same answer, lawfully."""
    target = target_for(exchange)
    encoder = dialect.stream_encoder(request_of(exchange), target)
    pieces = [encoder.feed(event) for event in run.events]
    pieces.append(encoder.close())
    again = run_decoder(dialect.stream_decoder(target), pieces)
    if again.error is not None:
        return Verdict("different", f"our encoder's stream: {again.error!r:.300}")
    try:
        repeated = check_events(again.events)
    except LawBroken as broken:
        return Verdict("different", f"our encoder's stream: {broken}")
    adaptations = encoder.adaptations()
    difference = first_difference(told(response), told(repeated))
    if difference is None:
        return _EQUAL
    if adaptations:
        return Verdict("adapted", _names(adaptations))
    return Verdict("different", f"our encoder's stream: {difference}")


# -- token counts ------------------------------------------------------------------------------------------------------


def judge_count_request(exchange: Exchange) -> Verdict:
    """A recorded question how long a prompt is decodes and encodes to equal JSON, at the same path."""
    dialect = dialect_of(exchange)
    target = target_for(exchange)
    if dialect.decode_count_request is None or dialect.encode_count_request is None:
        return Verdict("different", f"{dialect.name} counts no tokens")
    request = dialect.decode_count_request(exchange.request.body, target, exchange.request.path)
    encoded = dialect.encode_count_request(request, target)
    if not exchange.request.path.partition("?")[0].endswith(encoded.path):
        return Verdict("different", f"asked at {encoded.path}")
    difference = first_difference(exchange.request.body, encoded.body)
    return Verdict("different", difference) if difference else _survives_json(request)


_COUNTS = ("input_tokens", "totalTokens", "inputTokens")


def judge_count_answer(exchange: Exchange) -> Verdict:
    """The recorded count is read, and written for a client under the same name."""
    dialect = dialect_of(exchange)
    target = target_for(exchange)
    if dialect.decode_count_response is None or dialect.encode_count_response is None:
        return Verdict("different", f"{dialect.name} counts no tokens")
    body: dict[str, Any] = exchange.response.content
    said = {name: body[name] for name in _COUNTS if name in body}
    tokens = dialect.decode_count_response(body, target)
    written = dialect.encode_count_response(tokens, target).body
    difference = first_difference(said, written)
    if difference is not None or tokens not in said.values():
        return Verdict("different", difference or f"{tokens} was read")
    return _EQUAL


# -- embeddings --------------------------------------------------------------------------------------------------------


def judge_embedding_request(exchange: Exchange) -> Verdict:
    """A recorded embeddings request decodes and encodes to equal JSON."""
    dialect = dialect_of(exchange)
    target = target_for(exchange, quirks=False)
    if dialect.decode_embedding_request is None or dialect.encode_embedding_request is None:
        return Verdict("different", f"{dialect.name} has no embeddings")
    request = dialect.decode_embedding_request(exchange.request.body, target, exchange.request.path)
    encoded = dialect.encode_embedding_request(request, target)
    difference = first_difference(exchange.request.body, encoded.body)
    return Verdict("different", difference) if difference else _survives_json(request)


def judge_embedding_answer(exchange: Exchange) -> Verdict:
    """A recorded embeddings answer likewise; vectors that came as base64 decode to numbers."""
    dialect = dialect_of(exchange)
    target = target_for(exchange)
    if dialect.decode_embedding_response is None or dialect.encode_embedding_response is None:
        return Verdict("different", f"{dialect.name} has no embeddings")
    body = restored(exchange.response.content)
    try:
        response = dialect.decode_embedding_response(body, target)
    except ProtocolViolation as error:
        return Verdict("different", str(error))
    if not response.vectors or not all(response.vectors):
        return Verdict("different", "the answer holds no vectors")
    difference = first_difference(body, dialect.encode_embedding_response(response, target).body)
    return Verdict("different", difference) if difference else _survives_json(response)


_TRIMMED = re.compile(r"TRIMMED\[base64 (\d+) chars [^\]]*\]")


def restored(value: Any) -> Any:
    """JSON with base64 of the right length where the recordings cut it out, for codecs that have to decode it."""
    if isinstance(value, str):
        return _TRIMMED.sub(_base64, value)
    if isinstance(value, list):
        return [restored(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {name: restored(item) for name, item in cast("dict[str, Any]", value).items()}
    return value


def _base64(trimmed: re.Match[str]) -> str:
    return "AAAA" * (int(trimmed[1]) // 4)
