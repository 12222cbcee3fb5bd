"""What the `cache` setting becomes on the wire is what the vendors' own clients declare."""

from __future__ import annotations

from importlib import import_module
from typing import Any, cast

import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming
from pydantic import TypeAdapter

from dragoman import catalogue, dialects
from dragoman.values import BedrockQuirks, CachePolicy, Quirks, Request, Target
from tests.dialects.test_cache_matrix import ASKED, TALK, TOOL, marks_in


def body_of(dialect: str, quirks: Quirks, policy: CachePolicy) -> Any:
    request = Request(model="m", messages=TALK, tools=(TOOL,), cache=policy)
    return dialects.load(dialect).encode_request(request, Target(model="m", quirks=quirks)).body


def read_out(value: Any) -> Any:
    """Plain data: what is declared as an iterable is validated while it is read."""
    if isinstance(value, dict):
        return {name: read_out(inner) for name, inner in cast("dict[str, Any]", value).items()}
    return value if isinstance(value, (str, bytes, int, float, type(None))) else [read_out(item) for item in value]


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize(
    ("dialect", "provider", "kind"),
    [
        ("anthropic", "anthropic", MessageCreateParamsNonStreaming),
        ("openai-chat", "openai", CompletionCreateParamsNonStreaming),
        ("openai-responses", "openai", ResponseCreateParamsNonStreaming),
    ],
)
def test_the_client_declares_all_of_it(dialect: str, provider: str, kind: Any, asked: str) -> None:
    body = body_of(dialect, catalogue.find(provider).quirks, ASKED[asked])
    adapter = TypeAdapter[Any](kind)  # it has to live while its iterators are read
    read: Any = read_out(adapter.validate_python(body))
    assert sorted(marks_in(read)) == sorted(marks_in(body))  # members that are not declared would be gone
    for name in ("prompt_cache_key", "prompt_cache_retention"):
        assert read.get(name) == body.get(name)


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("takes", ["none", "turns", "all"])
def test_amazons_description_has_it(takes: Any, asked: str) -> None:
    quirks = Quirks(bedrock=BedrockQuirks(cache_points=takes, cache_ttls=("5m", "1h")))
    body = body_of("bedrock", quirks, ASKED[asked])
    session: Any = import_module("botocore.session").Session()
    shape = session.get_service_model("bedrock-runtime").operation_model("Converse").input_shape
    report = import_module("botocore.validate").ParamValidator().validate({"modelId": "m", **body}, shape)
    assert not report.has_errors(), report.generate_report()
    assert bool(list(marks_in(body))) == (takes != "none" and ASKED[asked].enabled)
