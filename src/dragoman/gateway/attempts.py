"""The attempts of one call: relayed or translated, as the target demands, with bytes for the client either way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from dragoman.engine import attempt, open_stream
from dragoman.engine.capabilities import touched_members
from dragoman.engine.relay import Passed, relay, relay_stream, touched
from dragoman.errors import DragomanError
from dragoman.routing import Routed, run_with, shows
from dragoman.values import Finished, Request, Started, Target, replace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from dragoman.dialects import Dialect, StreamEncoder
    from dragoman.engine import AttemptStream, Deployment, Meter
    from dragoman.engine.relay import RelayStream
    from dragoman.gateway.ingress.asked import Asked
    from dragoman.gateway.replay_memory import ReplayMemory
    from dragoman.routing import CallSettings, Candidate, Held, Route, Source
    from dragoman.values import Adaptation, Attempt, Cost, Event, Response, Usage

__all__ = ["Caller", "RoutedBytes", "Whole"]

Mode = Literal["relay", "translate"]


class Whole(msgspec.Struct, frozen=True):
    """A whole answer: the bytes for the client, and what they say. `usage` and `cost` are the response's."""

    body: bytes
    response: Response
    mode: Mode
    deployment: Deployment
    usage: Usage
    cost: Cost | None
    adaptations: tuple[Adaptation, ...] = ()


class Caller:
    """One call of a client over one route.

    `memory` is what is remembered of state: `issuers` are those that are known to have issued some of the request's,
    and `issuer` is whose the rest is taken to be. `suit` is the request as values, where there are models in the route
    that might not fit it.
    """

    # What is written down of a call asks it for its mode: nothing here may lead back there, or every call would leave a
    # cycle for the garbage collector, whose runs then take more time than all the rest.
    __slots__ = ("_modes", "asked", "issuer", "issuers", "memory", "principal", "route", "suit")

    def __init__(
        self,
        asked: Asked,
        route: Route,
        issuer: str,
        memory: ReplayMemory,
        principal: str,
        issuers: tuple[str, ...] = (),
    ) -> None:
        self.asked = asked
        self.route = route
        self.issuer = issuer
        self.memory = memory
        self.principal = principal
        self.issuers = issuers
        self.suit: Request | None = None
        self._modes: dict[int, tuple[Mode, str]] = {}

    def mode(self, deployment: Deployment) -> Mode:
        """Whether bytes pass or values are translated, for this deployment."""
        return (self._modes.get(id(deployment)) or self.mode_with_reason(deployment))[0]

    def mode_with_reason(self, deployment: Deployment) -> tuple[Mode, str]:
        """The mode, and what it is for: the first member that forbids a relay, or why there is none."""
        found = self._modes.get(id(deployment))
        if found is None:
            found = self._modes[id(deployment)] = self._decide(deployment)
        return found

    def _decide(self, deployment: Deployment) -> tuple[Mode, str]:
        asked = self.asked
        access = deployment.access
        if not asked.relayable:
            return "translate", "the client wants another framing than the provider's"
        if access.dialect != asked.dialect:
            return "translate", f"the provider speaks {access.dialect}"
        if asked.holds_state and self._may_be_foreign(access.issuer):
            return "translate", "the request may hold another provider's state"
        member = touched(access.target.quirks, asked.dialect, asked.members, asked.outline, asked.words)
        if member is None:
            forbidden = touched_members(deployment, asked.members)
            member = next((name for name in forbidden if name in asked.members), None) if forbidden else None
        if member is not None:
            return "translate", f"{access.provider} takes {member} in another form"
        return "relay", ""

    def _may_be_foreign(self, issuer: str) -> bool:
        """Whether state in the request may be another's than this issuer's."""
        return issuer != self.issuer or any(other != issuer for other in self.issuers)

    def request(self) -> Request:
        """What was asked, as values."""
        return self.asked.request(self._read)

    def request_for(self, deployment: Deployment) -> Request:
        """The same for one deployment, with the thinking of its issuer that the client could not send back."""
        return self.memory.restored(self.principal, self.request(), deployment.access.issuer)

    def _read(self, codec: Dialect, body: Any, path: str) -> Request:
        request = codec.decode_request(body, Target(issuer=self.issuer, model=self.asked.model), path)
        if self.issuers:
            request = self.memory.attributed(request)
        return request if request.stream == self.asked.stream else replace(request, stream=self.asked.stream)

    def client_target(self, deployment: Deployment) -> Target:
        """The client as a target: the state of the deployment's issuer is for it to keep and to send back."""
        access = deployment.access
        return Target(provider=access.provider, issuer=access.issuer, model=self.asked.model)

    # -- whole answers -----------------------------------------------------------------------------------------------

    def whole(self, settings: CallSettings) -> Coroutine[Any, Any, tuple[Whole, tuple[Attempt, ...]]]:
        """A whole answer by the plan, and the attempts that it took."""

        def once(candidate: Candidate, meter: Meter) -> Coroutine[Any, Any, Whole]:
            return self._once(candidate, meter, settings)

        return run_with(self.route, once, settings, acts=self.asked.acts_on_world, request=self.suit)

    async def _once(self, candidate: Candidate, meter: Meter, settings: CallSettings) -> Whole:
        deployment = candidate.deployment
        mode = self._modes.get(id(deployment)) or self.mode_with_reason(deployment)
        if mode[0] == "relay":
            passed = await relay(deployment, self.asked, meter, timeout=settings.timeout)
            response = passed.response
            return Whole(passed.body, response, "relay", deployment, response.usage, response.cost)
        request = self.request_for(deployment)
        answer = await attempt(deployment, request, meter, adapt=settings.adapt, timeout=settings.timeout)
        encoded = self.asked.codec.encode_response(self.named(answer, deployment), self.client_target(deployment))
        adaptations = (*answer.adaptations, *encoded.adaptations)
        meter.adaptations = len(adaptations)
        body = msgspec.json.encode(encoded.body)
        return Whole(body, answer, "translate", deployment, answer.usage, answer.cost, adaptations)

    def named(self, answer: Response, deployment: Deployment) -> Response:
        """The answer with the name of the model that was asked for, if another was put in its place."""
        return answer if deployment.access.model == self.asked.model else replace(answer, model=self.asked.model)


class RoutedBytes(Routed[Passed]):
    """The bytes of a streamed answer, by the plan."""

    def __init__(self, caller: Caller, settings: CallSettings) -> None:
        super().__init__(caller.route, settings, acts_on_world=caller.asked.acts_on_world, request=caller.suit)
        self._caller = caller
        self.deployment: Deployment | None = None
        self.mode: Mode = "translate"
        self._stream: _Relayed | _Translated | None = None

    def __aiter__(self) -> RoutedBytes:
        return self

    def _open(self, candidate: Candidate, held: Held) -> tuple[Source[Passed], AsyncIterator[Passed]]:
        self.deployment = deployment = candidate.deployment
        self.mode = self._caller.mode(deployment)
        kind = _Relayed if self.mode == "relay" else _Translated
        self._stream = source = kind(self._caller, deployment, held.meter, self._settings)
        return source, source

    def _commit_to(self, source: Source[Passed]) -> None:
        assert isinstance(source, (_Relayed, _Translated))  # opened here
        self._stream = source
        self.deployment = source.deployment
        self.mode = "relay" if isinstance(source, _Relayed) else "translate"

    def _shows(self, item: Passed) -> bool:
        return item.shows

    def _answer(self, item: Passed) -> tuple[Usage, Cost | None] | None:
        return None if item.response is None else (item.response.usage, item.response.cost)

    async def pour(self, put: Callable[[bytes], bool], take: Callable[[bytes], bool]) -> None:
        """Gives on what only goes on with the answer, as it comes, until told False, or something else comes.

        One more piece of a text goes to `put`, what may say more to `take`; both write it, and say whether to go on.
        To be called between two reads, which give the rest. It returns at once where nothing can be poured.
        """
        under_way, stream = self._now, self._stream
        if self._ready or self._ended or not self._committed or under_way is None or stream is None:
            return
        if under_way.source is not stream:
            return
        try:
            await stream.pour(put, take)
        except DragomanError as error:
            await self._broke(under_way, error)

    def answer_id(self) -> str | None:
        """The id of the answer that has begun, as its provider gave it."""
        partial = self._stream.partial() if self._stream is not None else None
        return None if partial is None else partial.id

    def fail(self, error: DragomanError) -> bytes:
        """The error for a client whose stream has begun."""
        asked = self._caller.asked
        if isinstance(self._stream, _Translated):
            return self._stream.fail(error)
        request = Request(model=asked.model, stream=True)
        return asked.codec.stream_encoder(request, Target(model=asked.model)).fail(error)

    def adaptations(self) -> tuple[Adaptation, ...]:
        """What was adapted in the answer so far, where it is translated."""
        return self._stream.adaptations() if isinstance(self._stream, _Translated) else ()


class _Relayed:
    """A relayed stream, opened at the first `anext`."""

    def __init__(self, caller: Caller, deployment: Deployment, meter: Meter, settings: CallSettings) -> None:
        self._caller = caller
        self.deployment = deployment
        self._meter = meter
        self._settings = settings
        self._source: RelayStream | None = None

    def __aiter__(self) -> _Relayed:
        return self

    async def __anext__(self) -> Passed:
        if self._source is None:
            self._source = await relay_stream(
                self.deployment,
                self._caller.asked,
                self._meter,
                shows,
                timeout=self._settings.timeout,
            )
        return await anext(self._source)

    async def pour(self, put: Callable[[bytes], bool], take: Callable[[bytes], bool]) -> None:
        """As `RoutedBytes.pour`."""
        if self._source is not None:
            await self._source.pour(put, take)

    def take_ready(self) -> list[Passed]:
        return self._source.take_ready() if self._source is not None else []

    @property
    def usage(self) -> Usage | None:
        return self._source.usage if self._source is not None else None

    def partial(self) -> Response | None:
        return self._source.partial() if self._source is not None else None

    async def aclose(self) -> None:
        if self._source is not None:
            await self._source.aclose()


class _Translated:
    """A stream of events, written in the client's dialect."""

    def __init__(self, caller: Caller, deployment: Deployment, meter: Meter, settings: CallSettings) -> None:
        self._caller = caller
        self.deployment = deployment
        self._meter = meter
        self._settings = settings
        self._source: AttemptStream | None = None
        self._encoder: StreamEncoder | None = None

    def __aiter__(self) -> _Translated:
        return self

    async def __anext__(self) -> Passed:
        source = self._source
        if source is None:
            source = await self._begin()
        event = await anext(source)
        data, shown, response = self._write(event)
        ready = source.take_ready()
        if not ready:
            return Passed(data, shown, response)
        pieces = [data]
        for event in ready:
            data, more, ended = self._write(event)
            pieces.append(data)
            shown = shown or more
            response = ended or response
        return Passed(b"".join(pieces), shown, response)

    async def _begin(self) -> AttemptStream:
        caller = self._caller
        request = caller.request_for(self.deployment)
        settings = self._settings
        self._source = source = await open_stream(
            self.deployment, request, self._meter, adapt=settings.adapt, timeout=settings.timeout
        )
        # The encoder goes by what the client asked, its wish for usage among it.
        self._encoder = caller.asked.codec.stream_encoder(request, caller.client_target(self.deployment))
        return source

    def _write(self, event: Event) -> tuple[bytes, bool, Response | None]:
        encoder, caller = self._encoder, self._caller
        assert encoder is not None  # made with the source
        kind = type(event)
        if kind is Started:
            assert isinstance(event, Started)
            if self.deployment.access.model != caller.asked.model:
                event = msgspec.structs.replace(event, model=caller.asked.model)
        elif kind is Finished:
            assert isinstance(event, Finished)
            data = encoder.feed(Finished(caller.named(event.response, self.deployment))) + encoder.close()
            self._meter.adaptations += len(self.adaptations())
            return data, True, event.response
        return encoder.feed(event), shows(event), None

    async def pour(self, put: Callable[[bytes], bool], take: Callable[[bytes], bool]) -> None:
        """As `RoutedBytes.pour`."""
        source, encoder = self._source, self._encoder
        if source is None or encoder is None:
            return

        def write(event: Event) -> bool:
            data = encoder.feed(event)
            return put(data) if data else True

        def write_all(events: list[Event]) -> bool:
            data = b"".join([encoder.feed(event) for event in events])
            return take(data) if data else True

        await source.pour(write, write_all)

    def take_ready(self) -> list[Passed]:
        return []

    @property
    def usage(self) -> Usage | None:
        return self._source.usage if self._source is not None else None

    def partial(self) -> Response | None:
        return self._source.partial() if self._source is not None else None

    def fail(self, error: DragomanError) -> bytes:
        """The error as it follows what was written."""
        if self._encoder is not None:
            return self._encoder.fail(error)
        asked = self._caller.asked
        request = Request(model=asked.model, stream=True)
        return asked.codec.stream_encoder(self._caller.request() if asked.model else request, Target()).fail(error)

    def adaptations(self) -> tuple[Adaptation, ...]:
        told = self._encoder.adaptations() if self._encoder is not None else ()
        # Usage that the client could have asked for, and did not, is nothing that it lost.
        return tuple(entry for entry in told if entry.path != "usage")

    async def aclose(self) -> None:
        if self._source is not None:
            await self._source.aclose()
