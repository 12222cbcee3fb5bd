"""CPU of a call and of a streamed event, beside the official packages, against a fake provider in another process."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence

from benchmarks.callers import BURST_EVENTS, PAUSE_MICROSECONDS, SPACED_EVENTS
from benchmarks.report import Table, is_quick, ratio
from benchmarks.upstream import running_upstream

__all__ = ["table"]

OFFICIAL = {"openai-chat": "openai", "openai-responses": "openai", "anthropic": "anthropic"}
VERBS = {
    "chat": "chat, a call",
    "achat": "achat, a call",
    "stream": "stream, an event",
    "astream": "astream, an event",
    "stream, spaced": "stream, an event in its own segment",
    "astream, spaced": "astream, an event in its own segment",
}


def _measure(package: str, dialect: str, upstream: str, seconds: float) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.callers", package, dialect, upstream, str(seconds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=120)
    return json.loads(done.stdout)


def measure(seconds: float, rounds: int) -> dict[tuple[str, str], dict[str, float]]:
    """Medians of the rounds by package and dialect; within a round all take turns."""
    told: dict[tuple[str, str], list[Mapping[str, float]]] = {}
    with running_upstream() as upstream:
        for _ in range(rounds):
            for dialect, official in OFFICIAL.items():
                for package in ("dragoman", official):
                    told.setdefault((package, dialect), []).append(_measure(package, dialect, upstream, seconds))
    return {
        key: {verb: statistics.median(each[verb] for each in measured) for verb in measured[0]}
        for key, measured in told.items()
    }


def _row(dialect: str, verb: str, ours: Mapping[str, float], theirs: Mapping[str, float]) -> Sequence[str]:
    gathering = theirs.get(verb.replace("stream", "gather")) if "stream" in verb else None
    return (
        f"{dialect}: {VERBS[verb]}",
        f"{ours[verb] * 1e6:.1f} µs",
        f"{theirs[verb] * 1e6:.1f} µs",
        ratio(theirs[verb], ours[verb]),
        *(("", "") if gathering is None else (f"{gathering * 1e6:.1f} µs", ratio(gathering, ours[verb]))),
    )


def table(seconds: float, rounds: int) -> Table:
    """The figures beside each other."""
    costs = measure(seconds, rounds)
    rows = [
        _row(dialect, verb, costs["dragoman", dialect], costs[official, dialect])
        for dialect, official in OFFICIAL.items()
        for verb in VERBS
    ]
    return Table(
        "CPU of calls and of streamed events",
        f"CPU time of the calling process, all its threads, medians of {rounds} rounds. The answer is fixed and comes "
        "from another process on this machine; the others are the official packages `openai` and `anthropic`. A "
        f"stream has {BURST_EVENTS} events in one piece, or {SPACED_EVENTS} that come {PAUSE_MICROSECONDS / 1000:g} ms "
        "apart; what its call costs is in the figure of its events. At the end of its stream this library has the "
        "whole answer, too. The official packages have verbs of their own for that, which are in the columns "
        "“gathering”; their plain streams do less. Target: less than the official package in every row.",
        ("what", "dragoman", "official", "÷ dragoman", "official, gathering", "÷ dragoman"),
        rows,
    )


if __name__ == "__main__":
    print((table(0.01, 1) if is_quick(__doc__) else table(0.2, 3)).markdown())
