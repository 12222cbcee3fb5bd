"""Fits the weights of `facts/data/token_priors.json` to recorded prompts: `python -m scripts.facts.fit_priors`.

Each recorded request whose answer reports its prompt is an example. The fit is a ridge towards a starting point, with
weights that are never below 0 and relative errors; an example that lies far off counts less (Huber). First one for all
families, each with as many examples as another at most, then one for each family, drawn towards that.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median
from typing import Any

import msgspec

from dragoman.errors import DragomanError
from dragoman.facts.estimating import PRIORS_FILE, TokenPriors, body_features
from dragoman.facts.measuring import FEATURES, PromptSize, measure
from dragoman.facts.prompt_families import family_of
from dragoman.values import Request, Usage
from tests.wire.judging import dialect_of, request_of, run_stream
from tests.wire.recordings import Exchange, exchanges, target_for

__all__ = ["Prompt", "fit", "learnable", "main", "prompts"]

START = (1.0, 0.8, 0.8, 4.0, 4.0, 20.0, 8.0, 8.0, 20.0)
"""Where the weights start from: the measure of texts as it is, and small templates. In the order of FEATURES."""
ANY_DEVIATIONS = (0.15, 0.5, 0.5, 8.0, 5.0, 150.0, 20.0, 12.0, 80.0)
FAMILY_DEVIATIONS = (0.15, 0.4, 0.4, 6.0, 4.0, 150.0, 20.0, 10.0, 80.0)
BODY_START = (0.24, 0.1)
BODY_DEVIATIONS = (0.03, 0.2)
MOST_OF_A_FAMILY = 15
NOISE = 0.08
TOO_FAR = 1.5


@dataclass(frozen=True)
class Prompt:
    """A recorded request, and what its answer reported."""

    exchange: Exchange
    provider: str
    model: str
    request: Request
    usage: Usage
    size: PromptSize
    body_bytes: int

    @property
    def tokens(self) -> int:
        assert self.usage.input_tokens is not None  # `prompts` leaves others out
        return self.usage.input_tokens

    @property
    def family(self) -> str:
        return family_of(self.provider, self.model).name

    @property
    def weights_name(self) -> str:
        """The model without who serves it."""
        return self.model.lower().rpartition("/")[2]


@cache
def prompts() -> tuple[Prompt, ...]:
    """Every recorded prompt whose answer reports its length."""
    return tuple(_prompts())


def _prompts() -> Iterator[Prompt]:
    for exchange in exchanges():
        if exchange.dialect is None or exchange.is_error or exchange.request.body is None:
            continue
        target = target_for(exchange)
        try:
            request = request_of(exchange, target)
            usage = _usage(exchange, target)
        except DragomanError:
            continue  # an error inside a 200 has no usage
        if usage is None or not usage.input_tokens:
            continue
        size = len(msgspec.json.encode(exchange.request.body))
        yield Prompt(exchange, target.provider, target.model, request, usage, measure(request), size)


def _usage(exchange: Exchange, target: Any) -> Usage | None:
    if exchange.is_stream:
        response = run_stream(exchange).response
        return None if response is None else response.usage
    return dialect_of(exchange).decode_response(exchange.response.content, target).usage


def learnable(prompt: Prompt) -> bool:
    """Whether all that was counted stands in the request as text: no media, no tools and contents of the provider's."""
    return not (prompt.size.media or prompt.size.elsewhere or prompt.size.hidden_tokens)


def fit(given: Sequence[Prompt]) -> TokenPriors:
    """The weights that these prompts come to."""
    families: dict[str, list[Prompt]] = defaultdict(list)
    for prompt in given:
        families[prompt.family].append(prompt)
    some = [prompt for family in sorted(families) for prompt in families[family][:MOST_OF_A_FAMILY]]
    weights = _ridge(_scaled(some, _features), START, ANY_DEVIATIONS)
    bodies = _ridge(_scaled(some, _body), BODY_START, BODY_DEVIATIONS)
    return TokenPriors(
        source=f"least squares over the recorded prompts; weights of {', '.join(FEATURES)}",
        observations=len(given),
        prompts={
            "any": weights,
            **{
                name: _ridge(_scaled(its, _features), weights, FAMILY_DEVIATIONS)
                for name, its in sorted(families.items())
            },
        },
        bodies={
            "any": _pair(bodies),
            **{
                name: _pair(_ridge(_scaled(its, _body), bodies, BODY_DEVIATIONS))
                for name, its in sorted(families.items())
            },
        },
        output_tokens=float(median(prompt.usage.output_tokens or 0 for prompt in given)),
    )


def _features(prompt: Prompt) -> tuple[float, ...]:
    return prompt.size.features()


def _body(prompt: Prompt) -> tuple[float, ...]:
    return body_features(prompt.body_bytes)


def _pair(weights: tuple[float, ...]) -> tuple[float, float]:
    return weights[0], weights[1]


def _scaled(given: Sequence[Prompt], features: Callable[[Prompt], tuple[float, ...]]) -> list[list[float]]:
    """Features as shares of the truth, which is then 1."""
    return [[value / prompt.tokens for value in features(prompt)] for prompt in given]


def _ridge(rows: list[list[float]], centre: Sequence[float], deviations: Sequence[float]) -> tuple[float, ...]:
    places = range(len(centre))
    weights = list(centre)
    trust = [1.0] * len(rows)
    for _ in range(8):
        gram = [[0.0] * len(centre) for _ in places]
        aim = [0.0] * len(centre)
        for row, trusted in zip(rows, trust, strict=True):
            present = [place for place in places if row[place]]
            for one in present:
                share = trusted * row[one] / NOISE**2
                aim[one] += share
                for other in present:
                    gram[one][other] += share * row[other]
        for place in places:
            gram[place][place] += 1 / deviations[place] ** 2
            aim[place] += centre[place] / deviations[place] ** 2
        for _ in range(500):
            moved = 0.0
            for place in places:
                rest = sum(gram[place][other] * weights[other] for other in places if other != place)
                new = max(0.0, (aim[place] - rest) / gram[place][place])
                moved = max(moved, abs(new - weights[place]) / deviations[place])
                weights[place] = new
            if moved < 1e-6:
                break
        off = [abs(1 - sum(map(float.__mul__, weights, row))) for row in rows]
        trust = [min(1.0, TOO_FAR * NOISE / max(error, 1e-9)) for error in off]
    return tuple(round(weight, 3) for weight in weights)


def written(priors: TokenPriors) -> str:
    """The file's text: one family a line."""
    lines = [
        "{",
        f' "source": {msgspec.json.encode(priors.source).decode()},',
        f' "observations": {priors.observations},',
        f' "output_tokens": {priors.output_tokens},',
    ]
    for name, table in (("prompts", priors.prompts), ("bodies", priors.bodies)):
        lines.append(f' "{name}": {{')
        entries = [f'  "{family}": {msgspec.json.encode(weights).decode()}' for family, weights in table.items()]
        lines.extend([",\n".join(entries), " }" + ("," if name == "prompts" else "")])
    return "\n".join([*lines, "}", ""])


def main() -> int:
    """Writes the file. 1 where there are no recordings."""
    given = [prompt for prompt in prompts() if learnable(prompt)]
    if not given:
        print("there are no recordings (../shared/wire, or set DRAGOMAN_WIRE)", file=sys.stderr)
        return 1
    PRIORS_FILE.parent.mkdir(exist_ok=True)
    PRIORS_FILE.write_text(written(fit(given)))
    print(f"{PRIORS_FILE.name}: {len(given)} prompts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
