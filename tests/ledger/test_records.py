"""Records as bytes: bounded, readable by older and newer code, never refused for what others wrote."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import InvalidRequest
from dragoman.ledger import Correction, RequestRecord, Settlement, new_attempt_id
from dragoman.ledger.identity import id_at, time_of
from dragoman.ledger.records import (
    INTENT_BYTES,
    LARGEST_COUNT,
    SETTLEMENT_BYTES,
    decode_record,
    encode_intent,
    encode_record,
    encode_settled,
    encode_settlement,
    intent_form,
)
from tests.ledger.records import intent, settlement

# Surrogates too: file names and odd servers bring them.
anything = st.text(st.characters(), max_size=400)


def test_records_come_back_as_they_were() -> None:
    begun = intent()
    correction = Correction(
        correction_id=new_attempt_id(), attempt_id=begun.attempt_id, at=1.0, amount="-0.1", basis="reported", reason="r"
    )
    request = RequestRecord(request_id="req_1", at=1.0, key="ci", team="", route="fast", status=200)
    assert decode_record(encode_intent(begun)) == begun
    assert decode_record(encode_settlement(settlement(begun))) == settlement(begun)
    assert decode_record(encode_record(correction)) == correction
    assert decode_record(encode_record(request)) == request


@given(message=anything, error=anything, upstream=anything, tier=anything, details=anything, cost=anything)
def test_a_settlement_always_fits_its_room(
    message: str, error: str, upstream: str, tier: str, details: str, cost: str
) -> None:
    begun = intent()
    whole = settlement(
        begun,
        message=message,
        error=error,
        upstream_request_id=upstream,
        service_tier=tier,
        usage_details=details,
        currency="EUR" * 100,
        cost=cost,
        input_tokens=LARGEST_COUNT,
        cache_read_tokens=LARGEST_COUNT,
        cache_write_tokens=LARGEST_COUNT,
        reasoning_tokens=-LARGEST_COUNT,
        adaptations=2**31,
        first_byte_seconds=0.1,
    )
    payload = encode_settlement(whole)
    assert len(payload) <= SETTLEMENT_BYTES
    read = decode_record(payload)
    assert isinstance(read, Settlement)
    assert (read.attempt_id, read.input_tokens, read.outcome) == (begun.attempt_id, LARGEST_COUNT, "ok")


def test_an_absurd_intent_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="16,384"):
        encode_intent(intent(route="x" * 20_000))
    with pytest.raises(InvalidRequest, match="Unicode"):
        encode_intent(intent(route="\ud800"))


def test_a_newer_record_is_read_and_an_older_one_too() -> None:
    begun = intent()
    fields = msgspec.msgpack.decode(encode_intent(begun))
    newer = msgspec.msgpack.encode([*fields, "a field of tomorrow"])
    assert decode_record(newer) == begun
    older = msgspec.msgpack.encode(fields[:-1])  # before `price` was added
    assert decode_record(older) == msgspec.structs.replace(begun, price="")


@pytest.mark.parametrize("payload", [b"", b"\xc1", b"\x91\xa1x", msgspec.msgpack.encode(["z", 1]), b"\x00" * 40])
def test_what_is_not_ours_is_no_record(payload: bytes) -> None:
    assert decode_record(payload) is None


def test_ids_rise_and_tell_the_time() -> None:
    made = [new_attempt_id() for _ in range(5000)]
    assert made == sorted(set(made))
    assert all(len(each) == 16 and each[6] >> 4 == 7 and each[8] >> 6 == 2 for each in made)
    at = time_of(made[0])
    assert id_at(at) <= made[0] < id_at(at + 1)


names = st.text(st.characters(), max_size=40)


@given(st.lists(names, min_size=12, max_size=12), st.integers(1, 2**40), st.floats(0, 4e9), st.none() | names)
def test_a_form_of_intents_says_what_an_intent_says(
    texts: list[str], number: int, at: float, bound: str | None
) -> None:
    request_id, *others = texts
    begun = intent(request_id)
    shared = dict(
        zip(
            ("key", "team", "route", "deployment", "provider", "model", "dialect_in", "dialect_out"),
            others,
            strict=False,
        )
    )
    told = {**shared, "mode": "relay", "stream": True, "number": number, "reason": others[8]}
    ends = {"bound_reason": others[9], "price": others[10]}
    whole = msgspec.structs.replace(begun, at=at, bound=bound, **told, **ends)
    try:
        wanted = encode_intent(whole)
    except InvalidRequest as error:
        with pytest.raises(InvalidRequest, match=re.escape(error.message)):
            intent_form(*told.values(), *ends.values()).encode(begun.attempt_id, request_id, at, bound)
    else:
        form = intent_form(*told.values(), *ends.values())
        assert form.encode(begun.attempt_id, request_id, at, bound) == wanted


def test_a_form_holds_an_intent_to_its_bound() -> None:
    form = intent_form(*["x"] * 8, "relay", False, 1, "r" * INTENT_BYTES, "", "")
    with pytest.raises(InvalidRequest, match="is what it takes"):
        form.encode(new_attempt_id(), "req_1", 1.0, None)


@given(message=anything, error=anything, upstream=anything, tokens=st.none() | st.integers(0, LARGEST_COUNT))
def test_a_settlement_from_its_values_is_the_same(message: str, error: str, upstream: str, tokens: int | None) -> None:
    whole = settlement(intent(), message=message, error=error, upstream_request_id=upstream, input_tokens=tokens)
    assert encode_settled(msgspec.structs.astuple(whole)) == encode_settlement(whole)
