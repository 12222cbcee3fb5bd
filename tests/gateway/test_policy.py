"""Members that steer the provider: refused unless the model's configuration allows them."""

from __future__ import annotations

import pytest

from dragoman.errors import InvalidRequest
from dragoman.gateway.ingress import openai_responses
from dragoman.gateway.policy import STEERING, Policy


@pytest.mark.parametrize("member", sorted(STEERING - {"mcp_tools"}))
def test_a_member_that_steers_is_refused_by_name_unless_it_is_allowed(member: str) -> None:
    with pytest.raises(
        InvalidRequest, match=rf"does not take '{member}' for this model.*allow: \[{member}\]"
    ) as caught:
        Policy().check(["model", "messages", member])
    assert caught.value.path == member
    Policy(frozenset({member})).check(["model", "messages", member])


def test_ordinary_members_pass() -> None:
    Policy().check(["model", "messages", "tools", "temperature", "metadata", "stream"], ["function", "web_search"])


def test_another_spelling_does_not_slip_by() -> None:
    with pytest.raises(InvalidRequest, match="'API_Base'"):
        Policy().check(["API_Base"])


@pytest.mark.parametrize("kind", ["mcp", "mcp_toolset"])
def test_tools_of_mcp_are_refused_unless_they_are_allowed(kind: str) -> None:
    with pytest.raises(InvalidRequest, match=r"tools of the types mcp and mcp_toolset.*allow: \[mcp_tools\]") as caught:
        Policy().check(["tools"], ["function", kind])
    assert caught.value.path == "tools"
    Policy(frozenset({"mcp_tools"})).check(["tools"], ["function", kind])


@pytest.mark.parametrize(
    "written",
    ['"mcp"', '"\\u006dcp"', '"\\u006D\\u0063p"', '"mcp"},{"type":[]', '"mcp"},{"type":1', '[]},{"type":"mcp"'],
)
@pytest.mark.parametrize("again", [False, True])
def test_a_tool_of_mcp_is_seen_however_it_is_written(written: str, *, again: bool) -> None:
    text = (
        f'{{"model":"m","input":"x","tools":[{{"type":"function","description":"{"x" * 300}"}},{{"type":{written}}}]}}'
    )
    for _ in range(1 + 2 * again):  # tools that come again are remembered
        asked = openai_responses.read(text.encode())
        assert "mcp" in asked.tool_types(b'"mcp')
        assert asked.acts_on_world


def test_tools_that_a_client_runs_are_no_tools_of_mcp() -> None:
    for _ in range(3):
        asked = openai_responses.read(
            f'{{"model":"m","tools":[{{"type":"function","name":"{"n" * 300}"}}],"store":false}}'.encode()
        )
        assert "mcp" not in asked.tool_types(b'"mcp')
        assert not asked.acts_on_world
