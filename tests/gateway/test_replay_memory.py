"""State goes back to its issuer alone, and comes back to it through dialects that cannot carry it."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

import msgspec
import pytest

from dragoman.dialects import load
from dragoman.errors import DragomanError
from dragoman.gateway.replay_memory import ReplayMemory, state_texts
from dragoman.testing import FakeProvider
from dragoman.testing.faults import Status
from dragoman.values import (
    Choice,
    Message,
    MessageRole,
    Reasoning,
    Replay,
    Request,
    Response,
    Target,
    Text,
    ToolCall,
    ToolResult,
)
from tests.gateway.object_service import ask
from tests.gateway.recorded_upstream import Upstream, running_upstream
from tests.gateway.running import KEY, RunningGateway, running_gateway
from tests.wire.recordings import DIALECT_OF, Exchange, body_bytes, exchanges, require_recordings, stream_bytes

SIGNED = "EqQBCgIYAhIkZmFr" * 3


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _thinking(call_id: str = "call_1", words: str = "Let me look.", state: str = SIGNED) -> Response:
    signature = Replay(issuer="anthropic", dialect="anthropic", kind="signature", data=state)
    parts = (
        Reasoning(text=words, replay=(signature,)),
        Text(text="Looking."),
        ToolCall(id=call_id, name="look", arguments_text="{}"),
    )
    message = Message(MessageRole.ASSISTANT, parts=parts)
    return Response(provider="anthropic", dialect="anthropic", choices=(Choice(message=message),))


def _again(*call_ids: str) -> Request:
    calls = tuple(ToolCall(id=each, name="look", arguments_text="{}") for each in call_ids)
    results = tuple(ToolResult(call_id=each, content=(Text(text="seen"),)) for each in call_ids)
    said = Message(MessageRole.ASSISTANT, parts=(Reasoning(text="Let me look."), Text(text="Looking."), *calls))
    return Request(model="m", messages=(said, Message(MessageRole.TOOL, parts=results)))


def test_thinking_is_put_back_where_it_stood() -> None:
    memory = ReplayMemory()
    memory.thought("anna", _thinking(), "anthropic")
    restored = memory.restored("anna", _again("call_1"), "anthropic").messages[0]
    assert [type(part) for part in restored.parts] == [Reasoning, Text, ToolCall]
    assert restored.parts[0] == _thinking().message.parts[0]


@pytest.mark.parametrize(
    ("principal", "call_id", "issuer"),
    [("bert", "call_1", "anthropic"), ("anna", "call_2", "anthropic"), ("anna", "call_1", "openai")],
)
def test_it_is_put_back_for_nobody_else(principal: str, call_id: str, issuer: str) -> None:
    memory = ReplayMemory()
    memory.thought("anna", _thinking(), "anthropic")
    asked = _again(call_id)
    assert memory.restored(principal, asked, issuer) is asked


def test_it_expires() -> None:
    clock = _Clock()
    memory = ReplayMemory(clock=clock)
    memory.thought("anna", _thinking(), "anthropic")
    memory.issued(b'{"signature": "%b"}' % SIGNED.encode(), "anthropic")
    assert memory.thinkers_in("anna", b'{"tool_call_id": "call_1"}') == ["anthropic"]
    clock.now += 7 * 3600
    asked = _again("call_1")
    assert memory.restored("anna", asked, "anthropic") is asked
    assert memory.thinkers_in("anna", b'{"tool_call_id": "call_1"}') == []
    assert memory.issuer_of(SIGNED) is None


def test_it_is_bounded_by_bytes() -> None:
    memory = ReplayMemory(most_bytes=100_000)
    for number in range(200):
        memory.thought("anna", _thinking(f"call_{number}", "x" * 5000), "anthropic")
    assert memory.held_bytes <= 100_000
    assert memory.thinkers_in("anna", b'{"id": "call_199"}') == ["anthropic"]
    assert memory.thinkers_in("anna", b'{"id": "call_0"}') == []


def test_state_is_known_however_it_is_written() -> None:
    memory = ReplayMemory()
    memory.issued(b'{"thoughtSignature":"abc\\u003dabc\\/abcabcabc="}', "google")
    assert memory.issuer_of("abc=abc/abcabcabc=") == "google"
    assert memory.issuers_in(b'{"thoughtSignature" : "abc=abc/abcabcabc="}') == ["google"]


def test_an_image_is_no_state() -> None:
    assert state_texts(b'{"source": {"type": "base64", "data": "%b"}}' % (b"A" * 1000)) == []


# -- through the gateway, with what real providers answered ------------------------------------------------------------

CONFIG = """
providers:
  real-anthropic: {{dialect: anthropic, base_url: "{url}/v1", api_key: "k"}}
  real-gemini: {{dialect: gemini, base_url: "{url}/v1beta", api_key: "k"}}
  real-responses: {{dialect: openai-responses, base_url: "{url}/v1", api_key: "k"}}
models:
  anthropic: [real-anthropic/m]
  gemini: [real-gemini/m]
  openai-responses: [real-responses/m]
keys:
  - {{name: ci, key: {key}}}
"""


def _read(exchange: Exchange) -> Response:
    codec, target = load(DIALECT_OF[exchange.api]), Target(provider="p", issuer="p", model="m")
    if not exchange.is_stream:
        return codec.decode_response(msgspec.json.decode(body_bytes(exchange)), target)
    decoder = codec.stream_decoder(target)
    events = [*decoder.feed(stream_bytes(exchange)), *decoder.close()]
    return events[-1].response  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]


def _signed_calls() -> list[Exchange]:
    """Recorded answers of thinking models that ask for tools, with state of theirs."""
    found: list[Exchange] = []
    for exchange in exchanges():
        dialect = DIALECT_OF.get(exchange.api)
        if dialect not in ("anthropic", "gemini", "openai-responses") or exchange.response.status != 200:
            continue
        if not {"thinking", "redacted_thinking", "encrypted_reasoning", "thinking_replay"} & set(exchange.features):
            continue
        if exchange.is_json_array_stream or exchange.response.kind == "base64":
            continue
        if _signed(exchange):
            found.append(exchange)
    return found


def _signed(exchange: Exchange) -> list[str]:
    """The state of a recorded answer, of what led to its calls."""
    told = state_texts(stream_bytes(exchange) if exchange.is_stream else body_bytes(exchange))
    try:
        answer = _read(exchange)
    except DragomanError:
        return []  # an error, or cut off: nobody goes on from it
    return [text for text in _state(answer) if text in told] if answer.tool_calls else []


def _state(answer: Response) -> list[str]:
    """The state on what led to the calls of an answer, in order."""
    found: list[str] = []
    parts = answer.message.parts
    last = max(at for at, part in enumerate(parts) if isinstance(part, ToolCall) and part.runner == "client")
    for part in parts[: last + 1]:
        if isinstance(part, Reasoning) or (isinstance(part, ToolCall) and part.runner == "client"):
            found += [replay.data for replay in part.replay if isinstance(replay.data, str)]
    return found


@pytest.fixture(scope="module")
def upstream() -> Generator[Upstream]:
    require_recordings()
    with running_upstream() as found:
        yield found


@pytest.fixture(scope="module")
def front(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningGateway]:
    with running_gateway(CONFIG.format(url=upstream.url, key=KEY), tmp_path_factory.mktemp("front")) as found:
        yield found


def _turn(front: RunningGateway, model: str, messages: list[Any], *, stream: bool) -> dict[str, Any]:
    """The assistant's message, as a client of chat completions keeps it."""
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    body = {"model": model, "messages": messages, "tools": [tool], "stream": stream}
    answer = ask(front.url, "POST", "/v1/chat/completions", KEY, body)
    assert answer.status == 200, answer
    if not stream:
        message = answer.json["choices"][0]["message"]
        return {name: message[name] for name in ("role", "content", "tool_calls") if name in message}
    calls: dict[int, dict[str, Any]] = {}
    content = ""
    for line in answer.body.decode().splitlines():
        if not line.startswith("data: {"):
            continue
        for choice in json.loads(line.removeprefix("data: "))["choices"]:
            content += choice["delta"].get("content") or ""
            for delta in choice["delta"].get("tool_calls") or ():
                call = calls.setdefault(delta["index"], {"type": "function", "function": {"name": "", "arguments": ""}})
                call["id"] = delta.get("id") or call.get("id")
                for name in ("name", "arguments"):
                    call["function"][name] += delta["function"].get(name) or ""
    return {"role": "assistant", "content": content or None, "tool_calls": list(calls.values())}


def test_what_thinking_models_signed_comes_back_to_them_through_chat_completions(
    front: RunningGateway, upstream: Upstream
) -> None:
    tried: set[tuple[str, bool]] = set()
    for exchange in _signed_calls():
        dialect = DIALECT_OF[exchange.api]
        upstream.give(exchange)
        asked: list[Any] = [{"role": "user", "content": "What do you see?"}]
        said = _turn(front, dialect, asked, stream=exchange.is_stream)
        results = [{"role": "tool", "tool_call_id": call["id"], "content": "Rain."} for call in said["tool_calls"]]
        _turn(front, dialect, [*asked, said, *results], stream=exchange.is_stream)
        back = upstream.received[-1].body
        expected = _signed(exchange)
        got = state_texts(back)
        assert [text for text in got if text in expected] == expected, f"{exchange}: {got} {back!r:.2000}"
        tried.add((dialect, exchange.is_stream))
    assert tried >= {("anthropic", False), ("gemini", False), ("gemini", True), ("openai-responses", True)}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dialect", ["anthropic", "gemini"])
def test_it_comes_back_whichever_way_it_was_asked(
    tmp_path_factory: pytest.TempPathFactory, dialect: str, stream: bool
) -> None:
    kind = {"anthropic": "signature", "gemini": "thought-signature"}[dialect]
    signature = Replay(issuer="fake", dialect=dialect, kind=kind, data=SIGNED)
    call = ToolCall(
        id="call_1", name="look", arguments_text="{}", replay=() if dialect == "anthropic" else (signature,)
    )
    thought = Reasoning(text="Hm.", replay=(signature,) if dialect == "anthropic" else ())
    reply: Any = [thought, Text(text="Looking."), call]
    text = """
providers:
  fake: {{dialect: {dialect}, base_url: "{url}", api_key: "k"}}
models:
  m: [fake/m]
keys:
  - {{name: ci, key: {key}}}
"""
    with FakeProvider(say=lambda _: reply, strict=False) as fake:
        text = text.format(dialect=dialect, url=fake.base_url(dialect), key=KEY)
        with running_gateway(text, tmp_path_factory.mktemp("front")) as front:
            asked: list[Any] = [{"role": "user", "content": "What do you see?"}]
            said = _turn(front, "m", asked, stream=stream)
            results = [{"role": "tool", "tool_call_id": each["id"], "content": "Rain."} for each in said["tool_calls"]]
            _turn(front, "m", [*asked, said, *results], stream=stream)
            assert state_texts(json.dumps(fake.requests[-1].body).encode()) == [SIGNED]


# -- several providers -------------------------------------------------------------------------------------------------

TWO = """
providers:
  near: {{dialect: anthropic, base_url: "{near}", api_key: "fake-key-1"}}
  far: {{dialect: anthropic, base_url: "{far}", api_key: "fake-key-1"}}
models:
  far-first: {{deployments: [far/fake-model, near/fake-model], max_retries: 0}}
  near-first: {{deployments: [near/fake-model, far/fake-model], max_retries: 0}}
keys:
  - {{name: ci, key: {key}}}
"""


def _messages(front: RunningGateway, model: str, messages: list[Any], *, stream: bool = False) -> Any:
    body: dict[str, Any] = {"model": model, "max_tokens": 2000, "messages": messages, "stream": stream}
    body["thinking"] = {"type": "enabled", "budget_tokens": 1024}
    answer = ask(front.url, "POST", "/v1/messages", KEY, body)
    assert answer.status == 200, answer
    return answer


@pytest.mark.parametrize("stream", [False, True])
def test_state_draws_a_conversation_to_its_issuer_and_is_kept_from_others(
    tmp_path_factory: pytest.TempPathFactory, stream: bool
) -> None:
    signature = Replay(issuer="fake", dialect="anthropic", kind="signature", data=SIGNED)
    reply: Any = [Reasoning(text="Hm.", replay=(signature,)), Text(text="Yes.")]
    with FakeProvider(say=lambda _: reply, strict=False) as near, FakeProvider(strict=False) as far:
        text = TWO.format(near=near.base_url("anthropic"), far=far.base_url("anthropic"), key=KEY)
        with running_gateway(text, tmp_path_factory.mktemp("front")) as front:
            first = _messages(front, "near-first", [{"role": "user", "content": "Is it?"}], stream=stream)
            signed = state_texts(first.body)
            assert signed
            thought = {"type": "thinking", "thinking": "Hm.", "signature": signed[0]}
            history: list[Any] = [
                {"role": "user", "content": "Is it?"},
                {"role": "assistant", "content": [thought, {"type": "text", "text": "Yes."}]},
                {"role": "user", "content": "Say: hello"},
            ]
            # Its issuer comes first, though the route names another one before it.
            _messages(front, "far-first", history)
            assert (len(near.requests), len(far.requests)) == (2, 0)
            assert signed[0] in json.dumps(near.requests[-1].body)
            # The other one takes over without it, and that is told.
            near.fail(Status(503))
            answer = _messages(front, "far-first", history)
            assert (len(near.requests), len(far.requests)) == (3, 1)
            assert signed[0] not in json.dumps(far.requests[-1].body)
            assert "dropped" in answer.headers["x-dragoman-adaptations"]
