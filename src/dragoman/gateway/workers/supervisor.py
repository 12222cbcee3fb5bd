"""The process over the workers: starts them, restarts them, reloads on all or on none, ends them in peace.

It runs the ledger's writer for all of them. It serves nothing itself, so that nothing a client sends can bring it down.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING

import msgspec

from dragoman.errors import ConfigError, DragomanError
from dragoman.gateway.ledger_metrics import count_writer
from dragoman.gateway.workers import messages as say
from dragoman.gateway.workers.channel import Channel, ChannelError
from dragoman.gateway.workers.listening import bind_again, bind_for_workers
from dragoman.gateway.workers.restarts import Restarts
from dragoman.gateway.workers.service import REOPEN_LOG
from dragoman.gateway.workers.sums import Sums
from dragoman.gateway.workers.worker import EXIT_CONFIG, NO_FILE, ORDER_SECONDS, WATCH_SECONDS
from dragoman.observe.metrics import Family, Metrics, Series, Snapshot, merge

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.gateway.workers.ledger_writer import WriterProcess
    from dragoman.gateway.workers.service import ServeOptions, Watch

__all__ = ["Supervisor"]

logger = logging.getLogger("dragoman.gateway")

HEALTH_SECONDS = 5.0
HUNG_SECONDS = 30.0
START_SECONDS = 60.0
PREPARE_SECONDS = 60.0
COMMIT_SECONDS = 10.0
SNAPSHOT_SECONDS = 1.0
KILL_SECONDS = 20.0
"""Beyond the bound on draining; a worker that has not ended by then never will."""


class _Place:
    """One worker's place: the process that fills it now, and the socket that outlives it."""

    def __init__(self, index: int, held: socket.socket) -> None:
        self.index = index
        self.socket: socket.socket | None = held
        self.restarts = Restarts()
        self.process: asyncio.subprocess.Process | None = None
        self.channel: Channel | None = None
        self.ready = False
        self.ready_at = 0.0
        self.number = 0  # of the configuration that it was started with, or took since
        self.failure = ""
        self.hello = asyncio.Event()
        self.settled = asyncio.Event()  # ready, or dead

    def begin(self, number: int) -> None:
        self.ready = False
        self.number = number
        self.failure = ""
        self.hello = asyncio.Event()
        self.settled = asyncio.Event()

    def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()


class Supervisor:
    """Runs workers until it is told to stop. `options` are every worker's; a port of 0 takes a free one.

    `writer` carries what they write down into the store, from when the first of them serves until the last has ended.
    """

    def __init__(
        self,
        factory: str,
        options: ServeOptions,
        *,
        host: str,
        port: int,
        drain_delay_seconds: float = 0.0,
        drain_bound_seconds: float = 30.0,
        watch: Watch | None = None,
        writer: WriterProcess | None = None,
        health_seconds: float = HEALTH_SECONDS,
        hung_seconds: float = HUNG_SECONDS,
    ) -> None:
        self._factory = factory
        self._options = options
        self._watch = watch
        self._writer = writer
        self._drain_delay_seconds = drain_delay_seconds
        self._drain_bound_seconds = drain_bound_seconds
        self._health_seconds = health_seconds
        self._hung_seconds = hung_seconds
        self._places = [_Place(index, held) for index, held in enumerate(bind_for_workers(host, port, options.workers))]
        held = self._places[0].socket
        assert held is not None
        self._host: str = host
        self.port: int = held.getsockname()[1]
        self._number = 0
        self._sums = Sums()
        self._metrics = self._counted()
        self._writes = False
        self._reloading = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._status = 0
        self._digest = ""
        self._reload_again = False
        self._announce: Callable[[], None] | None = None

    async def run(self, ready: Callable[[], None]) -> int:
        """Runs until SIGTERM or SIGINT; returns the exit status. `ready` is called when all workers are, once."""
        loop = asyncio.get_running_loop()
        self._announce = ready
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told_to_stop)
        hangups = asyncio.Event()
        loop.add_signal_handler(signal.SIGHUP, hangups.set)
        keeping = [asyncio.create_task(self._keep(place)) for place in self._places]
        beside = [
            asyncio.create_task(self._look_after()),
            asyncio.create_task(self._reload_when_told(hangups)),
        ]
        try:
            await self._stopping.wait()
            await self._end(keeping)
        finally:
            for task in (*beside, *keeping):
                task.cancel()
            await asyncio.gather(*beside, *keeping, return_exceptions=True)
            for place in self._places:
                place.kill()
            if self._writer is not None:
                await asyncio.to_thread(self._writer.stop)
        return self._status

    def _told_to_stop(self) -> None:
        if self._stopping.is_set():
            for place in self._places:  # told twice: whoever waits has lost patience
                place.kill()
            if self._writer is not None:
                self._writer.abandon()  # what the killed leave is carried over all the same
        self._stopping.set()

    # -- workers -------------------------------------------------------------------------------------------------------

    async def _keep(self, place: _Place) -> None:
        """Fills a place for as long as the supervisor runs."""
        while not self._stopping.is_set():
            status = await self._fill(place)
            ready_seconds = time.monotonic() - place.ready_at if place.ready else 0.0
            place.ready = False
            place.settled.set()
            self._sums.depart(place.index)
            if self._stopping.is_set():
                return
            if status == EXIT_CONFIG and not place.restarts.total:
                # It never served: the configuration is at fault, and starting again would not mend it.
                logger.error("%s", place.failure or "a worker could not start")
                self._status = EXIT_CONFIG
                self._stopping.set()
                return
            delay = place.restarts.delay(ready_seconds)
            logger.error("worker %d ended with status %s; started again in %.1f s", place.index, status, delay)
            if delay:
                self._give_up_socket(place)  # others should get what would wait for nobody
                await asyncio.sleep(delay)

    async def _fill(self, place: _Place) -> int:
        """Starts a worker, and returns its exit status."""
        place.begin(self._number)
        if place.socket is None:
            place.socket = bind_again(self._host, self.port)
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "dragoman.gateway.workers.worker", self._factory, str(theirs.fileno())]
            descriptors = [theirs.fileno(), place.socket.fileno()]
            if self._writer is not None:
                descriptors.append(self._writer.lifeline)
            place.process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, pass_fds=descriptors
            )
        process = place.process

        async def answer(message: say.Message) -> say.Message | None:
            return await self._answer(place, message)

        place.channel = await Channel.over(ours, answer)
        starting = asyncio.create_task(self._start(place, place.channel, process))
        try:
            status = await process.wait()
            await asyncio.wait((place.channel.closed,), timeout=1.0)  # what it said last
        finally:
            starting.cancel()
            place.channel.close()
        return status

    async def _start(self, place: _Place, channel: Channel, process: asyncio.subprocess.Process) -> None:
        """Tells a new worker what to serve; ends one that is not ready in time, or breaks the rules."""
        try:
            async with asyncio.timeout(START_SECONDS):
                await place.hello.wait()
                assert place.socket is not None
                options = msgspec.structs.replace(self._options, worker=place.index)
                built = msgspec.to_builtins(options)
                channel.tell(say.Start(built, [place.socket.fileno()], self._drain_delay_seconds))
                await place.settled.wait()
        except TimeoutError:
            logger.error("worker %d was not ready within %.0f s", place.index, START_SECONDS)
            process.kill()
            return
        reason = await channel.closed
        if reason:
            logger.error("worker %d is ended: %s", place.index, reason)
            # It drains by itself when it sees the channel gone; a bound, in case it does not.
            await asyncio.sleep(self._drain_bound_seconds + KILL_SECONDS)
            process.kill()

    async def _answer(self, place: _Place, message: say.Message) -> say.Message | None:
        match message:
            case say.Hello():
                place.hello.set()
            case say.Ready():
                if place.number != self._number:
                    await self._catch_up(place)
                place.ready = True
                place.ready_at = time.monotonic()
                if self._writer is not None and not self._writes:
                    # Now: before the first worker serves there is nothing to write, and that one should start sooner.
                    self._writes = True
                    self._writer.start()
                place.settled.set()
                if self._announce is not None and len(self._serving()) == len(self._places):
                    announce, self._announce = self._announce, None
                    announce()
            case say.Failed():
                place.failure = message.reason
            case say.MergedMetricsAsk():
                await self._ask_all(SNAPSHOT_SECONDS)
                return say.MetricsSnapshot(self._total())
            case say.Reload():
                if self._watch is None:
                    raise ConfigError(NO_FILE)
                digest = await self._reload(self._watch, asked=True)
                assert digest is not None  # it was asked for
                return say.InService(digest)
            case say.Order():
                return await self._order(message)
            case _:
                raise ChannelError(f"{type(message).__name__} is not for a supervisor")
        return None

    async def _order(self, order: say.Order) -> say.Told:
        """Lets all that serve do the same; those that do not answer in time are left out."""
        answers = await asyncio.gather(
            *(channel.ask(order, ORDER_SECONDS) for _, channel in self._serving()), return_exceptions=True
        )
        return say.Told([value for answer in answers if isinstance(answer, say.Told) for value in answer.values])

    def _give_up_socket(self, place: _Place) -> None:
        shared = [other for other in self._places if other is not place and other.socket is place.socket]
        if place.socket is not None and not shared:
            place.socket.close()
            place.socket = None

    def _serving(self) -> list[tuple[_Place, Channel]]:
        return [
            (place, place.channel)
            for place in self._places
            if place.ready and place.channel is not None and not place.channel.closed.done()
        ]

    # -- health and metrics --------------------------------------------------------------------------------------------

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(self._health_seconds)
            await self._ask_all(self._hung_seconds, kill=True)

    async def _ask_all(self, seconds: float, *, kill: bool = False) -> None:
        await asyncio.gather(*(self._ask_metrics(place, channel, seconds, kill) for place, channel in self._serving()))

    async def _ask_metrics(self, place: _Place, channel: Channel, seconds: float, kill: bool) -> None:
        try:
            answer = await channel.ask(say.MetricsAsk(), seconds)
        except ChannelError as error:
            if kill and not channel.closed.done():
                logger.error("worker %d is killed: %s", place.index, error)
                place.kill()
            return
        if isinstance(answer, say.MetricsSnapshot) and place.channel is channel:
            self._sums.note(place.index, answer.snapshot)

    def _counted(self) -> Metrics:
        metrics = Metrics()
        if self._writer is not None:
            count_writer(metrics, self._writer)
        return metrics

    def _total(self) -> Snapshot:
        restarts = sum(place.restarts.total for place in self._places)
        own = [
            Family("dragoman_workers_ready", "gauge", "Workers that serve.", (), (), [
                Series((), float(len(self._serving())))
            ]),
            Family("dragoman_worker_restarts", "counter", "Workers that ended unasked.", (), (), [
                Series((), float(restarts))
            ]),
        ]  # fmt: skip
        return merge((self._sums.total(), self._metrics.snapshot(), Snapshot(own)))

    # -- configuration -------------------------------------------------------------------------------------------------

    async def _reload_when_told(self, hangups: asyncio.Event) -> None:
        while True:
            try:
                async with asyncio.timeout(WATCH_SECONDS):
                    await hangups.wait()
            except TimeoutError:
                pass
            told = hangups.is_set()
            hangups.clear()
            if told:
                await self._order(say.Order(REOPEN_LOG))
            if self._watch is not None:
                asked, self._reload_again = told or self._reload_again, False
                await self.reload(self._watch, asked=asked)

    async def reload(self, watch: Watch, *, asked: bool) -> bool:
        """Takes the configuration into service on all workers, or on none; tells whether it is in service."""
        try:
            return await self._reload(watch, asked=asked) is not None
        except DragomanError:
            return False  # it was logged
        except Exception:
            # A task supervisor: whatever this was, the next change must be noticed too.
            logger.exception("reloading failed, the old configuration serves on")
            return False

    async def _reload(self, watch: Watch, *, asked: bool) -> str | None:
        async with self._reloading:
            try:
                digest = await asyncio.to_thread(watch.force if asked else watch.check)
                if digest is None:
                    return None
                await self._take(digest, watch)
            except DragomanError as error:
                logger.error("the new configuration is refused, the old one serves on: %s", error)
                raise
            logger.info("configuration %.12s is in service", digest)
            return digest

    async def _take(self, digest: str, watch: Watch) -> None:
        """Prepares on every worker that serves; then commits on all, or aborts on all."""
        number = self._number + 1
        serving = self._serving()
        prepared = await asyncio.gather(
            *(channel.ask(say.Prepare(number, digest), PREPARE_SECONDS) for _, channel in serving),
            return_exceptions=True,
        )
        # A worker that died meanwhile says nothing about the configuration; its successor will have to take it.
        outcomes = [
            outcome for outcome, (_, channel) in zip(prepared, serving, strict=True) if not channel.closed.done()
        ]
        if not outcomes:
            self._reload_again = True
            raise ConfigError("no worker was there to prepare it; it will be tried again")
        problems = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if problems:
            await asyncio.gather(
                *(channel.ask(say.Abort(number), COMMIT_SECONDS) for _, channel in serving), return_exceptions=True
            )
            raise ConfigError(str(problems[0]))
        # From here on it is decided: a worker that starts takes it (`_catch_up`), one that cannot commit is replaced.
        self._options = msgspec.structs.replace(self._options, config_text=watch.accepted())
        self._number = number
        self._digest = digest
        await asyncio.gather(*(self._commit(place, channel, number) for place, channel in serving))

    async def _commit(self, place: _Place, channel: Channel, number: int) -> None:
        try:
            await channel.ask(say.Commit(number), COMMIT_SECONDS)
            place.number = number
        except ChannelError as error:
            logger.error("worker %d did not take the configuration and is replaced: %s", place.index, error)
            place.kill()

    async def _catch_up(self, place: _Place) -> None:
        """A worker that was starting while the others took a new configuration takes it before it counts."""
        assert place.channel is not None
        async with self._reloading:
            number = self._number
            try:
                await place.channel.ask(say.Prepare(number, self._digest), PREPARE_SECONDS)
            except ChannelError as error:
                logger.error("worker %d cannot take the configuration: %s", place.index, error)
                place.kill()
                return
            await self._commit(place, place.channel, number)

    # -- the end -------------------------------------------------------------------------------------------------------

    async def _end(self, keeping: list[asyncio.Task[None]]) -> None:
        """Lets all workers drain, and waits for them within bounds."""
        for place in self._places:
            # A worker that stops listening must be the last to hold its socket, or connections would go on to queue.
            if place.socket is not None:
                place.socket.close()
                place.socket = None
            if place.channel is not None and place.ready:
                place.channel.tell(say.Drain())
            elif place.process is not None and place.process.returncode is None:
                place.process.terminate()
        waited = self._drain_delay_seconds + self._drain_bound_seconds + KILL_SECONDS
        _, late = await asyncio.wait(keeping, timeout=waited)
        for place in self._places:
            if late:
                place.kill()
        if late:
            logger.error("%d workers did not end within %.0f s and are killed", len(late), waited)
            self._status = 1
