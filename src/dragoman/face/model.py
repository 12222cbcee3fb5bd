"""ChatModel: one interface to every provider, synchronous and asynchronous, whole and streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from msgspec.structs import replace

from dragoman.errors import DragomanError, InvalidRequest
from dragoman.face.inputs import as_messages
from dragoman.face.options import SETTING_NAMES, as_timeout, checked_count, request_fields
from dragoman.face.tools import functions_of, with_functions
from dragoman.values import EmbeddingRequest, Request, ToolDefinition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
    from types import TracebackType, UnionType

    from typing_extensions import TypeVar

    from dragoman.face.fitting import Strategy, Window
    from dragoman.face.inputs import Conversation
    from dragoman.face.options import CallOptions
    from dragoman.face.streams import AsyncChatStream, ChatStream
    from dragoman.face.toolloop import ToolLoop, ToolRun
    from dragoman.face.tools import FunctionTool, ToolLike
    from dragoman.face.typed import TypedCall
    from dragoman.routing import CallSettings, Route
    from dragoman.routing.explaining import Explanation
    from dragoman.routing.route import Layer
    from dragoman.values import EmbeddingResponse, Event, Message, OutputFormat, Response, ToolChoice
    from dragoman.values.counts import TokenCount
    from dragoman.values.profile import Profile

    _T = TypeVar("_T", default=Any)
    Output = type[_T] | Mapping[str, Any] | UnionType

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

    __slots__ = ("_fields", "_functions", "_layers", "_name", "_route", "_settings", "_sync_twin")

    def __init__(
        self,
        route: Route,
        *,
        name: str,
        options: Mapping[str, Any] | None = None,
        layers: Sequence[Layer] = (),
        functions: Mapping[str, FunctionTool] | None = None,
    ) -> None:
        """For `get_model` and its like; `options` are defaults for every call."""
        self._route = route
        self._name = name
        given = dict(options or {})
        self._functions = {**(functions or {}), **_take_functions(given)}
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
    def profile(self) -> Profile:
        """What is known about the model (of several: the first that is tried), each piece with its source.

        Windows, modalities, tools, reasoning, dates: see `dragoman.facts`. Unknown fields are None, all of them for a
        server of one's own.
        """
        from dragoman.values.profile import Profile

        deployment = self._route.candidates[0].deployment
        target = deployment.target
        if not deployment.facts:
            return Profile(provider=target.provider, model=target.model)
        from dragoman.facts.lookup import profile

        return profile(deployment.facts_provider, target.model)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The middleware around this model, outermost first."""
        return self._layers

    @property
    def functions(self) -> Mapping[str, FunctionTool]:
        """The functions among the bound tools, by the names that the model calls them by; `run_tools` runs them."""
        return dict(self._functions)

    def __repr__(self) -> str:
        return f"ChatModel({self._name!r})"

    # -- asking --------------------------------------------------------------------------------------------------

    def chat(
        self, messages: Conversation, /, *, output: Output[_T] | None = None, **options: Unpack[CallOptions]
    ) -> Response[_T]:
        """Asks, and waits for the whole answer.

        With `output` (a pydantic model, dataclass, TypedDict, msgspec struct, plain type or JSON Schema) the answer is
        of that type, in `.parsed`. An answer that is not is asked for again, `output_retries` times, each a call with
        a plan of its own; then `SchemaMismatch` is raised, and `UnusableAnswer` at once for a refusal or a cut.
        """
        return self._chat(messages, output, options)

    async def achat(
        self, messages: Conversation, /, *, output: Output[_T] | None = None, **options: Unpack[CallOptions]
    ) -> Response[_T]:
        """Asks, and awaits the whole answer. Cancelling closes the connection within a tick of the loop.

        `output` as in `chat`.
        """
        return await self._achat(messages, output, options)

    def stream(
        self, messages: Conversation, /, *, output: Output[_T] | None = None, **options: Unpack[CallOptions]
    ) -> ChatStream[_T]:
        """Asks for a streamed answer; nothing is sent before the first chunk is read.

        With `output`, `chunk.partial` is the answer so far and `.response.parsed` the value in the end; a stream is
        not asked again, and raises at its end when the answer is not of the type.
        """
        from dragoman.face.background import engine_thread
        from dragoman.face.ferry import Intake
        from dragoman.face.streams import ChatStream

        twin = self._for_sync()
        request, settings = self._request(messages, options)
        settings = self._decided(request, settings)
        if output is None:
            return ChatStream(Intake(lambda: twin._events(request, settings), engine_thread().loop))
        from dragoman.face.typed_streams import TypedChatStream

        call = self._typed_call(output, request, options)
        stream = ChatStream(Intake(lambda: twin._events(call.request, settings), engine_thread().loop))
        return TypedChatStream(stream, call.schema)

    def astream(
        self, messages: Conversation, /, *, output: Output[_T] | None = None, **options: Unpack[CallOptions]
    ) -> AsyncChatStream[_T]:
        """Asks for a streamed answer; nothing is sent before the first chunk is read. `output` as in `stream`."""
        from dragoman.face.streams import AsyncChatStream

        request, settings = self._request(messages, options)
        if output is None:
            return AsyncChatStream(lambda: self._events(request, settings))
        from dragoman.face.typed_streams import AsyncTypedChatStream

        call = self._typed_call(output, request, options)
        return AsyncTypedChatStream(AsyncChatStream(lambda: self._events(call.request, settings)), call.schema)

    def run_tools(
        self,
        messages: Conversation,
        /,
        *,
        max_rounds: int = 8,
        output: Output[_T] | None = None,
        **options: Unpack[CallOptions],
    ) -> ToolRun[_T]:
        """Asks, runs the tools that the model calls, tells it their results, until it answers.

        `tools` replaces the bound ones for this run. Sync tools run in this thread and context, one after the other;
        async tools at once on another thread's loop, with a copy of the context. What a tool raises, and calls that are
        wrong, are told to the model as errors (and are in `ToolRun.failures`). A forced `tool_choice` holds for the
        first round. The run ends at an answer without calls, or with calls of tools that have no function
        (`ToolRun.pending`); after `max_rounds` questions `TooManyRounds` is raised, which carries the conversation.
        """
        from dragoman.face.toolloop import run_calls

        loop, tools = self._tool_loop(messages, options, max_rounds)
        while True:
            answer = self._chat(loop.messages, output, self._round_options(loop, options))
            calls = loop.take(answer)
            if calls is None or not loop.tell(run_calls(calls, tools)):
                return loop.done()

    async def arun_tools(
        self,
        messages: Conversation,
        /,
        *,
        max_rounds: int = 8,
        output: Output[_T] | None = None,
        **options: Unpack[CallOptions],
    ) -> ToolRun[_T]:
        """As `run_tools`, awaited. Async tools run at once on this loop; sync tools run on it too, and block it."""
        from dragoman.face.toolloop import arun_calls

        loop, tools = self._tool_loop(messages, options, max_rounds)
        while True:
            answer = await self._achat(loop.messages, output, self._round_options(loop, options))
            calls = loop.take(answer)
            if calls is None or not loop.tell(await arun_calls(calls, tools)):
                return loop.done()

    def embed(self, inputs: str | Sequence[str], /, **options: Any) -> EmbeddingResponse:
        """Vectors for texts, one each. Options: dimensions, task, user, extra_body, extra_headers, timeout, adapt."""
        from dragoman.face.background import engine_thread

        request, settings = self._embedding_request(inputs, options)
        return engine_thread().run(lambda: self._vectors(request, settings))

    async def aembed(self, inputs: str | Sequence[str], /, **options: Any) -> EmbeddingResponse:
        """Vectors for texts, one each; see `embed`."""
        request, settings = self._embedding_request(inputs, options)
        return await self._vectors(request, settings)

    # -- counting --------------------------------------------------------------------------------------------------

    def count_tokens(self, messages: Conversation, /, **options: Unpack[CallOptions]) -> TokenCount:
        """How many tokens the prompt takes, as a call with these options would send it; bound tools count.

        The provider is asked where it has an endpoint for that (OpenAI, Anthropic, Gemini, Vertex, Bedrock); else, and
        where it does not count for this model, it is an estimate, which `basis` tells. Of several models the first is
        asked. Nothing is generated, and nothing charged.
        """
        from dragoman.face.background import engine_thread

        request, settings = self._request(messages, options)
        return engine_thread().run(lambda: self._count(request, settings))

    async def acount_tokens(self, messages: Conversation, /, **options: Unpack[CallOptions]) -> TokenCount:
        """As `count_tokens`, awaited."""
        request, settings = self._request(messages, options)
        return await self._count(request, settings)

    # -- fitting ---------------------------------------------------------------------------------------------------

    def fit(
        self, messages: Conversation, /, max_tokens: int | None = None, *, strategy: Strategy = "truncate"
    ) -> list[Message]:
        """The messages as a prompt of `max_tokens` at most, by the estimate of `dragoman.facts`; all, where they fit.

        Bound tools count. None means the model's window without room for the answer (of several models the narrowest).
        System and developer messages, the user's newest words and the newest round of tools are kept; a result and its
        call go together. "truncate" drops the oldest turns in large steps, so that the next calls begin with the same
        bytes; "sliding" no more than it must; a function is given the messages and the budget, and gives messages.
        Raises `InvalidRequest` with the numbers when the least is too much, and where the window is not known.
        """
        from dragoman.face.fitting import fit_messages

        given, window = self._window(messages, max_tokens)
        made = fit_messages(given, window, strategy)
        if isinstance(made, list):
            return made
        close: Any = getattr(made, "close", None)
        if close is not None:
            close()
        raise InvalidRequest("this strategy is asynchronous; await afit", path="strategy")

    async def afit(
        self, messages: Conversation, /, max_tokens: int | None = None, *, strategy: Strategy = "truncate"
    ) -> list[Message]:
        """As `fit`, for strategies that are asynchronous functions, such as one that asks a model for a summary."""
        from dragoman.face.fitting import checked, fit_messages

        given, window = self._window(messages, max_tokens)
        made = fit_messages(given, window, strategy)
        return made if isinstance(made, list) else checked(await made, given, window)

    def _window(self, messages: Conversation, max_tokens: int | None) -> tuple[tuple[Message, ...], Window]:
        from dragoman.face.fitting import window_of

        request, _ = self._request(messages, {})
        return request.messages, window_of(self._route, request, max_tokens)

    # -- routing ---------------------------------------------------------------------------------------------------

    def explain(self, messages: Conversation, /, **options: Unpack[CallOptions]) -> Explanation:
        """Who of the models behind this one would be asked, in which order, and why; nothing is sent."""
        from dragoman.routing.explaining import explain

        request, settings = self._request(messages, options)
        return explain(self._route, request, order=self._decided(request, settings).order)

    # -- changed copies --------------------------------------------------------------------------------------------

    def bind_tools(self, tools: Iterable[ToolLike], /) -> ChatModel:
        """A model that offers these tools in every call; this one stays as it is.

        A tool is a `ToolDefinition`, a typed function (or what `dragoman.tool` makes of one), a class whose fields are
        the arguments (pydantic model, dataclass, TypedDict, msgspec struct), or a dictionary in OpenAI's, a bare, or
        Anthropic's shape. Functions stay with the model, for `run_tools`.
        """
        given = with_functions(tools)
        copy = self._copy(fields={**self._fields, **request_fields({"tools": given})})
        copy._functions = functions_of(given)
        return copy

    def with_options(self, **options: Unpack[CallOptions]) -> ChatModel:
        """A model with other defaults; a call's own options still win."""
        given: dict[str, Any] = dict(options)
        functions = _take_functions(given)
        copy = self._copy(fields={**self._fields, **request_fields(given)})
        copy._functions = self._functions if given.get("tools") is None else functions
        copy._settings = {**self._settings, **{key: given[key] for key in SETTING_NAMES if given.get(key) is not None}}
        return copy

    def layered(self, *middleware: Layer) -> ChatModel:
        """A model with this middleware around it, the first listed outermost; `dragoman.wrap` is the short way."""
        return self._copy(layers=(*middleware, *self._layers))

    def _copy(self, *, fields: dict[str, Any] | None = None, layers: tuple[Layer, ...] | None = None) -> ChatModel:
        copy = ChatModel(self._route, name=self._name, layers=self._layers if layers is None else layers)
        copy._fields = self._fields if fields is None else fields
        copy._settings = self._settings
        copy._functions = self._functions
        return copy

    def prepare(self, request: Request) -> Request:
        """A request with this model's own defaults where it says nothing; for models inside `fallback`."""
        missing = {
            name: value for name, value in self._fields.items() if getattr(request, name) == getattr(_UNSET, name)
        }
        return replace(request, **missing) if missing else request

    # -- closing -----------------------------------------------------------------------------------------------------

    async def aclose(self) -> None:
        """Closes the connections kept for the running loop: its own transport's, or the shared one's that nobody uses.

        The model can be used again afterwards.
        """
        for candidate in self._route.candidates:
            await candidate.deployment.aclose()

    def close(self) -> None:
        """Closes the connections that synchronous calls keep."""
        from dragoman.face.background import engine_thread

        engine_thread().run(self.aclose)

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

    def _chat(self, messages: Conversation, output: Any, options: CallOptions) -> Response[Any]:
        from dragoman.face.background import engine_thread

        twin = self._for_sync()
        request, settings = self._request(messages, options)
        settings = self._decided(request, settings)
        if output is None:
            return engine_thread().run(lambda: twin._answer(request, settings))
        call = self._typed_call(output, request, options)
        while True:
            try:
                answer = engine_thread().run(lambda: twin._answer(call.request, settings))
            except DragomanError as error:
                call.failed(error)
                raise
            typed = call.take(answer)  # here, in the caller's thread: validators are user code
            if typed is not None:
                return typed

    async def _achat(self, messages: Conversation, output: Any, options: CallOptions) -> Response[Any]:
        request, settings = self._request(messages, options)
        if output is None:
            return await self._answer(request, settings)
        call = self._typed_call(output, request, options)
        while True:
            try:
                answer = await self._answer(call.request, settings)
            except DragomanError as error:
                call.failed(error)
                raise
            typed = call.take(answer)
            if typed is not None:
                return typed

    def _request(self, messages: Conversation, options: Any) -> tuple[Request, CallSettings]:
        fields = {**self._fields, **request_fields(options)} if options else self._fields
        model = self._route.candidates[0].deployment.target.model
        request = Request(model=model, messages=as_messages(messages), **fields)
        if request.output is not None and request.output.type != "text":
            request = replace(request, output=self._by_mode(request.output, options))
        return request, self._call_settings(options)

    def _by_mode(self, output: OutputFormat, options: Mapping[str, Any]) -> OutputFormat:
        from dragoman.face.typed import checked_mode

        mode = checked_mode(options.get("output_mode") or self._settings.get("output_mode"))
        return output if mode is None else replace(output, mode=mode)

    def _typed_call(self, output: Any, request: Request, options: Mapping[str, Any]) -> TypedCall[Any]:
        from dragoman.face.typed import TypedCall, checked_mode

        given = {**self._settings, **{key: value for key, value in options.items() if value is not None}}
        return TypedCall(
            output,
            request,
            mode=checked_mode(given.get("output_mode")),
            retries=checked_count("output_retries", given.get("output_retries")),
        )

    def _tool_loop(
        self, messages: Conversation, options: CallOptions, max_rounds: int
    ) -> tuple[ToolLoop[Any], Mapping[str, FunctionTool]]:
        """The conversation of a run and the functions that it may call; the tools of `options` are made definite."""
        from dragoman.face.toolloop import ToolLoop

        checked_count("max_rounds", max_rounds, least=1)
        tools = self._functions
        given = options.get("tools")
        if given is not None:
            made = with_functions(given)
            options["tools"] = made
            tools = functions_of(made)
        request, _ = self._request(messages, options)
        offered = {tool.name for tool in request.tools if isinstance(tool, ToolDefinition)}
        return ToolLoop(request.messages, offered, tools, max_rounds), tools

    def _round_options(self, loop: ToolLoop[Any], options: CallOptions) -> CallOptions:
        """A call that was forced once would be forced for ever: after the first round the model is free to answer."""
        if not loop.begun:
            return options
        bound: ToolChoice | None = self._fields.get("tool_choice")
        asked = options.get("tool_choice")
        forced = asked not in (None, "auto", "none") or (asked is None and bound is not None)
        if not forced:
            return options
        parallel = options.get("parallel_tool_calls")
        if parallel is None and bound is not None:
            parallel = bound.parallel
        if asked is None and bound is not None and bound.mode in (None, "auto", "none"):
            return options
        return {**options, "tool_choice": "auto", "parallel_tool_calls": parallel}

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

    async def _count(self, request: Request, settings: CallSettings) -> TokenCount:
        from dragoman.routing.counting import run_count

        return await run_count(self._route, request, settings)

    async def _vectors(self, request: EmbeddingRequest, settings: CallSettings) -> EmbeddingResponse:
        from dragoman.routing import run_embedding

        return await run_embedding(self._route, request, settings)

    def _decided(self, request: Request, settings: CallSettings) -> CallSettings:
        """For synchronous calls: what a routing function of the user's decides, in the user's own thread."""
        if self._route.strategy is None or self._route.strategy.name != "function":
            return settings
        from dragoman.face.deciding import decide

        return decide(self._route, request, settings)

    def _for_sync(self) -> ChatModel:
        """This model with its middleware running on the user thread, where async user code of sync calls belongs."""
        if not self._layers and not any(candidate.layers for candidate in self._route.candidates):
            return self
        from dragoman.face.layering import with_layers_elsewhere

        if self._sync_twin is None:
            self._sync_twin = with_layers_elsewhere(self)
        return self._sync_twin


def _take_functions(options: dict[str, Any]) -> dict[str, FunctionTool]:
    """The functions among the option `tools`, which is made definite in place."""
    tools = options.get("tools")
    if tools is None:
        return {}
    options["tools"] = with_functions(tools)
    return functions_of(options["tools"])
