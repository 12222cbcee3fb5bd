"""Fitting: what is changed in a request before a dialect encodes it for one target, and the policy on adaptations."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from dragoman.errors import Unsupported
from dragoman.values import AdaptationLog, ToolDefinition, replace

if TYPE_CHECKING:
    from types import ModuleType

    from dragoman.engine.deployment import Deployment
    from dragoman.engine.output import Undoing
    from dragoman.values import Adaptation, AdaptationPolicy, Request, Target, Tool

__all__ = ["enforce", "fit", "fit_facts", "fit_form"]

_ANSWER_ALTERING = ("dropped", "substituted", "clamped", "emulated")


def fit(request: Request, target: Target, *, stream: bool) -> Request:
    """The request as this target shall see it: its model name, streamed or not, with usage asked for on streams."""
    usage = request.stream_usage
    if stream and usage is None:
        usage = True
    elif not stream:
        usage = None
    model = target.model or request.model
    if model == request.model and stream == request.stream and usage == request.stream_usage:
        return request
    return replace(request, model=model, stream=stream, stream_usage=usage)


def fit_facts(
    deployment: Deployment, request: Request, policy: AdaptationPolicy
) -> tuple[Deployment, Request, tuple[Adaptation, ...]]:
    """The request as the deployment's model is known to take it, and the deployment with the quirks of its model.

    Raises `Unsupported` for what the model is known not to be able to do, and by policy.
    """
    capabilities = _capabilities()
    limits, access = capabilities.limits_of(deployment)
    if access is not deployment.access:
        deployment = replace(deployment, access=access)
    if limits is None:
        return deployment, request, ()
    log = AdaptationLog()
    request = capabilities.fit_request(request, limits, log)
    adaptations = log.entries()
    return deployment, request, enforce(adaptations, policy, deployment.target) if adaptations else ()


def fit_form(
    deployment: Deployment, request: Request, policy: AdaptationPolicy
) -> tuple[Deployment, Request, tuple[Adaptation, ...], Undoing | None]:
    """The request with the form of its answer (and its strict tools) as the target takes it, and how that is undone.

    The deployment's quirks change where the caller knows the model better than its row. Raises `Unsupported` by policy.
    """
    if request.output is None and not _is_any_strict(request.tools):
        return deployment, request, (), None
    from dragoman.engine.output import fit_output  # here, since most calls ask for text and offer no strict tools

    fitted = fit_output(request, deployment.access.dialect, deployment.target)
    if fitted is None:
        return deployment, request, (), None
    adaptations = enforce(fitted.adaptations, policy, deployment.target)
    if fitted.target is not deployment.target and fitted.target != deployment.target:
        deployment = replace(deployment, access=deployment.access.with_target(fitted.target))
    return deployment, fitted.request, adaptations, fitted.undoing


@cache  # an import statement in a function costs half a microsecond each time
def _capabilities() -> ModuleType:
    from dragoman.engine import capabilities  # here: making a model must not load facts

    return capabilities


def _is_any_strict(tools: tuple[Tool, ...]) -> bool:
    for tool in tools:  # noqa: SIM110  # on the path of every request with tools: a generator takes twice as long
        if isinstance(tool, ToolDefinition) and tool.strict:
            return True
    return False


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
