"""Logging of calls, through the standard library's `logging`."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

import msgspec

from dragoman.errors import DragomanError, ProviderError
from dragoman.values import Finished, UsageSeen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from dragoman.routing.route import Attempting
    from dragoman.values import Event, Request, Response, Usage

__all__ = ["CallLog"]


class CallLog:
    """Middleware that logs the end of every call: one record each, with what it came to.

    An answer is logged at `level`, a failure at WARNING, a call that its reader left at `level`. Records carry no words
    of the prompt or the answer, nor a provider's error message, which may quote them, unless `content` is set; the
    details are also in the record's attribute `dragoman`, a dictionary. `logger` is a logger or its name.
    """

    def __init__(
        self,
        logger: str | logging.Logger = "dragoman",
        *,
        level: int = logging.INFO,
        content: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._logger = logging.getLogger(logger) if isinstance(logger, str) else logger
        self._level = level
        self._content = content
        self._clock = clock

    async def __call__(self, request: Request, next: Attempting) -> AsyncIterator[Event]:
        """As `wrap` calls it."""
        began = self._clock()
        usage: Usage | None = None
        ended = False
        try:
            async for event in next(request):
                if isinstance(event, UsageSeen):
                    usage = event.usage
                elif isinstance(event, Finished):
                    ended = True
                    self._answered(request, event.response, self._clock() - began)
                yield event
        except (GeneratorExit, asyncio.CancelledError):
            if not ended:
                self._left(request, usage, self._clock() - began)
            raise
        except Exception as error:
            self._failed(request, error, self._clock() - began)
            raise

    def _answered(self, request: Request, response: Response, seconds: float) -> None:
        who = f"{response.provider}/{response.model or request.model}"
        told = self._details(request, seconds, outcome="ok")
        told |= {
            "provider": response.provider,
            "model": response.model,
            "finish_reason": response.finish_reason,
            "input_tokens": response.usage.input_tokens,
            "output_tokens": response.usage.output_tokens,
            "cost": str(response.cost.amount) if response.cost else None,
            "attempts": len(response.attempts),
            "adaptations": [f"{one.path} {one.action}" for one in response.adaptations],
            "request_id": response.request_id,
        }
        if self._content:
            told["answer"] = response.content
        words = f"{who} answered in {seconds:.3f} s: {response.finish_reason}, "
        words += f"{_count(response.usage.input_tokens)} + {_count(response.usage.output_tokens)} tokens"
        self._write(self._level, words, told)

    def _failed(self, request: Request, error: Exception, seconds: float) -> None:
        told = self._details(request, seconds, outcome="error") | {"error": type(error).__name__}
        if isinstance(error, DragomanError):
            told["attempts"] = len(error.attempts)
        if isinstance(error, ProviderError):
            told |= {"provider": error.provider, "status": error.status, "code": error.code}
            told["request_id"] = error.request_id
        words = f"{request.model} failed after {seconds:.3f} s: {type(error).__name__}"
        if self._content:
            told["message"] = str(error)
            words += f": {error}"
        self._write(logging.WARNING, words, told)

    def _left(self, request: Request, usage: Usage | None, seconds: float) -> None:
        told = self._details(request, seconds, outcome="left")
        if usage is not None:
            told |= {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
        self._write(self._level, f"{request.model} was left by its reader after {seconds:.3f} s", told)

    def _details(self, request: Request, seconds: float, *, outcome: str) -> dict[str, Any]:
        told: dict[str, Any] = {"outcome": outcome, "asked_model": request.model, "seconds": round(seconds, 6)}
        told["messages"] = len(request.messages)
        if self._content:
            told["prompt"] = msgspec.to_builtins(request.messages)
        return told

    def _write(self, level: int, words: str, told: dict[str, Any]) -> None:
        self._logger.log(level, words, extra={"dragoman": told})


def _count(tokens: int | None) -> str:
    return "?" if tokens is None else str(tokens)
