"""Recorder and replayer: what was recorded is replayed the same, holds no secret, and nothing else is answered."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

import dragoman
from dragoman.testing import (
    Cut,
    FakeProvider,
    RecordingTransport,
    ReplayTransport,
    Status,
    UnknownExchange,
    no_network,
)
from dragoman.testing.models import model_at
from dragoman.testing.recording import read_recordings
from dragoman.testing.redacting import safe_url
from dragoman.transport import FakeTransport, HttpRequest, HttpResponse, HttpTransport
from tests.testing.spoken import DIALECTS

if TYPE_CHECKING:
    from pathlib import Path

KEY = "sk-a-key-that-must-not-be-kept"
TOOL = dragoman.ToolDefinition(
    name="weather", input_schema={"type": "object", "properties": {"city": {"type": "string"}}}
)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_was_recorded_is_replayed_the_same(dialect: str, tmp_path: Path) -> None:
    with FakeProvider() as fake:
        base_url = fake.base_url(dialect)

        def model(transport: Any) -> dragoman.ChatModel:
            return model_at(base_url, dialect, "m", api_key=KEY, transport=transport, max_retries=0)

        live = HttpTransport()
        recorded = model(RecordingTransport(tmp_path, live))
        plain = recorded.chat("Say: good morning")
        fake.fail(Status(429, retry_after=3.0))
        with pytest.raises(dragoman.RateLimited):
            recorded.chat("Limited")
        with recorded.stream("Say: İstanbul 🌉 at night") as stream:
            deltas = [chunk.delta for chunk in stream if chunk.delta]
        tooled = recorded.bind_tools([TOOL]).chat('Call weather {"city": "Zürich 🌉"}')
        recorded.close()
    with no_network():
        replay = ReplayTransport(tmp_path)
        replayed = model(replay)
        again = replayed.chat("Say: good morning")
        assert (again.message, again.usage, again.request_id) == (plain.message, plain.usage, plain.request_id)
        with pytest.raises(dragoman.RateLimited) as caught:
            replayed.chat("Limited")
        assert caught.value.retry_after == 3.0
        with replayed.stream("Say: İstanbul 🌉 at night") as second:
            assert [chunk.delta for chunk in second if chunk.delta] == deltas
        assert second.response.message == stream.response.message
        assert replay.unused == [name for name, _ in read_recordings(tmp_path)][-1:]
        assert replayed.bind_tools([TOOL]).chat('Call weather {"city": "Zürich 🌉"}').message == tooled.message
        assert replay.unused == []


def test_no_secret_is_kept(tmp_path: Path) -> None:
    def answer(_request: Any) -> HttpResponse:
        body = {"error": {"message": f"Incorrect API key provided: {KEY}; ask someone@example.org"}}
        headers = {"content-type": "application/json", "set-cookie": "session=1", "openai-organization": "org-1"}
        return HttpResponse(401, headers, json.dumps(body).encode())

    transport = RecordingTransport(tmp_path, FakeTransport(answer), secrets=["someone@example.org"])
    for dialect in ("openai-chat", "anthropic", "gemini"):
        model = model_at("http://127.0.0.1:9/v1", dialect, "m", api_key=KEY, transport=transport)
        with pytest.raises(dragoman.AuthenticationFailed):
            model.chat(f"My key is {KEY}", extra_body={"api_key": "another"}, extra_headers={"cookie": "session=1"})
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3
    for file in files:
        text = file.read_text(encoding="utf-8")
        for secret in (KEY, "someone@example.org", "session=1", "org-1", '"another"'):
            assert secret not in text
        assert "[removed]" in text


def test_addresses_keep_their_path_and_lose_what_is_secret() -> None:
    shown = safe_url(f"https://user:pass@example.org/v1/models/m:stream?alt=sse&key={KEY}&X-Amz-Signature=abc#part")
    assert shown == "https://example.org/v1/models/m:stream?alt=sse&key=%5Bremoved%5D&X-Amz-Signature=%5Bremoved%5D"


def test_a_secret_is_found_across_two_pieces_and_in_bytes(tmp_path: Path) -> None:
    half = len(KEY) // 2
    bodies: list[list[bytes]] = [[b"data: " + KEY[:half].encode(), KEY[half:].encode()], [b"\xff\xfe" + KEY.encode()]]
    transport = RecordingTransport(tmp_path, FakeTransport(bodies), secrets=[KEY])

    async def there() -> None:
        for _ in bodies:
            stream = await transport.stream(
                HttpRequest("POST", "http://127.0.0.1:9/v1", (), b"not json " + KEY.encode())
            )
            await stream.aread()
            await stream.aclose()

    asyncio.run(there())
    (_, text), (_, data) = read_recordings(tmp_path)
    assert text.answer.chunks() == [b"data: [removed]"]
    assert data.answer.chunks() == [b"\xff\xfe[removed]"]
    assert data.answer.coding == "base64"
    assert text.request.text == "not json [removed]"


def test_an_unknown_request_shows_the_nearest(tmp_path: Path) -> None:
    with FakeProvider() as fake:
        transport = RecordingTransport(tmp_path, HttpTransport())
        model = model_at(fake.base_url("openai-chat"), "openai-chat", "m", api_key=KEY, transport=transport)
        model.chat("Say: one")
        model.chat("Say: two and three")
        model.close()
        replay = ReplayTransport(tmp_path)
        model = model_at(fake.base_url("openai-chat"), "openai-chat", "m", api_key="other", transport=replay)
    assert model.chat("Say: one").content == "one"
    with pytest.raises(UnknownExchange, match="used already"):
        model.chat("Say: one")
    with pytest.raises(UnknownExchange) as caught:
        model.chat("Say: two and four")
    told = str(caught.value)
    assert "The nearest is 0002-chat-completions.json" in told
    assert "three" in told
    assert '+   "content": "Say: two and four"' in told
    with pytest.raises(UnknownExchange, match="no recordings"):
        model_at("http://127.0.0.1:9", "openai-chat", "m", transport=ReplayTransport(tmp_path / "none")).chat("Hi")


def test_the_same_request_is_answered_in_order_sync_and_async(tmp_path: Path) -> None:
    with FakeProvider("first", "second") as fake:
        transport = RecordingTransport(tmp_path, HttpTransport())
        model = model_at(fake.base_url("openai-chat"), "openai-chat", "m", api_key=KEY, transport=transport)
        model.chat("Hi")

        async def there() -> str:
            async with model:
                return (await model.achat("Hi")).content

        assert asyncio.run(there()) == "second"
        model.close()
        address = fake.base_url("openai-chat")
    model = model_at(address, "openai-chat", "m", transport=ReplayTransport(tmp_path))
    assert [model.chat("Hi").content, asyncio.run(model.achat("Hi")).content] == ["first", "second"]


def test_a_stream_that_was_cut_is_replayed_as_cut(tmp_path: Path) -> None:
    with FakeProvider() as fake:
        fake.fail(Cut(after=5))
        transport = RecordingTransport(tmp_path, HttpTransport())
        address = fake.base_url("openai-chat")
        live = model_at(address, "openai-chat", "m", api_key=KEY, transport=transport, max_retries=0)
        with pytest.raises(dragoman.TransportError) as caught:
            list(live.stream("Say: one two three four"))
        live.close()
    again = model_at(address, "openai-chat", "m", transport=ReplayTransport(tmp_path), max_retries=0)
    with pytest.raises(dragoman.TransportError) as second:
        list(again.stream("Say: one two three four"))
    assert second.value.partial.content == caught.value.partial.content


def test_what_is_no_recording_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(dragoman.ConfigError, match="no recording"):
        ReplayTransport(tmp_path)
    (tmp_path / "a.json").write_text(
        '{"v": 2, "request": {"method": "POST", "url": "http://x"}, "answer": {"status": 200}}'
    )
    with pytest.raises(dragoman.ConfigError, match="version 2"):
        ReplayTransport(tmp_path)
