"""The callers: official clients at a gateway, which tell what their user sees of one call, whole or streamed.

Their objects are read as Any, as a user of theirs finds them at run time.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import anthropic
import httpx2
import openai

with warnings.catch_warnings():
    # Compiled for the first time, this package warns of its own string literals.
    warnings.simplefilter("ignore")
    from google import genai
    from google.genai import errors as genai_errors
    from google.genai import types as genai_types

__all__ = ["Callers", "Saw"]

_STOPPED = {"stop", "completed", "end_turn", "STOP", "length", "max_tokens", "incomplete", "MAX_TOKENS"}
MOST_TOKENS = 40
_TOLD_HEADERS = ("retry-after", "x-should-retry", "x-dragoman-attempts", "x-dragoman-deployment")


@dataclass
class Saw:
    """What a caller saw: the head's status and headers, the text that came, the finish, and the error if one came.

    `request_id` is the gateway's own.
    """

    status: int = 0
    request_id: str = ""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    text: str = ""
    finish: str | None = None
    error: str | None = None
    said: str = ""

    @property
    def in_band(self) -> bool:
        """Whether the error came within an answer that had begun."""
        return self.error is not None and self.status == 200

    @property
    def finished(self) -> bool:
        return self.error is None and self.finish in _STOPPED


class Callers:
    """One client a vendor, for one thread; `close` ends their connections."""

    def __init__(self, url: str, key: str) -> None:
        self._saw = Saw()
        hooks = {"response": [self._note]}
        self._http = httpx2.Client(trust_env=False, event_hooks=hooks, timeout=60)
        common: dict[str, Any] = {"api_key": key, "max_retries": 0, "http_client": self._http}
        self._openai: Any = openai.OpenAI(base_url=f"{url}/v1", **common)
        self._anthropic: Any = anthropic.Anthropic(base_url=url, **common)
        options = genai_types.HttpOptions(
            base_url=url, httpx_client=self._http, retry_options=genai_types.HttpRetryOptions(attempts=1)
        )
        self._genai: Any = genai.Client(api_key=key, vertexai=False, http_options=options)
        self._asking = {
            "openai-chat": self._chat,
            "openai-responses": self._responses,
            "anthropic": self._messages,
            "gemini": self._generate,
        }

    def close(self) -> None:
        self._http.close()

    def _note(self, response: Any) -> None:
        self._saw.status = response.status_code
        self._saw.request_id = response.headers.get("x-dragoman-request-id", "")
        self._saw.headers = {name: response.headers[name] for name in _TOLD_HEADERS if name in response.headers}

    def ask(self, dialect: str, model: str, words: str, *, streamed: bool, acts: bool = False) -> Saw:
        """One call; with `acts` it asks for something that may act on the world. Errors are told, not raised."""
        self._saw = saw = Saw()
        try:
            self._asking[dialect](saw, model, words, streamed, acts)
        except (openai.OpenAIError, anthropic.AnthropicError) as error:
            saw.error, saw.said = type(error).__name__, str(error)
        except genai_errors.APIError as error:
            # The client knows two classes of errors; what it makes its user tell them apart by is the code.
            saw.error, saw.said = f"{type(error).__name__} {error.code}", str(error)
        except httpx2.HTTPError as error:
            saw.error, saw.said = f"connection: {type(error).__name__}", str(error)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # The client, or its user, stumbled over an answer that is not of the dialect.
            saw.error, saw.said = f"stumbled: {type(error).__name__}", str(error)
        return saw

    def _chat(self, saw: Saw, model: str, words: str, streamed: bool, acts: bool) -> None:
        messages = [{"role": "user", "content": words}]
        asked: dict[str, Any] = {"model": model, "messages": messages, "max_tokens": MOST_TOKENS}
        if acts:
            asked["store"] = True
        if not streamed:
            choice = self._openai.chat.completions.create(**asked).choices[0]
            saw.text, saw.finish = choice.message.content or "", choice.finish_reason
            return
        with self._openai.chat.completions.create(**asked, stream=True) as stream:
            for chunk in stream:
                for choice in chunk.choices:
                    saw.text += choice.delta.content or ""
                    saw.finish = choice.finish_reason or saw.finish

    def _responses(self, saw: Saw, model: str, words: str, streamed: bool, acts: bool) -> None:
        asked: dict[str, Any] = {"model": model, "input": words, "store": acts, "max_output_tokens": MOST_TOKENS}
        if not streamed:
            answer = self._openai.responses.create(**asked)
            saw.text, saw.finish = answer.output_text, answer.status
            return
        with self._openai.responses.create(**asked, stream=True) as stream:
            for event in stream:
                if event.type == "response.output_text.delta":
                    saw.text += event.delta
                elif event.type in ("response.completed", "response.incomplete", "response.failed"):
                    saw.finish = event.response.status

    def _messages(self, saw: Saw, model: str, words: str, streamed: bool, acts: bool) -> None:
        messages = [{"role": "user", "content": words}]
        asked: dict[str, Any] = {"model": model, "messages": messages, "max_tokens": MOST_TOKENS}
        if acts:
            asked["tools"] = [{"type": "web_search_20250305", "name": "web_search"}]
        if not streamed:
            answer = self._anthropic.messages.create(**asked)
            saw.text = "".join(block.text for block in answer.content if block.type == "text")
            saw.finish = answer.stop_reason
            return
        with self._anthropic.messages.create(**asked, stream=True) as stream:
            for event in stream:
                if event.type == "content_block_delta" and event.delta.type == "text_delta":
                    saw.text += event.delta.text
                elif event.type == "message_delta":
                    saw.finish = event.delta.stop_reason or saw.finish

    def _generate(self, saw: Saw, model: str, words: str, streamed: bool, acts: bool) -> None:
        more: dict[str, Any] = {"max_output_tokens": MOST_TOKENS}
        if acts:
            more["tools"] = [{"google_search": {}}]
        asked: dict[str, Any] = {"model": model, "contents": words, "config": more}
        if streamed:
            for answer in self._genai.models.generate_content_stream(**asked):
                _add(saw, answer)
        else:
            _add(saw, self._genai.models.generate_content(**asked))


def _add(saw: Saw, answer: Any) -> None:
    for candidate in answer.candidates or ():
        for part in (candidate.content and candidate.content.parts) or ():
            saw.text += part.text or ""
        saw.finish = candidate.finish_reason.name if candidate.finish_reason else saw.finish
