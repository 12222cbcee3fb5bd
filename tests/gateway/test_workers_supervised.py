"""Workers under a supervisor: deaths, drains, reloads, metrics of all. Real processes, ended for certain."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.fake_service import digest_of
from tests.servers.process import ROOT, free_port, wait_until

DEADLINE_SECONDS = 20.0


class Fleet:
    """A supervisor in a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, config: Path, log: Path) -> None:
        self.process, self.port, self.config, self._log = process, port, config, log
        self.pids: set[int] = set()
        self.held: list[socket.socket] = []

    def get(self, path: str) -> tuple[int, bytes, dict[str, str]]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read(), dict(answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(), dict(error.headers)

    def who(self, path: str = "/who") -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.get(path)[1])
        self.pids.add(told["pid"])
        return told

    def workers(self, count: int = 2) -> dict[int, dict[str, Any]]:
        """What each worker tells of itself, by its number; a connection goes to whichever the kernel chose."""
        found: dict[int, dict[str, Any]] = {}

        def all_found() -> bool:
            told = self.who()
            found[told["worker"]] = told
            return len(found) == count

        wait_until(all_found, DEADLINE_SECONDS, f"an answer of {count} workers, {found}")
        return found

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def log(self) -> str:
        return self._log.read_text()

    def says(self, text: str) -> None:
        try:
            wait_until(lambda: text in self.log(), DEADLINE_SECONDS, repr(text))
        except TimeoutError as error:
            raise AssertionError(f"{error}; it said:\n{self.log()}") from error

    def metric(self, name: str) -> float:
        """A metric of the whole fleet; its series are added."""
        lines = self.get("/metrics")[1].decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    def open(self, path: str) -> socket.socket:
        held = socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_SECONDS)
        self.held.append(held)
        held.sendall(f"GET {path} HTTP/1.1\r\nhost: here\r\n\r\n".encode())
        return held

    def ended(self) -> int:
        return self.process.wait(DEADLINE_SECONDS)


def read_until(held: socket.socket, marker: bytes) -> None:
    seen = b""
    while marker not in seen:
        piece = held.recv(1000)
        assert piece, seen
        seen += piece


def rest_of(held: socket.socket) -> bytes:
    pieces: list[bytes] = []
    with suppress(ConnectionError):
        while piece := held.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def has_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # A child whose parent was killed may wait, dead, for whoever adopted it.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


@contextmanager
def fleet(tmp_path: Path, text: str = "one", *, ready: bool = True, **settings: float) -> Generator[Fleet]:
    config, log = tmp_path / "config", tmp_path / "log"
    config.write_text(text)
    port = free_port()
    options = [f"{name}={value}" for name, value in {"port": port, **settings}.items()]
    command = [sys.executable, "-m", "tests.gateway.fake_service", str(config), *options]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output, start_new_session=True)
    found = Fleet(process, port, config, log)
    try:
        if ready:
            wait_until(lambda: Path(f"{config}.ready").exists(), DEADLINE_SECONDS, f"ready: {found.log()}")
        yield found
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for held in found.held:
            held.close()
        for pid in found.pids:
            wait_until(lambda pid=pid: has_gone(pid), DEADLINE_SECONDS, "the end of all workers")


def test_a_worker_that_is_killed_is_started_again_and_no_connection_is_refused(tmp_path: Path) -> None:
    with fleet(tmp_path) as served:
        before = served.workers()
        os.kill(before[0]["pid"], signal.SIGKILL)
        replaced: Callable[[], bool] = lambda: served.who()["pid"] not in {told["pid"] for told in before.values()}  # noqa: E731
        wait_until(replaced, DEADLINE_SECONDS, "a new worker")
        after = served.workers()
        assert after[0]["pid"] != before[0]["pid"]
        assert after[1]["pid"] == before[1]["pid"]
        assert after[0]["config"] == "one"


def test_a_worker_that_does_not_answer_is_killed_and_replaced(tmp_path: Path) -> None:
    with fleet(tmp_path, workers=1, hung=0.5) as served:
        pid = served.who()["pid"]
        os.kill(pid, signal.SIGSTOP)
        served.says("worker 0 is killed")
        wait_until(lambda: served.who()["pid"] != pid, DEADLINE_SECONDS, "a new worker")


def test_on_sigterm_what_is_running_ends_whole_and_the_status_is_0(tmp_path: Path) -> None:
    with fleet(tmp_path) as served:
        served.workers()
        held = served.open("/slow")
        read_until(held, b"begun")
        served.tell(signal.SIGTERM)
        assert rest_of(held).endswith(b"6\r\nwhole\n\r\n0\r\n\r\n")
        assert served.ended() == 0
        closed = Path(f"{served.config}.closed").read_text().split()
        assert {int(pid) for pid in closed} == served.pids
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", served.port), timeout=5)


def test_before_connections_are_refused_readiness_says_so_and_requests_are_answered(tmp_path: Path) -> None:
    with fleet(tmp_path, workers=1, delay=1.0) as served:
        assert served.get("/readyz")[0] == 200
        served.tell(signal.SIGTERM)
        wait_until(lambda: served.get("/readyz")[0] == 503, DEADLINE_SECONDS, "readiness to say so")
        assert served.get("/healthz")[0] == 200
        assert served.who()["config"] == "one"
        assert served.ended() == 0


def test_a_stream_that_runs_at_the_bound_ends_with_an_error_in_band(tmp_path: Path) -> None:
    with fleet(tmp_path, bound=0.3) as served:
        held = served.open("/stream")
        read_until(held, b"tick")
        served.tell(signal.SIGTERM)
        assert rest_of(held).endswith(b"10\r\nerror: stopping\n\r\n0\r\n\r\n")
        assert served.ended() == 0


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with fleet(tmp_path, bound=60) as served:
        held = served.open("/stream")
        read_until(held, b"tick")
        served.tell(signal.SIGINT)
        served.says("draining")
        served.tell(signal.SIGINT)
        served.ended()
        rest_of(held)


def test_workers_of_a_killed_supervisor_drain_and_end(tmp_path: Path) -> None:
    with fleet(tmp_path) as served:
        pids = [told["pid"] for told in served.workers().values()]
        held = served.open("/slow")
        read_until(held, b"begun")
        served.process.kill()
        assert rest_of(held).endswith(b"6\r\nwhole\n\r\n0\r\n\r\n")
        for pid in pids:
            wait_until(lambda pid=pid: has_gone(pid), DEADLINE_SECONDS, "the end of the worker")
        assert {int(pid) for pid in Path(f"{served.config}.closed").read_text().split()} == set(pids)


@pytest.mark.parametrize("told", [True, False], ids=["on SIGHUP", "on change"])
def test_a_configuration_is_taken_by_all_workers_without_a_restart(tmp_path: Path, told: bool) -> None:
    with fleet(tmp_path) as served:
        before = served.workers()
        served.config.write_text("two")
        if told:
            served.tell(signal.SIGHUP)
        served.says("is in service")
        after = served.workers()
        assert {worker["config"] for worker in after.values()} == {"two"}
        assert [after[0]["pid"], after[1]["pid"]] == [before[0]["pid"], before[1]["pid"]]


def test_a_configuration_that_one_worker_cannot_prepare_is_taken_by_none(tmp_path: Path) -> None:
    with fleet(tmp_path) as served:
        served.workers()
        served.config.write_text("bad-1")
        served.tell(signal.SIGHUP)
        served.says("the old one serves on: worker 1 cannot use 'bad-1'")
        told = served.workers()
        assert {worker["config"] for worker in told.values()} == {"one"}
        assert [told[0]["aborted"], told[1]["aborted"]] == [1, 0]
        # A worker that is started while the file is spoilt begins with what was accepted.
        os.kill(told[1]["pid"], signal.SIGKILL)
        wait_until(lambda: served.workers()[1]["pid"] != told[1]["pid"], DEADLINE_SECONDS, "a new worker")
        assert served.workers()[1]["config"] == "one"
        served.config.write_text("two")
        served.says("is in service")
        assert {worker["config"] for worker in served.workers().values()} == {"two"}


def test_a_worker_can_let_all_reload_and_learns_what_came_of_it(tmp_path: Path) -> None:
    with fleet(tmp_path) as served:
        served.workers()
        served.config.write_text("two")
        status, told, _ = served.get("/reload")
        assert (status, told.decode()) == (200, digest_of("two"))
        assert {worker["config"] for worker in served.workers().values()} == {"two"}
        served.config.write_text("bad-0")
        status, told, _ = served.get("/reload")
        assert (status, told) == (422, b"worker 0 cannot use 'bad-0'")
        assert {worker["config"] for worker in served.workers().values()} == {"two"}


def test_a_worker_can_give_an_order_to_all(tmp_path: Path) -> None:
    with fleet(tmp_path) as served:
        served.workers()
        assert json.loads(served.get("/order?this")[1]) == [["tell", "this", 0], ["tell", "this", 1]]


def test_a_worker_that_starts_during_a_reload_has_the_new_configuration(tmp_path: Path) -> None:
    with fleet(tmp_path) as served:
        before = served.workers()
        os.kill(before[0]["pid"], signal.SIGKILL)
        served.config.write_text("two")
        served.tell(signal.SIGHUP)
        served.says("is in service")
        wait_until(lambda: served.workers()[0]["pid"] != before[0]["pid"], DEADLINE_SECONDS, "a new worker")
        assert {worker["config"] for worker in served.workers().values()} == {"two"}


def test_a_configuration_that_cannot_be_used_at_the_start_ends_it_with_the_reason(tmp_path: Path) -> None:
    with fleet(tmp_path, "bad", ready=False) as served:
        assert served.ended() == 2
        assert "cannot use 'bad'" in served.log()


def test_metrics_are_those_of_all_workers_and_do_not_fall_when_one_dies(tmp_path: Path) -> None:
    name = "dragoman_requests_total"
    with fleet(tmp_path) as served:
        counted: set[int] = set()
        total = 0
        while len(counted) < 2:
            counted.add(served.who("/count")["worker"])
            total += 1
        assert served.metric(name) == total
        assert served.metric("dragoman_metrics_partial") == 0
        assert served.metric("dragoman_workers_ready") == 2
        os.kill(served.workers()[0]["pid"], signal.SIGKILL)
        wait_until(lambda: served.metric("dragoman_worker_restarts_total") == 1, DEADLINE_SECONDS, "the restart")
        wait_until(lambda: served.metric("dragoman_workers_ready") == 2, DEADLINE_SECONDS, "both ready")
        assert served.metric(name) == total
        served.who("/count")
        assert served.metric(name) == total + 1


def test_metrics_are_one_workers_own_and_say_so_when_the_supervisor_is_away(tmp_path: Path) -> None:
    with fleet(tmp_path, workers=1) as served:
        served.who("/count")
        served.tell(signal.SIGSTOP)
        assert served.metric("dragoman_metrics_partial") == 1
        assert served.metric("dragoman_requests_total") == 1
        served.tell(signal.SIGCONT)
        wait_until(lambda: served.metric("dragoman_metrics_partial") == 0, DEADLINE_SECONDS, "the supervisor")


def test_two_gateways_do_not_share_a_port_unnoticed(tmp_path: Path) -> None:
    with fleet(tmp_path) as served:
        command = [sys.executable, "-m", "tests.gateway.fake_service", str(served.config), f"port={served.port}"]
        second = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=DEADLINE_SECONDS, check=False)
        assert b"cannot listen on 127.0.0.1" in second.stderr


@pytest.mark.parametrize(
    "frame", [b"\xff\xff\xff\xff", b"\0\0\0\x05nope!", b"\0\0\0\0"], ids=["huge", "garbage", "empty"]
)
def test_a_worker_that_is_told_nonsense_ends(tmp_path: Path, frame: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            command = [sys.executable, "-m", "dragoman.gateway.workers.worker", "tests.gateway.fake_service:make"]
            process = subprocess.Popen(
                [*command, str(theirs.fileno())], cwd=ROOT, pass_fds=[theirs.fileno()], stderr=subprocess.PIPE
            )
        started = time.monotonic()
        ours.sendall(frame)
        _, errors = process.communicate(timeout=DEADLINE_SECONDS)
        assert process.returncode == 1
        assert b"Traceback" not in errors
        assert time.monotonic() - started < DEADLINE_SECONDS


def test_a_worker_that_was_not_told_what_to_serve_ends_in_peace(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            command = [sys.executable, "-m", "dragoman.gateway.workers.worker", "tests.gateway.fake_service:make"]
            process = subprocess.Popen([*command, str(theirs.fileno())], cwd=ROOT, pass_fds=[theirs.fileno()])
        assert ours.recv(1000)  # it says hello, and listens to signals
        process.terminate()
        assert process.wait(DEADLINE_SECONDS) == 0
