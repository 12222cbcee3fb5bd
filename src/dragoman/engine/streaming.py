"""One attempt for a stream of events.

`AttemptStream` pulls: nothing runs between two calls of `anext`, so there is no task to leak, and a reader that stops
reading stops the provider by back-pressure. Closing it closes the connection; so does dropping it.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from dragoman.dialects.headers import answered_at, request_id
from dragoman.dialects.reading import object_of, parse
from dragoman.engine.attempt import UNDATED
from dragoman.engine.fit import fit_facts, fit_form
from dragoman.engine.translate import to_error, to_http
from dragoman.errors import DragomanError, ProtocolViolation, ProviderError, TransportError
from dragoman.values import Finished, Started, replace
from dragoman.values.unrolled import events_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.dialects import Dialect, StreamDecoder
    from dragoman.engine.deployment import Deployment
    from dragoman.engine.meter import Meter
    from dragoman.engine.output import Undoing
    from dragoman.transport import HttpRequest, HttpStream, Timeout
    from dragoman.values import Adaptation, AdaptationPolicy, Event, Request, Response, Usage

__all__ = ["AttemptStream", "open_body", "open_stream"]

DRAIN_SECONDS = 0.25


async def open_stream(
    deployment: Deployment,
    request: Request,
    meter: Meter,
    *,
    adapt: AdaptationPolicy = "note",
    timeout: Timeout | None = None,
) -> AttemptStream:
    """Asks once, and returns when the answer's head is there and good. The caller must `aclose` the stream."""
    dialect = deployment.dialect
    undoing = None
    deployment, request, fitting = fit_facts(deployment, request, adapt)
    if request.output is not None or request.tools:
        deployment, request, forming, undoing = fit_form(deployment, request, adapt)
        fitting = (*fitting, *forming)
    http, adaptations = to_http(deployment, dialect, request, stream=True, adapt=adapt, timeout=timeout)
    meter.asked = (request, len(http.body))
    body, whole = await open_body(deployment, dialect, http, meter)
    try:
        decoder = dialect.stream_decoder(deployment.target)
        stream = AttemptStream(body, decoder, meter, (*fitting, *adaptations), deployment.target.provider, undoing)
        if whole:
            stream.take_whole(await body.aread(), dialect, deployment)
    except BaseException:
        await body.aclose()
        raise
    return stream


async def open_body(
    deployment: Deployment, dialect: Dialect, http: HttpRequest, meter: Meter
) -> tuple[HttpStream, bool]:
    """Sends a request for a stream: the open body, and whether it is one JSON document in the place of a stream.

    An answer that is not 2xx, or a web page, is raised as its error.
    """
    try:
        transport = deployment.open_transport()
        if (signer := deployment.access.signer) is not None:
            http = await signer.sign(http, transport)
        body = await transport.stream(http)
    except TransportError as error:
        error.met_at(deployment.target.provider)
        raise
    try:
        meter.status = body.status
        meter.headers = body.headers
        meter.request_id = request_id(body.headers)
        if not 200 <= body.status < 300:
            raise to_error(deployment, dialect, body.status, body.headers, await body.aread())
        kind = body.headers.get("content-type", "")
        if kind.startswith("text/html"):
            page = ProtocolViolation(f"a stream was asked for, and {body.status} with a web page ({kind}) came back")
            page.met_at(deployment.target.provider)
            raise page
    except BaseException:
        await body.aclose()
        raise
    return body, kind.startswith("application/json")


class AttemptStream:
    """The events of one attempt. An error is raised after the events that came before it."""

    def __init__(
        self,
        body: HttpStream,
        decoder: StreamDecoder,
        meter: Meter,
        adaptations: tuple[Adaptation, ...],
        provider: str,
        undoing: Undoing | None = None,
    ) -> None:
        self._provider = provider
        self._body = body
        self._chunks = aiter(body)
        self._decoder = decoder
        self._meter = meter
        self._adaptations = adaptations
        self._undoing = undoing
        self._filter = undoing.events() if undoing is not None else None
        self._ready: deque[Event] = deque()
        self._error: DragomanError | None = None
        self._ended = False
        self._finished = False

    def __aiter__(self) -> AttemptStream:
        return self

    async def __anext__(self) -> Event:
        while not self._ready:
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            if self._finished and not self._ended:
                await self._drain()
            if self._ended:
                raise StopAsyncIteration
            await self._read()
        return self._told(self._ready.popleft())

    def take_ready(self) -> list[Event]:
        """The events that are decoded already; taken at once, they cost a reader no further await."""
        events = [self._told(event) for event in self._ready]
        self._ready.clear()
        return events

    def _told(self, event: Event) -> Event:
        # Tuple-free type tests: this runs for every event, and all but two of them pass through untouched.
        if type(event) is Finished:
            self._finished = True
            return Finished(self._furnished(event.response))
        if type(event) is Started:
            found, dated = event.request_id or self._meter.request_id, self._dated(event.created, event.dialect)
            if found is not event.request_id or dated is not event.created:
                return replace(event, request_id=found, created=dated)
        return event

    def _dated(self, created: int | None, dialect: str) -> int | None:
        """When the answer was made, as it says itself or its headers do."""
        headers = self._meter.headers
        return answered_at(headers) if created is None and dialect in UNDATED and headers is not None else created

    async def _read(self) -> None:
        try:
            chunk = await anext(self._chunks, None)
            self._meter.first_byte()
            if chunk is None:
                self._ended = True
                self._take(self._decoder.close())
            else:
                self._take(self._decoder.feed(chunk))
        except DragomanError as error:
            self._fail(error)

    async def pour(self, put: Callable[[Event], bool], take: Callable[[list[Event]], bool]) -> None:
        """Gives on events that only go on with the answer, as `RelayStream.pour` does."""
        pour = getattr(self._body, "pour", None)
        if pour is None or self._ready or self._ended or self._finished or self._error is not None:
            return
        try:
            await pour(partial(self._pour, put, take))
        except TransportError as error:
            self._fail(error)

    def _pour(self, put: Callable[[Event], bool], take: Callable[[list[Event]], bool], chunk: bytes) -> bool:
        if self._filter is None and (event := self._decoder.again(chunk)) is not None:
            return put(event)
        try:
            events = self._decoder.feed(chunk)
            if self._filter is not None:
                events = self._filter.feed(events)
        except DragomanError as error:
            self._fail(error)
            return False
        for event in events:
            if type(event) is Finished or type(event) is Started:
                self._ready.extend(events)
                return False
        return take(events)

    def _take(self, events: list[Event]) -> None:
        self._ready.extend(events if self._filter is None else self._filter.feed(events))

    async def _drain(self) -> None:
        """Reads the end of the body after the finish, so that the connection can serve again; what it says is void.

        A provider that has finished and does not end its body keeps nobody waiting: the answer is complete.
        """
        import asyncio  # here, since making a model must not wait for its import; whoever drains has it loaded

        self._ended = True
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while await anext(self._chunks, None) is not None:
                    pass
        except (TimeoutError, TransportError):
            await self._body.aclose()

    def _fail(self, error: DragomanError) -> None:
        """Keeps the error until the events before it were taken; a cut connection may still have had its finish."""
        self._ended = True
        events: list[Event] = error.__dict__.pop("events", [])
        if isinstance(error, TransportError) and not events and error.partial is None:
            error.met_at(self._provider)
            try:
                # The bytes ended badly. If the finish was seen the answer is complete all the same (law of streams).
                events = self._decoder.close()
            except DragomanError as truncated:
                events = truncated.__dict__.pop("events", [])
                error.partial = self._decoder.partial()
                error.usage = error.partial.usage
            else:
                self._take(events)
                return
        if isinstance(error, ProviderError):
            error.request_id = error.request_id or self._meter.request_id
        if (
            isinstance(error, (TransportError, ProviderError))
            and error.partial is not None
            and self._undoing is not None
        ):
            error.partial = self._undoing.whole(error.partial)
        self._take(events)
        self._error = error

    def take_whole(self, data: bytes, dialect: Dialect, deployment: Deployment) -> None:
        """A host that answers a stream request with one JSON document: an answer, an error, or a list of chunks."""
        self._ended = True
        try:
            parsed = parse(data)
            if isinstance(parsed, list):
                self._take(self._decoder.feed(data))
                self._take(self._decoder.close())
            else:
                response = dialect.decode_response(object_of(parsed, "body"), deployment.target)
                self._take(events_of(response))
        except DragomanError as error:
            if isinstance(error, ProviderError):
                error.status = error.status if error.status is not None else self._meter.status
            self._fail(error)

    def _furnished(self, response: Response) -> Response:
        made = (*response.adaptations, *self._adaptations)
        self._meter.read(response, len(made))
        return replace(
            response,
            created=self._dated(response.created, response.dialect),
            adaptations=made,
            request_id=response.request_id or self._meter.request_id,
            cost=response.cost or self._meter.price(response.usage, response.model, response.service_tier),
        )

    @property
    def usage(self) -> Usage | None:
        """What the provider has reported so far."""
        return self._decoder.partial().usage

    def partial(self) -> Response:
        """The answer as far as it came."""
        partial = self._decoder.partial()
        return partial if self._undoing is None else self._undoing.whole(partial)

    async def aclose(self) -> None:
        """Closes the connection, or gives it back when the answer is complete. Idempotent."""
        self._ended = True
        self._ready.clear()
        self._error = None
        await self._body.aclose()
