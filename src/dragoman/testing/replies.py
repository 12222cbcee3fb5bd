"""Replies: what a script or a fake says, in the shapes that tests have at hand, and the whole answers they become."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.errors import ConfigError, DragomanError
from dragoman.values import (
    Choice,
    Finish,
    Finished,
    Message,
    MessageRole,
    Part,
    PartEnded,
    Request,
    Response,
    Started,
    Text,
    ToolCall,
    Usage,
    as_parts,
    replace,
)
from dragoman.values.events import ArgumentsDelta, Event, ReasoningDelta, RefusalDelta, TextDelta
from dragoman.values.unrolled import events_of

if TYPE_CHECKING:
    from dragoman.values import FinishReason

__all__ = ["CREATED", "Reply", "Told", "call", "count_tokens", "input_tokens", "pieces_of", "told"]

Reply = (
    str
    | Part
    | Message
    | Response
    | DragomanError
    | Sequence[str | Part]
    | Sequence[Event | DragomanError]
    | Callable[[Request], "Reply"]
)
"""Text; a tool call or another part; a list of them; a message; a whole answer; an error; the events of a stream, with
the error that ends them if it fails; or a function of the request that gives one of these."""

CREATED = 1_767_225_600  # the same second for all: what tests compare must not change
_STEP_TYPES = (*cast("tuple[type, ...]", Event.__args__), DragomanError)
_WORD = re.compile(r"\s*\S+\s*\Z|\s*\S+")


class Told(msgspec.Struct, frozen=True):
    """A reply made definite: the whole answer, its events where a script gave them, and the error that ends them."""

    response: Response
    events: tuple[Event, ...] = ()
    error: DragomanError | None = None

    def stream(self) -> list[Event]:
        """The events of a stream of this answer, its text in pieces."""
        return list(self.events) if self.events else pieces_of(events_of(self.response))


def call(name: str, arguments: dict[str, Any] | str | None = None, *, id: str | None = None) -> ToolCall:
    """A tool call for a script; arguments as an object, or as the very text that shall travel."""
    text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments or {}).decode()
    return ToolCall(id=id or "", name=name, arguments_text=text)


def told(reply: Any, request: Request, *, number: int) -> Told:
    """The answer that a reply means, the `number`th of its script. Raises the reply itself where it is an error.

    Tool calls without an id get `call_<number>_<place>`; usage is counted in words where the reply brings none.
    """
    if isinstance(reply, DragomanError):
        raise reply
    if isinstance(reply, Response):
        whole = cast("Response[Any]", reply)
        return Told(whole if whole.usage else replace(whole, usage=_usage(request, whole.message)))
    if callable(reply) and not isinstance(reply, type):
        return told(reply(request), request, number=number)
    if isinstance(reply, (list, tuple)) and reply and all(isinstance(one, _STEP_TYPES) for one in _items(reply)):
        return _from_events(list(cast("Sequence[Event | DragomanError]", reply)), request)
    message = reply if isinstance(reply, Message) else Message(MessageRole.ASSISTANT, _parts(reply))
    return Told(answer(message, request, number=number))


def answer(message: Message, request: Request, *, number: int, finish: FinishReason | None = None) -> Response:
    """A whole answer around a message."""
    parts = tuple(
        replace(part, id=f"call_{number}_{place}") if isinstance(part, ToolCall) and not part.id else part
        for place, part in enumerate(message.parts)
    )
    message = replace(message, parts=parts)
    reason: FinishReason = finish or ("tool_calls" if message.tool_calls else "stop")
    return Response(
        id=f"answer_{number}",
        model=request.model,
        created=CREATED,
        choices=(Choice(message=message, finish=Finish(reason=reason)),),
        usage=_usage(request, message),
    )


def _items(reply: Any) -> Iterable[object]:
    return cast("Iterable[object]", reply)


def _parts(reply: Any) -> tuple[Part, ...]:
    try:
        return as_parts(reply)
    except (TypeError, DragomanError):
        raise ConfigError(
            f"a reply is text, a part, a message, a Response, an error, events, or a function of the request that "
            f"gives one of them, and not {reply!r:.120}"
        ) from None


def _from_events(steps: list[Event | DragomanError], request: Request) -> Told:
    """Events as they stand; without a `Finished` or an error the stream ends before its finish, as it was scripted."""
    error = steps[-1] if isinstance(steps[-1], DragomanError) else None
    events = [step for step in steps if not isinstance(step, DragomanError)]
    if not events or not isinstance(events[0], Started):
        events.insert(0, Started(id="answer", model=request.model, created=CREATED))
    last = events[-1]
    if isinstance(last, Finished):
        return Told(last.response, tuple(events), error)
    parts = tuple(event.part for event in events if isinstance(event, PartEnded))
    partial = Response(model=request.model, choices=(Choice(message=Message("assistant", parts=parts)),))
    return Told(partial, tuple(events), error)


# -- counting ----------------------------------------------------------------------------------------------------------


def count_tokens(text: str) -> int:
    """Words, which is what fakes count as tokens."""
    return len(text.split())


def input_tokens(request: Request) -> int:
    """The words of all messages, tool results and tool definitions of a request."""
    texts = [
        part.text if isinstance(part, Text) else msgspec.json.encode(part).decode()
        for message in request.messages
        for part in message.parts
    ]
    texts += [msgspec.json.encode(tool).decode() for tool in request.tools]
    return sum(map(count_tokens, texts))


def _usage(request: Request, message: Message) -> Usage:
    said = [
        part.text if isinstance(part, Text) else getattr(part, "arguments_text", "") or "…" for part in message.parts
    ]
    heard, spoken = input_tokens(request), sum(map(count_tokens, said))
    return Usage(input_tokens=heard, output_tokens=spoken, total_tokens=heard + spoken)


# -- streaming ---------------------------------------------------------------------------------------------------------


def pieces_of(events: Iterable[Event]) -> list[Event]:
    """Events whose text comes word by word, and whose arguments come in pieces of a few letters."""
    cut: list[Event] = []
    for event in events:
        if isinstance(event, (TextDelta, ReasoningDelta, RefusalDelta)):
            cut += [replace(event, text=piece) for piece in words_of(event.text)]
        elif isinstance(event, ArgumentsDelta):
            cut += [replace(event, text=event.text[start : start + 7]) for start in range(0, len(event.text), 7)]
        else:
            cut.append(event)
    return cut


def words_of(text: str) -> list[str]:
    """The words of a text, each with the space before it; together they are the text."""
    return _WORD.findall(text) or ([text] if text else [])
