"""Rows from payloads: the same as by way of records, whichever version wrote them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dragoman.ledger import Correction, Intent, Record, RequestRecord, Settlement, new_attempt_id
from dragoman.ledger.records import decode_record, encode_record
from dragoman.ledger.rows import attempt_row, fields_of, fields_of_record
from tests.ledger.records import intent, settlement

BEGUN = intent()
RECORDS: list[Record] = [
    BEGUN,
    intent(stream=True, bound=None, request_id="é" * 300),
    settlement(BEGUN),
    settlement(BEGUN, outcome="error", status=None, cost=None, cache_hit=True, usage_details="{}", message="m" * 300),
    Correction(
        correction_id=new_attempt_id(),
        attempt_id=BEGUN.attempt_id,
        at=1.0,
        amount="-0.1",
        basis="reported",
        reason="an invoice",
    ),
    RequestRecord(request_id="req_1", at=1.5, key="ci", team="core", route="fast", status=200),
]


def as_list(record: Record) -> list[Any]:
    return msgspec.msgpack.decode(encode_record(record), type=list[Any])


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_payload_is_read_as_its_record_would_be(record: Record) -> None:
    fields = fields_of(encode_record(record))
    assert fields == fields_of_record(record)
    assert fields is not None
    assert list(fields) == as_list(record)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_what_a_newer_version_added_is_left_out(record: Record) -> None:
    newer = encode_record([*as_list(record), "of a later version"])
    assert fields_of(newer) == fields_of_record(record)


@pytest.mark.parametrize(("record", "fewer"), [(BEGUN, 3), (settlement(BEGUN), 8), (RECORDS[-2], 1), (RECORDS[-1], 1)])
def test_what_an_older_version_did_not_write_is_the_default(record: Record, fewer: int) -> None:
    older = encode_record(as_list(record)[:-fewer])
    read = decode_record(older)
    assert read is not None
    fields = fields_of(older)
    assert fields == fields_of_record(read)
    assert fields is not None
    assert len(fields) == len(fields_of_record(record))


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("record", [BEGUN, settlement(BEGUN)], ids=["intent", "settlement"])
def test_what_cannot_be_read_is_told(record: Intent | Settlement, place: int) -> None:
    """Another tag, or another type in a place: no version of this code wrote that."""
    assert fields_of(encode_record([*as_list(record)[:place], None, *as_list(record)[place + 1 :]])) is None
    assert fields_of(encode_record(record)[:-1]) is None
    assert fields_of(b"") is None


def test_a_count_that_is_none_spoils_no_row() -> None:
    spoilt = as_list(settlement(BEGUN))
    spoilt[spoilt.index(10)] = 2**60  # what the database could hold, and no provider means
    assert fields_of(encode_record(spoilt)) is None


def test_an_attempt_is_its_intent_and_its_settlement() -> None:
    ended = settlement(BEGUN)
    row = attempt_row(fields_of_record(BEGUN), fields_of_record(ended))
    assert row == (*msgspec.structs.astuple(BEGUN), *msgspec.structs.astuple(ended)[1:])
