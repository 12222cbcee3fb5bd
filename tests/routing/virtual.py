"""Virtual time, and routes over scripted deployments."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any, TypeVar

from dragoman.routing import CallSettings, Candidate, Route
from tests.face.chat_wire import model_over

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from dragoman.transport.fake import Script

T = TypeVar("T")


class _Selector(selectors.SelectSelector):
    """Never waits: the time that it would wait passes at once."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise AssertionError("everything waits, and nothing will happen")
        self.passed += timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose time passes only while nothing is to be done."""

    def __init__(self) -> None:
        self._ticking = _Selector()
        super().__init__(self._ticking)

    def time(self) -> float:
        return self._ticking.passed


class VirtualClock:
    """The time of the running virtual loop."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run_virtual(work: Coroutine[Any, Any, T]) -> T:
    """Runs to the end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


def candidate(name: str, script: Script = (), **fields: Any) -> Candidate:
    """A candidate whose model has this name, at a host of its own."""
    retries = fields.pop("max_retries", 2)
    model, _ = model_over(script, model=name, base_url=f"http://{name}.test/v1")
    (made,) = model.route.candidates
    from msgspec.structs import replace

    return replace(made, max_retries=retries, **fields)


def route_of(*candidates: Candidate | str, **fields: Any) -> Route:
    """A route of these; a text is a candidate that nobody asks."""
    made = tuple(candidate(each) if isinstance(each, str) else each for each in candidates)
    return Route(candidates=made, **fields)


def settings_of(**fields: Any) -> CallSettings:
    """Settings whose dice always fall on the highest number, so that waits are the longest that the rules allow."""
    given: dict[str, Any] = {"random": lambda: 0.999, **fields}
    return CallSettings(**given)
