"""The vendors' official clients, each asked through its public calls, and what their objects say.

Their objects are read as Any: what matters is what a user of theirs finds at run time, in answers of hosts that the
types do not foresee too.
"""

from __future__ import annotations

import warnings
from contextlib import closing
from typing import Any, Protocol

import anthropic
import httpx2
import openai

from tests.official.bedrock_client import BedrockClient, BedrockClients
from tests.official.facts import Facts, Said, called
from tests.wire.recordings import Exchange

with warnings.catch_warnings():
    # Compiled for the first time, this package warns of its own string literals.
    warnings.simplefilter("ignore")
    from google import genai
    from google.genai import types as genai_types

__all__ = [
    "JUDGED",
    "AnthropicClient",
    "ChatClient",
    "Client",
    "GeminiClient",
    "OfficialClients",
    "ResponsesClient",
    "facts_of",
    "readable",
]

JUDGED = ("openai-chat", "openai-responses", "anthropic", "gemini", "bedrock")
"""The dialects whose vendor's client is light enough to be here."""


def readable(exchange: Exchange) -> bool:
    """Whether the official client can read the answer: OpenAI's knows no thoughts in lists, as Mistral has them."""
    return exchange.api != "mistral.chat" or "thinking" not in exchange.features


_PROMPT: Any = [{"role": "user", "content": "Hi"}]


class Client(Protocol):
    """One official client at one address: a whole answer, or a streamed one."""

    def whole(self) -> Facts: ...

    def streamed(self, *, strict: bool = False) -> Facts:
        """With `strict`, by the client's own accumulating helper, where it has one: it demands a faultless stream."""
        ...


class OfficialClients:
    """One client of each vendor, whose connections every test shares; `close` ends them."""

    def __init__(self) -> None:
        self._openai = openai.OpenAI(api_key="none", base_url="http://127.0.0.1:9", max_retries=0)
        self._anthropic = anthropic.Anthropic(api_key="none", base_url="http://127.0.0.1:9", max_retries=0)
        self._amazon = BedrockClients()
        self._http = httpx2.Client(trust_env=False)
        options = genai_types.HttpOptions(
            httpx_client=self._http, retry_options=genai_types.HttpRetryOptions(attempts=1)
        )
        self._google: Any = genai.Client(api_key="none", vertexai=False, http_options=options)

    def of(self, dialect: str, address: str) -> Client:
        """The official client of a dialect, talking to an address."""
        if dialect == "openai-chat":
            return ChatClient(self._openai.with_options(base_url=f"{address}/v1"))
        if dialect == "openai-responses":
            return ResponsesClient(self._openai.with_options(base_url=f"{address}/v1"))
        if dialect == "anthropic":
            return AnthropicClient(self._anthropic.with_options(base_url=address))
        if dialect == "bedrock":
            return BedrockClient(self._amazon, address)
        return GeminiClient(self._google, address)

    def close(self) -> None:
        self._openai.close()
        self._anthropic.close()
        self._http.close()
        self._amazon.close()


# -- OpenAI, chat completions ------------------------------------------------------------------------------------------


class ChatClient:
    def __init__(self, client: openai.OpenAI) -> None:
        self._client = client

    def whole(self) -> Facts:
        return _facts_of_completion(self._client.chat.completions.create(model="m", messages=_PROMPT))

    def streamed(self, *, strict: bool = False) -> Facts:
        if strict:
            with self._client.chat.completions.stream(model="m", messages=_PROMPT) as stream:
                for _ in stream:
                    pass
                return _facts_of_completion(stream.get_final_completion())
        with self._client.chat.completions.create(model="m", messages=_PROMPT, stream=True) as chunks:
            return _sum_of_chunks(chunks)


def _facts_of_completion(completion: Any) -> Facts:
    return Facts(
        said=tuple(_chat_choice(choice) for choice in completion.choices),
        **_chat_usage(completion.usage),
        id=completion.id,
        model=completion.model,
    )


def _chat_choice(choice: Any) -> Said:
    message = choice.message
    if message is None:  # Azure writes no message at all where its filter took the answer
        return Said("", "", (), choice.finish_reason)
    return Said(
        text=message.content or "",
        refusal=getattr(message, "refusal", None) or "",
        calls=tuple(_chat_call(call) for call in message.tool_calls or ()) or _legacy(message),
        finish=choice.finish_reason,
    )


def _chat_call(call: Any) -> tuple[str | None, str, Any]:
    if call.type == "custom":
        return called(call.id, call.custom.name, call.custom.input)
    return called(call.id, call.function.name, call.function.arguments)


def _legacy(message: Any) -> tuple[tuple[str | None, str, Any], ...]:
    call = getattr(message, "function_call", None)
    return (called(None, call.name, call.arguments),) if call and call.name else ()


def _chat_usage(usage: Any) -> dict[str, Any]:
    return {
        "input_tokens": usage.prompt_tokens if usage else None,
        "output_tokens": usage.completion_tokens if usage else None,
    }


class _Heard:
    def __init__(self) -> None:
        self.text = ""
        self.refusal = ""
        self.calls: dict[int, list[Any]] = {}
        self.finish: str | None = None

    def take(self, choice: Any) -> None:
        delta = choice.delta
        if delta is not None:
            self.text += delta.content or ""
            self.refusal += getattr(delta, "refusal", None) or ""
            for number, call in enumerate(delta.tool_calls or ()):
                kept = self.calls.setdefault(call.index if call.index is not None else number, [None, "", ""])
                kept[0] = kept[0] or call.id
                kept[1] += (call.function.name if call.function else None) or ""
                kept[2] += (call.function.arguments if call.function else None) or ""
        self.finish = choice.finish_reason or self.finish

    def said(self) -> Said:
        calls = tuple(called(*kept) for _, kept in sorted(self.calls.items()))
        return Said(self.text, self.refusal, calls, self.finish)


def _sum_of_chunks(stream: Any) -> Facts:
    heard: dict[int, _Heard] = {}
    usage = identity = model = None
    for chunk in stream:
        identity, model = identity or chunk.id, model or chunk.model
        usage = chunk.usage or usage
        for choice in chunk.choices or ():
            heard.setdefault(choice.index, _Heard()).take(choice)
    said = tuple(choice.said() for _, choice in sorted(heard.items()))
    return Facts(said=said, **_chat_usage(usage), id=identity or None, model=model)


# -- OpenAI, responses -------------------------------------------------------------------------------------------------


class ResponsesClient:
    def __init__(self, client: openai.OpenAI) -> None:
        self._client = client

    def whole(self) -> Facts:
        return _facts_of_response(self._client.responses.create(model="m", input="Hi"))

    def streamed(self, *, strict: bool = False) -> Facts:
        if strict:
            with self._client.responses.stream(model="m", input="Hi") as helped:
                for _ in helped:
                    pass
                return _facts_of_response(helped.get_final_response())
        text = ""
        final: Any = None
        with self._client.responses.create(model="m", input="Hi", stream=True) as stream:
            for event in stream:
                if event.type == "response.output_text.delta":
                    text += event.delta
                final = getattr(event, "response", None) or final
        facts = _facts_of_response(final)
        assert facts.said[0].text == text, "the deltas do not add up to the terminal object"
        return facts


def _facts_of_response(response: Any) -> Facts:
    contents = [piece for item in response.output if item.type == "message" for piece in item.content]
    usage = response.usage
    said = Said(
        text="".join(piece.text for piece in contents if piece.type == "output_text"),
        refusal="".join(piece.refusal for piece in contents if piece.type == "refusal"),
        calls=tuple(
            called(item.call_id, item.name, item.arguments if item.type == "function_call" else item.input)
            for item in response.output
            if item.type in ("function_call", "custom_tool_call")
        ),
        finish=response.status,
    )
    return Facts(
        said=(said,),
        input_tokens=usage.input_tokens if usage else None,
        output_tokens=usage.output_tokens if usage else None,
        id=response.id,
        model=response.model,
    )


# -- Anthropic ---------------------------------------------------------------------------------------------------------


class AnthropicClient:
    def __init__(self, client: anthropic.Anthropic) -> None:
        self._client = client

    def whole(self) -> Facts:
        return _facts_of_message(self._client.beta.messages.create(model="m", max_tokens=9, messages=_PROMPT))

    def streamed(self, *, strict: bool = False) -> Facts:
        with self._client.beta.messages.stream(model="m", max_tokens=9, messages=_PROMPT) as stream:
            for _ in stream:
                pass
            return _facts_of_message(stream.get_final_message())


def _facts_of_message(message: Any) -> Facts:
    # The wire's totals leave out a compaction made on the way, which is billed: see its `iterations`.
    compactions = [entry for entry in getattr(message.usage, "iterations", None) or () if entry.type == "compaction"]
    usages = [message.usage, *compactions]
    said = Said(
        text="".join(block.text for block in message.content if block.type == "text"),
        refusal="",
        calls=tuple(called(block.id, block.name, block.input) for block in message.content if block.type == "tool_use"),
        finish=message.stop_reason,
    )
    return Facts(
        said=(said,),
        input_tokens=sum(_anthropic_input(usage) for usage in usages),
        output_tokens=sum(usage.output_tokens for usage in usages),
        id=message.id,
        model=message.model,
    )


def _anthropic_input(usage: Any) -> int:
    counted = (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens)
    return sum(count or 0 for count in counted)


# -- Google ------------------------------------------------------------------------------------------------------------


class GeminiClient:
    def __init__(self, client: Any, address: str) -> None:
        self._models = client.models
        self._asked: Any = {
            "model": "m",
            "contents": "Hi",
            "config": genai_types.GenerateContentConfig(http_options=genai_types.HttpOptions(base_url=address)),
        }

    def whole(self) -> Facts:
        return _sum_of_answers([self._models.generate_content(**self._asked)])

    def streamed(self, *, strict: bool = False) -> Facts:
        with closing(self._models.generate_content_stream(**self._asked)) as answers:
            return _sum_of_answers(answers)


class _Candidate:
    def __init__(self) -> None:
        self.text = ""
        self.calls: list[tuple[str | None, str, Any]] = []
        self.finish: str | None = None

    def take(self, candidate: Any) -> None:
        for part in (candidate.content and candidate.content.parts) or ():
            if part.text and not part.thought:
                self.text += part.text
            if part.function_call:
                call = part.function_call
                self.calls.append(called(call.id, call.name, call.args or {}))
        if candidate.finish_reason:
            self.finish = candidate.finish_reason.name


def _sum_of_answers(answers: Any) -> Facts:
    heard: dict[int, _Candidate] = {}
    usage = identity = model = None
    for answer in answers:
        identity, model = identity or answer.response_id, model or answer.model_version
        usage = answer.usage_metadata or usage
        for candidate in answer.candidates or ():
            heard.setdefault(candidate.index or 0, _Candidate()).take(candidate)
    return Facts(
        said=tuple(
            Said(candidate.text, "", tuple(candidate.calls), candidate.finish) for _, candidate in sorted(heard.items())
        ),
        input_tokens=_sum(usage, "prompt_token_count", "tool_use_prompt_token_count"),
        output_tokens=_sum(usage, "candidates_token_count", "thoughts_token_count"),
        id=identity,
        model=model,
    )


def _sum(usage: Any, *names: str) -> int | None:
    counts = [count for name in names if (count := getattr(usage, name, None)) is not None]
    return sum(counts) if counts else None


# -- objects of another caller's --------------------------------------------------------------------------------------


def facts_of(dialect: str, objects: list[Any], *, streamed: bool) -> Facts:
    """The facts of what a client gave: its one answer, or all that came on its stream.

    Anthropic's client adds the message that its events come to as the last object.
    """
    if dialect == "openai-chat":
        return _sum_of_chunks(objects) if streamed else _facts_of_completion(objects[0])
    if dialect == "openai-responses":
        ended = [found for event in objects if (found := getattr(event, "response", None)) is not None]
        return _facts_of_response(ended[-1] if streamed else objects[0])
    if dialect == "anthropic":
        return _facts_of_message(objects[-1])
    return _sum_of_answers(objects)
