"""The tool loop: the model asks for tools, they are run, their results go back, until the model has answered.

`ToolLoop` is the conversation, with no I/O; `run_calls` and `arun_calls` run the functions of one round. Sync tools run
where the caller is: in its thread and context (for the async verbs: on its loop, which they block while they run).
Async tools run at once: in the async verbs on the caller's loop, in the sync verbs on the user thread's loop with a
copy of the caller's context. What a tool raises, what it is given wrong, and a tool that does not exist are told to
the model as errors.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from inspect import isawaitable, iscoroutinefunction
from typing import TYPE_CHECKING, Any, Generic, cast

import msgspec

from dragoman.errors import InvalidArguments, TooManyRounds
from dragoman.values import Media, Opaque, Text, tool_result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from typing_extensions import TypeVar

    from dragoman.face.tools import FunctionTool
    from dragoman.values import Message, Response, ToolCall

    T = TypeVar("T", default=Any)
else:
    from typing import TypeVar

    T = TypeVar("T")  # the running Python may be too old for defaults

__all__ = ["ToolFailure", "ToolLoop", "ToolRun", "arun_calls", "run_calls"]


@dataclass(frozen=True, slots=True)
class ToolFailure:
    """A call that came to an error, which the model was told; `error` is what was raised."""

    call: ToolCall
    error: Exception


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRun(Generic[T]):
    """What a run of the tool loop came to.

    `response` is the last answer, `messages` the whole conversation with it, ready to be gone on with; `responses` are
    the answers of all rounds. `pending` are calls that the loop could not run, since their tools were offered without
    a function: answer them with `tool_result` and go on. `failures` are the calls that came to an error.
    """

    response: Response[T]
    messages: tuple[Message, ...]
    responses: tuple[Response, ...]
    pending: tuple[ToolCall, ...] = ()
    failures: tuple[ToolFailure, ...] = ()

    @property
    def rounds(self) -> int:
        """How often the model was asked."""
        return len(self.responses)

    @property
    def content(self) -> str:
        """The text of the last answer."""
        return self.response.content


@dataclass(frozen=True, slots=True)
class _Outcome:
    message: Message
    failure: ToolFailure | None = None


class ToolLoop(Generic[T]):
    """The conversation of one run. `take` an answer; while it gives calls, run them and `tell` the results."""

    def __init__(self, messages: Sequence[Message], offered: set[str], tools: Mapping[str, FunctionTool], most: int):
        self.messages: tuple[Message, ...] = tuple(messages)
        self._offered = offered
        self._tools = tools
        self._most = most
        self._responses: list[Response[T]] = []
        self._pending: tuple[ToolCall, ...] = ()
        self._failures: list[ToolFailure] = []

    @property
    def begun(self) -> bool:
        """Whether the model has answered once."""
        return bool(self._responses)

    def take(self, response: Response[T]) -> tuple[ToolCall, ...] | None:
        """The calls to run now; None when the run is over. Raises `TooManyRounds` at the bound."""
        self._responses.append(response)
        self.messages = (*self.messages, response.message)
        calls = response.tool_calls
        self._pending = tuple(call for call in calls if call.name in self._offered and call.name not in self._tools)
        paused = response.finish_reason == "paused" and not calls
        runnable = tuple(call for call in calls if call not in self._pending)
        if not runnable and not paused:
            return None
        if len(self._responses) >= self._most and not self._pending:
            error = TooManyRounds(
                f"the model still {'pauses' if paused else 'asks for tools'} after {self._most} rounds; raise "
                "max_rounds, or go on from .messages",
                messages=self.messages,
                response=response,
            )
            error.attempts = tuple(attempt for one in self._responses for attempt in one.attempts)
            raise error
        return runnable

    def tell(self, outcomes: Sequence[_Outcome]) -> bool:
        """Takes the results of the calls, in their order; whether the model is to be asked again."""
        self.messages = (*self.messages, *(outcome.message for outcome in outcomes))
        self._failures.extend(outcome.failure for outcome in outcomes if outcome.failure is not None)
        return not self._pending

    def done(self) -> ToolRun[T]:
        """What the run came to."""
        return ToolRun(
            response=self._responses[-1],
            messages=self.messages,
            responses=tuple(self._responses),
            pending=self._pending,
            failures=tuple(self._failures),
        )


# -- running -----------------------------------------------------------------------------------------------------------


async def arun_calls(calls: Sequence[ToolCall], tools: Mapping[str, FunctionTool]) -> list[_Outcome]:
    """Runs the calls of one round, all begun at once; the outcomes are in the order of the calls."""
    return list(await asyncio.gather(*(_run(call, tools) for call in calls)))


def run_calls(calls: Sequence[ToolCall], tools: Mapping[str, FunctionTool]) -> list[_Outcome]:
    """Runs the calls of one round: async tools at once on the user thread, the others here, one after the other."""
    outcomes: list[_Outcome | None] = [None] * len(calls)
    waiting: dict[int, Callable[[], Awaitable[_Outcome]]] = {}
    for index, call in enumerate(calls):
        tool = tools.get(call.name)
        if tool is not None and iscoroutinefunction(tool.function):
            waiting[index] = lambda call=call: _run(call, tools)
            continue
        made = _begin(call, tools)
        if isinstance(made, _Outcome):
            outcomes[index] = made
        else:
            waiting[index] = lambda call=call, made=made: _finish(call, made)
    if waiting:
        from dragoman.face.background import user_thread

        async def together() -> list[_Outcome]:
            return list(await asyncio.gather(*(run() for run in waiting.values())))

        for index, outcome in zip(waiting, user_thread().run(together), strict=True):
            outcomes[index] = outcome
    return [outcome for outcome in outcomes if outcome is not None]


async def _run(call: ToolCall, tools: Mapping[str, FunctionTool]) -> _Outcome:
    made = _begin(call, tools)
    return made if isinstance(made, _Outcome) else await _finish(call, made)


def _begin(call: ToolCall, tools: Mapping[str, FunctionTool]) -> _Outcome | Awaitable[Any]:
    """Calls the function: its outcome, or what is to be awaited for it."""
    tool = tools.get(call.name)
    if tool is None:
        names = ", ".join(tools) or "none"
        error = InvalidArguments(
            f"there is no tool {call.name!r}; the tools are: {names}", name=call.name, text=call.arguments_text
        )
        return _failed(call, error)
    try:
        value = tool.function(**tool.arguments(call))
        return value if isawaitable(value) else _told(call, value)
    except Exception as error:  # noqa: BLE001 - whatever a tool raises is for the model to hear, and in `failures`
        return _failed(call, error)


async def _finish(call: ToolCall, value: Awaitable[Any]) -> _Outcome:
    try:
        return _told(call, await value)
    except Exception as error:  # noqa: BLE001 - as above
        return _failed(call, error)


def _failed(call: ToolCall, error: Exception) -> _Outcome:
    words = str(error) if isinstance(error, InvalidArguments) else f"{type(error).__name__}: {error}"
    return _Outcome(tool_result(call, words, is_error=True), ToolFailure(call, error))


def _told(call: ToolCall, value: Any) -> _Outcome:
    """The result as a message: text and media as they are, everything else as JSON."""
    if isinstance(value, (str, Text, Media, Opaque)):
        return _Outcome(tool_result(call, value))
    if isinstance(value, (list, tuple)):
        items = cast("Sequence[Any]", value)
        if items and any(isinstance(item, (Text, Media)) for item in items):
            return _Outcome(
                tool_result(call, [item if isinstance(item, (str, Text, Media)) else _json(item) for item in items])
            )
    return _Outcome(tool_result(call, _json(value)))


def _json(value: Any) -> str:
    return msgspec.json.encode(value, enc_hook=_plain).decode()


def _plain(value: Any) -> Any:
    dump: Any = getattr(value, "model_dump", None)
    return dump(mode="json") if dump is not None else str(value)
