"""What the ledger writes down: an intent before an attempt, a settlement after it, and two records beside them.

On disk a record is a MessagePack array: a tag, then the fields in the order of this file. A field that is added goes
to the end of its record and has a default; then older records stay readable, and newer ones readable by older code.

Money is decimal text in plain notation (`money.amount_text`), times are Unix time in seconds.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct
from typing import Annotated, Any, Final, Literal

import msgspec

from dragoman.errors import InvalidRequest

__all__ = [
    "INTENT_BYTES",
    "LARGEST_COUNT",
    "SETTLEMENT_BYTES",
    "Basis",
    "Correction",
    "Count",
    "Intent",
    "IntentForm",
    "Mode",
    "Outcome",
    "Record",
    "RequestRecord",
    "Settlement",
    "decode_record",
    "encode_intent",
    "encode_record",
    "encode_settled",
    "encode_settlement",
    "intent_form",
]

Mode = Literal["relay", "translate", "pass-through"]
Outcome = Literal["ok", "error", "cancelled", "abandoned", "unknown"]
"""`abandoned`: the attempt was never made; `unknown`: its process died before it was settled."""

Basis = Literal["reported", "computed", "estimated", "bound", "unknown"]
"""Where a cost comes from; `unknown` goes with no cost at all."""

LARGEST_COUNT = 2**53
"""Counts of tokens stay below this; what a provider says beyond it is no count."""

Count = Annotated[int, msgspec.Meta(ge=-LARGEST_COUNT, le=LARGEST_COUNT)]

INTENT_BYTES = 16 * 1024
SETTLEMENT_BYTES = 1016  # 1 KiB with the head of its frame: the room that each intent sets aside


class Intent(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="i"):
    """What is about to be tried, for whom, and what it may cost at most.

    `number` counts the request's attempts from 1 and `reason` says why this one is made. `bound` None means that no
    upper bound is known, `bound_reason` how it was found or why not; `price` is the price list as it was used, as text.
    """

    attempt_id: bytes
    request_id: str
    key: str
    team: str
    route: str
    deployment: str
    provider: str
    model: str
    dialect_in: str
    dialect_out: str
    mode: Mode
    stream: bool
    number: int
    reason: str
    at: float
    bound: str | None = None
    bound_reason: str = ""
    price: str = ""


class Settlement(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="s"):
    """What the attempt came to. Counts are inclusive as in `values.Usage`; None means "not reported".

    `usage_details` is a JSON object of the other counts that were reported, `adaptations` their number.
    """

    attempt_id: bytes
    at: float
    outcome: Outcome
    status: int | None = None
    error: str | None = None
    message: str | None = None
    sent: Literal["no", "maybe", "yes"] = "yes"
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cache_read_tokens: Count | None = None
    cache_write_tokens: Count | None = None
    reasoning_tokens: Count | None = None
    cost: str | None = None
    currency: str = "USD"
    basis: Basis = "unknown"
    first_byte_seconds: float | None = None
    duration_seconds: float = 0.0
    upstream_request_id: str | None = None
    adaptations: int = 0
    service_tier: str | None = None
    cache_hit: bool = False
    usage_details: str | None = None


class Correction(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="c"):
    """An amount that is added to what an attempt was booked at; negative where too much was booked."""

    correction_id: bytes
    attempt_id: bytes
    at: float
    amount: str
    basis: Basis
    reason: str
    currency: str = "USD"


class RequestRecord(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="r"):
    """How a request was answered, for whoever asks about it later; `adaptations` is a JSON list as text."""

    request_id: str
    at: float
    key: str
    team: str
    route: str
    status: int | None
    adaptations: str = "[]"


Record = Intent | Settlement | Correction | RequestRecord

encode_record = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Record)


def decode_record(payload: bytes) -> Record | None:
    """The record, or None for what no version of this code can read: a frame is whole, but its content is not ours."""
    try:
        return _decoder.decode(payload)
    except msgspec.DecodeError:
        return None


def encode_intent(intent: Intent) -> bytes:
    """The bytes of an intent. Raises `InvalidRequest` beyond `INTENT_BYTES`, which only absurd names come to."""
    try:
        payload = encode_record(intent)
    except UnicodeEncodeError as error:
        raise _unwritable(error) from None
    return _bounded(payload)


def _unwritable(error: UnicodeEncodeError) -> InvalidRequest:
    return InvalidRequest(f"a name in this request is not valid Unicode: {error.reason}")


def _bounded(payload: bytes) -> bytes:
    if len(payload) > INTENT_BYTES:
        raise InvalidRequest(
            f"the names of this request take {len(payload):,} bytes in the ledger; {INTENT_BYTES:,} is what it takes"
        )
    return payload


_FIELDS: Final = tuple(field.name for field in msgspec.structs.fields(Intent))
_INTENT_HEAD: Final = b"\xdc" + (1 + len(_FIELDS)).to_bytes(2, "big") + encode_record("i") + b"\xc4\x10"
_FLOAT: Final = Struct(">Bd").pack
_FLOAT_SIGN: Final = 0xCB


class IntentForm:
    """The intents of one caller at one deployment: what they have in common is encoded once.

    MessagePack is put together by joining, so an intent is these bytes with the few between them that differ
    (tests/ledger/test_records.py holds it equal to `encode_intent`).
    """

    __slots__ = ("_common", "_end")

    def __init__(self, common: tuple[Any, ...], end: tuple[str, str]) -> None:
        """`common` is what stands from `key` to `reason`, in order; `end` what follows the bound."""
        try:
            self._common = b"".join(map(encode_record, common))
            self._end = b"".join(map(encode_record, end))
        except UnicodeEncodeError as error:
            raise _unwritable(error) from None

    def encode(self, attempt_id: bytes, request_id: str, at: float, bound: str | None) -> bytes:
        """As `encode_intent`."""
        time = _FLOAT(_FLOAT_SIGN, at)
        parts = (_INTENT_HEAD, attempt_id, encode_record(request_id), self._common, time, encode_record(bound))
        payload = b"".join((*parts, self._end))
        return payload if len(payload) <= INTENT_BYTES else _bounded(payload)


@lru_cache(maxsize=1024)
def intent_form(*fields: Any) -> IntentForm:
    """The form of these fields, from `key` to `reason`, then `bound_reason` and `price`. Raises as `encode_intent`."""
    return IntentForm(fields[:-2], fields[-2:])


def encode_settlement(settlement: Settlement) -> bytes:
    """The bytes of a settlement, never more than `SETTLEMENT_BYTES`: what others wrote is cut, figures are not."""
    try:
        payload = encode_record(settlement)
    except UnicodeEncodeError:  # half a surrogate pair, which file names and odd servers have
        return encode_record(_cut(settlement))
    return payload if len(payload) <= SETTLEMENT_BYTES else encode_record(_cut(settlement))


_SETTLED: Final = tuple(field.name for field in msgspec.structs.fields(Settlement))


def encode_settled(fields: tuple[Any, ...]) -> bytes:
    """As `encode_settlement`, from all its values in order: every answer comes here, and a struct would be wasted."""
    try:
        payload = encode_record(("s", *fields))
    except UnicodeEncodeError:
        return encode_settlement(Settlement(**dict(zip(_SETTLED, fields, strict=True))))
    if len(payload) <= SETTLEMENT_BYTES:
        return payload
    return encode_settlement(Settlement(**dict(zip(_SETTLED, fields, strict=True))))


def _cut(settlement: Settlement) -> Settlement:
    return msgspec.structs.replace(
        settlement,
        error=_first_bytes(settlement.error, 60),
        message=_first_bytes(settlement.message, 300),
        cost=_first_bytes(settlement.cost, 40),
        currency=settlement.currency[:3],
        upstream_request_id=_first_bytes(settlement.upstream_request_id, 120),
        service_tier=_first_bytes(settlement.service_tier, 30),
        usage_details=None,
    )


def _first_bytes(text: str | None, most: int) -> str | None:
    return None if text is None else text.encode(errors="replace")[:most].decode(errors="ignore")
