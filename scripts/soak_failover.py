"""Writes docs/soak-failover.md: `python -m scripts.soak_failover`, or the soak of the same name in `make soak`."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.failover.soak import FAULT_SHARE, LIMIT_SECONDS, RETRY_RESERVE, RETRY_SHARE, soak

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from tests.failover.soak import Report

PAGE = Path(__file__).resolve().parents[1] / "docs" / "soak-failover.md"
REQUESTS = 100_000

_INTRODUCTION = f"""\
# Failover under load

Written by `make soak` (`python -m scripts.soak_failover`); do not edit.

Three deployments in three dialects, each behind a proxy that commits a fault at {FAULT_SHARE:.0%} of what it is asked,
and one gateway with three routes over them in different orders, `max_retries: 1`. Callers are the library's own models
in the four public dialects, whole and streamed, 64 at once, over real sockets. Deployments have {LIMIT_SECONDS:g} s to
begin, and between two pieces. All of it runs in one process, whose own slowness therefore counts as theirs. Some
requests may act on the world, and some are wrong. Which fault a request meets at which deployment is drawn from its
number.

Of each call it is asserted: an answer is whole and of one deployment; an error behind a part of an answer follows a
true beginning of it, and nobody else was asked after that; a wrong request, and one that may act on the world, reached
one deployment once; any other error means that all three deployments were asked and failed: that one was asked its own
log tells, or the row of an attempt that did not get through. Of all together: each request that a deployment saw is one
row of the ledger, and retries of one deployment are at most {RETRY_SHARE:.0%} of
a route's calls, with {RETRY_RESERVE} to begin with and one a second.
"""


def page(report: Report) -> str:
    """The report as Markdown."""
    calls = sum(report.outcomes.values())
    unreached = f" {report.unreached} of the errors had an attempt that reached nobody." if report.unreached else ""
    laws = "Every law held." if not report.broken else f"**Laws were broken {len(report.broken)} times:**"
    lines = [
        _INTRODUCTION,
        f"{datetime.now(UTC):%Y-%m-%d}: {calls:,} calls in {report.seconds:,.0f} s; {_load()}. {laws}{unreached}",
        *(f"\n- {name}: {told[:300]}" for name, told in list(report.broken.items())[:10]),
        "",
        *(_table("law that was broken", "calls", report.kinds) if report.kinds else ()),
        *_table("what callers saw", "calls", report.outcomes),
        *_deployments(report),
        *_table("fault", "times", report.faults),
        *_table("reason of the attempt", "attempts", report.reasons),
        *_retries(report),
    ]
    return "\n".join(lines)


def _load() -> str:
    return f"{os.cpu_count()} processors, {os.getloadavg()[2]:.0f} programs running or waiting on average at its end"


def _table(name: str, unit: str, counts: Counter[str]) -> Iterator[str]:
    yield f"| {name} | {unit} |"
    yield "| --- | ---: |"
    for key, count in counts.most_common():
        yield f"| {key} | {count:,} |"
    yield ""


def _deployments(report: Report) -> Iterator[str]:
    yield "| deployment | requests it saw | of them with a fault | rows of the ledger |"
    yield "| --- | ---: | ---: | ---: |"
    for name in sorted(report.requests):
        yield f"| {name} | {report.requests[name]:,} | {report.faulted[name]:,} | {report.booked[name]:,} |"
    yield ""


def _retries(report: Report) -> Iterator[str]:
    yield "| route | calls | retries of the same deployment | share |"
    yield "| --- | ---: | ---: | ---: |"
    for name in sorted(report.calls):
        calls, retries = report.calls[name], report.retries[name]
        yield f"| {name} | {calls:,} | {retries:,} | {retries / calls:.1%} |"


def main() -> None:
    """Runs it and writes the page; as many calls as the command line says."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS
    with TemporaryDirectory(prefix="dragoman-soak-") as folder:
        report = soak(count, Path(folder))
    PAGE.write_text(page(report), encoding="utf-8")
    if report.broken:
        sys.exit(f"{len(report.broken)} laws are broken: see {PAGE}")


if __name__ == "__main__":
    main()
