"""Callers that ask the same of the fake provider: this library, and the official packages `openai` and `anthropic`.

A caller makes one whole answer, or reads one stream to its end and returns how many pieces of text it saw. Each caller
is measured in a process of its own, so that nothing that another one loads weighs on its garbage collector:
`python -m benchmarks.callers <package> <dialect> <address> <seconds>` prints CPU seconds by verb as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

from benchmarks import wire

__all__ = ["BURST_EVENTS", "PAUSE_MICROSECONDS", "SPACED_EVENTS", "Callers", "callers"]

BURST_EVENTS = 200
SPACED_EVENTS = 100
PAUSE_MICROSECONDS = 1000
SPACED_SHARE = 4  # spaced streams mostly wait, so that as much CPU time would take much longer
MOST_TOKENS = 300
TEMPERATURE = 0.5


class Callers(NamedTuple):
    """The verbs of one package in one dialect; each takes the address to ask.

    `gather` and `agather` read a stream and have the whole answer at its end, as `stream` of this library has anyway;
    the official packages have verbs of their own for that.
    """

    chat: Callable[[str], int]
    achat: Callable[[str], Awaitable[int]]
    stream: Callable[[str], int]
    astream: Callable[[str], Awaitable[int]]
    gather: Callable[[str], int] | None = None
    agather: Callable[[str], Awaitable[int]] | None = None


def _cached(make: Callable[[str], Any]) -> Callable[[str], Any]:
    """One client per address, as an application would have it. Untyped: each package's client is another type."""
    made: dict[str, Any] = {}

    def get(url: str) -> Any:
        client = made.get(url)
        if client is None:
            client = made[url] = make(url)
        return client

    return get


def _ours(dialect: str) -> Callers:
    import dragoman

    provider = "anthropic/claude-sonnet-5" if dialect == "anthropic" else "openai/gpt-4o"

    def make(url: str) -> dragoman.ChatModel:
        return dragoman.get_model(provider, api_key="x", base_url=f"{url}/v1", dialect=dialect)

    model = _cached(make)
    asked: Any = wire.conversation()

    def chat(url: str) -> int:
        return len(model(url).chat(asked, max_tokens=MOST_TOKENS, temperature=TEMPERATURE).content)

    async def achat(url: str) -> int:
        return len((await model(url).achat(asked, max_tokens=MOST_TOKENS, temperature=TEMPERATURE)).content)

    def stream(url: str) -> int:
        seen = 0
        with model(url).stream(asked, max_tokens=MOST_TOKENS, temperature=TEMPERATURE) as chunks:
            for chunk in chunks:
                if chunk.delta:
                    seen += 1
        return seen

    async def astream(url: str) -> int:
        seen = 0
        async with model(url).astream(asked, max_tokens=MOST_TOKENS, temperature=TEMPERATURE) as chunks:
            async for chunk in chunks:
                if chunk.delta:
                    seen += 1
        return seen

    return Callers(chat, achat, stream, astream)


def _openai_chat() -> Callers:
    from openai import AsyncOpenAI, OpenAI

    sync = _cached(lambda url: OpenAI(api_key="x", base_url=f"{url}/v1"))
    with_loop = _cached(lambda url: AsyncOpenAI(api_key="x", base_url=f"{url}/v1"))
    asked: Any = {
        "model": "gpt-4o",
        "messages": wire.conversation(),
        "max_completion_tokens": MOST_TOKENS,
        "temperature": TEMPERATURE,
    }
    streamed: Any = {**asked, "stream": True, "stream_options": {"include_usage": True}}

    def chat(url: str) -> int:
        return len(sync(url).chat.completions.create(**asked).choices[0].message.content or "")

    async def achat(url: str) -> int:
        return len((await with_loop(url).chat.completions.create(**asked)).choices[0].message.content or "")

    def stream(url: str) -> int:
        seen = 0
        for chunk in sync(url).chat.completions.create(**streamed):
            if chunk.choices and chunk.choices[0].delta.content:
                seen += 1
        return seen

    async def astream(url: str) -> int:
        seen = 0
        async for chunk in await with_loop(url).chat.completions.create(**streamed):
            if chunk.choices and chunk.choices[0].delta.content:
                seen += 1
        return seen

    gathered: Any = {**asked, "stream_options": {"include_usage": True}}

    def gather(url: str) -> int:
        with sync(url).chat.completions.stream(**gathered) as events:
            seen = sum(event.type == "content.delta" and bool(event.delta) for event in events)
            assert events.get_final_completion().choices
        return seen

    async def agather(url: str) -> int:
        seen = 0
        async with with_loop(url).chat.completions.stream(**gathered) as events:
            async for event in events:
                seen += event.type == "content.delta" and bool(event.delta)
            assert (await events.get_final_completion()).choices
        return seen

    return Callers(chat, achat, stream, astream, gather, agather)


def _openai_responses() -> Callers:
    from openai import AsyncOpenAI, OpenAI

    sync = _cached(lambda url: OpenAI(api_key="x", base_url=f"{url}/v1"))
    with_loop = _cached(lambda url: AsyncOpenAI(api_key="x", base_url=f"{url}/v1"))
    asked: Any = {
        "model": "gpt-4o",
        "input": wire.conversation(),
        "max_output_tokens": MOST_TOKENS,
        "temperature": TEMPERATURE,
    }
    streamed: Any = {**asked, "stream": True}

    def chat(url: str) -> int:
        return len(sync(url).responses.create(**asked).output_text)

    async def achat(url: str) -> int:
        return len((await with_loop(url).responses.create(**asked)).output_text)

    def stream(url: str) -> int:
        seen = 0
        for event in sync(url).responses.create(**streamed):
            if event.type == "response.output_text.delta" and event.delta:
                seen += 1
        return seen

    async def astream(url: str) -> int:
        seen = 0
        async for event in await with_loop(url).responses.create(**streamed):
            if event.type == "response.output_text.delta" and event.delta:
                seen += 1
        return seen

    def gather(url: str) -> int:
        with sync(url).responses.stream(**asked) as events:
            seen = sum(event.type == "response.output_text.delta" for event in events)
            assert events.get_final_response().output_text
        return seen

    async def agather(url: str) -> int:
        seen = 0
        async with with_loop(url).responses.stream(**asked) as events:
            async for event in events:
                seen += event.type == "response.output_text.delta"
            assert (await events.get_final_response()).output_text
        return seen

    return Callers(chat, achat, stream, astream, gather, agather)


def _anthropic() -> Callers:
    from anthropic import Anthropic, AsyncAnthropic

    sync = _cached(lambda url: Anthropic(api_key="x", base_url=url))
    with_loop = _cached(lambda url: AsyncAnthropic(api_key="x", base_url=url))
    asked: Any = {
        "model": "claude-sonnet-5",
        "messages": wire.conversation(),
        "max_tokens": MOST_TOKENS,
        "extra_body": {"temperature": TEMPERATURE},  # which the package has no parameter for any more
    }
    streamed: Any = {**asked, "stream": True}

    def chat(url: str) -> int:
        return len(sync(url).messages.create(**asked).content[0].text)

    async def achat(url: str) -> int:
        return len((await with_loop(url).messages.create(**asked)).content[0].text)

    def stream(url: str) -> int:
        seen = 0
        for event in sync(url).messages.create(**streamed):
            if event.type == "content_block_delta" and event.delta.type == "text_delta":
                seen += 1
        return seen

    async def astream(url: str) -> int:
        seen = 0
        async for event in await with_loop(url).messages.create(**streamed):
            if event.type == "content_block_delta" and event.delta.type == "text_delta":
                seen += 1
        return seen

    def gather(url: str) -> int:
        with sync(url).messages.stream(**asked) as events:
            seen = sum(event.type == "content_block_delta" for event in events)
            assert events.get_final_message().content
        return seen

    async def agather(url: str) -> int:
        seen = 0
        async with with_loop(url).messages.stream(**asked) as events:
            async for event in events:
                seen += event.type == "content_block_delta"
            assert (await events.get_final_message()).content
        return seen

    return Callers(chat, achat, stream, astream, gather, agather)


def callers(package: str, dialect: str) -> Callers:
    """The callers of `package` ("dragoman", "openai", "anthropic") in a dialect."""
    if package == "dragoman":
        return _ours(dialect)
    return {"openai-chat": _openai_chat, "openai-responses": _openai_responses, "anthropic": _anthropic}[dialect]()


# -- measuring ---------------------------------------------------------------------------------------------------------


def _cpu(call: Callable[[], int], seconds: float) -> float:
    """CPU seconds of a call, all threads of the process counted, over at least `seconds` of them."""
    for _ in range(3):
        assert call() > 0
    gc.collect()
    calls, begun = 0, time.process_time()
    while (used := time.process_time() - begun) < seconds:
        call()
        calls += 1
    return used / calls


async def _cpu_awaited(call: Callable[[], Awaitable[int]], seconds: float) -> float:
    """As `_cpu`, for calls that are awaited one after another."""
    for _ in range(3):
        assert await call() > 0
    gc.collect()
    calls, begun = 0, time.process_time()
    while (used := time.process_time() - begun) < seconds:
        await call()
        calls += 1
    return used / calls


def measure(package: str, dialect: str, upstream: str, seconds: float) -> dict[str, float]:
    """CPU seconds of a call by verb, and of a streamed event by verb and by how the events come."""
    verbs = callers(package, dialect)
    burst, spaced = f"{upstream}/{BURST_EVENTS}/0", f"{upstream}/{SPACED_EVENTS}/{PAUSE_MICROSECONDS}"
    told = {"chat": _cpu(partial(verbs.chat, burst), seconds)}
    for name, verb in (("stream", verbs.stream), ("gather", verbs.gather)):
        if verb is not None:
            assert verb(burst) == BURST_EVENTS
            told[name] = _cpu(partial(verb, burst), seconds) / BURST_EVENTS
            told[f"{name}, spaced"] = _cpu(partial(verb, spaced), seconds / SPACED_SHARE) / SPACED_EVENTS

    async def awaited() -> None:
        told["achat"] = await _cpu_awaited(partial(verbs.achat, burst), seconds)
        for name, verb in (("astream", verbs.astream), ("agather", verbs.agather)):
            if verb is not None:
                assert await verb(burst) == BURST_EVENTS
                told[name] = await _cpu_awaited(partial(verb, burst), seconds) / BURST_EVENTS
                asked = partial(verb, spaced)
                told[f"{name}, spaced"] = await _cpu_awaited(asked, seconds / SPACED_SHARE) / SPACED_EVENTS

    asyncio.run(awaited())
    return told


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]))))
