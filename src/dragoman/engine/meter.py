"""The meter of one attempt: what is measured while it runs becomes its `Attempt`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dragoman.errors import DragomanError, ProviderError, TransportError
from dragoman.values import Attempt

if TYPE_CHECKING:
    from typing import Literal

    from dragoman.engine.deployment import Deployment
    from dragoman.values import Usage

__all__ = ["Meter"]


class Meter:
    """Started when the attempt is; `ok`, `failed` or `cancelled` closes it and gives the record."""

    __slots__ = ("_deployment", "_first", "_reason", "_start", "_wall", "request_id", "status")

    def __init__(self, deployment: Deployment, reason: str) -> None:
        self._deployment = deployment
        self._reason = reason
        self._wall = time.time()
        self._start = time.perf_counter()
        self._first: float | None = None
        self.status: int | None = None
        self.request_id: str | None = None

    def first_byte(self) -> None:
        if self._first is None:
            self._first = time.perf_counter() - self._start

    def ok(self, usage: Usage | None) -> Attempt:
        return self._record("ok", usage=usage)

    def failed(self, error: DragomanError) -> Attempt:
        sent: Literal["no", "maybe", "yes"] = "no"
        usage: Usage | None = None
        if isinstance(error, TransportError):
            sent, usage = error.sent, error.usage
        elif isinstance(error, ProviderError):
            sent, usage = "yes", error.usage
            self.status = error.status if error.status is not None else self.status
            self.request_id = error.request_id or self.request_id
        return self._record("error", usage=usage, error=type(error).__name__, message=error.message, sent=sent)

    def cancelled(self, usage: Usage | None = None) -> Attempt:
        return self._record("cancelled", usage=usage, sent="maybe")

    def _record(
        self,
        outcome: Literal["ok", "error", "cancelled"],
        *,
        usage: Usage | None,
        error: str | None = None,
        message: str | None = None,
        sent: Literal["no", "maybe", "yes"] = "yes",
    ) -> Attempt:
        target = self._deployment.target
        return Attempt(
            provider=target.provider,
            model=target.model,
            dialect=self._deployment.access.dialect,
            outcome=outcome,
            reason=self._reason,
            started_at=self._wall,
            duration_seconds=time.perf_counter() - self._start,
            first_byte_seconds=self._first,
            status=self.status,
            error=error,
            message=message,
            sent=sent,
            request_id=self.request_id,
            usage=usage or None,
        )
