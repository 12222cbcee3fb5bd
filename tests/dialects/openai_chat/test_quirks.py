"""What a client said in this very dialect is fitted to a host that is known to want it otherwise, and recorded."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.dialects.openai_chat.dialect import DIALECT
from tests.dialects.openai_chat.wire import JSON, OPENAI, actions, target

HI: JSON = {"role": "user", "content": "Hi"}
FUNCTION: JSON = {"type": "function", "function": {"name": "f", "strict": True}}
SCHEMA: JSON = {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}


@pytest.mark.parametrize(
    ("quirks", "said", "sent", "expected"),
    [
        (
            {"max_tokens_member": "max_tokens"},
            {"max_completion_tokens": 9},
            {"max_tokens": 9},
            [("substituted", "max_tokens")],
        ),
        ({}, {"max_tokens": 9}, {"max_tokens": 9}, []),
        (
            {"developer_role": False},
            {"messages": [{"role": "developer", "content": "a"}]},
            {"messages": [{"role": "system", "content": "a"}]},
            [("substituted", "messages[0].role")],
        ),
        (
            {"strict_tools": False},
            {"tools": [FUNCTION]},
            {"tools": [{"type": "function", "function": {"name": "f"}}]},
            [("dropped", "tools[0].strict")],
        ),
        (
            {"required_word": "any"},
            {"tool_choice": "required"},
            {"tool_choice": "any"},
            [("substituted", "tool_choice")],
        ),
        (
            {"schema_output": "json_object"},
            {"response_format": SCHEMA},
            {"response_format": {"type": "json_object"}},
            [("substituted", "output")],
        ),
        (
            {"effort_form": "thinking_object"},
            {"reasoning_effort": "none"},
            {"thinking": {"type": "disabled"}},
            [("substituted", "reasoning")],
        ),
        ({"effort_form": "reasoning_object"}, {"reasoning": {"effort": "low"}}, {"reasoning": {"effort": "low"}}, []),
        ({"refused": ("logit_bias",)}, {"logit_bias": {"1": 2}}, {}, [("dropped", "logit_bias")]),
        (
            {"content_parts": False},
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]},
            {"messages": [{"role": "user", "content": "a\nb"}]},
            [("substituted", "messages[0].parts")],
        ),
        (
            {"stream_usage": False},
            {"stream": True, "stream_options": {"include_usage": True}},
            {"stream": True},
            [("dropped", "stream_usage")],
        ),
        ({"seed_member": "random_seed"}, {"seed": 1}, {"random_seed": 1}, [("substituted", "seed")]),
    ],
)
def test_a_known_deviation_rules(
    quirks: JSON, said: dict[str, Any], sent: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    whom = target(**quirks)
    request = DIALECT.decode_request({"model": "m", "messages": [HI], **said}, whom)
    encoded = DIALECT.encode_request(request, whom)
    assert encoded.body == {"model": "m", "messages": [HI], **sent}
    assert actions(encoded.adaptations) == expected


@pytest.mark.parametrize("member", ["reasoning", "reasoning_content"])
def test_earlier_reasoning_is_spelled_as_the_host_has_it(member: str) -> None:
    whom = target(reasoning_member=member)
    said = {"role": "assistant", "content": "a", "reasoning_content": "Hm."}
    request = DIALECT.decode_request({"model": "m", "messages": [HI, said]}, whom)
    sent = DIALECT.encode_request(request, whom).body["messages"][1]
    assert sent == {"role": "assistant", "content": "a", member: "Hm."}


def test_what_a_client_said_goes_to_a_host_of_which_nothing_is_known() -> None:
    said: JSON = {
        "model": "m",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "video_url", "video_url": {"url": "https://a.b"}},
                    {"type": "text", "text": "?", "cache_control": {"type": "ephemeral"}},
                ],
            },
            {"role": "assistant", "content": "a", "reasoning_content": "Hm."},
        ],
        "top_k": 4,
        "modalities": ["text", "image"],
        "stop": list("abcdef"),
    }
    encoded = DIALECT.encode_request(DIALECT.decode_request(said, OPENAI), OPENAI)
    assert encoded.body == said
    assert encoded.adaptations == ()
