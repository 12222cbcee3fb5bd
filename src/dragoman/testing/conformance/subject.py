"""The subject of a run, and the checks by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Unpack

from dragoman.testing.conformance.findings import NotAsked, Refused, Wrong
from dragoman.testing.laws import LawBroken, check_events, check_usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dragoman.face.model import ChatModel
    from dragoman.face.options import CallOptions
    from dragoman.values import Adaptation, Response

__all__ = ["CHECKS", "Check", "ModelFactory", "Subject", "check"]

MOST_TOKENS = 512
_LABELS = ("output.name", "output.description", "output.strict")  # an answer keeps its form without them


class ModelFactory(Protocol):
    """Makes the model to be checked; `changes` are options of `get_provider` that a check sets: `api_key`, `model`."""

    def __call__(self, **changes: Any) -> ChatModel: ...


@dataclass
class Subject:
    """Who is checked. `options` go with every call; `embedding_model` is asked for vectors."""

    make: ModelFactory
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    embedding_model: str | None = None
    wrong_key: str | None = "sk-this-key-is-wrong"
    unknown_model: str | None = "no-such-model"

    def __post_init__(self) -> None:
        self.model = self.make()

    def ask(self, messages: Any, *features: str, **options: Unpack[CallOptions]) -> Response:
        """A whole answer, judged. `features` are the paths of what the check is about: dropped, they are refused."""
        response = self.model.chat(messages, **self._with(options))
        return self._judged(response, features)

    def stream(self, messages: Any, *features: str, **options: Unpack[CallOptions]) -> Response:
        """The answer of a stream whose events were held to the laws."""
        with self.model.stream(messages, **self._with(options)) as stream:
            events = [chunk.event for chunk in stream]
        try:
            finished = check_events(events)
        except LawBroken as error:
            raise Wrong(f"its stream breaks a law: {error}") from None
        if finished is None:
            raise Wrong("its stream has no finish")
        return self._judged(finished, features)

    @property
    def brief(self) -> dict[str, Any]:
        """Options of a call whose answer may be short."""
        return {"max_tokens": 64, **self.options}

    def _with(self, options: Any) -> dict[str, Any]:
        return {"max_tokens": MOST_TOKENS, **self.options, **options}

    @staticmethod
    def _judged(response: Response, features: tuple[str, ...]) -> Response:
        lost = lost_of(response.adaptations, features)
        if lost is not None:
            raise Refused(f"{lost.path} cannot be said: {lost.reason}")
        if response.finish_reason in (None, "error"):
            raise Wrong(f"it finished with {response.finish_reason}")
        try:
            check_usage(response.usage)
        except LawBroken as error:
            raise Wrong(f"its usage is impossible: {error}") from None
        return response

    def given(self, name: str) -> Any:
        """A setting of the run that a check needs."""
        value = getattr(self, name)
        if value is None:
            raise NotAsked(f"{name} was not given")
        return value


def lost_of(adaptations: Iterable[Adaptation], features: tuple[str, ...]) -> Adaptation | None:
    """The first adaptation that dropped one of the features."""
    for one in adaptations:
        if (
            one.action == "dropped"
            and one.path not in _LABELS
            and any(_under(one.path, feature) for feature in features)
        ):
            return one
    return None


def _under(path: str, feature: str) -> bool:
    return path == feature or path.startswith((f"{feature}.", f"{feature}["))


@dataclass(frozen=True)
class Check:
    """A named check: `about` says what it holds to be right; `run` raises what it finds wrong."""

    name: str
    about: str
    run: Callable[[Subject], None]


CHECKS: dict[str, Check] = {}
"""All checks by name, in the order in which they are run."""


def check(name: str) -> Callable[[Callable[[Subject], None]], Callable[[Subject], None]]:
    """Adds a function to the checks; its docstring says what it holds to be right."""

    def add(function: Callable[[Subject], None]) -> Callable[[Subject], None]:
        about = " ".join((function.__doc__ or "").split())
        CHECKS[name] = Check(name, about, function)
        return function

    return add
