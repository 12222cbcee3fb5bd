"""What routing may do next about every recorded error, and what it makes of the deployment: the one table against the
providers' own words."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

import msgspec
import pytest

from dragoman.errors import ProviderError, Remedy
from dragoman.routing import Health
from dragoman.routing.remedies import Allowed, allowed
from tests.routing.virtual import candidate
from tests.wire.error_rules import own_words
from tests.wire.judging import dialect_of, run_stream
from tests.wire.recordings import Exchange, body_bytes, exchanges, require_recordings, target_for
from tests.wire.remedy_rules import REMEDIES, Permission, remedies_for

require_recordings()

_ANSWERED = [exchange for exchange in exchanges() if exchange.dialect or exchange.embeddings_dialect]


def _error_of(exchange: Exchange) -> ProviderError | None:
    """The provider's error, whether it came as an answer, in place of one, or inside a stream."""
    dialect, target = dialect_of(exchange), target_for(exchange)
    if exchange.is_error:
        return dialect.decode_error(exchange.response.status, exchange.response.headers, body_bytes(exchange), target)
    if "stream_error" in exchange.features:
        error = run_stream(exchange).error
        return error if isinstance(error, ProviderError) else None
    if "error_in_200" in exchange.features:
        with pytest.raises(ProviderError) as caught:
            dialect.decode_response(exchange.response.content, target)
        return caught.value
    return None


_ERRORS = [(exchange, error) for exchange in _ANSWERED if (error := _error_of(exchange)) is not None]


def _status_in(body: Any) -> int | None:
    """The status that an error names which came with status 200."""
    error: Any = cast("dict[str, Any]", body).get("error") if isinstance(body, dict) else None
    named = cast("dict[str, Any]", error) if isinstance(error, dict) else {}
    return next(
        (value for name in ("status", "status_code", "code") if isinstance(value := named.get(name), int)), None
    )


def _wanted(exchange: Exchange, error: ProviderError) -> list[Permission]:
    body = exchange.response.content if exchange.is_error else error.body
    exception = exchange.response.headers.get("x-amzn-errortype", "").partition(":")[0]
    words = frozenset([*own_words(body), *filter(None, [exception, error.code if error.in_stream else ""])])
    status = exchange.response.status if exchange.is_error else _status_in(body)
    text = body if isinstance(body, str) else msgspec.json.encode(body).decode()
    return [REMEDIES[name] for name in remedies_for(exchange.provider, status, words, text)]


def _seen(error: ProviderError) -> Permission:
    """What the table says of an error, and what health makes of a deployment that answers so once."""
    may = allowed(error, acts_on_world=False)
    health = Health()
    standing = health.standing(candidate("a").deployment)
    health.failed(standing, error, 0.0)
    shut = standing.shut_until > 0
    if error.retry_after is not None and error.remedy is Remedy.WAIT:
        assert standing.shut_until == min(error.retry_after, health.settings.longest_retry_after_seconds)
        assert not standing.opened, "a wait that was asked for needs no probe"
        shut = True
    counted = standing.failures > 0 or (shut and not standing.opened)
    return Permission(again=may.again, elsewhere=may.elsewhere, faults=counted, shuts=shut)


@pytest.mark.parametrize(("exchange", "error"), _ERRORS, ids=[exchange.case for exchange, _ in _ERRORS])
def test_the_table_says_what_the_providers_words_allow(exchange: Exchange, error: ProviderError) -> None:
    seen, wanted = _seen(error), _wanted(exchange, error)
    if error.retry_after is not None:  # a host that is merely overloaded shuts itself, too, when it names a time
        wanted = [
            Permission(each.again, each.elsewhere, each.faults, shuts=each.shuts or (each.again and seen.shuts))
            for each in wanted
        ]
    assert seen in wanted, f"{type(error).__name__}: {error}"


@pytest.mark.parametrize(("exchange", "error"), _ERRORS, ids=[exchange.case for exchange, _ in _ERRORS])
def test_a_request_that_may_act_on_the_world_is_asked_of_nobody_again(exchange: Exchange, error: ProviderError) -> None:
    assert allowed(error, acts_on_world=True) == Allowed(again=False, elsewhere="nobody"), exchange.case


def test_the_recordings_have_errors_of_most_remedies() -> None:
    found = Counter(error.remedy for _, error in _ERRORS)
    assert {Remedy.CREDENTIAL, Remedy.WAIT, Remedy.ILL, Remedy.WRONG, Remedy.BLOCKED, Remedy.ABSENT} <= found.keys()


def test_every_class_of_errors_has_a_row() -> None:
    assert {allowed(_of(remedy), acts_on_world=False).elsewhere for remedy in Remedy} == {
        "nobody",
        "anybody",
        "larger",
        "marked",
    }


def _of(remedy: Remedy) -> ProviderError:
    kind = type("Kind", (ProviderError,), {"remedy": remedy})
    return kind("said")
