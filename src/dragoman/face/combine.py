"""Models made of models: ordered fallback, and middleware around one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from dragoman.errors import ConfigError
from dragoman.face.model import ChatModel
from dragoman.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.routing import Bounds, Candidate
    from dragoman.routing.route import Layer
    from dragoman.values import Request

__all__ = ["fallback", "wrap"]


def fallback(*models: ChatModel, bounds: Bounds | None = None) -> ChatModel:
    """A model that asks these in order: the next one when the one before cannot answer.

    Nested fallbacks flatten into one plan with one bound on attempts, time and retries (`bounds`). Each model keeps its
    own bound tools, options and middleware, for the attempts at itself. A wrong request is asked of nobody else; once a
    part of an answer was shown, nobody else takes over. When all fail, `AllAttemptsFailed` holds each one's error.
    """
    if not models:
        raise ConfigError("fallback needs at least one model")
    for model in models:
        if not isinstance(model, ChatModel):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigError(f"fallback takes models, and not {model!r:.80}; get_model makes one")
    candidates: list[Candidate] = [candidate for model in models for candidate in _candidates(model)]
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
