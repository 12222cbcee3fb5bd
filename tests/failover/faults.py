"""The faults of the failover proof: rows of data, each with what the house's law says may be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

from dragoman.dialects import load
from dragoman.errors import ContentBlocked, ContextOverflow, Overloaded, ProviderError, QuotaExhausted, RateLimited
from dragoman.testing import (
    Cut,
    ErrorIn200,
    ErrorInStream,
    Fault,
    Garbage,
    Malformed,
    Reset,
    SlowHead,
    Stall,
    Status,
)
from dragoman.values import Target

__all__ = ["LATE", "LIMIT_SECONDS", "ROWS", "Law", "Row"]

LATE = 6
"""Events after which every dialect's stream has shown a part of the answer, and has not shown all of it."""
LIMIT_SECONDS = 2.0
"""How long a slow deployment may take to answer, and between two pieces."""

Law = Literal["any", "elsewhere", "never"]


@dataclass(frozen=True)
class Row:
    """A fault. `fault` None: nobody listens at the address.

    `law` says who may be asked after it: "any" (the same deployment again, or another one), "elsewhere" (another one
    alone) or "never" (nobody). `slow` faults end by the caller's own limits. `streams`: committed on streams alone.
    `unsent`: the request provably did not reach anybody.
    """

    name: str
    fault: Fault | None
    law: Law = "any"
    slow: bool = False
    streams: bool = False
    unsent: bool = False

    def law_in(self, dialect: str) -> Law:
        """The law where this dialect's provider has the fault: some wires cannot tell kinds of errors apart."""
        fault = self.fault
        if not isinstance(fault, Status) or fault.kind is None or type(_as_read(fault, dialect)) is fault.kind:
            return self.law
        return "any" if fault.status == 429 else "never"


def _as_read(fault: Status, dialect: str) -> ProviderError:
    """A provider's error answer, as the dialect reads it."""
    codec = load(dialect)
    encoded = codec.encode_error(fault.error())
    return codec.decode_error(fault.status, dict(encoded.headers), msgspec.json.encode(encoded.body), Target())


ROWS: tuple[Row, ...] = (
    Row("connection refused", None, unsent=True),
    Row("reset before the head", Reset()),
    Row("reset in the body", Reset(after=LATE)),
    Row("head too slow", SlowHead(30), slow=True),
    Row("stream cut before its first event", Cut(after=0), streams=True),
    Row("stream cut after its first event", Cut(after=1), streams=True),
    Row("cut in the body", Cut(after=LATE)),
    Row("clean end before the first event", Cut(after=0, clean=True), streams=True),
    Row("clean end without a finish", Cut(after=LATE, clean=True), streams=True),
    Row("stall before the first event", Stall(after=0), slow=True),
    Row("stall in the stream", Stall(after=LATE), slow=True, streams=True),
    Row("malformed first event", Malformed(after=0), streams=True),
    Row("malformed", Malformed(after=LATE)),
    Row("429", Status(429, "slow down")),
    Row("429, Retry-After 1", Status(429, "slow down", retry_after=1.0)),
    Row("429, Retry-After 90", Status(429, "slow down", retry_after=90.0)),
    Row("500", Status(500, "something broke")),
    Row("502, a web page", Garbage(status=502)),
    Row("503", Status(503, "no capacity")),
    Row("529", Status(529, "overloaded")),
    Row("200, a web page", Garbage()),
    Row("200, an error's body", ErrorIn200(RateLimited("slow down"))),
    Row("200, then an error first", ErrorInStream(Overloaded("no capacity"), after=0), streams=True),
    Row("200, then an error in the stream", ErrorInStream(Overloaded("no capacity"), after=LATE), streams=True),
    Row("401", Status(401, "no such key"), law="elsewhere"),
    Row("402", Status(402, "no credit left"), law="elsewhere"),
    Row("429, quota exhausted", Status(429, "no quota left", kind=QuotaExhausted), law="elsewhere"),
    Row("404", Status(404, "no such model"), law="elsewhere"),
    Row("400", Status(400, "the seed must be even"), law="never"),
    Row("400, prompt too long", Status(400, "maximum context length exceeded", kind=ContextOverflow), law="elsewhere"),
    Row("400, content blocked", Status(400, "blocked by policy", kind=ContentBlocked), law="never"),
)
