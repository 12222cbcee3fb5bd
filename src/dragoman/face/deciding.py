"""Routing functions of the user's own, in synchronous calls: asked before the call, where user code belongs."""

from __future__ import annotations

from inspect import isawaitable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from dragoman.routing.call import Call
from dragoman.routing.lineup import lineup_of
from dragoman.routing.strategies.custom import Custom

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from dragoman.routing import CallSettings, Route
    from dragoman.values import Request

__all__ = ["decide"]


def decide(route: Route, request: Request, settings: CallSettings) -> CallSettings:
    """The settings with the order that the function gives: a plain one is called here, in the caller's thread.

    What an asynchronous one gives is awaited on the user thread's loop, with a copy of the caller's context.
    """
    strategy = route.strategy
    if not isinstance(strategy, Custom):
        return settings
    told = strategy.decide(Call(request), lineup_of(route).options)
    if not isawaitable(told):
        return replace(settings, order=told)
    from dragoman.face.background import user_thread

    waiting = told

    async def awaited() -> tuple[int, ...]:
        return await _own(waiting)

    return replace(settings, order=user_thread().run(awaited))


async def _own(told: Awaitable[tuple[int, ...]]) -> tuple[int, ...]:
    return await told
