"""One probe for the whole machine, one worker's knowledge for all: on a virtual clock, and with a process killed."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dragoman.errors import DragomanError, ServerFault
from dragoman.gateway.health_sharing import HEAR, STANDINGS, HealthSharing, MachineGate
from dragoman.gateway.workers.channel import ChannelError
from dragoman.routing import Candidate, Health, Route, run_with
from dragoman.routing.lineup import lineup_of
from dragoman.values import Cost, Usage
from tests.routing.virtual import VirtualClock, candidate, route_of, run_virtual, settings_of
from tests.servers.process import ROOT, wait_until

if TYPE_CHECKING:
    from dragoman.engine import Meter
    from dragoman.routing.standing import Standing

WORKERS = 3
MESSAGE_SECONDS = 0.02


class Answer:
    usage = Usage()
    cost: Cost | None = None


class Worker:
    """One process's routes and health; all of one folder are one machine."""

    def __init__(self, machine: Machine, number: int) -> None:
        self.number = number
        self.health = Health()
        self.sharing = HealthSharing(self.health, lambda: machine, machine.folder, number, VirtualClock())
        self.route: Route = route_of(candidate("a", max_retries=0), candidate("b", max_retries=0), health=self.health)

    @property
    def ill(self) -> Standing:
        return lineup_of(self.route).options[0].standing

    def obey(self, name: str, argument: str) -> Any:
        if name == STANDINGS:
            return self.sharing.told()
        assert name == HEAR
        self.sharing.hear(argument)
        return None


class Machine:
    """The fleet that each worker sees; messages take a while."""

    def __init__(self, folder: Path, workers: int = WORKERS) -> None:
        self.folder = folder
        self.lost = False
        self.workers = [Worker(self, number) for number in range(workers)]
        self.asked: list[tuple[float, int]] = []
        self.ill = True

    async def order(self, name: str, argument: str = "", /) -> list[Any]:
        await asyncio.sleep(MESSAGE_SECONDS)
        if self.lost:
            raise ChannelError("the other process has gone")
        return [worker.obey(name, argument) for worker in self.workers]

    async def reload(self) -> str:
        raise AssertionError("nobody asks for it")

    async def call(self, worker: Worker) -> None:
        """One request at this worker; those that reach the first deployment are noted."""
        clock = VirtualClock()

        async def once(chosen: Candidate, _meter: Meter) -> Answer:
            ill = chosen.deployment.target.model == "a"
            if ill:
                self.asked.append((clock.now(), worker.number))
            await asyncio.sleep(0.1)
            if ill and self.ill:
                raise ServerFault("down", status=500)
            return Answer()

        await run_with(worker.route, once, settings_of(clock=clock), acts=False)

    async def calls(self, until: float, every: float = 0.05, seed: int = 1) -> None:
        """Requests at all workers in turn, as a balancer deals them out."""
        dice = random.Random(seed)
        under_way: list[asyncio.Task[None]] = []
        while VirtualClock().now() < until:
            under_way.append(asyncio.ensure_future(self.call(dice.choice(self.workers))))
            await asyncio.sleep(every)
        await asyncio.gather(*under_way)

    def close(self) -> None:
        for worker in self.workers:
            worker.sharing.close()


def test_a_machine_opens_once_and_probes_once_for_all_its_workers(tmp_path: Path) -> None:
    async def scenario() -> None:
        machine = Machine(tmp_path)
        await machine.calls(35.0)
        opened = [at for at, _ in machine.asked if at < 5]
        # Five in a row at one of them, and what the others had sent by then.
        assert len(opened) <= WORKERS * 5
        assert [worker.ill.state(36.0) for worker in machine.workers] == ["open"] * WORKERS
        first, second = (at for at, _ in machine.asked if at > 5)
        assert first - opened[-1] == pytest.approx(10, abs=0.5)
        assert second - first == pytest.approx(20, abs=0.5)
        machine.close()

    run_virtual(scenario())


def test_one_probe_that_succeeds_brings_it_back_at_all_workers(tmp_path: Path) -> None:
    async def scenario() -> None:
        machine = Machine(tmp_path)
        await machine.calls(5.0)
        machine.ill = False
        await machine.calls(12.0)
        probe, *after = (at for at, _ in machine.asked if at > 5)
        assert all(at - probe >= 0.1 for at in after), "a second probe began while the first was under way"
        assert {worker.ill.state(12.0) for worker in machine.workers} == {"closed"}
        await machine.calls(60.0)
        assert Counter(number for at, number in machine.asked if at > 45).keys() == set(range(WORKERS))
        machine.close()

    run_virtual(scenario())


def test_without_the_supervisor_each_worker_finds_out_by_itself_and_still_probes_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        machine = Machine(tmp_path)
        machine.lost = True
        await machine.calls(25.0)
        assert [worker.ill.opened for worker in machine.workers] == [True] * WORKERS
        probes = sorted(at for at, _ in machine.asked if at > 5)
        assert all(later - earlier >= 0.1 for earlier, later in pairwise(probes))
        machine.close()

    run_virtual(scenario())


def test_a_cancelled_probe_gives_the_next_worker_leave(tmp_path: Path) -> None:
    async def scenario() -> None:
        machine = Machine(tmp_path, workers=2)
        await machine.calls(5.0)
        first, second = machine.workers
        await asyncio.sleep(10)
        now = VirtualClock().now()
        assert first.health.may_probe(first.ill, now)
        assert not second.health.may_probe(second.ill, now)
        first.health.passed(first.ill, now)
        await asyncio.sleep(2 * MESSAGE_SECONDS)
        assert second.health.may_probe(second.ill, now + 1)
        machine.close()

    run_virtual(scenario())


def test_leave_is_kept_until_the_others_know_what_came_of_the_probe(tmp_path: Path) -> None:
    async def scenario() -> None:
        machine = Machine(tmp_path, workers=2)
        await machine.calls(5.0)
        first, second = machine.workers
        await asyncio.sleep(10)
        now = VirtualClock().now()
        assert first.health.may_probe(first.ill, now)
        first.health.failed(first.ill, ServerFault("down", status=500), now)
        assert not second.health.may_probe(second.ill, now)
        await asyncio.sleep(2 * MESSAGE_SECONDS)
        assert second.ill.shut_until == pytest.approx(now + 20, abs=0.1)
        machine.close()

    run_virtual(scenario())


def test_a_worker_that_begins_learns_what_the_others_know(tmp_path: Path) -> None:
    async def scenario() -> None:
        machine = Machine(tmp_path, workers=2)
        await machine.calls(5.0)
        late = Worker(machine, 2)
        machine.workers.append(late)
        late.sharing.start()
        await asyncio.sleep(2 * MESSAGE_SECONDS)
        assert late.ill.state(VirtualClock().now()) == "open"
        machine.close()

    run_virtual(scenario())


PROBING = """
import sys
from pathlib import Path
from dragoman.gateway.health_sharing import MachineGate
gate = MachineGate(Path(sys.argv[1]))
print(gate.begin("a", 0.0), flush=True)
sys.stdin.read()
"""


def test_the_leave_of_a_process_that_is_killed_is_free_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROBING, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == b"True\n"
            gate = MachineGate(tmp_path)
            assert not gate.begin("a", 0.0)
            assert gate.begin("b", 0.0)
        finally:
            with suppress(ProcessLookupError):
                other.kill()
    wait_until(lambda: gate.begin("a", 0.0), 10, "leave")
    gate.close()


def test_a_folder_that_cannot_be_written_to_stops_no_probe(tmp_path: Path) -> None:
    gate = MachineGate(tmp_path / "probes")
    (tmp_path / "probes").rmdir()
    assert gate.begin("a", 0.0)
    assert not gate.begin("a", 1.0)
    gate.end("a", recovered=True, now=2.0)
    assert gate.ended == []


def test_a_folder_that_cannot_be_made_stops_no_worker(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    gate = MachineGate(tmp_path / "file" / "probes")
    assert gate.begin("a", 0.0)


def test_failures_to_share_are_no_errors_of_anybodys(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        machine = Machine(tmp_path, workers=1)
        machine.lost = True
        (worker,) = machine.workers
        worker.sharing.start()
        await asyncio.sleep(1)
        with suppress(DragomanError):
            await machine.calls(2.0)
        machine.close()

    run_virtual(scenario())
    assert "could not be shared" in caplog.text
