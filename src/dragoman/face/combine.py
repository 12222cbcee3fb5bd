"""Models made of models: ordered fallback, and middleware around one."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from msgspec.structs import replace

from dragoman.errors import ConfigError
from dragoman.face.model import ChatModel
from dragoman.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dragoman.routing import Bounds, Candidate
    from dragoman.routing.route import Layer
    from dragoman.values import Request

__all__ = ["as_price", "fallback", "wrap"]


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
    for model in models:
        if not isinstance(model, ChatModel):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigError(f"fallback takes models, and not {model!r:.80}; get_model makes one")
    candidates: list[Candidate] = [candidate for model in models for candidate in _candidates(model)]
    if needs or max_price is not None:
        candidates = _wished(candidates, needs, max_price)
    route = (
        Route(candidates=tuple(candidates)) if bounds is None else Route(candidates=tuple(candidates), bounds=bounds)
    )
    functions = {name: tool for model in reversed(models) for name, tool in model.functions.items()}
    return ChatModel(route, name=f"fallback({', '.join(model.model_id for model in models)})", functions=functions)


def _candidates(model: ChatModel) -> list[Candidate]:
    return [
        replace(
            candidate,
            prepare=_both(model.prepare, candidate.prepare),
            layers=(*model.layers, *candidate.layers),
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
