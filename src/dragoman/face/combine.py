"""Models made of models: ordered fallback, routes by a strategy, and middleware around one."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from dragoman.errors import ConfigError
from dragoman.face.model import ChatModel
from dragoman.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dragoman.routing import Bounds, Candidate
    from dragoman.routing.affinity import Affinity
    from dragoman.routing.health import Health
    from dragoman.routing.hedging import Hedging
    from dragoman.routing.limits import Limits
    from dragoman.routing.route import Layer
    from dragoman.routing.strategies import Strategy
    from dragoman.routing.strategies.custom import Choosing
    from dragoman.routing.strategies.rules import Rule
    from dragoman.values import Request

__all__ = ["Member", "as_price", "fallback", "route", "wrap"]


class Member(msgspec.Struct, frozen=True):
    """A model in a `route`, with what holds for it there.

    Lower `tier`s are turned to first. `weight` is its share where the strategy goes by weights, `limits` what its
    deployment may be asked. `on_blocked`: content that another one's filter refused may be asked of this one.
    """

    model: ChatModel
    weight: float = 1.0
    tier: int = 1
    limits: Limits | None = None
    on_blocked: bool = False


def fallback(
    *models: ChatModel,
    bounds: Bounds | None = None,
    needs: Iterable[str] = (),
    max_price: Decimal | float | str | None = None,
) -> ChatModel:
    """A model that asks these in order: the next one when the one before cannot answer.

    Nested fallbacks flatten into one plan with one bound on attempts, time and retries (`bounds`). Each model keeps its
    own bound tools, options and middleware, for the attempts at itself. A wrong request is asked of nobody else; once a
    part of an answer was shown, nobody else takes over. When all fail, `AllAttemptsFailed` holds each one's error.

    A model that is known to lack what a request cannot do without (tools, a kind of media, a window that holds it) is
    passed over, which the next attempt's `reason` tells; so is one that is known to lack a need of `needs` ("tools",
    "vision", "schema", "window:200000", …: `dragoman.facts.NEEDS`), or to cost more than `max_price` USD per million
    input tokens. What is not known passes nobody over; where nobody is left, `Unsupported` is raised.
    """
    if not models:
        raise ConfigError("fallback needs at least one model")
    members = [Member(_model(model, "fallback"), tier=tier) for tier, model in enumerate(models, 1)]
    from dragoman.routing.health import Health

    made = _combined(members, None, needs, max_price)
    made = replace(made, health=Health(), bounds=made.bounds if bounds is None else bounds)
    return _answering(made, members, f"fallback({', '.join(model.model_id for model in models)})")


def route(
    models: Iterable[ChatModel | Member],
    *,
    strategy: Strategy | str | Rule | Sequence[Rule] | Choosing | None = "order",
    health: Health | bool = True,
    affinity: Affinity | bool | None = None,
    hedging: Hedging | bool = False,
    equivalents: bool = False,
    bounds: Bounds | None = None,
    needs: Iterable[str] = (),
    max_price: Decimal | float | str | None = None,
) -> ChatModel:
    """A model that sends each call to one of these, by a strategy, and to others when that one cannot answer.

    >>> fast = route([Member(one, weight=3), other], strategy="weighted")

    `strategy` is "order", "weighted", "round-robin", "least-busy", "latency" or "cost"; a `Rule` or a list of them; or
    a function `(call, candidates) -> order`, plain or asynchronous. A list of models is one tier; `Member` gives a
    model another one, a weight, limits. Routes and fallbacks inside flatten into one plan; a tier that comes from one
    of them alone keeps that one's strategy.

    `health` passes over whom its own traffic shows to be ill, out of credit, or asking for a pause (`Health(…)` sets
    when; one may be shared between routes). `affinity` sends what belongs together to one deployment: sessions that
    coding agents name in `extra_headers`, long prompts that begin alike, answers that a provider stores; by default
    wherever a strategy other than order chooses. `hedging` asks a second one where the first is slow to begin, within
    the share of retries. `equivalents` adds, behind all others, the same published weights at other providers whose key
    is set up. `bounds`, `needs` and `max_price` are as in `fallback`.

    `model.explain(messages)` tells who would be asked, and why.
    """
    from dragoman.routing.strategies import strategy_of

    members = [each if isinstance(each, Member) else Member(_model(each, "route")) for each in models]
    if not members:
        raise ConfigError("route needs at least one model")
    chosen = strategy_of(strategy)
    if equivalents:
        members += _equivalents(members)
    made = _combined(members, chosen, needs, max_price)
    made = replace(
        made,
        health=_health(health),
        affinity=_affinity(chosen is not None if affinity is None else affinity),
        hedging=_hedging(hedging),
        bounds=made.bounds if bounds is None else bounds,
    )
    word = "order" if chosen is None else chosen.name
    return _answering(made, members, f"route({', '.join(each.model.model_id for each in members)}; {word})")


def _health(given: Health | bool) -> Health | None:
    from dragoman.routing.health import Health

    if isinstance(given, bool):
        return Health() if given else None
    return given


def _affinity(given: Affinity | bool) -> Affinity | None:
    from dragoman.routing.affinity import Affinity

    if isinstance(given, bool):
        return Affinity() if given else None
    return given


def _hedging(given: Hedging | bool) -> Hedging | None:
    from dragoman.routing.hedging import Hedging

    if isinstance(given, bool):
        return Hedging() if given else None
    return given


def _model(given: object, caller: str) -> ChatModel:
    if not isinstance(given, ChatModel):
        raise ConfigError(f"{caller} takes models, and not {given!r:.80}; get_model makes one")
    return given


def _answering(made: Route, members: list[Member], name: str) -> ChatModel:
    functions = {name: tool for member in reversed(members) for name, tool in member.model.functions.items()}
    return ChatModel(made, name=name, functions=functions)


def _combined(
    members: list[Member], strategy: Strategy | None, needs: Iterable[str], max_price: Decimal | float | str | None
) -> Route:
    """One route of all candidates: tiers numbered anew, each with its strategy."""
    found = [
        ((member.tier, candidate.tier), number, candidate)
        for number, member in enumerate(members)
        for candidate in _candidates(member)
    ]
    places = sorted({place for place, _, _ in found})
    if strategy is None and all(member.model.route.strategy is None for member in members):
        tiers = None
    else:
        tiers = _strategies(found, places, members, strategy)
    candidates = [replace(candidate, tier=places.index(place) + 1) for place, _, candidate in found]
    if needs or max_price is not None:
        candidates = _wished(candidates, needs, max_price)
    return Route(candidates=tuple(candidates), strategy=tiers)


def _strategies(
    found: list[tuple[tuple[int, int], int, Candidate]],
    places: list[tuple[int, int]],
    members: list[Member],
    strategy: Strategy | None,
) -> Strategy | None:
    """The strategy as a whole, or one for each tier where models inside bring their own."""
    inner: dict[int, Strategy] = {}
    for tier, place in enumerate(places, 1):
        holders = {number for each, number, _ in found if each == place}
        own = members[next(iter(holders))].model.route if len(holders) == 1 else None
        if own is not None and own.strategy is not None and len(own.candidates) > 1:
            inner_tier = place[1]
            kept = own.strategy.of_tier(inner_tier)
            if own.strategy.across:
                raise ConfigError(
                    f"a route by {own.strategy.name} looks at all of its models at once: it cannot stand in another"
                )
            if kept is not None:
                inner[tier] = kept
    if not inner:
        return strategy
    if strategy is not None and strategy.across:
        raise ConfigError(f"a route by {strategy.name} takes no routes with strategies of their own")
    from dragoman.routing.strategies import Tiered

    outer = dict.fromkeys(range(1, len(places) + 1), strategy) if strategy is not None else {}
    return Tiered({**outer, **inner})


def _equivalents(members: list[Member]) -> list[Member]:
    """The same weights elsewhere, where a key is set up, behind all others."""
    from dragoman import catalogue, facts
    from dragoman.catalogue.readiness import check_provider
    from dragoman.errors import DragomanError
    from dragoman.face.registry import ProviderRegistry

    last = max(member.tier for member in members)
    deployments = [candidate.deployment for member in members for candidate in member.model.route.candidates]
    known = {(each.facts_provider, each.target.model) for each in deployments}
    added: list[Member] = []
    for deployment in deployments:
        if not deployment.facts:
            continue
        for provider, model in facts.equivalents(deployment.facts_provider, deployment.target.model):
            if (provider, model) in known:
                continue
            known.add((provider, model))
            try:
                ready = provider in catalogue.names() and check_provider(provider)
                if ready and ready.ready and not ready.keyless:
                    added.append(Member(ProviderRegistry.get_provider(provider, model=model), tier=last + 1))
            except DragomanError:
                continue  # set up in a way that cannot work: nobody asked for this one by name
    return added


def _candidates(member: Member) -> list[Candidate]:
    model = member.model
    alone = len(model.route.candidates) == 1
    return [
        replace(
            candidate,
            prepare=_both(model.prepare, candidate.prepare),
            layers=(*model.layers, *candidate.layers),
            weight=member.weight if alone else candidate.weight * member.weight,
            limits=member.limits if member.limits is not None else candidate.limits,
            on_blocked=member.on_blocked or candidate.on_blocked,
        )
        for candidate in model.route.candidates
    ]


def _wished(
    candidates: list[Candidate], needs: Iterable[str], max_price: Decimal | float | str | None
) -> list[Candidate]:
    """The candidates with the wishes added to those that they came with."""
    from dragoman.facts import check_needs

    wanted = check_needs((needs,) if isinstance(needs, str) else needs)
    price = None if max_price is None else as_price(max_price)
    return [
        replace(
            candidate,
            needs=tuple(dict.fromkeys((*candidate.needs, *wanted))),
            max_price=min((each for each in (candidate.max_price, price) if each is not None), default=None),
        )
        for candidate in candidates
    ]


def as_price(given: Decimal | float | str) -> Decimal:
    """A price in USD per million tokens; raises `ConfigError` for what is none."""
    try:
        price = Decimal(str(given))
    except InvalidOperation:
        price = Decimal("NaN")
    if isinstance(given, bool) or not price.is_finite() or price < 0:
        raise ConfigError(f"max_price is a number of US dollars per million input tokens, and not {given!r}")
    return price


def _both(outer: Callable[[Request], Request], inner: Callable[[Request], Request]) -> Callable[[Request], Request]:
    def prepare(request: Request) -> Request:
        return inner(outer(request))

    return prepare


def wrap(model: ChatModel, *middleware: Layer) -> ChatModel:
    """The model with middleware around it, the first listed outermost; one path for chat, stream and their async kin.

    >>> async def shout(request, next):
    ...     async for event in next(request):
    ...         yield event
    >>> loud = wrap(model, shout)

    Around a `fallback`, it sees the call as a whole; inside one, the attempts at its own model.
    """
    return model.layered(*middleware)
