"""What it costs to import the library and make a model: time and memory over bare Python, in fresh processes."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.report import Table, is_quick, ratio
from benchmarks.upstream import running_upstream

__all__ = ["measure"]

ROOT = Path(__file__).parent.parent
SLOW_EVERY = 3
LITELLM_PYTHON = ROOT / ".venv-litellm/bin/python"

# Appended to each subject: what the process took so far. Linux starts VmHWM anew at exec; ru_maxrss would tell what
# the parent was before the fork.
_REPORT = """
import resource
_used = resource.getrusage(resource.RUSAGE_SELF)
try:
    _peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM:"))
except OSError:
    import sys
    _peak = _used.ru_maxrss // (1024 if sys.platform == "darwin" else 1)
print('{"cpu_seconds": %r, "peak_kib": %d}' % (_used.ru_utime + _used.ru_stime, _peak))
"""


class Cost(NamedTuple):
    """What one process took, or what the median of several did."""

    wall_seconds: float
    cpu_seconds: float
    peak_kib: float

    def over(self, base: Cost) -> Cost:
        return Cost(*(own - other for own, other in zip(self, base, strict=True)))


@dataclass(frozen=True, slots=True)
class Subject:
    """A program to be run; what it costs is told over `base`, the same Python doing nothing. `slow`: run less often."""

    name: str
    program: str
    python: str = sys.executable
    base: str = "bare Python"
    target: str = ""
    slow: bool = False


def subjects(upstream: str, litellm: bool) -> list[Subject]:
    """What is compared; litellm, which is slow to compile, only if asked for and where its environment is."""
    url, asked = f"{upstream}/1/0", '[{"role": "user", "content": "Hello"}]'
    make_openai = f"from openai import OpenAI; c = OpenAI(api_key='x', base_url='{url}/v1')"
    make_anthropic = f"from anthropic import Anthropic; c = Anthropic(api_key='x', base_url='{url}')"
    make_ours = f"import dragoman; m = dragoman.get_model('openai/gpt-4o', api_key='x', base_url='{url}/v1')"
    listed = [
        Subject("bare Python", "pass"),
        Subject("`import dragoman`", "import dragoman", target="≤ 30 ms"),
        Subject('`get_model("openai/gpt-4o")`', make_ours, target="≤ 100 ms, ≤ 35 MB"),
        Subject("openai: import, client", make_openai),
        Subject("anthropic: import, client", make_anthropic),
        Subject("`get_model`, and the first answer", f"{make_ours}\nassert m.chat({asked}).content"),
        Subject(
            "openai: client, and the first answer",
            f"{make_openai}\nassert c.chat.completions.create(model='gpt-4o', messages={asked})",
            slow=True,
        ),
        Subject(
            "anthropic: client, and the first answer",
            f"{make_anthropic}\nassert c.messages.create(model='claude', max_tokens=9, messages={asked})",
            slow=True,
        ),
    ]
    if litellm and LITELLM_PYTHON.exists():
        python = str(LITELLM_PYTHON)
        listed.append(Subject("bare Python of litellm's environment", "pass", python))
        listed.append(Subject("`import litellm`", "import litellm", python, listed[-1].name, slow=True))
    return listed


def _once(subject: Subject, environment: Mapping[str, str]) -> Cost:
    begun = time.perf_counter()
    done = subprocess.run(
        [subject.python, "-c", subject.program + _REPORT],
        env=environment,
        cwd=environment["PYTHONPYCACHEPREFIX"],
        stdout=subprocess.PIPE,
        check=True,
        timeout=120,
    )
    wall = time.perf_counter() - begun
    told = json.loads(done.stdout.splitlines()[-1])
    return Cost(wall, told["cpu_seconds"], told["peak_kib"])


def measure(processes: int, litellm: bool) -> dict[str, Cost]:
    """The medians over so many fresh processes of each subject, which take turns; bytecode is compiled before."""
    costs: dict[str, list[Cost]] = {}
    with running_upstream() as upstream, tempfile.TemporaryDirectory() as bytecode:
        environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            "PYTHONPYCACHEPREFIX": bytecode,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else its import waits for a download
        }
        listed = subjects(upstream, litellm)
        for subject in listed:
            _once(subject, environment)
        for turn in range(processes):
            for subject in listed:
                if subject.slow and turn % SLOW_EVERY:
                    continue
                costs.setdefault(subject.name, []).append(_once(subject, environment))
    medians = {name: Cost(*map(statistics.median, zip(*each, strict=True))) for name, each in costs.items()}
    return {
        subject.name: medians[subject.name] if subject.program == "pass" else _over(subject, medians)
        for subject in listed
    }


def _over(subject: Subject, medians: Mapping[str, Cost]) -> Cost:
    return medians[subject.name].over(medians[subject.base])


def table(processes: int, litellm: bool) -> Table:
    """The figures beside each other."""
    costs = measure(processes, litellm)
    targets = {subject.name: subject.target for subject in subjects("", litellm)}
    ours = costs['`get_model("openai/gpt-4o")`']
    rows: list[Sequence[str]] = [
        (
            name,
            f"{cost.wall_seconds * 1000:.0f} ms",
            f"{cost.cpu_seconds * 1000:.0f} ms",
            f"{cost.peak_kib / 1024:.1f} MiB",
            ratio(cost.wall_seconds, ours.wall_seconds),
            targets.get(name, ""),
        )
        for name, cost in costs.items()
    ]
    return Table(
        "Import, and making a model",
        f"Medians of {processes} fresh processes each ({-(-processes // SLOW_EVERY)} of the slowest), bytecode "
        "compiled before. Everything but bare Python is told over bare Python. A first answer is one call to a fake "
        "provider on this machine.",
        ("what", "time", "CPU", "peak memory", "time ÷ `get_model`", "target"),
        rows,
    )


if __name__ == "__main__":
    print((table(1, litellm=False) if is_quick(__doc__) else table(15, litellm=True)).markdown())
