"""The tree of errors: every class can be made, told, pickled and copied, and says what may be done next."""

from __future__ import annotations

import copy
import pickle
import typing
from typing import Any

import pytest

from dragoman import errors
from dragoman.errors import DragomanError, ProviderError, Remedy, TransportError
from dragoman.values import Response, Usage

_NEEDED: dict[str, dict[str, Any]] = {
    "MissingKey": {"provider": "groq", "variables": ["GROQ_API_KEY"]},
    "UnknownProvider": {"name": "grok", "near": ["groq"]},
    "Unsupported": {"path": "seed"},
    "InvalidArguments": {"name": "weather", "text": "{"},
    "InvalidRequest": {"path": "messages[0]"},
    "ProtocolViolation": {"path": "choices"},
    "SchemaMismatch": {"problem": "$.age: expected int", "response": Response(id="r")},
    "UnusableAnswer": {"reason": "length", "response": Response(id="r")},
    "TooManyRounds": {"messages": [], "response": Response(id="r")},
    "StreamTruncated": {"partial": Response(id="r", usage=Usage(input_tokens=1))},
    "Unavailable": {"retry_after": 4.5},
    "AllAttemptsFailed": {"errors": [errors.RateLimited("slow down", provider="groq")]},
}
_DETAILS = {
    "provider": "groq",
    "model": "m",
    "status": 429,
    "code": "rate_limit_exceeded",
    "kind": "tokens",
    "param": "messages",
    "request_id": "req_1",
    "retry_after": 4.5,
    "body": {"error": {"message": "slow down"}},
}


def _classes() -> list[type[DragomanError]]:
    named = [getattr(errors, name) for name in errors.__all__]
    return [kind for kind in named if isinstance(kind, type) and issubclass(kind, DragomanError)]


def _sample(kind: type[DragomanError]) -> DragomanError:
    make: Any = kind
    details = _NEEDED.get(kind.__name__, _DETAILS if issubclass(kind, ProviderError) else {})
    return make("slow down", **details)


@pytest.mark.parametrize("kind", _classes(), ids=lambda kind: kind.__name__)
def test_an_error_survives_pickling_and_copying(kind: type[DragomanError]) -> None:
    error = _sample(kind)
    error.attempts = ("first",)
    copies: list[DragomanError] = [pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)]  # noqa: S301 - our own bytes
    for again in copies:
        assert type(again) is kind
        assert str(again) == str(error)
        assert again.args == error.args
        told, expected = again.__dict__ | {"errors": None}, error.__dict__ | {"errors": None}
        assert told == expected
        assert again.remedy is error.remedy


@pytest.mark.parametrize("kind", _classes(), ids=lambda kind: kind.__name__)
def test_an_error_is_in_the_drawn_tree_at_its_place(kind: type[DragomanError]) -> None:
    lines = [line for line in (errors.__doc__ or "").splitlines() if kind.__name__ in line.split()]
    assert len(lines) == 1, f"{kind.__name__} is not drawn exactly once"
    depth = (len(lines[0]) - len(lines[0].lstrip(" │├└─"))) // 4
    parents = [base for base in kind.__mro__[1:] if issubclass(base, DragomanError)]
    assert depth == len(parents) + 1


def test_every_class_is_public() -> None:
    def below(kind: type[DragomanError]) -> set[str]:
        return {kind.__name__}.union(
            *(below(sub) for sub in kind.__subclasses__() if sub.__module__ == errors.__name__)
        )

    assert below(DragomanError) == {kind.__name__ for kind in _classes()}


def test_an_answer_s_error_tells_who_what_and_what_to_do() -> None:
    text = str(_sample(errors.RateLimited))
    assert text == (
        "groq (m) answered 429 rate_limit_exceeded: slow down. Retry after 4.5 s. "
        "Wait and try again, slow down, or add a fallback target. [request id req_1]"
    )
    inside = errors.Overloaded("Overloaded", provider="anthropic", kind="overloaded_error", in_stream=True)
    assert str(inside).startswith("anthropic in mid-stream overloaded_error: Overloaded. ")
    assert str(errors.ServerFault("")).startswith("the provider answered: no message. ")


@pytest.mark.parametrize("kind", [kind for kind in _classes() if issubclass(kind, ProviderError)])
def test_every_answered_error_has_a_remedy_and_advice_of_its_own(kind: type[ProviderError]) -> None:
    assert kind.remedy is not Remedy.NONE
    assert kind.advice.endswith((".", "?"))
    assert kind is ProviderError or kind.advice != ProviderError.advice


def test_what_was_sent_is_told_by_errors_of_the_transport() -> None:
    assert errors.ConnectFailed("refused").sent == "no"
    assert errors.PoolExhausted("full").sent == "no"
    assert errors.ConnectionLost("gone").sent == "maybe"
    assert errors.StreamTruncated("cut off").sent == "yes"
    words = set(typing.get_args(errors.Sent))
    assert all(_sample(kind).__dict__["sent"] in words for kind in _classes() if issubclass(kind, TransportError))


def test_a_truncated_stream_carries_what_came() -> None:
    error = _sample(errors.StreamTruncated)
    assert isinstance(error, errors.StreamTruncated)
    assert error.partial.id == "r"
    assert error.usage == Usage(input_tokens=1)


def test_an_unknown_name_is_a_key_error_that_reads_well() -> None:
    with pytest.raises(KeyError):
        raise errors.UnknownName("there is no model 'smart'")
    assert str(errors.UnknownName("there is no model 'smart'")) == "there is no model 'smart'"
