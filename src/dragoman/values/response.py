"""Response: one whole answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from dragoman.values.adaptations import Adaptation
from dragoman.values.attempts import Attempt
from dragoman.values.messages import Message, MessageRole
from dragoman.values.parts import Reasoning, Refusal
from dragoman.values.request import OutputMode
from dragoman.values.usage import Cost, Usage
from dragoman.values.value import Extras, Value

if TYPE_CHECKING:
    from dragoman.values.parts import ToolCall

__all__ = ["Choice", "Finish", "FinishReason", "Response"]

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "refusal", "paused", "error", "other"]


class Finish(Value, frozen=True, kw_only=True):
    """Why an answer ended: one word of a closed list, the wire's own word, and what it says besides."""

    reason: FinishReason
    raw: str | None = None
    stop_sequence: str | None = None
    detail: Any = None


class Choice(Value, frozen=True, kw_only=True):
    """One of the answers (most calls ask for one)."""

    index: int = 0
    message: Message = Message(MessageRole.ASSISTANT)
    finish: Finish | None = None
    extras: Extras = {}


_NO_CHOICE = Choice()


class Response(Value, frozen=True, kw_only=True):
    """One whole answer: what the model said, why it stopped, what it took, and how it was come by.

    Everything speaks of the first choice; `choices` has all. `provider` and `dialect` tell who answered and how it was
    spoken to; `request_id` is the provider's id for support; `usage` is
    empty (and false) where the provider reported none; `created` is Unix time in seconds; `output_mode` tells how the
    form of the answer was had, where a schema was asked for.
    """

    id: str | None = None
    model: str = ""
    provider: str = ""
    dialect: str = ""
    created: int | None = None
    choices: tuple[Choice, ...] = ()
    usage: Usage = Usage()
    cost: Cost | None = None
    service_tier: str | None = None
    adaptations: tuple[Adaptation, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    request_id: str | None = None
    output_mode: OutputMode | None = None
    extras: Extras = {}

    @property
    def parsed(self) -> Any:
        """The answer as the type that was asked for with `output=`; None on an answer that no type was asked of."""
        return None

    @property
    def _first(self) -> Choice:
        return self.choices[0] if self.choices else _NO_CHOICE

    @property
    def message(self) -> Message:
        """The assistant's message, ready to be appended to the conversation."""
        return self._first.message

    @property
    def content(self) -> str:
        """The text parts, joined."""
        return self._first.message.content

    @property
    def reasoning(self) -> str:
        """The visible thinking, joined."""
        return "".join(part.text for part in self._first.message.parts if isinstance(part, Reasoning))

    @property
    def refusal(self) -> str | None:
        """The model's words for declining, or None."""
        words = [part.text for part in self._first.message.parts if isinstance(part, Refusal)]
        return "".join(words) if words else None

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls that the caller has to run."""
        return self._first.message.tool_calls

    @property
    def finish(self) -> Finish | None:
        """Why it stopped, with the wire's own word."""
        return self._first.finish

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why it stopped, as one word of a closed list."""
        return self._first.finish.reason if self._first.finish else None

    @property
    def metadata(self) -> dict[str, Any]:
        """A plain dictionary of the call's details: provider, model, ids, finish, usage, cost, attempts, extras."""
        told: dict[str, Any] = msgspec.to_builtins(self)
        told.pop("choices", None)
        finish = self._first.finish
        told["finish_reason"] = finish.reason if finish else None
        told["finish_reason_raw"] = finish.raw if finish else None
        return told
