"""Every recorded exchange: an official client gets from the gateway what it gets from the provider behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.gateway.oracle import PUBLIC_DIALECTS, Oracle, judged_exchanges, running_oracle
from tests.wire.recordings import Exchange, require_recordings

if TYPE_CHECKING:
    from collections.abc import Generator

require_recordings()

_JUDGED = judged_exchanges()
_ACROSS = [
    pytest.param(exchange, dialect, id=f"{exchange.case}-for-{dialect}")
    for exchange in _JUDGED
    for dialect in PUBLIC_DIALECTS
    if dialect != exchange.dialect
]


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Generator[Oracle]:
    with running_oracle(_JUDGED, tmp_path_factory.mktemp("oracle")) as running:
        yield running


@pytest.mark.parametrize("exchange", _JUDGED, ids=lambda exchange: exchange.case)
def test_in_one_dialect_the_objects_are_equal(exchange: Exchange, oracle: Oracle) -> None:
    verdict = oracle.same(exchange)
    assert verdict.outcome != "different", verdict.note


@pytest.mark.parametrize(("exchange", "dialect"), _ACROSS)
def test_across_dialects_the_same_is_said(exchange: Exchange, dialect: str, oracle: Oracle) -> None:
    verdict = oracle.across(exchange, dialect)
    assert verdict.outcome != "different", verdict.note
