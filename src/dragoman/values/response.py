"""Response: one whole answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal

import msgspec

from dragoman.errors import OutputError
from dragoman.values.adaptations import Adaptation
from dragoman.values.attempts import Attempt
from dragoman.values.messages import Message, MessageRole
from dragoman.values.parts import Media, Reasoning, Refusal
from dragoman.values.request import OutputMode
from dragoman.values.usage import Cost, Usage
from dragoman.values.value import Extras, Value

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    from dragoman.values.parts import ToolCall

    T = TypeVar("T", default=Any)
else:
    from typing import TypeVar

    T = TypeVar("T")  # the running Python may be too old for defaults

__all__ = ["Choice", "Finish", "FinishReason", "Response", "typed_response"]

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


class Response(Value, Generic[T], frozen=True, kw_only=True, dict=True):
    """One whole answer: what the model said, why it stopped, what it took, and how it was come by.

    Everything speaks of the first choice; `choices` has all. `provider` and `dialect` tell who answered and how it was
    spoken to; `request_id` is the provider's id for support; `usage` is empty (and false) where the provider reported
    none; `created` is Unix time in seconds, from the answer's `date` header where the dialect has no member for it;
    `output_mode` tells how the form of the answer was had, where a schema was asked for.
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
    def parsed(self) -> T:
        """The answer as the type that was asked for with `output=`; None where no type was asked for.

        It is no part of the JSON form; the text that it was made of is. Raises `OutputError` where the answer to a
        typed question asks for tools, or is paused, and so is not the final one.
        """
        if "unfinished" in self.__dict__:
            raise OutputError(
                "this answer asks for tools (or is paused) and is not the final one: answer its tool_calls and ask "
                "again, or let run_tools do so"
            )
        value: Any = self.__dict__.get("parsed")
        return value

    def __copy__(self) -> Response[T]:
        return self  # nothing of it ever changes

    def __reduce__(self) -> Any:
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return _restored, (fields, dict(self.__dict__))

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
    def media(self) -> tuple[Media, ...]:
        """The images, the audio and other media of the answer, in order, without what was drawn on the way to it."""
        parts = self._first.message.parts
        return tuple(part for part in parts if isinstance(part, Media) and part.channel == "answer")

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


def typed_response(response: Response[Any], *value: Any) -> Response[Any]:
    """The answer with its value; without one, the answer to a typed question that is not the final one yet."""
    fields = {name: getattr(response, name) for name in response.__struct_fields__}
    return _restored(fields, {"parsed": value[0]} if value else {"unfinished": True})


def _restored(fields: dict[str, Any], state: dict[str, Any]) -> Response[Any]:
    response: Response[Any] = Response(**fields)
    held: Any = response.__dict__  # a struct is frozen, its dictionary is not
    held.update(state)
    return response
