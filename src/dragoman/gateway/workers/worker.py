"""One process that serves: by itself, or under a supervisor.

`python -m dragoman.gateway.workers.worker FACTORY DESCRIPTOR` is a worker of a supervisor, which holds the other end of
the descriptor. When that end closes the supervisor is dead: the worker drains and ends, so that nobody serves on
without being counted.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, assert_never

import msgspec

from dragoman.errors import ConfigError, DragomanError
from dragoman.gateway.workers import messages as say
from dragoman.gateway.workers.channel import Channel, ChannelError
from dragoman.gateway.workers.interpreter import LOG_FORMAT, quieten
from dragoman.gateway.workers.service import REOPEN_LOG, ServeOptions, Service, Watch, load_factory
from dragoman.observe.metrics import Family, Metrics, Series, Snapshot, exposition

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["EXIT_CONFIG", "NO_FILE", "ORDER_SECONDS", "Worker", "on_fast_loop", "run_alone"]

logger = logging.getLogger("dragoman.gateway")

T = TypeVar("T")

EXIT_CONFIG = 2
START_SECONDS = 30.0
MERGE_SECONDS = 2.0
WATCH_SECONDS = 1.0
FAREWELL_SECONDS = 1.0
RELOAD_SECONDS = 90.0
ORDER_SECONDS = 5.0
NO_FILE = "this gateway was started without a configuration's file: there is nothing to read again"


class Worker:
    """Runs one service on sockets that are bound already."""

    def __init__(self, service: Service, *, drain_delay_seconds: float = 0.0) -> None:
        self.service = service
        self._delay_seconds = drain_delay_seconds
        self._stopping = asyncio.Event()
        self._prepared: tuple[int, Any] | None = None
        self._reloading = asyncio.Lock()

    async def run(self, sockets: list[socket.socket], ready: Callable[[], None]) -> None:
        """Serves until `stop`; then `/readyz` says so, and after the delay the service drains, settles and flushes."""
        service = self.service
        try:
            await service.start(sockets)
            ready()
            await self._stopping.wait()
            logger.info("draining")
            service.health.draining = True
            await asyncio.sleep(self._delay_seconds)
            await service.drain()
        finally:
            service.close()

    def stop(self, *, at_once: bool = False) -> None:
        """Begins to drain; `at_once` without the delay, which is for those who still send requests."""
        if at_once:
            self._delay_seconds = 0.0
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """Whether it drains, or has drained."""
        return self._stopping.is_set()

    async def reload(self, watch: Watch, *, asked: bool) -> None:
        """Serves what the files say now, if they changed or it was `asked` for. What is refused changes nothing."""
        try:
            await self.take(watch, asked=asked)
        except DragomanError:
            pass  # it was logged
        except Exception:
            # A task supervisor: whatever this was, the next change must be noticed too.
            logger.exception("reloading failed, the old configuration serves on")

    async def take(self, watch: Watch, *, asked: bool) -> str | None:
        """The same, for whoever wants to know: the digest of what was taken. Raises what it is refused for."""
        async with self._reloading:
            try:
                digest = await asyncio.to_thread(watch.force if asked else watch.check)
                if digest is None:
                    return None
                self.service.commit(await self.service.prepare(digest))
            except DragomanError as error:
                logger.error("the new configuration is refused, the old one serves on: %s", error)
                raise
            watch.accepted()
            logger.info("configuration %.12s is in service", digest)
            return digest

    async def answer(self, message: say.Message) -> say.Message | None:
        """Does what the supervisor says."""
        match message:
            case say.Prepare() | say.Commit() | say.Abort():
                async with self._reloading:
                    await self._turn(message)
            case say.Drain():
                self.stop()
            case say.MetricsAsk():
                return say.MetricsSnapshot(self.service.metrics.snapshot())
            case say.Order():
                return say.Told([await self.service.obey(message.name, message.argument)])
            case (
                say.Hello()
                | say.Start()
                | say.Ready()
                | say.Done()
                | say.Failed()
                | say.MetricsSnapshot()
                | say.MergedMetricsAsk()
                | say.Reload()
                | say.InService()
                | say.Told()
            ):
                raise ChannelError(f"{type(message).__name__} is not for a worker that runs")
            case _:
                assert_never(message)
        return say.Done()

    async def _turn(self, message: say.Prepare | say.Commit | say.Abort) -> None:
        held, self._prepared = self._prepared, None
        if isinstance(message, say.Commit):
            if held is None or held[0] != message.number:
                raise ChannelError(f"configuration {message.number} was not prepared here")
            self.service.commit(held[1])
            return
        if held is not None:
            self.service.abort(held[1])
        if isinstance(message, say.Prepare):
            self._prepared = (message.number, await self.service.prepare(message.digest))


class _Alone:
    """The fleet of a process that serves by itself."""

    def __init__(self, worker: Worker, watch: Watch | None) -> None:
        self._worker = worker
        self._watch = watch

    async def reload(self) -> str:
        if self._watch is None:
            raise ConfigError(NO_FILE)
        digest = await self._worker.take(self._watch, asked=True)
        assert digest is not None  # it was asked for
        return digest

    async def order(self, name: str, argument: str = "", /) -> list[Any]:
        return [await self._worker.service.obey(name, argument)]


# -- alone -------------------------------------------------------------------------------------------------------------


async def run_alone(
    worker: Worker, sockets: list[socket.socket], ready: Callable[[], None], watch: Watch | None = None
) -> None:
    """Serves in this process until SIGTERM or SIGINT; a second one ends it at once. SIGHUP and changed files reload."""
    loop = asyncio.get_running_loop()
    worker.service.fleet = _Alone(worker, watch)
    quieten()
    reloads: set[asyncio.Task[None]] = set()

    async def hung_up() -> None:
        await worker.service.obey(REOPEN_LOG, "")
        if watch is not None:
            await worker.reload(watch, asked=True)

    def reload() -> None:
        task = loop.create_task(hung_up())
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    def stop(number: signal.Signals) -> None:
        if worker.stopping:
            os._exit(128 + number)
        worker.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    loop.add_signal_handler(signal.SIGHUP, reload)
    watching = None if watch is None else loop.create_task(_watch(worker, watch))
    try:
        await worker.run(sockets, ready)
    finally:
        for task in (watching, *reloads):
            if task is not None:
                task.cancel()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(number)


async def _watch(worker: Worker, watch: Watch) -> None:
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        await worker.reload(watch, asked=False)


# -- under a supervisor ------------------------------------------------------------------------------------------------


class _Supervised:
    """The worker's side of the channel: it waits for `Start`, then the `Worker` answers."""

    def __init__(self) -> None:
        self.started: asyncio.Future[say.Start] = asyncio.get_running_loop().create_future()
        self.worker: Worker | None = None
        self.channel: Channel | None = None
        self.metrics: Metrics | None = None
        self.ending = False

    def end(self) -> None:
        """SIGTERM: what serves drains, what does not serve yet ends."""
        self.ending = True
        if self.worker is not None:
            self.worker.stop()
        else:
            self.started.cancel()

    async def answer(self, message: say.Message) -> say.Message | None:
        if self.worker is not None:
            return await self.worker.answer(message)
        if isinstance(message, say.Start) and not self.started.done():
            self.started.set_result(message)
            return None
        raise ChannelError("this worker has not started yet")

    async def reload(self) -> str:
        return (await self._ask(say.Reload(), say.InService, RELOAD_SECONDS)).digest

    async def order(self, name: str, argument: str = "", /) -> list[Any]:
        return (await self._ask(say.Order(name, argument), say.Told, 2 * ORDER_SECONDS)).values

    async def _ask(self, message: say.Message, wanted: type[T], seconds: float) -> T:
        assert self.channel is not None
        answer = await self.channel.ask(message, seconds)
        if not isinstance(answer, wanted):
            raise ChannelError(f"{type(answer).__name__} came for {type(message).__name__}")
        return answer

    async def exposition(self) -> bytes:
        """All workers' metrics; this one's own, marked so, where the supervisor does not answer in time."""
        assert self.channel is not None
        assert self.worker is not None
        try:
            merged = await self.channel.ask(say.MergedMetricsAsk(), MERGE_SECONDS)
            if not isinstance(merged, say.MetricsSnapshot):
                raise ChannelError(f"{type(merged).__name__} came in place of metrics")
            partial, snapshot = 0.0, merged.snapshot
        except ChannelError:
            partial, snapshot = 1.0, self.worker.service.metrics.snapshot()
        help_text = "1 where these are the metrics of one worker alone."
        marker = Family("dragoman_metrics_partial", "gauge", help_text, (), (), [Series((), partial)])
        return exposition(Snapshot([*snapshot.families, marker]))


async def _run_supervised(factory: str, descriptor: int) -> int:
    supervised = _Supervised()
    channel = supervised.channel = await Channel.over(socket.socket(fileno=descriptor), supervised.answer)
    # From here on, for a process that is ended by the signal itself would leave its spool to be drained by others.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, supervised.end)
    channel.tell(say.Hello(os.getpid()))
    waited = (supervised.started, channel.closed)
    await asyncio.wait(waited, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    if supervised.started.cancelled():
        return 0
    if not supervised.started.done():
        return 1
    start = supervised.started.result()
    try:
        options = msgspec.convert(start.options, ServeOptions)
        service = load_factory(factory)(options, supervised.exposition)
        service.fleet = supervised
        worker = supervised.worker = Worker(service, drain_delay_seconds=start.drain_delay_seconds)
        if supervised.ending:
            worker.stop(at_once=True)
        status = await _serve_supervised(worker, channel, [socket.socket(fileno=number) for number in start.sockets])
    except ConfigError as error:
        channel.tell(say.Failed(str(error)))
        status = EXIT_CONFIG
    channel.close()
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(channel.closed), FAREWELL_SECONDS)
    return status


async def _serve_supervised(worker: Worker, channel: Channel, sockets: list[socket.socket]) -> int:
    quieten()
    # Ctrl-C and a hang-up reach every process of the terminal; what they mean is the supervisor's to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    status = 0

    def cut_off(closed: asyncio.Future[str]) -> None:
        nonlocal status
        if not worker.stopping:
            status = 1
            logger.error("the supervisor has gone (%s): draining", closed.result() or "its end is closed")
        worker.stop(at_once=True)

    channel.closed.add_done_callback(cut_off)
    await worker.run(sockets, lambda: channel.tell(say.Ready()))
    channel.closed.remove_done_callback(cut_off)
    return status


def on_fast_loop(work: Coroutine[Any, Any, T]) -> T:
    """Runs on uvloop where there is one."""
    try:
        import uvloop
    except ModuleNotFoundError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    sys.exit(on_fast_loop(_run_supervised(sys.argv[1], int(sys.argv[2]))))
