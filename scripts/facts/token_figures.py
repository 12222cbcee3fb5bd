"""How good estimates and bounds are, measured on recorded prompts that were not fitted to.

"Before any" leaves out all recordings of a model, whoever serves it, fits the weights to the rest, and estimates the
model's prompts. "By vendor" leaves out all that a provider answered. "After" shows a model all its other prompts of
other files (leave one file out), over one dialect, from those weights on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median

from dragoman.facts.bounding import Bound, bound
from dragoman.facts.estimating import Learned, TokenPriors
from scripts.facts.fit_priors import Prompt, fit, learnable, prompts

__all__ = ["Bounded", "LearnedFigure", "after", "before", "bounds", "median_error", "whole"]

LEAST_PROMPTS = 5
"""Models with fewer recorded prompts are not shown by themselves."""


def _error(known: Learned, prompt: Prompt) -> float:
    return abs(known.prompt_tokens(prompt.size, prompt.model) / prompt.tokens - 1)


def _learnable() -> list[Prompt]:
    return [prompt for prompt in prompts() if learnable(prompt)]


@cache
def _without(part: Callable[[Prompt], str], name: str) -> TokenPriors:
    return fit([prompt for prompt in _learnable() if part(prompt) != name])


def model_of(prompt: Prompt) -> str:
    """The model, whoever serves it."""
    return prompt.weights_name


def provider_of(prompt: Prompt) -> str:
    """Who serves it."""
    return prompt.provider


def before(part: Callable[[Prompt], str] = model_of) -> list[tuple[Prompt, float]]:
    """The error of each prompt under weights that were fitted without its part of the recordings."""
    return [
        (prompt, _error(Learned(prompt.provider, prompt.model, _without(part, part(prompt))), prompt))
        for prompt in _learnable()
    ]


def whole() -> list[tuple[Prompt, float]]:
    """The same with media, and with what nobody can see; those are not fitted to at all."""
    return [
        (prompt, _error(Learned(prompt.provider, prompt.model, _without(model_of, model_of(prompt))), prompt))
        for prompt in prompts()
    ]


def median_error(errors: Sequence[tuple[Prompt, float]]) -> float:
    """The median, as a share."""
    return median(error for _, error in errors)


@dataclass(frozen=True)
class LearnedFigure:
    """One model over one dialect: its prompts, and the median errors before any and after the others."""

    name: str
    prompts: int
    before: float
    after: float


def after() -> list[LearnedFigure]:
    """The figures of each model with enough prompts, the most recorded first."""
    groups: dict[tuple[str, str, str], list[Prompt]] = defaultdict(list)
    for prompt in _learnable():
        groups[prompt.provider, prompt.model, prompt.exchange.dialect or ""].append(prompt)
    found = [_learned(key, its) for key, its in groups.items() if len(its) >= LEAST_PROMPTS]
    return sorted(found, key=lambda figure: (-figure.prompts, figure.name))


def _learned(key: tuple[str, str, str], its: list[Prompt]) -> LearnedFigure:
    first = [_error(Learned(*key[:2], _without(model_of, model_of(prompt))), prompt) for prompt in its]
    then: list[float] = []
    for prompt in its:
        known = Learned(*key[:2], _without(model_of, model_of(prompt)))
        for other in its:
            if other.exchange.file != prompt.exchange.file:
                known.learn_prompt(other.size, other.tokens)
        then.append(_error(known, prompt))
    return LearnedFigure(f"{key[0]}/{key[1]} ({key[2]})", len(its), median(first), median(then))


@dataclass(frozen=True)
class Bounded:
    """A recorded prompt and its bound."""

    prompt: Prompt
    bound: Bound

    @property
    def exceeded(self) -> bool:
        """Whether more was reported than the bound says."""
        usage, found = self.prompt.usage, self.bound
        return (found.input_tokens is not None and self.prompt.tokens > found.input_tokens) or (
            found.output_tokens is not None and (usage.output_tokens or 0) > found.output_tokens
        )


def bounds() -> Iterator[Bounded]:
    """The bound of every recorded prompt."""
    for prompt in prompts():
        yield Bounded(prompt, bound(prompt.request, prompt.provider, prompt.model))
