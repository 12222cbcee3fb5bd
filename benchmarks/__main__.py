"""Runs every benchmark, one after another, and writes what they said: `python -m benchmarks [--quick]`."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

RESULTS = Path(__file__).with_name("RESULTS.md")
LIMIT_SECONDS = 240


class Benchmark(NamedTuple):
    """A module, its arguments in a full and in a quick run, and the title over what it prints if that has none."""

    module: str
    full: Sequence[str] = ()
    quick: Sequence[str] = ("--quick",)
    title: str = ""
    limit_seconds: float = LIMIT_SECONDS


BENCHMARKS = (
    Benchmark("importing"),
    Benchmark("calls"),
    Benchmark("codecs"),
    Benchmark("tokens"),
    Benchmark("facts"),
    Benchmark("routing"),
    Benchmark("spool"),
    Benchmark("accounts"),
    Benchmark("gateways", limit_seconds=1200),
    Benchmark("server"),
    Benchmark(
        "transport",
        full=("--requests", "2000"),
        quick=("--requests", "20", "--events", "5"),
        title="Transport: CPU of an exchange, and of an event in its own segment",
    ),
)


def _run(benchmark: Benchmark, quick: bool) -> str:
    print(f"benchmarks.{benchmark.module} …", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", f"benchmarks.{benchmark.module}", *(benchmark.quick if quick else benchmark.full)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=benchmark.limit_seconds)
    said = done.stdout.strip()
    return f"### {benchmark.title}\n\n```text\n{said}\n```" if benchmark.title else said


def _run_beside_each_other() -> list[str]:
    """What all say in a quick run, whose figures mean nothing: two at a time, the longest first."""
    with ThreadPoolExecutor(2) as pool:
        longest_first = sorted(BENCHMARKS, key=lambda benchmark: -benchmark.limit_seconds)
        running = {benchmark.module: pool.submit(_run, benchmark, True) for benchmark in longest_first}
        return [running[benchmark.module].result() for benchmark in BENCHMARKS]


def _machine() -> str:
    implementation = f"{platform.python_implementation()} {platform.python_version()}"
    optimised = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    implementation += f" (configured {'with' if optimised else 'without'} `--enable-optimizations`)"
    return f"{platform.system()} on {platform.machine()}, {os.cpu_count()} cores, {implementation}"


def report(quick: bool) -> str:
    """The whole report."""
    begun = time.monotonic()
    told = _run_beside_each_other() if quick else [_run(benchmark, quick) for benchmark in BENCHMARKS]
    head = (
        "# Figures\n\n"
        f"Written by `python -m benchmarks` (`make bench`) on {datetime.datetime.now(datetime.UTC):%Y-%m-%d}, in "
        f"{time.monotonic() - begun:.0f} s. {_machine()}.\n\n"
        "Everything was measured in this one run. Times depend on the machine and on what else it did; the ratios are "
        "what to read."
    )
    return "\n\n".join([head, *told]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the least that runs everything; the figures mean nothing")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the file to write")
    arguments = parser.parse_args()
    arguments.output.write_text(report(arguments.quick), encoding="utf-8")
    print(f"wrote {arguments.output.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
