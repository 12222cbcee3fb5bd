"""What routing costs: a decision among deployments, and a call's whole way through: `python -m benchmarks.routing`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import dragoman
from benchmarks.report import Table, is_quick
from dragoman.engine import Meter
from dragoman.routing import Affinity, Call, CallSettings, Candidate, Health, Limits, Route, run_with, strategy_of
from dragoman.routing.dispatch import Dispatch
from dragoman.transport import FakeTransport
from dragoman.values import Cost, Usage

STRATEGIES = ("order", "weighted", "round-robin", "least-busy", "latency", "cost")
MANY = 100


class _Answer:
    usage = Usage()
    cost: Cost | None = None


def _candidates(count: int, limits: Limits | None = None) -> tuple[Candidate, ...]:
    models = [
        dragoman.ProviderRegistry.get_provider(
            "chat_completions",
            model=f"m{number}",
            base_url=f"http://h{number}.test/v1",
            api_key="k",
            transport=FakeTransport(),
        )
        for number in range(count)
    ]
    return tuple(
        Candidate(deployment=model.route.candidates[0].deployment, weight=1.0 + number % 3, limits=limits)
        for number, model in enumerate(models)
    )


def _microseconds(work: Callable[[], object], times: int) -> float:
    work()
    rounds: list[float] = []
    for _ in range(5):
        begun = time.process_time()
        for _ in range(times):
            work()
        rounds.append((time.process_time() - begun) / times * 1e6)
    return min(rounds)


def decision(route: Route, times: int) -> float:
    """CPU µs from a route to the first attempt's target: plan, selector and strategy, made anew for each call."""
    settings = CallSettings(call=Call(prompt_tokens=500))

    def decide() -> object:
        return Dispatch(route, settings, acts=False).start()

    return _microseconds(decide, times)


def way(route: Route, times: int) -> float:
    """CPU µs of a call whose attempt takes none: decision, permit, meter, and what is noted afterwards."""
    settings = CallSettings(call=Call(prompt_tokens=500))
    answer = _Answer()

    async def once(_candidate: Candidate, _meter: Meter) -> _Answer:
        return answer

    async def calls() -> float:
        rounds: list[float] = []
        for _ in range(5):
            begun = time.process_time()
            for _ in range(times):
                await run_with(route, once, settings, acts=False)
            rounds.append((time.process_time() - begun) / times * 1e6)
        return min(rounds)

    return asyncio.run(calls())


def main() -> None:
    times = 50 if is_quick(__doc__) else 5000
    rows: list[list[str]] = []
    few, many = _candidates(4), _candidates(MANY)
    for name in STRATEGIES:
        routes = [Route(candidates=each, strategy=strategy_of(name), health=Health()) for each in (few, many)]
        rows.append(
            [
                name,
                f"{decision(routes[0], times):.1f} µs",
                f"{decision(routes[1], max(50, times // 5)):.1f} µs",
                f"{way(routes[0], times):.1f} µs",
            ]
        )
    limited = Route(
        candidates=_candidates(4, Limits(rpm=10**9, tpm=10**12, concurrency=10**6)),
        strategy=strategy_of("weighted"),
        health=Health(),
        affinity=Affinity(),
    )
    rows.append(["weighted, with limits and affinity", f"{decision(limited, times):.1f} µs", "–",
                 f"{way(limited, times):.1f} µs"])  # fmt: skip
    alone = Route(candidates=_candidates(1))
    rows.append(
        ["one deployment, nothing watched", f"{decision(alone, times):.1f} µs", "–", f"{way(alone, times):.1f} µs"]
    )
    about = (
        "CPU of one call. A decision is all from the route to the target of the first attempt; the way adds permit, "
        "meter and what health, capacity and strategies note, around an attempt that takes nothing."
    )
    print(Table("Routing", about, ("strategy", "decision, 4", f"decision, {MANY}", "way, 4"), rows).markdown())


if __name__ == "__main__":
    main()
