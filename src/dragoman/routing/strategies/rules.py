"""By rules: the first whose conditions hold says who is asked."""

from __future__ import annotations

from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import msgspec

from dragoman.errors import ConfigError
from dragoman.routing.strategies.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dragoman.routing.call import Call
    from dragoman.routing.lineup import Option

__all__ = ["Rule", "Rules"]

_PARTS: Final = 10_000


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """`use` names the deployments that calls go to which meet all conditions that are given.

    Names in `use`, `model`, `key`, `team`, `user`, and the values of `headers` and `metadata`, are patterns, with `*`
    for anything; names of headers are in lower case. `needs`: the request has all of these ("tools", "vision", …).
    `min_prompt_tokens` and `max_prompt_tokens` go by the estimate of the prompt, both inclusive.

    `percent` takes so many of the calls that meet the rest, and leaves the others to the rules after it. The same user,
    session or key (the first of them that is known) is always on the same side; calls that name none of these are
    split by chance. `seed` sets apart splits that shall not take the same ones.

    With `only`, nobody else is asked; without it, the others stand behind as fallbacks.
    """

    use: tuple[str, ...]
    model: str | None = None
    headers: dict[str, str] = {}
    metadata: dict[str, str] = {}
    key: str | None = None
    team: str | None = None
    user: str | None = None
    needs: tuple[str, ...] = ()
    min_prompt_tokens: int | None = None
    max_prompt_tokens: int | None = None
    percent: float | None = None
    seed: str = ""
    only: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.use, str):
            raise ConfigError(f'use is a list of names, as in use=("{self.use}",)')
        if self.percent is not None and not 0 <= self.percent <= 100:
            raise ConfigError(f"percent is a number from 0 to 100, and not {self.percent!r}")

    def meets(self, call: Call) -> bool:
        """Whether the call meets all conditions but the split."""
        return (
            _matches(self.model, call.model)
            and _matches(self.key, call.key)
            and _matches(self.team, call.team)
            and _matches(self.user, call.user)
            and all(_matches(pattern, call.headers.get(name)) for name, pattern in self.headers.items())
            and all(_matches(pattern, _text(call.metadata, name)) for name, pattern in self.metadata.items())
            and (self.min_prompt_tokens is None or call.prompt_tokens >= self.min_prompt_tokens)
            and (self.max_prompt_tokens is None or call.prompt_tokens <= self.max_prompt_tokens)
            and (not self.needs or set(self.needs) <= set(call.needs))
        )

    def takes(self, call: Call, random: Callable[[], float]) -> bool:
        """Whether the call is on this side of the split."""
        if self.percent is None:
            return True
        who = call.user or call.session or call.key
        part = call.dice(random) if not who else _part(f"{self.seed}\0{who}")
        return part * 100 < self.percent


class Rules(Strategy):
    """The first rule that holds; a call that meets none goes by `otherwise` (None: in order, tier by tier).

    Within what a rule names, tiers go before each other, and `otherwise` chooses inside a tier.
    """

    name = "rule"
    across = True

    def __init__(self, rules: Sequence[Rule], otherwise: Strategy | None = None) -> None:
        self.rules = tuple(rules)
        self.otherwise = otherwise
        if otherwise is not None:
            self.wants = otherwise.wants

    def choose(self, call: Call, options: Sequence[Option], now: float, random: Callable[[], float]) -> Option | None:
        among, rest = self._split(call, options, random)
        for group in (among, rest):
            if group:
                tier = _first_tier(group)
                strategy = None if self.otherwise is None else self.otherwise.of_tier(tier[0].tier)
                return tier[0] if strategy is None else strategy.choose(call, tier, now, random)
        return None

    def allowed(self, call: Call, options: Sequence[Option], random: Callable[[], float]) -> Sequence[Option]:
        among, rest = self._split(call, options, random)
        return [*among, *rest]

    def rank(self, call: Call, options: Sequence[Option], now: float) -> list[Option]:
        ranked: list[Option] = []
        for group in self._split(call, options, lambda: 0.5):
            left = list(group)
            while left:
                tier = _first_tier(left)
                strategy = None if self.otherwise is None else self.otherwise.of_tier(tier[0].tier)
                ranked += tier if strategy is None else strategy.rank(call, tier, now)
                left = [option for option in left if option not in tier]
        return ranked

    def _split(
        self, call: Call, options: Sequence[Option], random: Callable[[], float]
    ) -> tuple[Sequence[Option], Sequence[Option]]:
        """Those that the rule names, and those that stand behind them."""
        rule = self.rule(call, random)
        if rule is None:
            return options, ()
        among = [option for option in options if _named(rule.use, option)]
        rest = () if rule.only else [option for option in options if option not in among]
        return among, rest

    def rule(self, call: Call, random: Callable[[], float]) -> Rule | None:
        """The first rule that holds for a call."""
        return next((rule for rule in self.rules if rule.meets(call) and rule.takes(call, random)), None)

    def told(self, call: Call, option: Option, now: float) -> str:
        for number, rule in enumerate(self.rules, 1):
            if rule.meets(call) and rule.takes(call, lambda: 0.5):
                return f"rule {number}" if _named(rule.use, option) else f"not named by rule {number}"
        return "no rule holds"

    def __repr__(self) -> str:
        return f"Rules({self.rules!r}, {self.otherwise!r})"


def _matches(pattern: str | None, value: str | None) -> bool:
    return pattern is None or (value is not None and fnmatchcase(value, pattern))


def _text(metadata: Mapping[str, object], name: str) -> str | None:
    value = metadata.get(name)
    return None if value is None else str(value)


def _named(patterns: Sequence[str], option: Option) -> bool:
    return any(fnmatchcase(option.name, each) or fnmatchcase(option.deployment.name, each) for each in patterns)


def _first_tier(options: Sequence[Option]) -> list[Option]:
    least = min(option.tier for option in options)
    return [option for option in options if option.tier == least]


def _part(text: str) -> float:
    """A number in [0, 1) that the same text always has."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()) % _PARTS / _PARTS
