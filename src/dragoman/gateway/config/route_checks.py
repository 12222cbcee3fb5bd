"""Checks of how a model's requests are spread over its deployments: what a file says that could never come about."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from dragoman.errors import ConfigError
from dragoman.gateway.config.problems import near_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dragoman.gateway.config.checks import Model, Steps
    from dragoman.gateway.config.structs import DeploymentBlock, ModelBlock, RuleBlock

    Complain = Callable[[Steps, str], None]

__all__ = ["check_spreading"]

_BY_WEIGHT: Final = ("weighted", "latency", "least-busy")


def check_spreading(
    models: Mapping[str, Model], written: Mapping[str, object], find: Callable[[str], str | None], complain: Complain
) -> None:
    """Complains of every model; `written` is as the file has them, `find` gives the model that a name leads to."""
    for name, model in models.items():
        here: Steps = ("models", name)
        block = model.block
        _check_needs(here, block.needs, complain)
        _check_strategy(here, model, complain)
        within: Steps = (*here, "deployments") if written.get(name) is block else here
        for at, deployment in enumerate(block.deployments):
            if not isinstance(deployment, str):
                _check_deployment((*within, at), deployment, block, complain)
        for at, rule in enumerate(block.rules):
            _check_rule((*here, "rules", at), rule, _reached(name, models, find), complain)
        for at, fallback in enumerate(block.fallbacks):
            found = models.get(find(fallback) or "")
            if found is not None and found.block.strategy == "rule":
                complain(
                    (*here, "fallbacks", at),
                    f"{fallback!r} goes by rules, which look at all of a model's deployments: it cannot be a fallback",
                )


def _check_strategy(here: Steps, model: Model, complain: Complain) -> None:
    block = model.block
    if block.strategy == "rule" and not block.rules:
        complain((*here, "strategy"), "the strategy rule goes by rules: give them as rules")
    if block.strategy != "rule" and block.rules:
        complain((*here, "rules"), f"rules count for the strategy rule, and not for {block.strategy}")
    if block.strategy != "rule" and block.otherwise != "order":
        complain((*here, "otherwise"), f"otherwise counts for the strategy rule, and not for {block.strategy}")


def _check_deployment(path: Steps, deployment: DeploymentBlock, model: ModelBlock, complain: Complain) -> None:
    _check_needs(path, deployment.needs, complain)
    strategy = model.otherwise if model.strategy == "rule" else model.strategy
    if deployment.weight is not None and strategy not in _BY_WEIGHT:
        complain((*path, "weight"), f"weights count for the strategies {', '.join(_BY_WEIGHT)}, and not for {strategy}")


def _check_rule(path: Steps, rule: RuleBlock, names: frozenset[str] | None, complain: Complain) -> None:
    _check_needs(path, rule.needs, complain)
    low, high = rule.min_prompt_tokens, rule.max_prompt_tokens
    if low is not None and high is not None and low > high:
        complain((*path, "max_prompt_tokens"), f"no prompt has {low:,} tokens and more, and {high:,} and less")
    if names is None:
        return
    for at, use in enumerate(rule.use):
        if use and not any(fnmatchcase(name, use) for name in names):
            near = near_name(use, names) or f" There are {', '.join(sorted(names))}."
            complain((*path, "use", at), f"no deployment of this model is called {use!r}.{near}")


def _check_needs(path: Steps, needs: tuple[str, ...], complain: Complain) -> None:
    if not needs:
        return
    from dragoman.facts import check_needs

    for at, need in enumerate(needs):
        try:
            if need:
                check_needs((need,))
        except ConfigError as error:
            complain((*path, "needs", at), error.message)


def _reached(name: str, models: Mapping[str, Model], find: Callable[[str], str | None]) -> frozenset[str] | None:
    """The names of all deployments of a model and its fallbacks; None where they are not all known ahead."""
    names: set[str] = set()
    seen: set[str] = set()
    left = [name]
    while left:
        at = left.pop()
        model = models.get(at)
        if model is None or at in seen:
            continue
        seen.add(at)
        if model.block.equivalents or any("*" in deployment.model for deployment in model.deployments):
            return None
        names |= {deployment.name or deployment.model for deployment in model.deployments}
        left += [found for fallback in model.block.fallbacks if (found := find(fallback)) is not None]
    return frozenset(names)
