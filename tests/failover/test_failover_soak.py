"""Mixed requests with a fifth of faults on each of three deployments: few here, 100,000 in `make soak`."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import soak_failover
from tests.failover.soak import FAULT_SHARE, Report, soak


def lawful(report: Report, count: int) -> None:
    assert dict(list(report.broken.items())[:5]) == {}
    assert sum(report.outcomes.values()) == count
    assert report.unfinished == 0
    assert report.outcomes["answered"] > 0.85 * count


def test_no_caller_sees_an_error_that_a_healthy_deployment_could_have_avoided(tmp_path: Path) -> None:
    report = soak(1000, tmp_path)
    lawful(report, 1000)
    for place, requests in report.requests.items():
        assert FAULT_SHARE / 2 < report.faulted[place] / requests < FAULT_SHARE * 2


@pytest.mark.soak
def test_a_hundred_thousand_requests(tmp_path: Path) -> None:
    report = soak(soak_failover.REQUESTS, tmp_path)
    soak_failover.PAGE.write_text(soak_failover.page(report), encoding="utf-8")
    lawful(report, soak_failover.REQUESTS)
