"""`GET /v1/requests/{id}`: what became of a request: its attempts with their reasons, its cost, what was adapted.

A key sees its own requests and its team's, the master key all; for everybody else there is no such request.
"""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from dragoman.errors import NotFound
from dragoman.ledger.money import amount_text, exact_sum

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dragoman.accounts import Principal
    from dragoman.ledger import Found, Intent, Settlement
    from dragoman.storage import Engine
    from dragoman.values import Adaptation, JsonObject

__all__ = ["RequestFacts", "adaptations_record"]

_ID: Final = re.compile(r"req_[0-9a-f]{32}")
_INDEX: Final = re.compile(r"\[\d+\]")
_MOST_ADAPTATIONS: Final = 50
_MOST_ALIKE: Final = 8
_LONGEST_ALIKE: Final = 1024
_LONGEST_REASON: Final = 200
_OF_OUR_ACCOUNT: Final = frozenset(("AuthenticationFailed", "PermissionDenied", "QuotaExhausted"))


def adaptations_record(adaptations: Sequence[Adaptation]) -> str:
    """Adaptations as the ledger keeps them: what and why, and nothing of what was asked.

    What was done alike at several places is told once, with the first of them and `times`.
    """
    if not adaptations:
        return "[]"
    return _recorded(tuple([(entry.path, entry.action, entry.reason) for entry in adaptations]))


def _recorded(entries: tuple[tuple[str, str, str], ...]) -> str:
    """The same for their paths, actions and reasons; agents have the same ones with every request."""
    if len(entries) > _MOST_ALIKE or sum([len(path) + len(reason) for path, _, reason in entries]) > _LONGEST_ALIKE:
        return _written(entries)
    return _kept(entries)


def _written(entries: tuple[tuple[str, str, str], ...]) -> str:
    told: dict[tuple[str, str, str], JsonObject] = {}
    for path, action, said in entries:
        kind = (_INDEX.sub("[]", path), action, said)
        if kind in told:
            told[kind]["times"] = told[kind].get("times", 1) + 1
        elif len(told) < _MOST_ADAPTATIONS:
            told[kind] = {"path": path[:_LONGEST_REASON], "action": action, "reason": said[:_LONGEST_REASON]}
    return msgspec.json.encode(list(told.values())).decode()


_kept = lru_cache(maxsize=512)(_written)


class RequestFacts:
    """Answers from the ledger, wherever its records are: in the spools, on their way, or in the database."""

    def __init__(self, url: str, spools: Path) -> None:
        self._url = url
        self._spools = spools
        self._engine: Engine | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="request facts")

    async def told(self, principal: Principal, request_id: str) -> JsonObject:
        """What is known of a request, for whoever may know it. Raises `NotFound`."""
        if _ID.fullmatch(request_id):
            found = await asyncio.get_running_loop().run_in_executor(self._thread, self._find, request_id)
            if _is_own(principal, found):
                return _told(request_id, found, whole=principal.master)
        error = NotFound("There is no such request of this key.", status=404, code="request_not_found", param="id")
        error.message = error.provider_message  # nobody upstream was asked
        error.args = (error.message,)
        raise error

    def close(self) -> None:
        """Ends the thread, and the database's connections."""
        self._thread.shutdown(wait=True)
        if self._engine is not None:
            self._engine.dispose()

    def _find(self, request_id: str) -> Found:
        from dragoman.storage import find_request, open_database  # here, in the thread: nobody may ever ask

        if self._engine is None:
            self._engine = open_database(self._url)
        return find_request(self._engine, self._spools, request_id)


def _is_own(principal: Principal, found: Found) -> bool:
    record = found.attempts[0][0] if found.attempts else found.request
    if record is None:
        return False
    if principal.master or record.key == principal.name:
        return True
    return bool(principal.team) and record.team == principal.team


def _told(request_id: str, found: Found, *, whole: bool) -> JsonObject:
    attempts = [_attempt(intent, settlement, whole=whole) for intent, settlement in found.attempts]
    first = found.attempts[0][0] if found.attempts else None
    record = found.request
    owner = first or record
    told: JsonObject = {
        "object": "request",
        "id": request_id,
        "key": owner.key if owner is not None else "",
        "team": owner.team if owner is not None else "",
        "route": owner.route if owner is not None else "",
        "status": _status(found),
        "stream": first.stream if first is not None else None,
        "mode": found.attempts[-1][0].mode if found.attempts else None,
        "cost": _cost(found),
        "attempts": attempts,
        "adaptations": msgspec.json.decode(record.adaptations) if record is not None else [],
    }
    return told


def _status(found: Found) -> int | None:
    """What the client was answered; a request that nothing was written of but its good attempt was answered 200."""
    if found.request is not None:
        return found.request.status
    settled = found.attempts[-1][1] if found.attempts else None
    return 200 if settled is not None and settled.outcome == "ok" else None


def _cost(found: Found) -> list[JsonObject]:
    """What all attempts came to, by currency; `unknown` counts those whose cost nobody knows."""
    amounts: dict[str, list[str | None]] = {}
    for _, settlement in found.attempts:
        if settlement is not None:
            amounts.setdefault(settlement.currency, []).append(settlement.cost)
    return [
        {
            "currency": currency,
            "amount": amount_text(exact_sum(costs)) if any(cost is not None for cost in costs) else None,
            "unknown": costs.count(None),
        }
        for currency, costs in amounts.items()
    ]


def _attempt(intent: Intent, settlement: Settlement | None, *, whole: bool) -> JsonObject:
    told: JsonObject = {
        "number": intent.number,
        "reason": intent.reason,
        "deployment": intent.deployment,
        "provider": intent.provider,
        "model": intent.model,
        "dialect": intent.dialect_out,
        "mode": intent.mode,
        "started_at": intent.at,
        "outcome": "open" if settlement is None else settlement.outcome,
    }
    if settlement is None:
        return told
    message = settlement.message
    if settlement.error in _OF_OUR_ACCOUNT and not whole:
        message = f"{intent.provider} did not accept the credential or account that it was called with"
    usage: dict[str, Any] = {
        name: value
        for name in ("input", "output", "cache_read", "cache_write", "reasoning")
        if (value := getattr(settlement, f"{name}_tokens")) is not None
    }
    told |= {
        "status": settlement.status,
        "error": settlement.error,
        "message": message,
        "sent": settlement.sent,
        "tokens": usage,
        "cost": settlement.cost,
        "currency": settlement.currency,
        "basis": settlement.basis,
        "first_byte_seconds": settlement.first_byte_seconds,
        "duration_seconds": settlement.duration_seconds,
        "ended_at": settlement.at,
        "upstream_request_id": settlement.upstream_request_id,
        "service_tier": settlement.service_tier,
    }
    return told
