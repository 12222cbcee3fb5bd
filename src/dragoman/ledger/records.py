"""What the ledger writes down: an intent before an attempt, a settlement after it, and two records beside them.

On disk a record is a MessagePack array: a tag, then the fields in the order of this file. A field that is added goes
to the end of its record and has a default; then older records stay readable, and newer ones readable by older code.

Money is decimal text in plain notation (`money.amount_text`), times are Unix time in seconds.
"""

from __future__ import annotations

from typing import Annotated, Literal

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
    "Mode",
    "Outcome",
    "Record",
    "RequestRecord",
    "Settlement",
    "decode_record",
    "encode_intent",
    "encode_record",
    "encode_settlement",
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
        raise InvalidRequest(f"a name in this request is not valid Unicode: {error.reason}") from None
    if len(payload) > INTENT_BYTES:
        raise InvalidRequest(
            f"the names of this request take {len(payload):,} bytes in the ledger; {INTENT_BYTES:,} is what it takes"
        )
    return payload


def encode_settlement(settlement: Settlement) -> bytes:
    """The bytes of a settlement, never more than `SETTLEMENT_BYTES`: what others wrote is cut, figures are not."""
    try:
        payload = encode_record(settlement)
    except UnicodeEncodeError:  # half a surrogate pair, which file names and odd servers have
        return encode_record(_cut(settlement))
    return payload if len(payload) <= SETTLEMENT_BYTES else encode_record(_cut(settlement))


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
