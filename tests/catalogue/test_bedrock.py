"""Bedrock, end to end over a transport without a network: where a call goes, how it is signed, what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

import dragoman
from dragoman.catalogue import resolve
from dragoman.errors import ConfigError, RateLimited
from dragoman.framing import encode_event_headers, encode_event_message
from dragoman.transport import FakeTransport, HttpResponse

if TYPE_CHECKING:
    from dragoman.transport.fake import Answer

_KEY = {"AWS_BEARER_TOKEN_BEDROCK": "bedrock-key"}


@pytest.mark.parametrize(
    ("region", "base"),
    [
        ("us-east-1", "https://bedrock-runtime.us-east-1.amazonaws.com"),
        ("us-gov-west-1", "https://bedrock-runtime.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "https://bedrock-runtime.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_region_makes_the_address(region: str, base: str) -> None:
    access = resolve("bedrock", model="a.b-v1:0", environ={**_KEY, "AWS_REGION": region})
    assert access.dialect == "bedrock"
    assert access.url("/model/a.b-v1%3A0/converse") == f"{base}/model/a.b-v1%3A0/converse"
    assert access.headers() == (("authorization", "Bearer bedrock-key"),)


def test_a_region_is_wanted_and_checked() -> None:
    with pytest.raises(ConfigError, match="AWS_REGION"):
        resolve("bedrock", model="m", environ=_KEY)
    with pytest.raises(ConfigError, match="region"):
        resolve("bedrock", model="m", environ=_KEY, region="evil.example.com/")


def test_the_environments_key_stays_with_amazon() -> None:
    own = resolve("bedrock", model="m", environ=_KEY, base_url="https://bedrock-runtime-fips.us-east-2.amazonaws.com")
    assert own.headers() == (("authorization", "Bearer bedrock-key"),)
    other = resolve("bedrock", model="m", environ=_KEY, base_url="https://llm.example.com", region="us-east-1")
    assert other.headers() == ()


@pytest.mark.parametrize(
    ("dialect", "path", "address"),
    [
        ("openai-responses", "/responses", "/openai/v1/responses"),
        ("openai-chat", "/chat/completions", "/v1/chat/completions"),
    ],
)
def test_the_protocols_of_openai_are_spoken_elsewhere(dialect: str, path: str, address: str) -> None:
    environ = {**_KEY, "AWS_DEFAULT_REGION": "eu-west-1"}
    access = resolve("bedrock_mantle", model="m", dialect=dialect, environ=environ)
    assert access.url(path) == f"https://bedrock-mantle.eu-west-1.api.aws{address}"
    assert access.issuer == "bedrock"


# -- a call ------------------------------------------------------------------------------------------------------------

_AWS = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "very-secret", "region": "us-east-1"}
_ANSWER = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hello."}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 7, "outputTokens": 3, "totalTokens": 10},
    "metrics": {"latencyMs": 5},
}


def _message(name: str, kind: str = "event", **payload: object) -> bytes:
    headers = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    return encode_event_message(msgspec.json.encode(payload), encode_event_headers(headers))


_BEGUN = [
    _message("messageStart", role="assistant"),
    _message("contentBlockDelta", contentBlockIndex=0, delta={"text": "Hel"}),
    _message("contentBlockDelta", contentBlockIndex=0, delta={"text": "lo."}),
    _message("contentBlockStop", contentBlockIndex=0),
]
_ENDED = [_message("messageStop", stopReason="end_turn"), _message("metadata", usage=_ANSWER["usage"])]


def _model(answer: Answer) -> tuple[dragoman.ChatModel, FakeTransport]:
    transport = FakeTransport([answer])
    model = dragoman.get_model("bedrock/us.maker.model-v1:0", transport=transport, max_retries=0, **_AWS)
    return model, transport


def test_a_call_is_signed_and_answered() -> None:
    answer = HttpResponse(200, {"x-amzn-requestid": "r-1"}, msgspec.json.encode(_ANSWER))
    model, transport = _model(answer)
    response = model.chat("Hi", max_tokens=5)
    assert (response.content, response.usage.input_tokens, response.request_id) == ("Hello.", 7, "r-1")
    (sent,) = transport.requests
    assert sent.url == "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.maker.model-v1%3A0/converse"
    headers = dict(sent.headers)
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/us-east-1/bedrock/aws4_request" in headers["authorization"]
    assert msgspec.json.decode(sent.body) == {
        "messages": [{"role": "user", "content": [{"text": "Hi"}]}],
        "inferenceConfig": {"maxTokens": 5},
    }


def test_a_stream_of_messages_is_heard_piece_by_piece() -> None:
    model, transport = _model(FakeTransport.streamed([*_BEGUN, *_ENDED]))
    with model.stream("Hi") as stream:
        assert [chunk.delta for chunk in stream if chunk.delta] == ["Hel", "lo."]
    assert stream.response.usage.output_tokens == 3
    (sent,) = transport.requests
    assert sent.url.endswith("/converse-stream")
    assert dict(sent.headers)["accept"] == "application/vnd.amazon.eventstream"


def test_an_exception_in_the_stream_is_an_error_with_what_came() -> None:
    failed = _message("throttlingException", "exception", message="Too many tokens.")
    model, _ = _model(FakeTransport.streamed([*_BEGUN, failed]))
    with pytest.raises(RateLimited, match="Too many tokens") as caught, model.stream("Hi") as stream:
        for _ in stream:
            pass
    assert (caught.value.status, caught.value.partial.content) == (429, "Hello.")
