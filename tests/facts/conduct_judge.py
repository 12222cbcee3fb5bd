"""Facts judged by recordings: what recorded providers accepted may not be forbidden, what they refused should be.

An exchange with a 2xx answer is "accepted"; what fitting by facts would have changed in its request is a contradiction.
An exchange with a 400 or 422 whose message says that something is not supported is a "refusal"; it is "forbidden" where
the fitting would have changed or refused the request, "unknown" where nothing is known about the model, and otherwise
it needs a reason in `REASONS`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import msgspec

from dragoman import dialects, facts
from dragoman.engine.capabilities.fitting import fit_request
from dragoman.engine.capabilities.limits import compile_limits, quirks_by_facts
from dragoman.engine.output import fit_output
from dragoman.errors import InvalidRequest, Unsupported
from dragoman.values import AdaptationLog, replace
from tests.wire.judging import request_of
from tests.wire.recordings import target_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dragoman.values import JsonObject, Request, Target
    from dragoman.values.profile import Profile
    from tests.wire.recordings import Exchange

__all__ = ["REASONS", "Finding", "findings"]

Outcome = Literal["agrees", "contradicts", "forbidden", "unknown", "other"]

REASONS: dict[str, str] = {
    "This model doesn't support the s3Uri field": "where a file lies is no capability of the model's",
    "The requested combination of response modalities": "the model speaks alone, which nobody asks of it by default",
    "JSON mode is not enabled": "asked for in the host's own dialect, and then nothing is emulated",
    "Setting 'max_tokens' and 'max_completion_tokens' at the same time": "two spellings of one member",
    "The file type you uploaded is not supported": "the file is named by an address, and its kind is not told",
}
"""Why a refusal that says "not supported" is none that facts should know of; by how its message begins."""

_UNSUPPORTED = re.compile(r"not support|n't support|unsupported|not enabled|only support|is not available", re.I)


@dataclass(frozen=True, slots=True)
class Finding:
    """One exchange: `note` says what would have been changed, or what was refused and why that is not known."""

    exchange: str
    provider: str
    model: str
    accepted: bool
    outcome: Outcome
    known: bool
    note: str = ""


def findings(recorded: Iterable[Exchange]) -> Iterator[Finding]:
    """One for every recorded request for an answer that was accepted, or refused as unsupported."""
    for exchange in recorded:
        if exchange.dialect is None or exchange.request.body is None:
            continue
        status = exchange.response.status
        refusal = _refusal(exchange) if status in (400, 422) else None
        if not 200 <= status < 300 and refusal is None:
            continue
        try:
            request = request_of(exchange)
        except InvalidRequest:
            continue
        yield _finding(exchange, request, refusal)


def _refusal(exchange: Exchange) -> str | None:
    content = exchange.response.content
    text = content if isinstance(content, str) else msgspec.json.encode(content).decode()
    return text if _UNSUPPORTED.search(text) else None


def _finding(exchange: Exchange, request: Request, refusal: str | None) -> Finding:
    target = target_for(exchange)
    profile = facts.profile(exchange.provider, target.model)
    changed = _changed(exchange, request, target, profile)
    known = bool(profile.sources)
    outcome: Outcome
    note = ", ".join(changed)
    if refusal is None:
        outcome = "contradicts" if changed else "agrees"
    elif changed:
        outcome = "forbidden"
    elif (reason := next((why for begin, why in REASONS.items() if begin in refusal), None)) is not None:
        outcome, note = "other", reason
    else:
        outcome, note = "unknown" if not known else "contradicts", refusal[:200]
    return Finding(exchange.id, exchange.provider, target.model, refusal is None, outcome, known, note)


def _changed(exchange: Exchange, request: Request, target: Target, profile: Profile) -> list[str]:
    """What the facts change in a request, or refuse of it."""
    dialect = exchange.dialect
    assert dialect is not None  # findings looked
    quirks = quirks_by_facts(profile, dialect, target.quirks, target.quirks)
    limits = compile_limits(profile, dialect, quirks)
    log = AdaptationLog()
    try:
        fitted = fit_request(request, limits, log)
    except Unsupported as error:
        return [f"{error.path} refused"]
    told = [f"{entry.path} {entry.action}" for entry in log.entries() if entry.action != "defaulted"]
    if told:
        return told
    without = _written(dialect, request, target)
    with_facts = _written(dialect, fitted, replace(target, quirks=quirks))
    # What is written as it was recorded is right, even where the row's quirks alone would have written it otherwise.
    return [
        f"{name} written otherwise"
        for name in without | with_facts
        if with_facts.get(name) not in (without.get(name), exchange.request.body.get(name))
    ]


def _written(dialect: str, request: Request, target: Target) -> JsonObject:
    formed = fit_output(request, dialect, target)
    if formed is not None:
        request, target = formed.request, formed.target
    return dialects.load(dialect).encode_request(request, target).body
