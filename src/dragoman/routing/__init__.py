"""Routing: which deployment is tried, when, and what is done when it fails.

A `Route` holds `Candidate`s, and what their calls share:

    health = Health(HealthSettings(cooldown_seconds=10.0))  # one for all routes of a process; `share` among several
    limits = Limits(rpm=600, tpm=200_000, concurrency=40)
    Route(
        candidates=(Candidate(deployment=…, tier=1, weight=3.0, limits=limits), …),
        strategy=strategy_of("latency"),  # None: in order; Rules((Rule(…),), otherwise=…)
        health=health, affinity=Affinity(), hedging=Hedging(), budget=RetryBudget(), bounds=Bounds(),
    )
    await run_with(route, once, CallSettings(permits=…, call=Call(model=…, headers=…, key=…)), acts=False)
    health.view(now), health.reset(name), explain(route, call=Call(…)), await probe(route, clock)

A strategy, an `Affinity`, a `Health` and a `RetryBudget` belong to one public model and live as long as it does: copies
of a route (`replace(route, candidates=…)`) share them, and so what they have learned.

- `plan` is a pure step function: it is told what happened and when, and says what to do next. `remedies` is the one
  table of what each class of error allows.
- `selector` chooses who is next for one call: `lineup` is the route's candidates with their standings, `strategies`
  rank them, `affinity` and `sessions` keep together what belongs together, `call` is what they may know of a call.
- `standing` is what traffic shows of a deployment: `health` (breakers, dead credentials), `capacity` (limits, headers,
  `learned` caps, a queue), `pace` (speed), `mix` (tokens).
- `dispatch` carries one call: leave for attempts (`permits`), their ends. `run`, `routed` and `streamed` run it on
  asyncio, `racing` two attempts at once (`hedging`). `tally` is what attempts came to.
- `explaining` tells what would be chosen; `probing` asks for lists of models, where somebody wants that.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from dragoman.routing.dispatch import Held
from dragoman.routing.permits import InFlight, Permit, Permits
from dragoman.routing.plan import Bounds, GiveUp, Plan, Try
from dragoman.routing.retries import RetryBudget
from dragoman.routing.route import Candidate, Route
from dragoman.routing.routed import Routed, Source
from dragoman.routing.run import run, run_embedding, run_with
from dragoman.routing.settings import CallSettings, Clock, LoopClock
from dragoman.routing.streamed import RoutedStream, shows
from dragoman.routing.tally import ModelTally, UsageTally, usage

if TYPE_CHECKING:
    from dragoman.routing.affinity import Affinity
    from dragoman.routing.call import Call
    from dragoman.routing.explaining import Explained, Explanation, aexplain, explain
    from dragoman.routing.gates import LocalGate, ProbeGate
    from dragoman.routing.health import DeploymentView, Health, HealthSettings
    from dragoman.routing.hedging import Hedging
    from dragoman.routing.limits import Limits
    from dragoman.routing.probing import probe, probe_forever
    from dragoman.routing.strategies import STRATEGY_NAMES, Strategy, strategy_of
    from dragoman.routing.strategies.rules import Rule, Rules

# What a plain call does not need is loaded at its first use.
_HOMES: Final = {
    "affinity": "Affinity",
    "call": "Call",
    "explaining": "Explained Explanation aexplain explain",
    "gates": "LocalGate ProbeGate",
    "health": "DeploymentView Health HealthSettings",
    "hedging": "Hedging",
    "limits": "Limits",
    "probing": "probe probe_forever",
    "strategies": "STRATEGY_NAMES Strategy strategy_of",
    "strategies.rules": "Rule Rules",
}
_HOME: Final = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [
    "STRATEGY_NAMES",
    "Affinity",
    "Bounds",
    "Call",
    "CallSettings",
    "Candidate",
    "Clock",
    "DeploymentView",
    "Explained",
    "Explanation",
    "GiveUp",
    "Health",
    "HealthSettings",
    "Hedging",
    "Held",
    "InFlight",
    "Limits",
    "LocalGate",
    "LoopClock",
    "ModelTally",
    "Permit",
    "Permits",
    "Plan",
    "ProbeGate",
    "RetryBudget",
    "Route",
    "Routed",
    "RoutedStream",
    "Rule",
    "Rules",
    "Source",
    "Strategy",
    "Try",
    "UsageTally",
    "aexplain",
    "explain",
    "probe",
    "probe_forever",
    "run",
    "run_embedding",
    "run_with",
    "shows",
    "strategy_of",
    "usage",
]


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'dragoman.routing' has no attribute {name!r}")
    value = getattr(import_module(f"dragoman.routing.{home}"), name)
    globals()[name] = value
    return value
