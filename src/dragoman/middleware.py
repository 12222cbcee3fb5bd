"""Middleware in the box, for `dragoman.wrap`: logging, hooks, a cache, and collecting usage.

    from dragoman.middleware import CallCache, CallLog, Hooks

    model = dragoman.wrap(model, CallLog(), CallCache(ttl_seconds=300), Hooks(tool_call=print))

The first listed is outermost.
"""

from __future__ import annotations

from dragoman.face.middleware.cache import CallCache
from dragoman.face.middleware.collector import UsageCollector
from dragoman.face.middleware.hooks import Hooks
from dragoman.face.middleware.logs import CallLog
from dragoman.routing.tally import ModelTally, UsageTally

__all__ = ["CallCache", "CallLog", "Hooks", "ModelTally", "UsageCollector", "UsageTally"]
