"""Scripted models: given replies through the whole face and a dialect's both halves, without any network.

model = ScriptedModel(["Hello.", call("weather", {"city": "Izmir"}), RateLimited("slow down")])
assert model.chat("Hi").content == "Hello."
assert model.calls[0].messages[-1].content == "Hi"
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Unpack, cast
from urllib.parse import urlsplit

from dragoman.errors import ConfigError
from dragoman.face.model import ChatModel
from dragoman.testing.models import NOWHERE, parts_of_model, row_of
from dragoman.testing.party import Party
from dragoman.testing.wires import WIRES
from dragoman.transport.fake import FakeTransport
from dragoman.transport.seam import HttpResponse
from dragoman.values import Request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman.face.options import CallOptions
    from dragoman.face.tools import ToolLike
    from dragoman.routing.route import Layer
    from dragoman.testing.replies import Reply
    from dragoman.transport.fake import Answer, Chunk
    from dragoman.transport.seam import HttpRequest
    from dragoman.values import Tool

__all__ = ["ScriptedModel", "ScriptedTransport", "echo"]


class ScriptedTransport(FakeTransport):
    """A transport whose other end is a party: what it answers is what that provider would send."""

    def __init__(self, party: Party) -> None:
        super().__init__(self._play)
        self.party = party

    def _play(self, request: HttpRequest) -> Answer:
        address = urlsplit(request.url)
        path = f"{address.path}?{address.query}" if address.query else address.path
        headers = {name.lower(): value for name, value in request.headers}
        answered = self.party.answer(self.party.see(request.method, path, headers, request.body))
        if answered.frames is None:
            return HttpResponse(answered.status, dict(answered.headers), answered.body)
        chunks: list[Chunk] = [*answered.frames]
        if answered.cut is not None:
            chunks.append(answered.cut)
        elif answered.end:
            chunks.append(answered.end)
        return self.streamed(chunks, status=answered.status, headers=dict(answered.headers))


class ScriptedModel(ChatModel):
    """A model that gives its replies in order, one for each attempt; see `replies.Reply` for what a reply may be.

    With a function in place of a list, that function answers every request. The request travels through the encoder of
    `dialect` and is read again by its decoder, so `calls` shows what a provider would have been told. A reply that is
    an error is raised as that provider's would be; `max_retries` is 0 unless given. Copies share the script and the
    calls. Raises `ConfigError` when the script has run out.
    """

    __slots__ = ()

    def __init__(
        self,
        replies: Sequence[Reply] | Callable[[Request], Reply],
        *,
        dialect: str = "openai-chat",
        model: str = "scripted-model",
        provider: str = "scripted",
        max_retries: int = 0,
        **options: Any,
    ) -> None:
        transport = ScriptedTransport(Party(_sayer(replies), strict=False, name=provider))
        row = row_of(provider, dialect, NOWHERE + WIRES[dialect].version)
        route, name, defaults = parts_of_model(
            row, model, api_key="scripted", transport=transport, max_retries=max_retries, **options
        )
        super().__init__(route, name=name, options=defaults)

    @property
    def calls(self) -> list[Request]:
        """The requests so far, as the provider would have read them, oldest first."""
        transport = cast("ScriptedTransport", self.route.candidates[0].deployment.transport)
        return [seen.request for seen in transport.party.requests if isinstance(seen.request, Request)]

    @property
    def bound_tools(self) -> tuple[Tool, ...]:
        """The tools that `bind_tools` gave this model."""
        return self._fields.get("tools", ())

    # A copy of a scripted model is one too: the calls are read from it.

    def bind_tools(self, tools: Iterable[ToolLike], /) -> ScriptedModel:
        """As `ChatModel.bind_tools`; script and calls are shared."""
        return self._same(super().bind_tools(tools))

    def with_options(self, **options: Unpack[CallOptions]) -> ScriptedModel:
        """As `ChatModel.with_options`; script and calls are shared."""
        return self._same(super().with_options(**options))

    def layered(self, *middleware: Layer) -> ScriptedModel:
        """As `ChatModel.layered`; script and calls are shared."""
        return self._same(super().layered(*middleware))

    def _same(self, plain: ChatModel) -> ScriptedModel:
        copy = object.__new__(type(self))
        for name in ChatModel.__slots__:
            setattr(copy, name, getattr(plain, name))
        return copy


def echo(**options: Any) -> ScriptedModel:
    """A model that says the last user's words again; options are those of `ScriptedModel`."""
    return ScriptedModel(_last_words, **options)


def _last_words(request: Request) -> str:
    said = [message.content for message in request.messages if message.role == "user"]
    return said[-1] if said else ""


def _sayer(replies: Sequence[Reply] | Callable[[Request], Reply]) -> Callable[[Request, int], Reply]:
    if callable(replies):
        return lambda request, _number: replies(request)
    if isinstance(replies, (str, bytes)):
        raise ConfigError(f"a script is a list of replies, and not one reply; write [{replies!r:.60}]")
    left = deque(replies)
    length = len(left)

    def say(_request: Request, number: int) -> Reply:
        if not left:
            raise ConfigError(f"the script has {length} replies, and this is request {number}; give it more")
        return left.popleft()

    return say
