"""Fitting: what is changed in a request before a dialect encodes it for one target, and the policy on adaptations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.errors import Unsupported
from dragoman.values import replace

if TYPE_CHECKING:
    from dragoman.values import Adaptation, AdaptationPolicy, Request, Target

__all__ = ["enforce", "fit"]

_ANSWER_ALTERING = ("dropped", "substituted", "clamped", "emulated")


def fit(request: Request, target: Target, *, stream: bool) -> Request:
    """The request as this target shall see it: its model name, streamed or not, with usage asked for on streams."""
    usage = request.stream_usage
    if stream and usage is None:
        usage = True
    elif not stream:
        usage = None
    return replace(request, model=target.model or request.model, stream=stream, stream_usage=usage)


def enforce(adaptations: tuple[Adaptation, ...], policy: AdaptationPolicy, target: Target) -> tuple[Adaptation, ...]:
    """Applies the caller's policy: `note` returns the adaptations, `silent` none, `refuse` raises for the first.

    A default that the wire demands ("defaulted") is no loss and is never refused.
    """
    if policy == "silent":
        return ()
    if policy == "refuse":
        for entry in adaptations:
            if entry.action in _ANSWER_ALTERING:
                raise Unsupported(
                    f"{target.provider or 'the target'} ({target.model}) cannot take {entry.path} as asked: "
                    f"{entry.reason} ({entry.action}). Leave it out, choose another model, or pass adapt='note' "
                    "to have it adapted and recorded.",
                    path=entry.path,
                )
    return adaptations
