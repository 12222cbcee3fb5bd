"""The laws of failover as a judge of one outcome: what is wrong with it, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dragoman.gateway.answers import BAD_GATEWAY
from dragoman.testing import Status
from tests.failover.scene import FAULTY_WORDS, HEALTHY_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.failover.cells import Outcome

__all__ = ["Words", "wrong_with"]

LONGEST_BACKOFF_SECONDS = 60.0
_GENERAL = {
    "BadRequestError",
    "AuthenticationError",
    "PermissionDeniedError",
    "NotFoundError",
    "RateLimitError",
    "InternalServerError",
}
_OFFICIAL = {
    "openai": _GENERAL | {"APIError"},
    "anthropic": _GENERAL
    | {
        "APIStatusError",
        "GatewayTimeoutError",
        "OverloadedError",
        "PaymentRequiredError",
        "ServiceUnavailableError",
    },
}
"""What an official client raises for an answer that says that it failed, by the first word of its dialect."""


@dataclass(frozen=True)
class Words:
    """What the faulty deployment and the healthy one say; None where that is not known before."""

    faulty: str | None = FAULTY_WORDS
    healthy: str | None = HEALTHY_WORDS

    def are_of(self, text: str, *, healthy: bool) -> bool:
        """Whether a whole answer is this deployment's: its words, or at least not the beginning of the other's."""
        own, other = (self.healthy, self.faulty) if healthy else (self.faulty, self.healthy)
        return text == own if own is not None else not _begin_alike(text, other)

    def begin_with(self, text: str) -> bool:
        """Whether what was shown before an error is a part of what the faulty deployment says, and of nothing else."""
        if self.faulty is not None:
            return text != self.faulty and self.faulty.startswith(text)
        return not _begin_alike(text, self.healthy)


def _begin_alike(text: str, words: str | None) -> bool:
    return words is not None and text[:4] == words[:4]


_OURS = Words()


def wrong_with(outcome: Outcome, words: Words = _OURS) -> list[str]:
    """Every law that an outcome breaks; empty where it keeps all of them."""
    return [*_answer(outcome, words), *_error(outcome), *_attempts(outcome), *_ledger(outcome)]


def _retry_after(outcome: Outcome) -> float | None:
    fault = outcome.cell.row.fault
    return fault.retry_after if isinstance(fault, Status) else None


def _may_end_in_error(outcome: Outcome) -> bool:
    """Whether the law allows that the caller sees an error at all."""
    cell = outcome.cell
    if outcome.saw.text or cell.law == "never":
        return True  # something was shown, or nobody may be asked again
    if cell.shape == "pair":
        return False
    if cell.shape == "again":
        return (_retry_after(outcome) or 0) > LONGEST_BACKOFF_SECONDS
    return cell.shape == "alone" or not cell.row.unsent


def _answer(outcome: Outcome, words: Words) -> Iterator[str]:
    """An answer is one deployment's, whole; what came before an error is the beginning of one."""
    saw = outcome.saw
    if saw.error is None:
        if not saw.finished:
            yield f"no error, and no finish either ({saw.finish})"
        if not saw.text or not words.are_of(saw.text, healthy=bool(outcome.healthy)):
            yield f"the text is not that of the deployment that was asked last: {saw.text!r}"
        return
    if not _may_end_in_error(outcome):
        yield f"an error that a healthy deployment could have avoided: {saw.error} ({saw.said:.200})"
    if saw.text and (outcome.healthy or not words.begin_with(saw.text)):
        yield f"something was shown, and then: {saw.text!r}, {len(outcome.healthy)} requests elsewhere"


def _error(outcome: Outcome) -> Iterator[str]:
    """An error is one of the caller's own client, tells it not to multiply what was tried, and no secret of ours."""
    saw, cell = outcome.saw, outcome.cell
    if saw.error is None:
        return
    kinds = _OFFICIAL.get(cell.client.partition("-")[0])
    if not (saw.error in kinds if kinds is not None else saw.error.startswith(("ServerError 5", "ClientError 4"))):
        yield f"{saw.error} is no error of an official client: {saw.said:.200}"
    if saw.in_band != bool(saw.text):
        yield f"status {saw.status} with {saw.text!r} before the error"
    if not saw.in_band and saw.headers.get("x-should-retry") != "false":
        yield "the client is not told that all was tried"
    wait = _retry_after(outcome)
    if wait is not None and saw.headers.get("retry-after") != f"{wait:g}":
        yield f"Retry-After is {saw.headers.get('retry-after')!r} and was {wait:g}"
    if cell.row.name in ("401", "402") and cell.row.fault is not None:
        words = cell.row.fault.message if isinstance(cell.row.fault, Status) else ""
        if words in saw.said:
            yield "the provider's words about our credential reached the caller"
        if not saw.in_band and saw.status != BAD_GATEWAY:
            yield f"status {saw.status} reads as if the caller's own key or account were bad"


def _attempts(outcome: Outcome) -> Iterator[str]:
    """Who was asked how often."""
    cell, saw = outcome.cell, outcome.saw
    faulty = len(outcome.faulty) if cell.row.fault is not None else sum(_of_faulty(outcome))
    wait = _retry_after(outcome) or 0
    once = (
        cell.law != "any"
        or bool(saw.text and saw.error)
        or wait > LONGEST_BACKOFF_SECONDS
        or cell.shape in ("pair", "acts")
    )
    if faulty != (1 if once else 2):
        yield f"the faulty deployment was asked {faulty} times"
    most = 0
    if cell.shape == "pair":
        most = 0 if cell.law == "never" or (saw.text and saw.error) else 1
    elif cell.shape == "acts":
        most = 1 if cell.row.unsent else 0
    if len(outcome.healthy) != most:
        yield f"the other deployment was asked {len(outcome.healthy)} times and should have been {most}"
    for passage in outcome.faulty:
        if passage.upstream == "" and passage.sent_on:
            yield "the connection behind the proxy was left open"


def _of_faulty(outcome: Outcome) -> list[bool]:
    return [not row["deployment"].startswith("healthy-") for row in outcome.rows]


def _ledger(outcome: Outcome) -> Iterator[str]:
    """Exactly one row for each attempt, in order, with what it came to."""
    rows, saw = outcome.rows, outcome.saw
    reached = [row for row in rows if row["sent"] != "no"]
    asked = len(outcome.faulty) + len(outcome.healthy)
    if len(reached) != asked:
        yield f"{asked} requests were seen, and {len(reached)} are booked"
    if [row["number"] for row in rows] != list(range(1, len(rows) + 1)):
        yield f"the attempts are numbered {[row['number'] for row in rows]}"
    told = saw.headers.get("x-dragoman-attempts")
    if told is not None and int(told) != len(rows):
        yield f"{told} attempts are told, and {len(rows)} are booked"
    wanted = ["error"] * (len(rows) - 1) + ["ok" if saw.error is None else "error"]
    if [row["outcome"] for row in rows] != wanted:
        yield f"booked as {[row['outcome'] for row in rows]}"
    if not rows or not all(row["reason"] for row in rows):
        yield "an attempt has no reason"
    for row in rows:
        if row["sent"] == "no" and (row["cost"], row["basis"]) != ("0", "computed"):
            yield f"what was never sent costs {row['cost']} ({row['basis']})"
        if row["outcome"] == "ok" and (row["basis"] not in ("computed", "reported") or not float(row["cost"] or 0)):
            yield f"the answer costs {row['cost']} ({row['basis']})"
        if row["outcome"] == "error" and not row["error"]:
            yield "an error has no class"
