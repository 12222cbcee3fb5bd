"""Everything that runs during the measurement, and one measurement: load, CPU of the gateway, and what it answered."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from benchmarks.gateways.machine import cpu_seconds
from benchmarks.gateways.nginx import Floor, Upstream, running_floor, running_upstream
from benchmarks.gateways.ours import KEY, Ours, running_ours
from benchmarks.gateways.peers import PEERS, Peer, Running
from benchmarks.gateways.programs import Missing
from benchmarks.gateways.reading import running_reading
from benchmarks.gateways.wrk import Asked, Load, load

__all__ = ["CHAT", "Bench", "Contender", "Taken", "medians"]

CHAT = "/v1/chat/completions"


@dataclass(frozen=True)
class Contender:
    """A row of a table: a request, and the process that answers it."""

    name: str
    asked: Asked
    process: int
    ours: bool = False
    peer: bool = False


@dataclass(frozen=True)
class Taken:
    """One run: the load, and what it took of the gateway's CPU per answer."""

    load: Load
    cpu_seconds: float


@dataclass
class Bench:
    """Use it as a context: upstream, floor, ours, and every peer that is installed run inside it.

    `left_out` says of peers why they do not. Leaving it stops ours and holds its ledger to what was answered.
    """

    events: int
    period_seconds: float
    peers: bool = True
    running: list[tuple[Peer, Running]] = field(default_factory=list[tuple[Peer, Running]])
    left_out: list[str] = field(default_factory=list[str])
    answered: int = 0
    cut: int = 0

    def __enter__(self) -> Bench:
        self._stack = ExitStack()
        try:
            self.folder = Path(self._stack.enter_context(TemporaryDirectory(prefix="dragoman-gateways-")))
            self.upstream: Upstream = self._stack.enter_context(running_upstream(self.folder))
            self.reading = self._stack.enter_context(running_reading(self.events, self.period_seconds))
            self.floor: Floor = self._stack.enter_context(running_floor(self.folder, self.upstream, self.reading))
            self.ours: Ours = self._stack.enter_context(running_ours(self.folder / "ours", self.upstream, self.reading))
            self.answered = 1  # it was asked once, to see that it answers
            for peer in PEERS if self.peers else ():
                self._start(peer)
        except BaseException:
            self._stack.close()
            raise
        return self

    def _start(self, peer: Peer) -> None:
        folder = self.folder / peer.package.replace("/", "-")
        folder.mkdir()
        try:
            self.running.append((peer, self._stack.enter_context(peer.start(folder, self.upstream.url))))
        except Missing as missing:
            self.left_out.append(f"{peer.name}: {missing}.")
        except (RuntimeError, OSError) as error:
            self.left_out.append(f"{peer.name}: it did not start ({str(error).splitlines()[0][:160]}).")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def floor_asked(self, name: str, body: bytes, place: str = "") -> Contender:
        """The floor in the place of the gateway; `place` leads to another upstream."""
        return Contender(name, Asked(url=f"{self.floor.url}{place}{CHAT}", body=body), self.floor.process)

    def ours_asked(self, name: str, body: bytes) -> Contender:
        """Ours, with its key."""
        asked = Asked(url=self.ours.url + CHAT, body=body, headers={"authorization": f"Bearer {KEY}"})
        return Contender(name, asked, self.ours.process, ours=True)

    def take(self, contender: Contender, connections: int, seconds: float) -> Taken:
        """One run of load. What the ledger's writer does for ours belongs to it, and is in no other's way."""
        before = cpu_seconds(contender.process)
        got = load(contender.asked, connections, seconds)
        if contender.ours:
            self.ours.wait_until_carried()
        spent = cpu_seconds(contender.process) - before
        if contender.ours:
            self.answered += got.requests
            self.cut += connections  # whatever was under way when the load ended may have been answered, too
        return Taken(got, spent / got.requests)

    def rounds(
        self, contenders: Sequence[Contender], connections: int, seconds: float, rounds: int
    ) -> list[list[Taken]]:
        """Rounds in which all take turns; per contender its runs. A peer that refuses has none from then on."""
        taken: list[list[Taken]] = [[] for _ in contenders]
        for number in range(rounds):
            for runs, contender in zip(taken, contenders, strict=True):
                try:
                    if len(runs) == number:
                        runs.append(self.take(contender, connections, seconds))
                except RuntimeError:
                    if not contender.peer:
                        raise
        return taken

    def settle(self) -> str:
        """Stops ours, and says how its ledger stands. Raises AssertionError when it does not hold what was answered."""
        said = self.ours.answered()
        self.ours.stop()
        rows = self.ours.rows()
        ok, others = rows.pop("ok", 0), sum(rows.values())
        assert set(rows) <= {"cancelled"}, f"the ledger has rows that nothing explains: {rows}"
        assert ok == said, f"the ledger has {ok} rows of answers, and the gateway counted {said}"
        assert self.answered <= ok <= self.answered + self.cut, f"{ok} rows, and {self.answered} answers were read"
        assert others <= self.cut, f"{others} attempts were cancelled, and {self.cut} could have been"
        return (
            f"The ledger was read when all had been answered: {ok:,} rows for {ok:,} answers, and {others:,} of "
            "requests that were under way when their load ended."
        )


def medians(runs: Sequence[Taken], floor: Sequence[Taken]) -> tuple[float, float, float, float, float]:
    """Answers a second, their ratio to the floor's in the same round, CPU an answer, p50 and p99."""
    return (
        statistics.median(run.load.rate for run in runs),
        statistics.median(run.load.rate / base.load.rate for run, base in zip(runs, floor, strict=False)),
        statistics.median(run.cpu_seconds for run in runs),
        statistics.median(run.load.p50_seconds for run in runs),
        statistics.median(run.load.p99_seconds for run in runs),
    )
