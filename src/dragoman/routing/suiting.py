"""Which candidates of a route are known not to fit a request, before any of them is asked.

A candidate is passed over where facts say that its model lacks what the request cannot do without (tools, a kind of
media, a window that holds it), what the route's maker asked for (`needs`), or costs more than `max_price`. What is not
known passes nobody over. A route of one candidate without such wishes is left to the engine, which refuses by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman.engine import Deployment
    from dragoman.facts.price_lists import PriceList
    from dragoman.routing.route import Candidate, Route
    from dragoman.values import Request
    from dragoman.values.profile import Profile

__all__ = ["Suiting", "unfit_for", "window_of"]

_NONE: Final[dict[int, str]] = {}
_CERTAINLY_LONGER: Final = 1.3
"""How many times a window an estimate must be for the prompt to be called too long: estimates err by some percent."""


def unfit_for(route: Route, request: Request) -> dict[int, str]:
    """By candidate that is passed over: its name, and why. Raises `Unsupported` where every one of them would be.

    Free for routes of one model; else a few µs, and about one a candidate.
    """
    candidates = route.candidates
    if not Suiting.concerns(route):
        return _NONE
    suiting = Suiting(route, request)
    unfit = {index: reason for index in range(len(candidates)) if (reason := suiting.reason(index)) is not None}
    if len(unfit) == len(candidates):
        raise none_fits(unfit.values())
    return unfit


def none_fits(reasons: Iterable[str]) -> Unsupported:
    """The error for a request that no model of the route can take."""
    return Unsupported(f"No model of the route can take this request: {'; '.join(reasons)}.", path="model")


def window_of(candidate: Candidate) -> int | None:
    """How many tokens of prompt the candidate's model takes; None where that is not known."""
    from dragoman.engine.capabilities import profile_of

    profile = profile_of(candidate.deployment)
    return None if profile is None else profile.input_tokens or profile.context_tokens


class Suiting:
    """Which candidates fit one request, looked at one by one as they are asked for."""

    __slots__ = ("_candidates", "_request", "_wanted")

    def __init__(self, route: Route, request: Request) -> None:
        self._candidates = route.candidates
        self._request = request
        self._wanted: _Wanted | None = None

    @staticmethod
    def concerns(route: Route) -> bool:
        """Whether anybody could be passed over: a route of one model without wishes is left to the engine."""
        first, *others = route.candidates
        return bool(others) or bool(first.needs) or first.max_price is not None

    def reason(self, index: int) -> str | None:
        """Who the candidate is, and why it does not fit; None where it does, or that is not known."""
        candidate = self._candidates[index]
        prepared = candidate.prepare(self._request)
        wanted = self._wanted
        if wanted is None or wanted.request is not prepared:
            wanted = self._wanted = _Wanted(prepared)
        reason = wanted.unmet_by(candidate)
        return None if reason is None else f"{candidate.deployment.name}, {reason}"


class _Wanted:
    """What a request wants of whoever answers it, worked out once for all candidates that see the same request."""

    __slots__ = ("_most_tokens", "_needs", "request")

    def __init__(self, request: Request) -> None:
        from dragoman.engine.capabilities import needs_of

        self.request = request
        self._needs = needs_of(request)
        self._most_tokens = _most_tokens(request)

    def unmet_by(self, candidate: Candidate) -> str | None:
        """Why the candidate's model is known not to fit."""
        from dragoman.engine.capabilities import profile_of
        from dragoman.facts import meets

        deployment = candidate.deployment
        profile = profile_of(deployment)
        if profile is None:
            return None
        needs = (*self._needs, *candidate.needs)
        if needs or candidate.max_price is not None:
            prices = None if candidate.max_price is None else _prices(deployment)
            reason = meets(profile, prices, needs, candidate.max_price)
            if reason is not None:
                return reason
        return self._too_long(deployment, profile)

    def _too_long(self, deployment: Deployment, profile: Profile) -> str | None:
        """Why the prompt does not fit the model's window, if it certainly does not."""
        window = profile.input_tokens or profile.context_tokens
        if window is None or self._most_tokens <= window:
            return None
        from dragoman.facts import estimate_tokens

        model = deployment.access.target.model
        tokens = estimate_tokens(self.request, deployment.facts_provider, model).tokens
        if tokens <= window * _CERTAINLY_LONGER:
            return None
        return f"the prompt has about {tokens} tokens, and its window {window}"


def _prices(deployment: Deployment) -> PriceList | None:
    from dragoman.facts import prices

    return deployment.prices or prices(deployment.facts_provider, deployment.access.target.model)


def _most_tokens(request: Request) -> int:
    """No fewer tokens than the texts have: what spares nearly every request the estimate. Media are not counted."""
    from dragoman.values import Text, ToolCall, ToolResult

    count = 0
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, Text):
                count += 4 * len(part.text)  # a letter has four bytes at most, and a token one at least
            elif isinstance(part, ToolResult):
                count += sum(4 * len(piece.text) for piece in part.content if isinstance(piece, Text))
            elif isinstance(part, ToolCall):
                count += 4 * len(part.arguments_text)
    return count
