"""Conversation: messages in order, saved and loaded, and continued with any model."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, cast, overload

from dragoman.errors import InvalidRequest
from dragoman.face.inputs import as_messages
from dragoman.values import ToolResult, from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dragoman.face.model import ChatModel
    from dragoman.face.options import CallOptions
    from dragoman.values import Message, Response, ToolCall

    Turn = Message | Response | Mapping[str, Any] | str

__all__ = ["Conversation"]


class Conversation:
    """The turns of a conversation. Every verb of a model takes it as its messages.

    >>> talk = Conversation([system("Be short.")])
    >>> talk.ask(model, "What is a dragoman?").content
    >>> talk.save("talk.json")
    >>> Conversation.load("talk.json").ask(another_model, "And where did they work?")

    Turns are messages, answers (their message is meant), OpenAI-style dictionaries, or text (a user's). Everything that
    messages hold is kept, with thinking and the state that belongs to its provider; another provider is not sent that
    state, and the answer's `adaptations` say so. Not to be changed from several threads at once.
    """

    __slots__ = ("_messages",)

    def __init__(self, turns: Iterable[Turn] = ()) -> None:
        self._messages: list[Message] = []
        self.append(*turns)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages, oldest first."""
        return tuple(self._messages)

    @property
    def pending(self) -> tuple[ToolCall, ...]:
        """The tool calls that still have no result; a provider refuses a conversation that goes on without them."""
        answered = {
            part.call_id for message in self._messages for part in message.parts if isinstance(part, ToolResult)
        }
        return tuple(call for message in self._messages for call in message.tool_calls if call.id not in answered)

    def append(self, *turns: Turn) -> Conversation:
        """Adds turns at the end, and gives the conversation itself."""
        if turns:
            self._messages.extend(as_messages(turns))
        return self

    def ask(self, model: ChatModel, *turns: Turn, **options: Unpack[CallOptions]) -> Response:
        """Asks a model with these turns at the end, and adds them and its answer. Nothing is added if it fails."""
        asked = self._with(turns)
        response = model.chat(asked, **options)
        self._messages = [*asked, response.message]
        return response

    async def aask(self, model: ChatModel, *turns: Turn, **options: Unpack[CallOptions]) -> Response:
        """Asks a model, awaited; see `ask`."""
        asked = self._with(turns)
        response = await model.achat(asked, **options)
        self._messages = [*asked, response.message]
        return response

    def _with(self, turns: tuple[Turn, ...]) -> list[Message]:
        return [*self._messages, *(as_messages(turns) if turns else ())]

    # -- keeping -----------------------------------------------------------------------------------------------------

    def to_json(self) -> str:
        """The messages in the versioned JSON form, as `dragoman.to_json` writes it."""
        return to_json(self.messages).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Conversation:
        """The conversation that `to_json` wrote. Raises `InvalidRequest` for anything else."""
        found = from_json(text)
        if not isinstance(found, tuple):
            raise InvalidRequest(f"this JSON holds a {type(found).__name__}, and no conversation")
        return cls(cast("tuple[Message, ...]", found))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the JSON form to a file; an older one of this name is replaced whole, or left as it was."""
        target = Path(path)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(self.to_json())
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Conversation:
        """The conversation that `save` wrote. Raises `OSError`, or `InvalidRequest` for what is no conversation."""
        return cls.from_json(Path(path).read_bytes())

    # -- as a sequence -----------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Message]:
        return iter(self.messages)

    def __len__(self) -> int:
        return len(self._messages)

    @overload
    def __getitem__(self, place: int) -> Message: ...
    @overload
    def __getitem__(self, place: slice) -> list[Message]: ...
    def __getitem__(self, place: int | slice) -> Message | list[Message]:
        return self._messages[place]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Conversation) and self._messages == other._messages

    __hash__ = None  # pyright: ignore[reportAssignmentType]  # it changes

    def __repr__(self) -> str:
        return f"Conversation({self._messages!r})"
