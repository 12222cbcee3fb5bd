"""The provider `mock`: answers from fixtures, for programs whose provider is a setting.

    model = dragoman.get_model("mock/any", fixtures=[{"content": "Hello."}, {"error": "RateLimited"}])

Fixtures come from the first of: the option `fixtures`, the option `fixtures_file`, the variable
`DRAGOMAN_MOCK_FIXTURES` (a file's name, or the JSON itself). A fixture is an object with `content`, `tool_calls` and
`error`; when all were used, the fallback reply is given.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman import errors
from dragoman.errors import ConfigError, DragomanError, ProviderError, TransportError
from dragoman.testing.replies import call
from dragoman.testing.scripted import ScriptedModel
from dragoman.values import Message, Text, ToolCall

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dragoman.testing.replies import Reply
    from dragoman.values import JsonObject, Part, Request

__all__ = ["FALLBACK", "VARIABLE", "MockModel", "load_fixtures", "make"]

VARIABLE = "DRAGOMAN_MOCK_FIXTURES"
FALLBACK = "This is the mock provider's reply: its fixtures are used up."
_MEMBERS = {"content", "tool_calls", "error"}


class MockModel(ScriptedModel):
    """A model that answers from fixtures, then with `fallback`. `calls` and `bound_tools` tell what it was asked."""

    __slots__ = ()

    def __init__(
        self,
        fixtures: Sequence[Mapping[str, Any]] = (),
        *,
        fallback: str = FALLBACK,
        model: str = "mock-fixture",
        provider: str = "mock",
        **options: Any,
    ) -> None:
        replies = iter([_reply(index, fixture) for index, fixture in enumerate(fixtures)])

        def say(_request: Request) -> Reply:
            return next(replies, fallback)

        super().__init__(say, model=model, provider=provider, **options)


def make(
    *,
    model: str | None = None,
    fixtures: Sequence[Mapping[str, Any]] | None = None,
    fixtures_file: str | os.PathLike[str] | None = None,
    **options: Any,
) -> MockModel:
    """What the registry calls for `mock`; keys, addresses and transports mean nothing here and are not looked at."""
    for name in ("api_key", "base_url", "transport"):
        options.pop(name, None)
    if options.get("dialect") is None:
        options.pop("dialect", None)
    return MockModel(load_fixtures(fixtures, fixtures_file), model=model or "mock-fixture", **options)


def load_fixtures(
    fixtures: Sequence[Mapping[str, Any]] | None = None,
    fixtures_file: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> list[Mapping[str, Any]]:
    """The fixtures of the first source that is given. Raises `ConfigError` for one that cannot be read."""
    if fixtures is not None:
        return _checked(fixtures, "fixtures")
    if fixtures_file is not None:
        return _read(Path(fixtures_file), "fixtures_file")
    said = (os.environ if environ is None else environ).get(VARIABLE, "").strip()
    if not said:
        return []
    if said[0] in "[{":
        return _parsed(said.encode(), VARIABLE)
    return _read(Path(said), VARIABLE)


def _read(path: Path, source: str) -> list[Mapping[str, Any]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"mock: {source} names {str(path)!r}, which cannot be read: {error}") from None
    return _parsed(data, f"{source} ({path})")


def _parsed(data: bytes, source: str) -> list[Mapping[str, Any]]:
    try:
        held: Any = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise ConfigError(f"mock: {source} is no JSON: {error}") from None
    return _checked(held, source)


def _checked(held: Any, source: str) -> list[Mapping[str, Any]]:
    found: Any = cast("JsonObject", held).get("fixtures") if isinstance(held, dict) else held
    if not isinstance(found, (list, tuple)):
        raise ConfigError(f'mock: {source} is a list of fixtures, as in [{{"content": "Hello."}}]')
    fixtures = cast("Sequence[Any]", found)
    for index, fixture in enumerate(fixtures):
        if not isinstance(fixture, dict):
            raise ConfigError(f"mock: {source}[{index}] is an object with content, tool_calls or error")
        unknown = sorted(set(cast("JsonObject", fixture)) - _MEMBERS)
        if unknown:
            raise ConfigError(f"mock: {source}[{index}] has unknown members: {', '.join(unknown)}")
    return list(fixtures)


def _reply(index: int, fixture: Mapping[str, Any]) -> Reply:
    if fixture.get("error") is not None:
        return _error(fixture["error"])
    parts: list[Part] = [Text(text=fixture["content"])] if fixture.get("content") else []
    calls: Sequence[JsonObject] = fixture.get("tool_calls") or ()
    parts += [_call(index, place, held) for place, held in enumerate(calls)]
    return Message("assistant", parts)


def _call(index: int, place: int, held: JsonObject) -> ToolCall:
    function: JsonObject = held.get("function") or held
    if not isinstance(function.get("name"), str):
        raise ConfigError(f"mock: tool call {place} of fixture {index} has no name")
    return call(function["name"], function.get("arguments"), id=held.get("id") or f"call_{index}_{place}")


def _error(held: Any) -> DragomanError:
    """From a class's name, words, or `{"type": class, "message": words, "status": …, "retry_after": …}`."""
    given: JsonObject = cast("JsonObject", held) if isinstance(held, dict) else {}
    words: str = held if isinstance(held, str) else "ServerFault"
    name = str(given.get("type") or words)
    found = getattr(errors, name, None)
    if not (isinstance(found, type) and issubclass(found, (ProviderError, TransportError))):
        if given:
            raise ConfigError(f"mock: {name!r} is no error of a provider or of the network")
        return errors.ServerFault(words)
    message = str(given.get("message") or "a fixture says so")
    if issubclass(found, ProviderError):
        return found(message, status=given.get("status"), retry_after=given.get("retry_after"))
    return found(message)
