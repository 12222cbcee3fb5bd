"""What a call will probably take: the estimate of its prompt, and how long the model's answers have been."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.facts.estimating import body_features, learned
from dragoman.facts.measuring import measure
from dragoman.values import Value

if TYPE_CHECKING:
    from dragoman.values import Request

__all__ = ["Expectation", "expectation", "expectation_of_bytes"]


class Expectation(Value, frozen=True, kw_only=True):
    """Tokens in and out; `observations` answers of the model stand behind `output_tokens` (0: any model's mean)."""

    input_tokens: int
    output_tokens: int
    observations: int = 0

    @property
    def tokens(self) -> int:
        """Both together."""
        return self.input_tokens + self.output_tokens


def expectation(request: Request, provider: str, model: str, *, dialect: str = "") -> Expectation:
    """What a request will probably take at a model; the output within its cap, times the choices asked for."""
    known = learned(provider, model, dialect)
    return Expectation(
        input_tokens=round(known.prompt_tokens(measure(request), model)),
        output_tokens=_output(known.output_tokens, request.max_tokens, request.choices),
        observations=known.answers,
    )


def expectation_of_bytes(
    body_bytes: int,
    provider: str,
    model: str,
    *,
    max_tokens: int | None = None,
    choices: int | None = None,
    dialect: str = "",
) -> Expectation:
    """The same from the length of a body and its caps alone, for a body that is passed on unread."""
    known = learned(provider, model, dialect)
    return Expectation(
        input_tokens=max(1, round(known.bodies.predict(body_features(body_bytes)))),
        output_tokens=_output(known.output_tokens, max_tokens, choices),
        observations=known.answers,
    )


def _output(mean: float, cap: int | None, choices: int | None) -> int:
    tokens = mean if cap is None else min(mean, cap)
    return max(1, round(tokens * max(1, choices or 1)))
