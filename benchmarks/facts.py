"""What facts cost: loading them in a fresh process, and each lookup and cost after that.

Loading is what the first call of a process pays, over a process that has made a model already; nothing of it is paid
by `import dragoman` and `get_model` (`importing.py`).
"""

from __future__ import annotations

import json
import os.path
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal

import msgspec

import dragoman
from benchmarks.report import Table, is_quick
from dragoman import ToolDefinition, assistant, facts, fallback, user
from dragoman.engine.capabilities import touched_members
from dragoman.engine.fit import fit_facts
from dragoman.facts.compiled import OWN_FILE
from dragoman.facts.lookup import Facts
from dragoman.routing.suiting import unfit_for
from dragoman.values import Request, Usage, replace

__all__ = ["fitting", "loading", "lookups"]

_FRESH = """
import json, resource, time
import dragoman
def resident():
    try:
        return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS:"))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
model = dragoman.get_model("openai/gpt-4o", api_key="k")
before = resident()
marks = [time.perf_counter()]
from dragoman.facts.lookup import profile, prices
marks.append(time.perf_counter())
assert profile("openai", "gpt-4o").context_tokens
marks.append(time.perf_counter())
assert prices("openai", "gpt-4o")
marks.append(time.perf_counter())
assert profile("openrouter", "openai/gpt-4o").context_tokens
marks.append(time.perf_counter())
taken = [1000 * (later - earlier) for earlier, later in zip(marks, marks[1:])]
print(json.dumps([*taken, (resident() - before) / 1024]))
"""
_STEPS = (
    ("importing `dragoman.facts.lookup`", "ms"),
    ("first profile: the file is read, a provider and a model are decoded", "ms"),
    ("its prices", "ms"),
    ("first profile of the largest provider", "ms"),
    ("memory for all of this", "MiB"),
)


def loading(processes: int) -> Table:
    """Medians over so many fresh processes."""
    told = [
        json.loads(subprocess.run([sys.executable, "-c", _FRESH], stdout=subprocess.PIPE, check=True).stdout)
        for _ in range(processes + 1)
    ][1:]  # the first one may have compiled bytecode
    medians = [statistics.median(each) for each in zip(*told, strict=True)]
    return Table(
        "Facts: loading",
        f"In a process that made a model; median of {processes}. The file has {os.path.getsize(OWN_FILE):,} bytes.",
        ("step", "takes"),
        [(name, f"{figure:.1f} {unit}") for (name, unit), figure in zip(_STEPS, medians, strict=True)],
    )


def _per_call(call: Callable[[int], object], times: int) -> float:
    """Microseconds of one call: the best of five rounds, the loop's own share taken off."""
    best = float("inf")
    for _ in range(5):
        begun = time.perf_counter()
        for number in range(times):
            call(number)
        best = min(best, time.perf_counter() - begun)
    begun = time.perf_counter()
    for number in range(times):
        _nothing(number)
    return max(0.0, best - (time.perf_counter() - begun)) / times * 1e6


def _nothing(number: int) -> None:
    del number


def lookups(times: int) -> Table:
    """Calls after the first one."""
    fresh = Facts()
    fresh.profile("openai", "gpt-4o")
    listed = [name for name in fresh.names() if name[0] == "openai"]
    usage = Usage(input_tokens=1200, output_tokens=300, cache_read_tokens=1000)
    assert facts.cost(usage, "openai", "gpt-4o") is not None
    facts.override("benchmark", "model", prices={"input": Decimal(1)})
    rows: list[tuple[str, str, Callable[[int], object]]] = [
        ("`profile`, a model seen before", "≤ 5 µs", lambda _: facts.profile("openai", "gpt-4o")),
        ("`prices`, a model seen before", "≤ 5 µs", lambda _: facts.prices("openai", "gpt-4o")),
        ("`cost` of an answer with a cached prompt", "≤ 10 µs", lambda _: facts.cost(usage, "openai", "gpt-4o")),
    ]
    figures = [(name, f"{_per_call(call, times):.2f} µs", target) for name, target, call in rows]
    seldom = max(1, min(len(listed), times // 5))
    begun = time.perf_counter()
    for pair in listed[:seldom]:
        fresh.profile(*pair)
    figures.append(
        ("`profile`, a listed model for the first time", f"{(time.perf_counter() - begun) / seldom * 1e6:.1f} µs", "")
    )
    begun = time.perf_counter()
    for number in range(seldom):
        fresh.profile("openai", f"gpt-nobody-knows-{number}")
    figures.append(
        ("`profile`, an unknown name for the first time", f"{(time.perf_counter() - begun) / seldom * 1e6:.1f} µs", "")
    )
    facts.forget()
    return Table("Facts: lookups", f"Best of five rounds of {times:,} calls.", ("call", "takes", "target"), figures)


def fitting(times: int) -> Table:
    """Requests fitted to what is known of their models, where that changes nothing and where it does."""
    own = dragoman.get_model("openai/o3", api_key="k", dialect="openai-chat").route.candidates[0].deployment
    turns = tuple(user("How far is it?") if number % 2 == 0 else assistant("Not far.") for number in range(10))
    tool = ToolDefinition(name="look", input_schema={"type": "object", "properties": {}})
    plain = Request(model="o3", messages=turns, tools=(tool,), max_tokens=500)
    warm = replace(plain, temperature=0.3)
    body = {"model": "o3", "messages": msgspec.Raw(b"[]"), "max_completion_tokens": msgspec.Raw(b"500")}
    several = fallback(*(dragoman.get_model(name, api_key="k") for name in ("openai/gpt-4o", "openai/o3", "groq/a")))
    rows: list[tuple[str, str, Callable[[int], object]]] = [
        ("ten turns and a tool, nothing changed", "≤ 10 µs", lambda _: fit_facts(own, plain, "note")),
        ("the same, a member dropped and recorded", "", lambda _: fit_facts(own, warm, "note")),
        ("`touched_members` of a body to relay, none", "", lambda _: touched_members(own, body)),
        ("`touched_members`, one", "", lambda _: touched_members(own, {**body, "temperature": msgspec.Raw(b"1.5")})),
        ("which of three models lack what is needed", "", lambda _: unfit_for(several.route, plain)),
    ]
    figures = [(name, f"{_per_call(call, times):.2f} µs", target) for name, target, call in rows]
    return Table("Facts: fitting", f"Best of five rounds of {times:,} calls.", ("request", "takes", "target"), figures)


def main() -> None:
    quick = is_quick(__doc__)
    print(loading(1 if quick else 7).markdown())
    print(lookups(100 if quick else 100_000).markdown())
    print(fitting(100 if quick else 10_000).markdown())


if __name__ == "__main__":
    main()
