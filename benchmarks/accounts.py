"""What admission costs a request: its key shown and found, its limits, its route; and a configuration's loading."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count

from benchmarks.report import Table, is_quick
from dragoman.accounts import Gauges, KeyRing, Limits, NamePatterns, Principal, digest_of, presented_in
from dragoman.gateway.config import read
from dragoman.gateway.generation import Generation
from dragoman.gateway.policy import Policy
from dragoman.gateway.transports import Transports

__all__ = ["tables"]

FIELDS = {
    b"host": b"gateway.example",
    b"accept": b"application/json",
    b"content-type": b"application/json",
    b"user-agent": b"OpenAI/Python 2.8.0",
    b"authorization": b"Bearer sk-0500-5f2a90c7e1b84d6f",
    b"content-length": b"812",
}
MOST_A_MINUTE = 10_000
MEMBERS = ("model", "messages", "temperature", "max_completion_tokens", "tools", "tool_choice", "stream", "user")
CONFIG = """
providers:
  openai: {api_key: k}
  groq: {api_key: k}
models:
  fast: {deployments: [groq/llama-3.3-70b-versatile, openai/gpt-4o-mini], fallbacks: [gpt-4o]}
  gpt-4o: [openai/gpt-4o]
keys: [{name: ci, key: secret, models: [fast], limits: {rpm: 600, concurrency: 20}}]
"""


def _microseconds(work: Callable[[], object], times: int) -> float:
    best = float("inf")
    for _ in range(5):
        begun = time.perf_counter()
        for _ in range(times):
            work()
        best = min(best, (time.perf_counter() - begun) / times * 1e6)
    return best


def _ring(keys: int) -> KeyRing:
    def principal(number: int) -> Principal:
        limits = Limits(rpm=MOST_A_MINUTE, concurrency=20)
        found = Principal(f"key-{number}", models=NamePatterns(["fast", "claude-*"]), limits=limits)
        found.enforce()
        return found

    return KeyRing({digest_of(f"sk-{number:04}-5f2a90c7e1b84d6f"): principal(number) for number in range(keys)})


def tables(quick: bool) -> list[Table]:
    """The figures."""
    times = 200 if quick else 100_000
    ring = _ring(1000)
    generation = Generation(read(CONFIG, environ={}), 1, Transports(), Gauges())
    routes, policy = generation.routes, Policy()
    secret = b"sk-0500-5f2a90c7e1b84d6f"
    found = ring.find(secret)
    assert found is not None
    seconds = count()

    def find_admit_release() -> None:
        principal = ring.find(secret)
        assert principal is not None
        # A little slower than the limit: the window is full and moves with each of them.
        principal.admit(next(seconds) * 61 / MOST_A_MINUTE).release()

    rows = [
        ("the key in the header fields", _microseconds(lambda: presented_in(FIELDS), times)),
        ("its owner among 1,000", _microseconds(lambda: ring.find(secret), times)),
        ("owner found, admitted by both limits, released", _microseconds(find_admit_release, times)),
        ("the route, by a listed name", _microseconds(lambda: routes.match("fast"), times)),
        ("leave for the route, by name", _microseconds(lambda: found.may_use("fast"), times)),
        ("eight members that might steer", _microseconds(lambda: policy.check(MEMBERS), times)),
    ]
    loading = _microseconds(lambda: read(CONFIG, environ={}), 2 if quick else 20)
    building = _microseconds(
        lambda: Generation(read(CONFIG, environ={}), 1, Transports(), Gauges()), 2 if quick else 20
    )
    rows += [("a small configuration read and checked", loading), ("the same, with its routes and keys", building)]
    return [
        Table(
            "Admission",
            "CPU of one process, best of five rounds; both of the key's limits are on.",
            ("what", "µs"),
            [(name, f"{figure:.2f}" if figure < 100 else f"{figure:,.0f}") for name, figure in rows],
        )
    ]


if __name__ == "__main__":
    print("\n".join(table.markdown() for table in tables(is_quick(__doc__))))
