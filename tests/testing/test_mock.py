"""The provider `mock`: fixtures and where they come from."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import dragoman
from dragoman.providers import mock
from dragoman.testing import MockModel
from dragoman.testing.mock import FALLBACK, load_fixtures

if TYPE_CHECKING:
    from pathlib import Path

FIXTURES: list[dict[str, Any]] = [
    {"content": "Hello."},
    {"content": "Looking.", "tool_calls": [{"name": "a", "arguments": {"x": 1}}, {"name": "b", "arguments": "{}"}]},
    {"tool_calls": [{"id": "mine", "function": {"name": "c", "arguments": {}}}]},
    {"error": {"type": "RateLimited", "message": "slow", "retry_after": 2}},
    {"error": "something broke"},
    {"error": "ConnectionLost"},
]


def test_it_is_a_provider_like_any_other() -> None:
    assert "mock" in dragoman.ProviderRegistry.list_providers()
    model = dragoman.get_model("mock/any", fixtures=FIXTURES, max_retries=0, temperature=0.5)
    assert isinstance(model, MockModel)
    assert model.model_id == "mock/any"
    answer = model.chat("Hi")
    assert (answer.content, answer.provider, answer.model) == ("Hello.", "mock", "any")
    assert model.calls[0].temperature == 0.5
    assert dragoman.get_model("mock").model_id == "mock/mock-fixture"
    assert isinstance(mock.new(fixtures=[]), MockModel)


def test_fixtures_in_order_with_ids_by_place_then_the_fallback() -> None:
    model = MockModel(FIXTURES)
    assert model.chat("1").content == "Hello."
    second = model.chat("2")
    assert second.content == "Looking."
    assert [(one.id, one.name, one.arguments) for one in second.tool_calls] == [
        ("call_1_0", "a", {"x": 1}),
        ("call_1_1", "b", {}),
    ]
    assert [one.id for one in model.chat("3").tool_calls] == ["mine"]
    with pytest.raises(dragoman.RateLimited, match="slow") as caught:
        model.chat("4")
    assert caught.value.retry_after == 2
    with pytest.raises(dragoman.ServerFault, match="something broke"):
        model.chat("5")
    with pytest.raises(dragoman.ConnectionLost):
        model.chat("6")
    assert model.chat("7").content == model.chat("8").content == FALLBACK
    assert MockModel(fallback="enough").chat("Hi").content == "enough"


def test_calls_and_bound_tools_are_told() -> None:
    model = MockModel(FIXTURES)
    bound = model.bind_tools([dragoman.ToolDefinition(name="t")])
    with bound.stream("Hi") as stream:
        assert "".join(chunk.delta for chunk in stream) == "Hello."
    assert isinstance(bound, MockModel)
    assert [tool.name for tool in bound.bound_tools if isinstance(tool, dragoman.ToolDefinition)] == ["t"]
    assert [request.messages[0].content for request in model.calls] == ["Hi"]


def test_an_argument_wins_over_a_file_and_a_file_over_the_variable(tmp_path: Path) -> None:
    file = tmp_path / "fixtures.json"
    file.write_text(json.dumps({"fixtures": [{"content": "of the file"}]}))
    environ = {"DRAGOMAN_MOCK_FIXTURES": '[{"content": "of the variable"}]'}
    assert load_fixtures([{"content": "given"}], file, environ) == [{"content": "given"}]
    assert load_fixtures(None, file, environ) == [{"content": "of the file"}]
    assert load_fixtures(None, None, environ) == [{"content": "of the variable"}]
    assert load_fixtures(None, None, {"DRAGOMAN_MOCK_FIXTURES": str(file)}) == [{"content": "of the file"}]
    assert load_fixtures(None, None, {}) == []
    assert dragoman.get_model("mock", fixtures_file=file).chat("Hi").content == "of the file"


def test_the_variable_is_read_when_a_model_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_MOCK_FIXTURES", '[{"content": "set outside"}]')
    assert dragoman.get_model("mock").chat("Hi").content == "set outside"


@pytest.mark.parametrize(
    ("fixtures", "said"),
    [
        ("{", "no JSON"),
        ('{"a": 1}', "a list of fixtures"),
        ("[1]", r"\[0\] is an object"),
        ('[{"text": "x"}]', "unknown members: text"),
        ('[{"tool_calls": [{}]}]', "has no name"),
        ('[{"error": {"type": "Nonsense"}}]', "'Nonsense' is no error"),
        ("/no/such/file", "cannot be read"),
    ],
)
def test_fixtures_that_cannot_be_used_are_told(monkeypatch: pytest.MonkeyPatch, fixtures: str, said: str) -> None:
    monkeypatch.setenv("DRAGOMAN_MOCK_FIXTURES", fixtures)
    with pytest.raises(dragoman.ConfigError, match=said):
        dragoman.get_model("mock")


def test_listing_providers_does_not_load_it() -> None:
    code = (
        "import sys, dragoman; dragoman.ProviderRegistry.list_providers(); "
        "sys.exit('dragoman.testing.mock' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
