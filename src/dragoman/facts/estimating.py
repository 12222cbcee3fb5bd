"""About how many tokens a prompt takes, without a tokenizer, and what is learned of it from what providers report.

Before anything was reported of a model the weights of its family count (`data/token_priors.json`, fitted to recorded
prompts by `python -m scripts.facts.fit_priors`). Every reported prompt moves the model's own weights from there. What
is learned stays in this process, and is bounded.
"""

from __future__ import annotations

from collections import deque
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

import msgspec

from dragoman.facts.measuring import measure
from dragoman.facts.media_tokens import media_estimate
from dragoman.facts.prompt_families import family_of
from dragoman.facts.regression import Regression
from dragoman.values import Request, Value

if TYPE_CHECKING:
    from dragoman.facts.measuring import PromptSize
    from dragoman.values import Usage

__all__ = [
    "Learned",
    "TokenEstimate",
    "TokenPriors",
    "body_features",
    "estimate_bytes",
    "estimate_tokens",
    "forget_observations",
    "learned",
    "observe",
    "priors",
]

PRIORS_FILE: Final = Path(__file__).parent / "data" / "token_priors.json"

MODEL_DEVIATIONS: Final = (0.05, 0.15, 0.15, 8.0, 1.5, 100.0, 2.0, 3.0, 30.0)
"""How far a model's weights lie from its family's, as a rule; in the order of `measuring.FEATURES`."""
BODY_DEVIATIONS: Final = (0.06, 0.2)
_ENVELOPE_BYTES: Final = 150  # about so much of a body is no prompt

_MOST_MODELS: Final = 1024
_MOST_PENDING: Final = 32
_MOST_PENDING_BYTES: Final = 65_536  # a longer request is not kept until it is looked at: its length alone is learned
_OFTEN: Final = 64
_SELDOM: Final = 8
_OUTPUT_SHARE: Final = 0.1  # of the newest answer in the running mean


class TokenEstimate(Value, frozen=True, kw_only=True):
    """About how many tokens a prompt takes.

    `basis` is "prior" before anything was learned of the model, then "learned" from `observations` prompts. `beyond`
    names what may add tokens that nobody can tell beforehand (tools that the provider runs, contents it holds).
    """

    tokens: int
    basis: str = "prior"
    observations: int = 0
    beyond: tuple[str, ...] = ()


class TokenPriors(msgspec.Struct, frozen=True):
    """The data file: weights of `measuring.FEATURES` per family, and of `body_features`.

    A family that is not in it has the weights of "any".
    """

    source: str
    observations: int
    prompts: dict[str, tuple[float, ...]]
    bodies: dict[str, tuple[float, float]]
    output_tokens: float


def body_features(length: int) -> tuple[float, float]:
    """What is weighed of a body that is not looked into: its bytes beyond the first 150, and those."""
    envelope = min(length, _ENVELOPE_BYTES)
    return float(length - envelope), float(envelope)


@cache
def priors() -> TokenPriors:
    """The fitted weights, read once."""
    return msgspec.json.decode(PRIORS_FILE.read_bytes(), type=TokenPriors)


class Learned:
    """What is known of one model at one provider, over one dialect."""

    __slots__ = ("answers", "bodies", "output_tokens", "prompts")

    def __init__(self, provider: str, model: str, given: TokenPriors) -> None:
        name = family_of(provider, model).name
        self.prompts = Regression(given.prompts.get(name) or given.prompts["any"], MODEL_DEVIATIONS)
        self.bodies = Regression(given.bodies.get(name) or given.bodies["any"], BODY_DEVIATIONS)
        self.output_tokens = given.output_tokens
        self.answers = 0

    def prompt_tokens(self, size: PromptSize, model: str) -> float:
        """The estimate for a measured prompt, media among it."""
        tokens = max(self.prompts.predict(size.features()), 0.2 * size.text, 1.0)
        tokens += sum(media_estimate(each, model) for each in size.media)
        return tokens + 0.6 * size.hidden_tokens

    def learn_prompt(self, size: PromptSize, tokens: int) -> None:
        """Takes a reported prompt in; one with contents that we did not see teaches nothing."""
        if not (size.media or size.elsewhere or size.hidden_tokens):
            self.prompts.learn(size.features(), float(tokens))

    def learn_answer(self, tokens: int) -> None:
        self.answers += 1
        share = max(_OUTPUT_SHARE, 1 / (self.answers + 1))
        self.output_tokens += share * (tokens - self.output_tokens)


class _Pending(msgspec.Struct, gc=False):
    provider: str
    model: str
    dialect: str
    request: Request | None
    body_bytes: int
    input_tokens: int
    output_tokens: int | None


_known: dict[tuple[str, str, str], Learned] = {}
_last_dialect: dict[tuple[str, str], str] = {}
_pending: deque[_Pending] = deque(maxlen=_MOST_PENDING)
_seen: dict[tuple[str, str], int] = {}
_lock = Lock()


def observe(
    provider: str,
    model: str,
    usage: Usage,
    *,
    request: Request | None = None,
    body_bytes: int = 0,
    dialect: str = "",
) -> None:
    """Notes what a provider reported of a prompt; it is looked at when the next estimate is wanted. Never raises.

    `body_bytes` is the length of the body that was sent. After the first of a model's prompts only some are noted.
    """
    # On the path of every answer: a note of a microsecond, and nothing is measured here.
    tokens = usage.input_tokens
    if not tokens or tokens < 0 or usage.tool_uses or usage.input_tool_tokens:
        return
    key = (provider, model)
    seen = _seen.get(key, 0)
    if seen >= _OFTEN and seen % _SELDOM:
        _seen[key] = seen + 1
        return
    if len(_seen) >= _MOST_MODELS and key not in _seen:
        _seen.clear()
    _seen[key] = seen + 1
    kept = request if body_bytes <= _MOST_PENDING_BYTES else None
    _pending.append(_Pending(provider, model, dialect, kept, body_bytes, tokens, usage.output_tokens))


def learned(provider: str, model: str, dialect: str = "") -> Learned:
    """What is known of a model by now; without a dialect, over the one that was spoken last."""
    with _lock:
        while _pending:
            _take_in(_pending.popleft())
        found = _known.get((provider, model, dialect or _last_dialect.get((provider, model), "")))
        return Learned(provider, model, priors()) if found is None else found


def _take_in(seen: _Pending) -> None:
    key = (seen.provider, seen.model, seen.dialect)
    known = _known.pop(key, None)
    if known is None:
        known = Learned(seen.provider, seen.model, priors())
        if len(_known) >= _MOST_MODELS:
            oldest = next(iter(_known))
            del _known[oldest]
            _last_dialect.pop(oldest[:2], None)
    _known[key] = known  # the last in the order of use
    _last_dialect[key[:2]] = seen.dialect
    if seen.output_tokens is not None and seen.output_tokens >= 0:
        known.learn_answer(seen.output_tokens)
    size = None if seen.request is None else measure(seen.request)
    if size is not None:
        known.learn_prompt(size, seen.input_tokens)
    if seen.body_bytes > 0 and not (size is not None and (size.media or size.elsewhere)):
        known.bodies.learn(body_features(seen.body_bytes), float(seen.input_tokens))


def forget_observations() -> None:
    """Back to the priors."""
    with _lock:
        _pending.clear()
        _known.clear()
        _last_dialect.clear()
        _seen.clear()


def estimate_tokens(request: Request, provider: str, model: str, *, dialect: str = "") -> TokenEstimate:
    """About how many tokens the prompt of a request takes at a model. Never raises for a request that is one."""
    size = measure(request)
    known = learned(provider, model, dialect)
    return TokenEstimate(
        tokens=round(known.prompt_tokens(size, model)),
        basis="learned" if known.prompts.count else "prior",
        observations=known.prompts.count,
        beyond=tuple(each.reason for each in size.elsewhere),
    )


def estimate_bytes(body_bytes: int, provider: str, model: str, *, dialect: str = "") -> int:
    """About how many tokens a body of that length is, without a look into it; media in it make it far too many."""
    return max(1, round(learned(provider, model, dialect).bodies.predict(body_features(body_bytes))))
