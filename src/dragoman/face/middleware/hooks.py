"""Hooks: functions of the caller's that are called at the steps of every call."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from dragoman.values import Finished, PartEnded, Reasoning, Request, ToolCall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from dragoman.routing.route import Attempting
    from dragoman.values import Event, Part, Response

__all__ = ["Hooks"]


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """Middleware that calls functions, plain or async, at the steps of a call.

    >>> model = wrap(model, Hooks(after=lambda request, response: print(response.usage)))

    `before(request)` may give a changed request; `event(event)` sees each event of the answer, of a whole one too;
    `tool_call(call)` each call for the caller to run, `reasoning(part)` each piece of thinking, both when complete;
    `after(request, response)` the whole answer before its finish is passed on; `error(request, error)` what ended the
    call instead. A call that its reader leaves, or cancels, ends with neither. What a hook raises, the caller gets.
    In a synchronous call hooks run on the thread of the middleware, with a copy of the caller's context.
    """

    before: Callable[[Request], Request | Awaitable[Request | None] | None] | None = None
    event: Callable[[Event], Awaitable[None] | None] | None = None
    tool_call: Callable[[ToolCall], Awaitable[None] | None] | None = None
    reasoning: Callable[[Reasoning], Awaitable[None] | None] | None = None
    after: Callable[[Request, Response], Awaitable[None] | None] | None = None
    error: Callable[[Request, Exception], Awaitable[None] | None] | None = None

    async def __call__(self, request: Request, next: Attempting) -> AsyncIterator[Event]:
        """As `wrap` calls it."""
        try:
            changed: Any = await _told(self.before, request)
            request = request if changed is None else changed
            parts_seen = False
            async for event in next(request):
                await _told(self.event, event)
                if isinstance(event, PartEnded):
                    parts_seen = True
                    await self._part(event.part)
                elif isinstance(event, Finished):
                    if not parts_seen:  # a layer below that answers itself may give the finish alone
                        for part in event.response.message.parts:
                            await self._part(part)
                    await _told(self.after, request, event.response)
                yield event
        except Exception as error:
            await _told(self.error, request, error)
            raise

    async def _part(self, part: Part) -> None:
        if isinstance(part, ToolCall) and part.runner == "client":
            await _told(self.tool_call, part)
        elif isinstance(part, Reasoning):
            await _told(self.reasoning, part)


async def _told(hook: Callable[..., Any] | None, *arguments: Any) -> Any:
    if hook is None:
        return None
    made = hook(*arguments)
    return await made if isawaitable(made) else made
