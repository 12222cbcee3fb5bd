"""The laws of an answer's stream, as a judge; it is part of the package, for the conformance pack judges by it too."""

from __future__ import annotations

from dragoman.testing.laws import LawBroken, Run, check_events, check_usage, run_decoder

__all__ = ["LawBroken", "Run", "check_events", "check_usage", "run_decoder"]
