"""The benchmarks run, and speak of everything that they compare. What the figures are is no test's business."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.programs import required_program

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.timeout(300)  # a dozen processes that import large packages
DIALECTS = ("openai-chat", "openai-responses", "anthropic")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the report of a quick run of them all."""
    output = tmp_path_factory.mktemp("benchmarks") / "RESULTS.md"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--output", str(output)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=280)
    return output.read_text(encoding="utf-8")


def rows(report: str) -> list[list[str]]:
    """Return the cells of all tables' rows, heads among them."""
    lines = [line for line in report.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_importing_is_compared_with_the_official_packages(report: str) -> None:
    names = " ".join(row[0] for row in rows(report))
    for name in ("bare Python", "`import dragoman`", "get_model", "openai: import", "anthropic: import"):
        assert name in names


@pytest.mark.parametrize("dialect", DIALECTS)
def test_calls_are_compared_in_every_verb(report: str, dialect: str) -> None:
    starts = tuple(f"{dialect}: {verb}, " for verb in ("chat", "achat", "stream", "astream"))
    compared = [row for row in rows(report) if row[0].startswith(starts)]
    assert len(compared) == 6
    assert all(cell.endswith("µs") for row in compared for cell in row[1:3])


@pytest.mark.parametrize("dialect", [*DIALECTS, "gemini"])
def test_codecs_tell_of_streams_and_of_requests(report: str, dialect: str) -> None:
    assert len([row for row in rows(report) if row[0] == dialect]) == 2


def test_facts_tell_of_loading_and_of_lookups(report: str) -> None:
    told = {row[0]: row[1] for row in rows(report)}
    assert told["memory for all of this"].endswith("MiB")
    for call in ("`profile`, a model seen before", "`prices`, a model seen before"):
        assert told[call].endswith("µs")


def test_routing_tells_of_decisions_by_every_strategy(report: str) -> None:
    told = {row[0]: row[1:] for row in rows(report)}
    for name in ("order", "weighted", "round-robin", "least-busy", "latency", "cost"):
        assert all(cell.endswith("µs") for cell in told[name])


def test_the_transport_is_compared_with_other_clients(report: str) -> None:
    for client in ("aiohttp", "httpx2"):
        assert client in report


def test_gateways_are_compared_with_the_floor(report: str) -> None:
    if shutil.which("wrk") is None:
        required_program("wrk")
    told = [row[0] for row in rows(report)]
    for name in (
        "nginx, proxy_pass with keep-alive",
        "dragoman",
        "translated to anthropic, with tools",
        "relay, one of four deployments by latency",
        "TLS upstream",
    ):
        assert name in told
    assert "The ledger was read when all had been answered" in report


def test_the_report_names_no_place(report: str) -> None:
    assert str(ROOT) not in report
    assert str(Path.home()) not in report
