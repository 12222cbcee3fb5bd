"""Routing: which deployment is tried, when, and what is done when it fails.

`plan` is a pure step function: it is told what happened and when, and says what to do next. `run` carries it out on
asyncio. `remedies` is the one table of what each class of error allows. `permits` is the leave to make an attempt,
`tally` what attempts came to.
"""

from __future__ import annotations

from dragoman.routing.permits import InFlight, Permit, Permits
from dragoman.routing.plan import Bounds, GiveUp, Plan, Try
from dragoman.routing.retries import RetryBudget
from dragoman.routing.route import Candidate, Route
from dragoman.routing.routed import Routed, Source
from dragoman.routing.run import Held, run, run_embedding, run_with
from dragoman.routing.settings import CallSettings, Clock, LoopClock
from dragoman.routing.streamed import RoutedStream, shows
from dragoman.routing.tally import ModelTally, UsageTally, usage

__all__ = [
    "Bounds",
    "CallSettings",
    "Candidate",
    "Clock",
    "GiveUp",
    "Held",
    "InFlight",
    "LoopClock",
    "ModelTally",
    "Permit",
    "Permits",
    "Plan",
    "RetryBudget",
    "Route",
    "Routed",
    "RoutedStream",
    "Source",
    "Try",
    "UsageTally",
    "run",
    "run_embedding",
    "run_with",
    "shows",
    "usage",
]
