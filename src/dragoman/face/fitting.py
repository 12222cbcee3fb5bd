"""Fitting messages into a window: which are dropped, and how many tokens there are for them.

Messages are dropped in pieces: an old turn as a whole (from a user's message up to the next), then, of the newest turn,
its older rounds (what the model said with calls, and their results). System and developer messages, the newest words
of the user and the newest round always stay. A result and its call are never in two pieces.
"""

from __future__ import annotations

from dataclasses import dataclass
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Literal

from dragoman.errors import InvalidRequest
from dragoman.face.inputs import as_messages
from dragoman.face.options import checked_count
from dragoman.values import MessageRole, ToolCall, ToolResult, replace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from dragoman.routing import Route
    from dragoman.values import Message, Request
    from dragoman.values.profile import Profile

    Estimate = Callable[[Sequence[Message]], int]
    Summarise = Callable[[list[Message], int], Any]
    Strategy = Literal["truncate", "sliding"] | Summarise

__all__ = ["Window", "fit_messages", "pieces_of", "window_of"]

_OPERATOR = (MessageRole.SYSTEM, MessageRole.DEVELOPER)
_STEPS = 4
"""Truncation drops multiples of this share of the window, so that the next calls begin as this one does."""


@dataclass(frozen=True, slots=True)
class Window:
    """How many tokens a prompt may have, and what messages come to with everything that is sent beside them."""

    budget: int
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Piece:
    """Messages, by their indices, that are kept or dropped together; `needed` ones are never dropped."""

    indices: tuple[int, ...]
    needed: bool


# -- the window --------------------------------------------------------------------------------------------------------


def window_of(route: Route, request: Request, max_tokens: int | None) -> Window:
    """The window of a route's narrowest model whose facts are known; `max_tokens` is used instead where it is given.

    The longest answer is left out: as long as the request allows, else the model's longest, but a quarter of the window
    at most.
    """
    from dragoman import facts
    from dragoman.engine.capabilities import profile_of

    asked = [(candidate.deployment, candidate.prepare(request)) for candidate in route.candidates]

    def estimate(messages: Sequence[Message]) -> int:
        return max(
            facts.estimate_tokens(
                replace(prepared, messages=tuple(messages)), deployment.facts_provider, deployment.target.model
            ).tokens
            for deployment, prepared in asked
        )

    if max_tokens is not None:
        checked_count("max_tokens", max_tokens, least=1)
        return Window(max_tokens, estimate)
    budgets = [
        budget
        for deployment, prepared in asked
        if (budget := _prompt_tokens(profile_of(deployment), prepared.max_tokens))
    ]
    if not budgets:
        names = ", ".join(deployment.name for deployment, _ in asked)
        raise InvalidRequest(f"the window of {names} is not known; pass max_tokens", path="max_tokens")
    return Window(min(budgets), estimate)


def _prompt_tokens(known: Profile | None, answer_tokens: int | None) -> int | None:
    if known is None:
        return None
    longest = known.input_tokens
    if known.context_tokens is not None:
        room = answer_tokens
        if room is None:
            quarter = known.context_tokens // 4
            room = quarter if known.output_tokens is None else min(known.output_tokens, quarter)
        left = max(known.context_tokens - room, 1)
        longest = left if longest is None else min(left, longest)
    return longest


# -- pieces ------------------------------------------------------------------------------------------------------------


def pieces_of(messages: Sequence[Message]) -> list[Piece]:
    """What can be dropped, oldest first; system and developer messages are in no piece."""
    spoken = [index for index, message in enumerate(messages) if message.role not in _OPERATOR]
    turns: set[int] = set()
    rounds: set[int] = set()
    before: Message | None = None
    for index in spoken:
        message = messages[index]
        if _begins_turn(message) and not (before is not None and _begins_turn(before)):
            turns.add(index)
        elif message.role is MessageRole.ASSISTANT and before is not None and before.role is not message.role:
            rounds.add(index)
        before = message
    newest = max(turns, default=-1)
    words = max((index for index in spoken if _has_words(messages[index])), default=-1)
    groups = _joined(messages, _cut(spoken, turns | {index for index in rounds if index > newest}))
    last = len(groups) - 1
    return [
        Piece(tuple(group), needed=number == last or newest in group or words in group)
        for number, group in enumerate(groups)
    ]


def _begins_turn(message: Message) -> bool:
    return message.role is MessageRole.USER and not any(isinstance(part, ToolResult) for part in message.parts)


def _has_words(message: Message) -> bool:
    return message.role is MessageRole.USER and any(not isinstance(part, ToolResult) for part in message.parts)


def _cut(spoken: list[int], starts: set[int]) -> list[list[int]]:
    groups: list[list[int]] = []
    for index in spoken:
        if index in starts or not groups:
            groups.append([])
        groups[-1].append(index)
    return groups


def _joined(messages: Sequence[Message], groups: list[list[int]]) -> list[list[int]]:
    """The groups with those made one that a result and its call (the last one before it of its id) stand in."""
    joined: list[list[int]] = []
    called: dict[str, int] = {}
    for group in groups:
        first = len(joined)
        for index in group:
            for part in messages[index].parts:
                if isinstance(part, ToolCall):
                    called[part.id] = len(joined)
                elif isinstance(part, ToolResult):
                    first = min(first, called.get(part.call_id, first))
        joined.append(group)
        if first < len(joined) - 1:
            joined[first:] = [[index for one in joined[first:] for index in one]]
            called = {identifier: min(place, first) for identifier, place in called.items()}
    return joined


# -- fitting -----------------------------------------------------------------------------------------------------------


def fit_messages(messages: Sequence[Message], window: Window, strategy: Strategy) -> list[Message] | Awaitable[Any]:
    """The messages that fit; what an asynchronous strategy gives is to be awaited, and then `checked`."""
    if not callable(strategy) and strategy not in ("truncate", "sliding"):
        raise InvalidRequest(f'strategy is "truncate", "sliding" or a function, and not {strategy!r}', path="strategy")
    total = window.estimate(messages)
    if total <= window.budget:
        return list(messages)
    if callable(strategy):
        made = strategy(list(messages), window.budget)
        return made if isawaitable(made) else checked(made, messages, window)
    excess = total - window.budget
    if strategy == "truncate":
        step = max(1, window.budget // _STEPS)
        excess = -(-excess // step) * step
    return _dropped(messages, window, excess)


def _dropped(messages: Sequence[Message], window: Window, excess: int) -> list[Message]:
    """The messages without the oldest pieces that come to `excess` tokens, or without more where that is too little."""
    around = window.estimate(())
    gone: set[int] = set()
    for piece in pieces_of(messages):
        if piece.needed:
            continue
        if excess <= 0 and window.estimate(_without(messages, gone)) <= window.budget:
            break
        excess -= window.estimate([messages[index] for index in piece.indices]) - around
        gone.update(piece.indices)
    kept = _without(messages, gone)
    least = window.estimate(kept)
    if least > window.budget:
        raise InvalidRequest(
            f"what has to be kept (system messages, the user's newest words, the newest round of tools, and the tools "
            f"offered) comes to about {least} tokens, and {window.budget} fit; shorten it, raise max_tokens, or use a "
            "model with a larger window",
            path="messages",
        )
    return kept


def _without(messages: Sequence[Message], gone: set[int]) -> list[Message]:
    return [message for index, message in enumerate(messages) if index not in gone]


def checked(made: Any, messages: Sequence[Message], window: Window) -> list[Message]:
    """What a caller's function made of the messages, if it fits and no result is without its call."""
    fitted = list(as_messages(made))
    tokens = window.estimate(fitted)
    if tokens > window.budget:
        raise InvalidRequest(f"the strategy gave about {tokens} tokens, and {window.budget} fit", path="strategy")
    lost = _results_alone(fitted) - _results_alone(messages)
    if lost:
        raise InvalidRequest(
            f"the strategy parted results from their calls: {', '.join(sorted(lost))}; drop or keep both",
            path="strategy",
        )
    return fitted


def _results_alone(messages: Sequence[Message]) -> set[str]:
    """The ids of results before which no call has that id."""
    called: set[str] = set()
    alone: set[str] = set()
    for message in messages:
        for part in message.parts:
            if isinstance(part, ToolCall):
                called.add(part.id)
            elif isinstance(part, ToolResult) and part.call_id not in called:
                alone.add(part.call_id)
    return alone
