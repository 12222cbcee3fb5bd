"""Engine: one attempt. Fit a request to a target, translate it, send it, translate the answer, meter it.

`Deployment` is one thing that can be tried; `attempt` and `open_stream` try it once for a whole answer or a stream of
events, `attempt_embedding` for vectors; `output/` holds how the form of an answer is had, and undone on it. Nothing
here retries: that is routing's alone.
"""

from __future__ import annotations

from dragoman.engine.attempt import attempt, attempt_embedding
from dragoman.engine.deployment import Deployment
from dragoman.engine.meter import Meter
from dragoman.engine.streaming import AttemptStream, open_stream

__all__ = ["AttemptStream", "Deployment", "Meter", "attempt", "attempt_embedding", "open_stream"]
