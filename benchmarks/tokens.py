"""What estimates, bounds and what is learned cost: `python -m benchmarks.tokens [--quick]`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import msgspec

from dragoman import facts
from dragoman.values import Request, ToolDefinition, Usage, user

PROMPT = "Explain channels in Go, and when a buffered one is the right choice."
TOOL = ToolDefinition(
    name="weather",
    description="Tells the weather of a city",
    input_schema={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
PROVIDER, MODEL = "openai", "gpt-4o"


def _microseconds(work: Callable[[], object], times: int) -> float:
    work()
    rounds: list[float] = []
    for _ in range(5):
        begun = time.process_time()
        for _ in range(times):
            work()
        rounds.append((time.process_time() - begun) / times * 1e6)
    return min(rounds)


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repetitions, to see that it runs")
    times = 50 if parser.parse_args().quick else 5000
    request = Request(model=MODEL, messages=(user(PROMPT),), max_tokens=100)
    tooled = msgspec.structs.replace(request, tools=(TOOL,))
    body = msgspec.json.encode({"model": MODEL, "messages": [{"role": "user", "content": PROMPT}]})
    long_body = msgspec.json.encode({"model": MODEL, "messages": [{"role": "user", "content": PROMPT * 1500}]})
    usage = Usage(input_tokens=21, output_tokens=100)

    def observe() -> None:
        facts.observe(PROVIDER, MODEL, usage, request=request, body_bytes=len(body), dialect="openai-chat")

    def observe_new() -> None:
        facts.forget_observations()
        observe()

    def learn() -> None:
        observe_new()
        facts.estimate_bytes(len(body), PROVIDER, MODEL, dialect="openai-chat")

    rows: tuple[tuple[str, Callable[[], object], int], ...] = (
        ("observe an answer (on the path of every call)", observe, times),
        ("observe and learn from it (at the next estimate)", learn, times),
        (f"estimate from {len(body)} bytes", lambda: facts.estimate_bytes(len(body), PROVIDER, MODEL), times),
        ("expectation from a body", lambda: facts.expectation_of_bytes(len(body), PROVIDER, MODEL), times),
        (f"bound of {len(body)} bytes", lambda: facts.bound_bytes(body, PROVIDER, MODEL), times),
        (f"bound of {len(long_body)} bytes", lambda: facts.bound_bytes(long_body, PROVIDER, MODEL), times // 50),
        ("price of bounded tokens", lambda: facts.bound_of_tokens(300, 100, PROVIDER, MODEL), times),
        ("estimate of a request", lambda: facts.estimate_tokens(request, PROVIDER, MODEL), times),
        ("bound of a request", lambda: facts.bound(request, PROVIDER, MODEL), times),
        ("bound of a request with a tool", lambda: facts.bound(tooled, PROVIDER, MODEL), times),
    )
    print("### Tokens: estimates, bounds and what is learned\n")
    print("| work | CPU µs |")
    print("| --- | ---: |")
    for name, work, repetitions in rows:
        print(f"| {name} | {_microseconds(work, max(1, repetitions)):.1f} |")


if __name__ == "__main__":
    main()
