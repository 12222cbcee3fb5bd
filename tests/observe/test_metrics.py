"""Metrics: what is counted, how it reads, how processes' metrics add up, and that labels are bounded."""

from __future__ import annotations

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from dragoman.observe.metrics import MOST_SERIES, OTHER, Metrics, Snapshot, exposition, merge, without_gauges


def samples(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """The text as Prometheus reads it: values by name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def labels(**given: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(given.items()))


ROUTE, DEPLOYMENT, DIALECT = "fast", "openai/gpt-4o", "openai-chat"
ATTEMPT = {"route": ROUTE, "deployment": DEPLOYMENT, "dialect": DIALECT}


def counted() -> Metrics:
    metrics = Metrics()
    metrics.attempt(ROUTE, DEPLOYMENT, DIALECT, "ok", 1.5, 0.3, 500, 120, 0.25)
    metrics.attempt(ROUTE, DEPLOYMENT, DIALECT, "ok", 0.2)
    metrics.attempt(ROUTE, DEPLOYMENT, DIALECT, "error", 1000.0)
    metrics.request("fast", "openai-chat", 200, 1.6, 0.0001)
    return metrics


def test_attempts_and_requests_are_counted_with_their_times_tokens_and_cost() -> None:
    read = samples(counted().exposition())
    assert read["dragoman_attempts_total", labels(**ATTEMPT, outcome="ok")] == 2
    assert read["dragoman_attempts_total", labels(**ATTEMPT, outcome="error")] == 1
    assert read["dragoman_tokens_total", labels(**ATTEMPT, direction="input")] == 500
    assert read["dragoman_tokens_total", labels(**ATTEMPT, direction="output")] == 120
    assert read["dragoman_cost_usd_total", labels(**ATTEMPT)] == 0.25
    name = "dragoman_attempt_duration_seconds"
    assert read[f"{name}_count", labels(**ATTEMPT)] == 3
    assert read[f"{name}_sum", labels(**ATTEMPT)] == 1001.7
    assert read[f"{name}_bucket", labels(**ATTEMPT, le="0.25")] == 1
    assert read[f"{name}_bucket", labels(**ATTEMPT, le="2.5")] == 2
    assert read[f"{name}_bucket", labels(**ATTEMPT, le="600.0")] == 2
    assert read[f"{name}_bucket", labels(**ATTEMPT, le="+Inf")] == 3
    # What was not measured is not counted as zero.
    assert read["dragoman_attempt_first_byte_seconds_count", labels(**ATTEMPT)] == 1
    assert read["dragoman_requests_total", labels(route="fast", dialect="openai-chat", status="200")] == 1
    assert read["dragoman_gateway_overhead_seconds_count", labels(route="fast", dialect="openai-chat")] == 1


def test_what_is_kept_elsewhere_is_read_when_it_is_asked_for() -> None:
    metrics = Metrics()
    in_flight = [1]
    metrics.read_gauge("in_flight", "in flight", lambda: in_flight[0])
    metrics.read_counter("refused", "refused", "code", lambda: [("too_slow", 2)])
    in_flight[0] = 7
    read = samples(metrics.exposition())
    assert read["in_flight", ()] == 7
    assert read["refused_total", labels(code="too_slow")] == 2


def test_snapshots_travel_and_add_up_and_are_left_as_they_were() -> None:
    parts = [
        msgspec.msgpack.decode(msgspec.msgpack.encode(metrics.snapshot()), type=Snapshot)
        for metrics in (counted(), counted())
    ]
    once = samples(exposition(parts[0]))
    twice = samples(exposition(merge(parts)))
    assert twice == {key: value * 2 for key, value in once.items()}
    assert samples(exposition(parts[0])) == once
    assert samples(exposition(merge([Snapshot(), parts[1]]))) == once


def test_gauges_of_an_ended_process_are_not_kept() -> None:
    metrics = counted()
    metrics.read_gauge("in_flight", "in flight", lambda: 3)
    kept = samples(exposition(without_gauges(metrics.snapshot())))
    assert ("in_flight", ()) not in kept
    assert ("dragoman_cost_usd_total", labels(**ATTEMPT)) in kept


def test_labels_are_bounded_and_nothing_is_lost() -> None:
    metrics = Metrics()
    total = MOST_SERIES + 500
    for number in range(total):
        metrics.request(f"route-{number}", "openai-chat", 200, 0.1)
    family = next(found for found in metrics.snapshot().families if found.name == "dragoman_requests")
    assert len(family.series) == MOST_SERIES + 1
    assert sum(series.value for series in family.series) == total
    (other,) = [series for series in family.series if series.labels == (OTHER,) * 3]
    assert other.value == 500
    metrics.request(f"route-{total}", "openai-chat", 200, 0.1)
    assert other.value == 501
