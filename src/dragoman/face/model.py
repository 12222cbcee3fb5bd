"""ChatModel: one interface to every provider, synchronous and asynchronous, whole and streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from msgspec.structs import replace

from dragoman.errors import InvalidRequest
from dragoman.face.inputs import as_messages
from dragoman.face.options import SETTING_NAMES, as_timeout, request_fields
from dragoman.values import EmbeddingRequest, Request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
    from types import TracebackType

    from dragoman.face.inputs import Conversation
    from dragoman.face.options import CallOptions
    from dragoman.face.streams import AsyncChatStream, ChatStream
    from dragoman.face.tools import ToolLike
    from dragoman.routing import CallSettings, Route
    from dragoman.routing.route import Layer
    from dragoman.values import EmbeddingResponse, Event, Response

__all__ = ["ChatModel"]

_UNSET = Request(model="")


class ChatModel:
    """A model to talk with: a provider's, or several behind one plan. Immutable; safe to share between threads.

    Make one with `get_model`, `ProviderRegistry.get_provider`, `fallback` or `wrap`; `bind_tools` and `with_options`
    give changed copies. Every verb takes messages as text, `Message`, a list of them, or OpenAI-style dictionaries, and
    the options of `CallOptions`. All raise `DragomanError`s only: what the provider said is in `ProviderError`, what
    the network did in `TransportError`; the attempts made are in the error's `attempts`.

    The asynchronous verbs run on asyncio, in the caller's task. The synchronous ones block, from any thread, with or
    without a running loop; Ctrl-C cancels upstream.
    """

    __slots__ = ("_fields", "_layers", "_name", "_route", "_settings", "_sync_twin")

    def __init__(
        self,
        route: Route,
        *,
        name: str,
        options: Mapping[str, Any] | None = None,
        layers: Sequence[Layer] = (),
    ) -> None:
        """For `get_model` and its like; `options` are defaults for every call."""
        self._route = route
        self._name = name
        given = dict(options or {})
        self._fields = request_fields(given)
        self._settings = {key: given[key] for key in SETTING_NAMES if given.get(key) is not None}
        self._layers: tuple[Layer, ...] = tuple(layers)
        self._sync_twin: ChatModel | None = None

    @property
    def model_id(self) -> str:
        """`provider/model`, as `get_model` takes it; for several, how they are combined."""
        return self._name

    @property
    def route(self) -> Route:
        """The deployments behind this model, in the order in which they are tried."""
        return self._route

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The middleware around this model, outermost first."""
        return self._layers

    def __repr__(self) -> str:
        return f"ChatModel({self._name!r})"

    # -- asking --------------------------------------------------------------------------------------------------

    def chat(self, messages: Conversation, /, **options: Unpack[CallOptions]) -> Response:
        """Asks, and waits for the whole answer."""
        from dragoman.face.background import engine_thread

        twin = self._for_sync()
        request, settings = self._request(messages, options)
        return engine_thread().run(lambda: twin._answer(request, settings))

    async def achat(self, messages: Conversation, /, **options: Unpack[CallOptions]) -> Response:
        """Asks, and awaits the whole answer. Cancelling closes the connection within a tick of the loop."""
        request, settings = self._request(messages, options)
        return await self._answer(request, settings)

    def stream(self, messages: Conversation, /, **options: Unpack[CallOptions]) -> ChatStream:
        """Asks for a streamed answer; nothing is sent before the first chunk is read."""
        from dragoman.face.background import engine_thread
        from dragoman.face.ferry import Intake
        from dragoman.face.streams import ChatStream

        twin = self._for_sync()
        request, settings = self._request(messages, options)
        return ChatStream(Intake(lambda: twin._events(request, settings), engine_thread().loop))

    def astream(self, messages: Conversation, /, **options: Unpack[CallOptions]) -> AsyncChatStream:
        """Asks for a streamed answer; nothing is sent before the first chunk is read."""
        from dragoman.face.streams import AsyncChatStream

        request, settings = self._request(messages, options)
        return AsyncChatStream(lambda: self._events(request, settings))

    def embed(self, inputs: str | Sequence[str], /, **options: Any) -> EmbeddingResponse:
        """Vectors for texts, one each. Options: dimensions, task, user, extra_body, extra_headers, timeout, adapt."""
        from dragoman.face.background import engine_thread

        request, settings = self._embedding_request(inputs, options)
        return engine_thread().run(lambda: self._vectors(request, settings))

    async def aembed(self, inputs: str | Sequence[str], /, **options: Any) -> EmbeddingResponse:
        """Vectors for texts, one each; see `embed`."""
        request, settings = self._embedding_request(inputs, options)
        return await self._vectors(request, settings)

    # -- changed copies --------------------------------------------------------------------------------------------

    def bind_tools(self, tools: Iterable[ToolLike], /) -> ChatModel:
        """A model that offers these tools in every call; this one stays as it is.

        A tool is a `ToolDefinition`, a typed function, or a dictionary in OpenAI's, a bare, or Anthropic's shape.
        """
        return self._copy(fields={**self._fields, **request_fields({"tools": list(tools)})})

    def with_options(self, **options: Unpack[CallOptions]) -> ChatModel:
        """A model with other defaults; a call's own options still win."""
        given: dict[str, Any] = dict(options)
        copy = self._copy(fields={**self._fields, **request_fields(given)})
        copy._settings = {**self._settings, **{key: given[key] for key in SETTING_NAMES if given.get(key) is not None}}
        return copy

    def layered(self, *middleware: Layer) -> ChatModel:
        """A model with this middleware around it, the first listed outermost; `dragoman.wrap` is the short way."""
        return self._copy(layers=(*middleware, *self._layers))

    def _copy(self, *, fields: dict[str, Any] | None = None, layers: tuple[Layer, ...] | None = None) -> ChatModel:
        copy = ChatModel(self._route, name=self._name, layers=self._layers if layers is None else layers)
        copy._fields = self._fields if fields is None else fields
        copy._settings = self._settings
        return copy

    def prepare(self, request: Request) -> Request:
        """A request with this model's own defaults where it says nothing; for models inside `fallback`."""
        missing = {
            name: value for name, value in self._fields.items() if getattr(request, name) == getattr(_UNSET, name)
        }
        return replace(request, **missing) if missing else request

    # -- closing -----------------------------------------------------------------------------------------------------

    async def aclose(self) -> None:
        """Closes the connections that this model's transports keep for the running loop. It can be used again."""
        for transport in {id(one): one for one in self._transports()}.values():
            await transport.aclose()

    def close(self) -> None:
        """Closes the connections that synchronous calls keep."""
        from dragoman.face.background import engine_thread

        engine_thread().run(self.aclose)

    def _transports(self) -> list[Any]:
        return [candidate.deployment.open_transport() for candidate in self._route.candidates]

    async def __aenter__(self) -> ChatModel:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __enter__(self) -> ChatModel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- inside ------------------------------------------------------------------------------------------------------

    def _request(self, messages: Conversation, options: Any) -> tuple[Request, CallSettings]:
        fields = {**self._fields, **request_fields(options)} if options else self._fields
        model = self._route.candidates[0].deployment.target.model
        return Request(model=model, messages=as_messages(messages), **fields), self._call_settings(options)

    def _call_settings(self, options: Mapping[str, Any]) -> CallSettings:
        from dragoman.routing import CallSettings

        given = {**self._settings, **{key: options[key] for key in SETTING_NAMES if options.get(key) is not None}}
        adapt = given.get("adapt", "note")
        if adapt not in ("note", "refuse", "silent"):
            raise InvalidRequest(f'adapt is "note", "refuse" or "silent", and not {adapt!r}', path="adapt")
        retries = given.get("max_retries")
        if retries is not None and (not isinstance(retries, int) or isinstance(retries, bool) or retries < 0):
            raise InvalidRequest(f"max_retries is a whole number from 0 up, and not {retries!r}", path="max_retries")
        return CallSettings(adapt=adapt, timeout=as_timeout(given.get("timeout")), max_retries=retries)

    def _embedding_request(
        self, inputs: str | Sequence[str], options: Mapping[str, Any]
    ) -> tuple[EmbeddingRequest, CallSettings]:
        texts = (inputs,) if isinstance(inputs, str) else tuple(inputs)
        if not texts or not all(isinstance(text, str) for text in texts):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidRequest("inputs are a text or a list of texts, at least one", path="inputs")
        known = ("dimensions", "task", "user", "extra_body", "extra_headers")
        fields = {name: value for name, value in options.items() if name not in SETTING_NAMES and value is not None}
        for name in fields:
            if name not in known:
                raise InvalidRequest(f"unknown option {name!r}; embed takes {', '.join(known)}", path=name)
        model = self._route.candidates[0].deployment.target.model
        return EmbeddingRequest(model=model, inputs=texts, **fields), self._call_settings(options)

    async def _answer(self, request: Request, settings: CallSettings) -> Response:
        from dragoman.routing import run

        if not self._layers:
            return await run(self._route, request, settings)
        from dragoman.face.layering import AnswerEvents
        from dragoman.routing.layers import collect, layered

        def innermost(inner: Request) -> AsyncIterator[Event]:
            return AnswerEvents(self._route, inner, settings)

        return await collect(layered(self._layers, innermost)(request))

    def _events(self, request: Request, settings: CallSettings) -> AsyncIterator[Event]:
        from dragoman.routing import RoutedStream

        if not self._layers:
            return RoutedStream(self._route, request, settings)
        from dragoman.face.layering import LayeredEvents

        return LayeredEvents(self._layers, self._route, request, settings)

    async def _vectors(self, request: EmbeddingRequest, settings: CallSettings) -> EmbeddingResponse:
        from dragoman.routing import run_embedding

        return await run_embedding(self._route, request, settings)

    def _for_sync(self) -> ChatModel:
        """This model with its middleware running on the user thread, where async user code of sync calls belongs."""
        if not self._layers and not any(candidate.layers for candidate in self._route.candidates):
            return self
        from dragoman.face.layering import with_layers_elsewhere

        if self._sync_twin is None:
            self._sync_twin = with_layers_elsewhere(self)
        return self._sync_twin
