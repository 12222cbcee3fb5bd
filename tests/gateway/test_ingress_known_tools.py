"""Tools that come again are known by their bytes: what is remembered says what they say, and stays within bounds."""

from __future__ import annotations

import copy
import re
from typing import Any

import msgspec
import pytest

from dragoman import facts
from dragoman.dialects import load
from dragoman.engine.relay import read_members, words_of
from dragoman.errors import DragomanError
from dragoman.gateway.ingress.known_tools import KnownTools, ToolMemory
from dragoman.values import Target
from tests.wire.recordings import exchanges, require_recordings

_NAME = re.compile(rb"[A-Za-z_][\w.-]{0,47}")
_TARGET = Target(provider="p", issuer="i", model="m")


def _names(words: frozenset[bytes]) -> set[bytes]:
    return {word for word in words if _NAME.fullmatch(word)}


def _known(memory: ToolMemory, body: bytes) -> KnownTools | None:
    members = read_members(body)
    memory.find(members)
    return memory.find(members)


def _written(name: str, body: Any) -> list[Any]:
    try:
        request = load(name).decode_request(body, _TARGET)
    except DragomanError as error:
        return [error.message]
    told: list[Any] = [request]
    for other in ("openai-chat", "openai-responses", "anthropic", "gemini", "bedrock", "cohere", "ollama"):
        encoded = load(other).encode_request(request, _TARGET)
        told.append((msgspec.json.encode(encoded.body), encoded.headers, encoded.adaptations))
    return told


def test_what_is_remembered_of_recorded_tools_is_what_their_bytes_say() -> None:
    require_recordings()
    memory = ToolMemory()
    met = 0
    for exchange in exchanges():
        given, name = exchange.request.body, exchange.dialect
        if name is None or not isinstance(given, dict) or "tools" not in given:
            continue
        body = msgspec.json.encode(given)
        known = _known(memory, body)
        if known is None:
            continue
        met += 1
        before = copy.deepcopy(known.parsed)
        members = read_members(body)
        tools = members["tools"]
        plain = facts.bound_bytes(body, "p", "m", words_of(body), tools)
        assert facts.bound_bytes(body, "p", "m", known.words_with(members), tools, known.functions) == plain
        remembered = known.body_with(members)
        fresh = msgspec.json.decode(body)
        assert list(remembered.items()) == list(fresh.items()), exchange.id
        assert _names(known.words_with(members)) == _names(words_of(body)), exchange.id
        if name in ("openai-chat", "openai-responses", "anthropic", "gemini"):
            assert _written(name, remembered) == _written(name, fresh), exchange.id
        assert known.parsed == before, exchange.id
    assert met > 50


def _body(tools: bytes) -> bytes:
    return b'{"model":"m","tools":' + tools + b',"messages":[]}'


def _tools(number: int, size: int = 300) -> bytes:
    return b'[{"type":"function","n":%d,"d":"%s"}]' % (number, b"x" * size)


def test_tools_are_remembered_when_they_come_a_second_time() -> None:
    memory = ToolMemory()
    members = read_members(_body(_tools(1)))
    assert memory.find(members) is None
    found = memory.find(members)
    assert found is not None
    assert memory.find(read_members(_body(_tools(1)))) is found
    assert memory.find(read_members(_body(_tools(2)))) is None


def test_a_body_without_tools_is_not_looked_at() -> None:
    assert ToolMemory().find(read_members(b'{"model":"m"}')) is None


@pytest.mark.parametrize("tools", [b"[]", b"null", _tools(1, 10), _tools(1, 1024 * 1024)])
def test_small_and_huge_tools_are_not_remembered(tools: bytes) -> None:
    memory = ToolMemory()
    assert _known(memory, _body(tools)) is None
    assert _known(memory, _body(tools)) is None


def test_what_is_remembered_is_bounded_by_count() -> None:
    memory = ToolMemory()
    for number in range(400):
        assert _known(memory, _body(_tools(number))) is not None
    assert len(memory) == 256
    assert memory.find(read_members(_body(_tools(399)))) is not None


def test_what_is_remembered_is_bounded_by_bytes() -> None:
    memory = ToolMemory()
    for number in range(20):
        assert _known(memory, _body(_tools(number, 900_000))) is not None
    assert len(memory) == 2
    assert memory.held_bytes < 2 * 1024 * 1024


def test_those_asked_for_last_stay() -> None:
    memory = ToolMemory()
    first = _known(memory, _body(_tools(0)))
    for number in range(1, 400):
        _known(memory, _body(_tools(number)))
        assert memory.find(read_members(_body(_tools(0)))) is first
