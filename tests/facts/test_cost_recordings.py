"""For every recorded answer whose model has a price: our cost is the judge's, to the last decimal.

The judge (`price_judge`) reads the wire's own object; we go the way of an answer: dialect, usage, lookup, price list.
A cost that the provider reports is put aside, so that ours is computed.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

import pytest

from dragoman import facts
from dragoman.dialects import load
from dragoman.errors import DragomanError
from dragoman.facts.costing import list_cost
from dragoman.values import Cost, Finished, Usage, replace
from tests.facts.price_judge import asked_at, judge
from tests.wire.recordings import Exchange, exchanges, require_recordings, stream_bytes, target_for

require_recordings()


class _Exception(NamedTuple):
    difference: Decimal | None  # None: we say that the cost is not known
    reason: str


EXCEPTIONS: dict[str, _Exception] = {
    "anthropic/anthropic.messages__compaction-prompt-cache__anthropic-compaction-usage-with-cache[0]": _Exception(
        Decimal("0.208875"),
        "the totals leave out the compaction made on the way, which is charged (it stands in `iterations`); the judge "
        "reads the totals alone",
    ),
    "anthropic/anthropic.messages__stream-refusal__fallback-response[0]": _Exception(
        Decimal("-0.00013"),
        "another model took over in the stream and answered; the judge is given the model of the stream's first event",
    ),
    "google/google.generate_content__stream-vision-system__generate-content-with-file-uri-image-true[0]": _Exception(
        None,
        "the usage counts the answer and not the prompt, whose price is not nothing; the judge takes it for empty",
    ),
    "openai/openai.responses__web-search-server-tool__"
    "openai-responses-model-web-search-tool-without-external-access[0]": _Exception(
        Decimal("0.01"), "the search that the answer counts has a fee; the judge does not read `tool_usage`"
    ),
}
"""Where we differ from the judge on purpose: by how much, and why. One that is not needed any more fails."""

_ANSWERS = [
    exchange
    for exchange in exchanges()
    if (exchange.dialect or (exchange.embeddings_dialect and not exchange.trimmed_base64)) and not exchange.is_error
]


class _Said(NamedTuple):
    """What an answer says, as our dialect reads it."""

    usage: Usage
    model: str
    service_tier: str | None


def _said(exchange: Exchange) -> _Said | None:
    """None for what is no answer: an error in a 200, a stream that breaks off."""
    target = target_for(exchange)
    dialect = load(exchange.dialect or exchange.embeddings_dialect or "")
    try:
        if exchange.is_stream:
            decoder = dialect.stream_decoder(target)
            events = [*decoder.feed(stream_bytes(exchange)), *decoder.close()]
            response = next(event.response for event in events if isinstance(event, Finished))
        elif exchange.dialect is None:
            assert dialect.decode_embedding_response is not None
            vectors = dialect.decode_embedding_response(exchange.response.content, target)
            return _Said(vectors.usage, vectors.model, None)
        else:
            response = dialect.decode_response(exchange.response.content, target)
    except (DragomanError, StopIteration):
        return None
    return _Said(response.usage, response.model, response.service_tier)


def our_cost(exchange: Exchange) -> Cost | None:
    """What we compute for a recorded answer, whatever the provider reports."""
    said = _said(exchange)
    if said is None:
        return None
    asked, place = target_for(exchange).model, None
    if exchange.provider == "huggingface":  # recorded under addresses that name the place
        place = exchange.request.url.split("/")[3]
    listing = facts.prices(exchange.provider, said.model) or facts.prices(exchange.provider, asked)
    if listing is None:
        return None
    usage = replace(said.usage, reported_cost=None)
    at = asked_at(exchange).timestamp()
    return list_cost(usage, listing, service_tier=said.service_tier, place=place, at=at)


@pytest.mark.parametrize("exchange", _ANSWERS, ids=lambda exchange: exchange.case)
def test_the_cost_is_the_judges(exchange: Exchange) -> None:
    judged = judge(exchange)
    if judged.amount is None:
        assert exchange.id not in EXCEPTIONS, "the judge has no price: this exception is not needed"
        return
    ours = our_cost(exchange)
    difference = None if ours is None else ours.amount - judged.amount
    excepted = EXCEPTIONS.get(exchange.id)
    assert difference == (excepted.difference if excepted else 0), f"the judge says {judged.amount}, we say {ours}"
    assert ours is None or ours.basis == "computed"
    assert excepted is None or excepted.difference != 0, "the costs are the same: this exception is not needed"


def test_every_exception_is_of_a_recording() -> None:
    assert set(EXCEPTIONS) <= {exchange.id for exchange in _ANSWERS}


def test_most_answers_are_judged() -> None:
    judged = sum(judge(exchange).amount is not None for exchange in _ANSWERS)
    assert judged >= len(_ANSWERS) * 0.7
