"""Every recorded request, said in the other dialects: valid there, nothing lost in silence, no foreign state sent."""

from __future__ import annotations

import msgspec
import pytest

from dragoman import dialects
from dragoman.dialects import EncodedRequest
from dragoman.errors import InvalidRequest
from dragoman.values import Request, Target, replace
from tests.wire.each_dialect import in_each
from tests.wire.judging import request_of
from tests.wire.losses import opaque_state, silent_losses
from tests.wire.pairing import pairing_problems, self_contained
from tests.wire.recordings import DIALECTS, Exchange, exchanges, require_recordings, target_for
from tests.wire.specs import require_specs, spec_for

require_recordings()
require_specs()

_ASKED = [exchange for exchange in exchanges() if exchange.dialect and exchange.request.body is not None]
_ACCEPTED = [exchange for exchange in _ASKED if exchange.response.status not in (400, 422)]


def _id(exchange: Exchange) -> str:
    return exchange.case


def _others(exchange: Exchange) -> list[str]:
    return [dialect for dialect in DIALECTS if dialect != exchange.dialect]


def _foreign(request: Request, dialect: str) -> EncodedRequest:
    target = Target(provider="elsewhere", issuer="elsewhere", model="a-model")
    return dialects.load(dialect).encode_request(replace(request, model="a-model"), target)


@pytest.mark.parametrize("exchange", _ACCEPTED, ids=_id)
def test_a_request_is_valid_in_another_dialect(exchange: Exchange) -> None:
    request = request_of(exchange)

    def is_valid(dialect: str) -> None:
        encoded = _foreign(request, dialect)
        beta = any(name == "anthropic-beta" for name, _ in encoded.headers)
        spec, name = spec_for("anthropic-beta" if beta else dialect)
        problems = spec.problems(name, encoded.body)
        if not request.messages:  # a stored prompt, which no other wire knows: nothing is left to say
            problems = [problem for problem in problems if not problem.startswith(".messages: 0 items")]
        assert not problems, "\n".join(problems)

    in_each(_others(exchange), is_valid)


@pytest.mark.parametrize("exchange", _ACCEPTED, ids=_id)
def test_calls_and_results_stand_where_another_dialect_wants_them(exchange: Exchange) -> None:
    request = request_of(exchange)

    def stand_there(dialect: str) -> None:
        assert pairing_problems(dialect, _foreign(request, dialect).body) == []

    if self_contained(request):
        in_each(_others(exchange), stand_there)


@pytest.mark.parametrize("exchange", _ACCEPTED, ids=_id)
def test_nothing_is_lost_in_silence(exchange: Exchange) -> None:
    request = request_of(exchange)

    def is_kept_or_named(dialect: str) -> None:
        encoded = _foreign(request, dialect)
        lost = silent_losses(request, dialect, encoded.body, encoded.adaptations)
        assert not lost, "\n".join(lost)

    in_each(_others(exchange), is_kept_or_named)


@pytest.mark.parametrize("exchange", _ACCEPTED, ids=_id)
def test_state_never_crosses_to_another_dialect(exchange: Exchange) -> None:
    request = request_of(exchange)

    def has_no_state(dialect: str) -> None:
        assert _leaked(request, exchange, _foreign(request, dialect)) == []

    in_each(_others(exchange), has_no_state)


def _leaked(request: Request, exchange: Exchange, encoded: EncodedRequest) -> list[str]:
    said = msgspec.json.encode([encoded.body, encoded.headers, encoded.path]).decode()
    return [state[:60] for state in opaque_state(request, exchange.request.body) if state in said]


@pytest.mark.parametrize("exchange", _ASKED, ids=_id)
def test_state_never_crosses_to_another_issuer_of_the_same_dialect(exchange: Exchange) -> None:
    try:
        request = request_of(exchange)
    except InvalidRequest:
        assert exchange.response.status in (400, 422)
        return
    state = opaque_state(request, exchange.request.body)
    encoded = dialects.load(exchange.dialect or "").encode_request(request, target_for(exchange, issuer="another"))
    assert _leaked(request, exchange, encoded) == []
    if state:
        assert any("replay" in entry.reason or "replay" in entry.path for entry in encoded.adaptations)


def test_some_recorded_requests_carry_state() -> None:
    carriers = {exchange.dialect for exchange in _ACCEPTED if opaque_state(request_of(exchange), exchange.request.body)}
    assert carriers == {"openai-chat", "openai-responses", "anthropic", "gemini", "bedrock"}


_VENDORS = {("openai", "openai-chat"), ("anthropic", "anthropic"), ("bedrock", "bedrock")}


@pytest.mark.parametrize(
    "exchange",
    [exchange for exchange in _ASKED if (exchange.provider, exchange.dialect) in _VENDORS and not exchange.is_error],
    ids=_id,
)
def test_the_judge_accepts_what_the_vendor_accepted(exchange: Exchange) -> None:
    beta = exchange.dialect == "anthropic" and "beta=true" in exchange.request.url
    spec, name = spec_for("anthropic-beta" if beta else exchange.dialect or "")
    assert spec.problems(name, exchange.request.body) == []


_FAULTS = [
    ("openai-chat", '{"messages": [{"role": "user", "content": "Hi"}]}', ".model: required, and missing"),
    (
        "openai-chat",
        '{"model": "m", "messages": [{"role": "user", "content": "Hi", "cache_control": {}}]}',
        ".messages[0].cache_control: unknown to the description",
    ),
    (
        "anthropic",
        '{"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": [{"type": "text"}]}]}',
        ".messages[0].content[0].text: required, and missing",
    ),
    (
        "anthropic",
        '{"model": "m", "max_tokens": 1, "messages": [], "temperature": 1.5}',
        ".temperature: 1.5 is above 1",
    ),
    (
        "gemini",
        '{"contents": [{"role": "user", "parts": [{"text": "Hi", "txt": "Hi"}]}]}',
        ".contents[0].parts[0].txt: unknown to the description",
    ),
    (
        "gemini",
        '{"contents": [{"parts": [{"functionCall": {"args": {}}}]}]}',
        ".contents[0].parts[0].functionCall.name: required, and missing",
    ),
    (
        "bedrock",
        '{"messages": [{"role": "user", "content": [{"txt": "Hi"}]}]}',
        ".messages[0].content[0].txt: unknown to the description",
    ),
    ("bedrock", '{"messages": [{"role": "user"}]}', ".messages[0].content: required, and missing"),
    ("bedrock", '{"inferenceConfig": {"temperature": 1.5}}', ".inferenceConfig.temperature: 1.5 is above 1"),
    ("openai-responses", '{"model": "m", "input": "Hi", "max_tokens": 3}', ".max_tokens: unknown to the description"),
]


@pytest.mark.parametrize(("dialect", "body", "problem"), _FAULTS)
def test_the_judge_finds_faults(dialect: str, body: str, problem: str) -> None:
    spec, name = spec_for(dialect)
    assert problem in spec.problems(name, msgspec.json.decode(body))
