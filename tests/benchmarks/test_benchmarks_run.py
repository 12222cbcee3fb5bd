"""The benchmarks run, and speak of everything that they compare. What the figures are is no test's business."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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


def test_the_transport_is_compared_with_other_clients(report: str) -> None:
    for client in ("aiohttp", "httpx2"):
        assert client in report


def test_the_report_names_no_place(report: str) -> None:
    assert str(ROOT) not in report
    assert str(Path.home()) not in report
