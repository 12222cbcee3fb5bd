"""Counters and histograms of one process, their merging across processes, and their text for Prometheus.

They are counted in plain objects of the loop's thread, bound to their labels at their first use; prometheus-client,
whose children lock, writes the text. `benchmarks/server.py` prints what both ways cost. A `Snapshot` is what travels
between processes; merged, counters and histograms are added, so what a process counted must go on being added when it
has ended (see `gateway/workers/sums.py`).

Labels come from the configuration (route, deployment, dialect), never from a request: whoever calls gives a pattern
route's pattern. Beyond `MOST_SERIES` of a family, new label values are counted under `other`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

__all__ = ["CONTENT_TYPE", "Family", "Metrics", "Series", "Snapshot", "exposition", "merge", "without_gauges"]

CONTENT_TYPE = b"text/plain; version=1.0.0; charset=utf-8"
MOST_SERIES = 2000
OTHER = "other"

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
OVERHEAD_SECONDS = (0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 1.0)

_ATTEMPT = ("route", "deployment", "dialect")
_REQUEST = ("route", "dialect")


class Series(msgspec.Struct, array_like=True):
    """One child: the values of its labels; a histogram's counts by bucket, the last one beyond all bounds."""

    labels: tuple[str, ...]
    value: float = 0.0
    """A counter's or gauge's value; a histogram's sum."""
    buckets: list[int] = []


class Family(msgspec.Struct):
    """One metric with all its children."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...]
    bounds: tuple[float, ...] = ()
    series: list[Series] = []


class Snapshot(msgspec.Struct):
    """The metrics of a process, or of several merged, at one moment."""

    families: list[Family] = []


class _Children:
    """A family whose children are made at their first use, up to a bound."""

    def __init__(
        self, name: str, kind: str, help_text: str, labels: tuple[str, ...], bounds: tuple[float, ...] = ()
    ) -> None:
        self.name, self.kind, self.help, self.labels, self.bounds = name, kind, help_text, labels, bounds
        self._series: dict[tuple[str, ...], Series] = {}

    def child(self, labels: tuple[str, ...]) -> Series:
        series = self._series.get(labels)
        if series is None:
            if len(self._series) >= MOST_SERIES and labels != (OTHER,) * len(labels):
                return self.child((OTHER,) * len(labels))
            buckets = [0] * (len(self.bounds) + 1) if self.bounds else []
            series = self._series[labels] = Series(labels, buckets=buckets)
        return series

    def family(self) -> Family:
        return Family(self.name, self.kind, self.help, self.labels, self.bounds, list(self._series.values()))


class _AttemptSeries:
    """The children that one (route, deployment, dialect) with one outcome counts in."""

    __slots__ = ("cost", "count", "duration", "first_byte", "input_tokens", "output_tokens")

    def __init__(self, metrics: Metrics, labels: tuple[str, str, str], outcome: str) -> None:
        self.count = metrics.attempts.child((*labels, outcome))
        self.duration = metrics.durations.child(labels)
        self.first_byte = metrics.first_bytes.child(labels)
        self.input_tokens = metrics.tokens.child((*labels, "input"))
        self.output_tokens = metrics.tokens.child((*labels, "output"))
        self.cost = metrics.costs.child(labels)


class Metrics:
    """What one process counts. All of it belongs to the thread of its loop."""

    def __init__(self) -> None:
        self.attempts = _Children("dragoman_attempts", "counter", "Attempts by outcome.", (*_ATTEMPT, "outcome"))
        self.durations = _Children(
            "dragoman_attempt_duration_seconds",
            "histogram",
            "From the first byte sent to the last received.",
            _ATTEMPT,
            SECONDS,
        )
        self.first_bytes = _Children(
            "dragoman_attempt_first_byte_seconds",
            "histogram",
            "From the first byte sent to the first received.",
            _ATTEMPT,
            SECONDS,
        )
        self.tokens = _Children(
            "dragoman_tokens", "counter", "Tokens that providers reported.", (*_ATTEMPT, "direction")
        )
        self.costs = _Children("dragoman_cost_usd", "counter", "What attempts cost, where that is known.", _ATTEMPT)
        self.requests = _Children("dragoman_requests", "counter", "Requests by status.", (*_REQUEST, "status"))
        self.request_durations = _Children(
            "dragoman_request_duration_seconds",
            "histogram",
            "From a request's head to its answer's end.",
            _REQUEST,
            SECONDS,
        )
        self.overheads = _Children(
            "dragoman_gateway_overhead_seconds",
            "histogram",
            "What of a request's time was the gateway's own.",
            _REQUEST,
            OVERHEAD_SECONDS,
        )
        self.cache_answers = _Children(
            "dragoman_cache_requests",
            "counter",
            "Requests that the response cache was asked for, by whether it had the answer.",
            (*_REQUEST, "result"),
        )
        self._attempts: dict[tuple[str, str, str, str], _AttemptSeries] = {}
        self._requests: dict[tuple[str, str, int], tuple[Series, Series, Series]] = {}
        self._readings: list[tuple[str, str, str, tuple[str, ...], Callable[[], Iterable[Series]]]] = []

    def attempt(
        self,
        route: str,
        deployment: str,
        dialect: str,
        outcome: str,
        duration_seconds: float,
        first_byte_seconds: float | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cost_usd: float | None = None,
    ) -> None:
        """Counts one attempt; what is None was not measured and is not counted as zero."""
        key = (route, deployment, dialect, outcome)
        bound = self._attempts.get(key)
        if bound is None:
            bound = _AttemptSeries(self, (route, deployment, dialect), outcome)
            if len(self._attempts) < MOST_SERIES:
                self._attempts[key] = bound
        bound.count.value += 1
        series = bound.duration
        series.value += duration_seconds
        series.buckets[bisect_left(SECONDS, duration_seconds)] += 1
        if first_byte_seconds is not None:
            series = bound.first_byte
            series.value += first_byte_seconds
            series.buckets[bisect_left(SECONDS, first_byte_seconds)] += 1
        if input_tokens:
            bound.input_tokens.value += input_tokens
        if output_tokens:
            bound.output_tokens.value += output_tokens
        if cost_usd:
            bound.cost.value += cost_usd

    def request(
        self, route: str, dialect: str, status: int, duration_seconds: float, overhead_seconds: float | None = None
    ) -> None:
        """Counts one request, by the status that its client got."""
        key = (route, dialect, status)
        bound = self._requests.get(key)
        if bound is None:
            labels = (route, dialect)
            bound = (
                self.requests.child((*labels, str(status))),
                self.request_durations.child(labels),
                self.overheads.child(labels),
            )
            if len(self._requests) < MOST_SERIES:
                self._requests[key] = bound
        count, duration, overhead = bound
        count.value += 1
        duration.value += duration_seconds
        duration.buckets[bisect_left(SECONDS, duration_seconds)] += 1
        if overhead_seconds is not None:
            overhead.value += overhead_seconds
            overhead.buckets[bisect_left(OVERHEAD_SECONDS, overhead_seconds)] += 1

    def cached(self, route: str, dialect: str, result: Literal["hit", "miss"]) -> None:
        """Counts one request that the response cache was asked for."""
        self.cache_answers.child((route, dialect, result)).value += 1

    def read_gauge(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """A gauge that is read when metrics are asked for; merged, the processes' values are added."""
        self._readings.append((name, "gauge", help_text, (), lambda: [Series((), float(read()))]))

    def read_counter(
        self, name: str, help_text: str, label: str, read: Callable[[], Iterable[tuple[str, float]]]
    ) -> None:
        """A counter kept elsewhere, by one label, that is read when metrics are asked for. It must never fall."""
        self._readings.append(
            (name, "counter", help_text, (label,), lambda: [Series((word,), float(count)) for word, count in read()])
        )

    def snapshot(self) -> Snapshot:
        """Everything as it stands. Shares its lists with what goes on counting: encode or merge it at once."""
        counted = (
            self.attempts,
            self.durations,
            self.first_bytes,
            self.tokens,
            self.costs,
            self.requests,
            self.request_durations,
            self.overheads,
            self.cache_answers,
        )
        families = [children.family() for children in counted]
        for name, kind, help_text, labels, read in self._readings:
            families.append(Family(name, kind, help_text, labels, (), list(read())))
        return Snapshot(families)

    def exposition(self) -> bytes:
        """This process's metrics as text for Prometheus."""
        return exposition(self.snapshot())


def merge(snapshots: Iterable[Snapshot]) -> Snapshot:
    """The sum, series by series; the parts are left as they are."""
    families: dict[str, Family] = {}
    found: dict[tuple[str, tuple[str, ...]], Series] = {}
    for snapshot in snapshots:
        for part in snapshot.families:
            family = families.get(part.name)
            if family is None:
                family = families[part.name] = Family(part.name, part.kind, part.help, part.labels, part.bounds, [])
            for series in part.series:
                _add(family, found, series)
    return Snapshot(list(families.values()))


def _add(family: Family, found: dict[tuple[str, tuple[str, ...]], Series], series: Series) -> None:
    key = (family.name, series.labels)
    total = found.get(key)
    if total is None:
        total = found[key] = Series(series.labels, series.value, list(series.buckets))
        family.series.append(total)
        return
    total.value += series.value
    total.buckets = [one + other for one, other in zip(total.buckets, series.buckets, strict=True)]


def without_gauges(snapshot: Snapshot) -> Snapshot:
    """What of a process stays true when it has ended."""
    return Snapshot([family for family in snapshot.families if family.kind != "gauge"])


def exposition(snapshot: Snapshot) -> bytes:
    """The snapshot as text for Prometheus (the text format, version 1.0.0)."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Reader(snapshot))
    return generate_latest(registry)


class _Reader:
    """Gives prometheus-client what it writes."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        for family in self._snapshot.families:
            if family.kind == "histogram":
                histogram = HistogramMetricFamily(family.name, family.help, labels=family.labels)
                for series in family.series:
                    histogram.add_metric(series.labels, _cumulative(family.bounds, series.buckets), series.value)
                yield histogram
                continue
            form = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
            metric = form(family.name, family.help, labels=family.labels)
            for series in family.series:
                metric.add_metric(series.labels, series.value)
            yield metric


def _cumulative(bounds: tuple[float, ...], counts: list[int]) -> list[tuple[str, float]]:
    running = 0
    lines: list[tuple[str, float]] = []
    for bound, count in zip((*map(str, bounds), "+Inf"), counts, strict=True):
        running += count
        lines.append((bound, running))
    return lines
