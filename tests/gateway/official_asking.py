"""The official Python clients at a gateway: each does what a case says, and tells what its objects hold.

Their objects are read as Any, as a user of theirs finds them at run time.
"""

from __future__ import annotations

import base64
import warnings
from typing import TYPE_CHECKING, Any

import anthropic
import httpx2
import msgspec
import openai

from tests.gateway.official_cases import IMAGE, PARAMETERS, RESULT, SCHEMA, WORDS
from tests.gateway.running import KEY

with warnings.catch_warnings():
    # Compiled for the first time, this package warns of its own string literals.
    warnings.simplefilter("ignore")
    from google import genai
    from google.genai import errors as genai_errors
    from google.genai import types as genai_types

if TYPE_CHECKING:
    from tests.gateway.official_cases import Case

__all__ = ["PythonClients"]

Outcome = dict[str, Any]
_WRONG_KEY = "sk-wrong-0123456789abcdefghij"


class PythonClients:
    """One client a vendor at one gateway; `close` ends their connections."""

    def __init__(self, url: str, *, retries: int = 0) -> None:
        self.openai = openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=retries)
        self.anthropic = anthropic.Anthropic(base_url=url, api_key=KEY, max_retries=retries)
        self._http = httpx2.Client(trust_env=False)
        self.genai: Any = self._google(url, KEY)
        self._genai_wrong: Any = self._google(url, _WRONG_KEY)

    def _google(self, url: str, key: str) -> Any:
        options = genai_types.HttpOptions(
            base_url=url, httpx_client=self._http, retry_options=genai_types.HttpRetryOptions(attempts=1)
        )
        return genai.Client(api_key=key, vertexai=False, http_options=options)

    def close(self) -> None:
        self.openai.close()
        self.anthropic.close()
        self._http.close()

    def listed(self, client: str) -> list[str]:
        """The names of the models that a client lists, each of which it also asks for by itself."""
        if client == "gemini":
            names = [str(model.name).removeprefix("models/") for model in self.genai.models.list()]
            return [self.genai.models.get(model=name).name.removeprefix("models/") for name in names]
        models: Any = self.anthropic.models if client == "anthropic" else self.openai.models
        return [models.retrieve(model.id).id for model in models.list()]

    def does(self, case: Case, model: str | None = None) -> Outcome:
        """What comes of a case, or of the same with another model; errors of the client's own are told."""
        ask = {
            "openai-chat": self._chat,
            "openai-responses": self._responses,
            "anthropic": self._messages,
            "gemini": self._generate,
        }[case.client]
        try:
            return ask(case, model or case.told()["model"])
        except (openai.APIError, anthropic.APIError) as error:
            return {"error": _told(error, getattr(error, "status_code", None), getattr(error, "response", None))}
        except genai_errors.APIError as error:
            return {"error": _told(error, error.code, getattr(error, "response", None))}

    # -- chat completions --------------------------------------------------------------------------------------------

    def _chat(self, case: Case, model: str) -> Outcome:
        client: Any = self.openai.with_options(api_key=_WRONG_KEY) if case.task == "wrong_key" else self.openai
        messages: list[Any] = [{"role": "user", "content": WORDS[case.task]}]
        more: Outcome = {}
        if case.task == "vision":
            image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{IMAGE}"}}
            messages[0]["content"] = [{"type": "text", "text": WORDS["vision"]}, image]
        elif case.task == "schema":
            form = {"name": "person", "schema": SCHEMA, "strict": True}
            more["response_format"] = {"type": "json_schema", "json_schema": form}
        elif case.task == "tools":
            function = {"name": "weather", "description": "The weather", "parameters": PARAMETERS, "strict": True}
            more["tools"] = [{"type": "function", "function": function}]

        def ask() -> Any:
            asked: Outcome = {"model": model, "messages": messages, **more}
            if not case.streamed:
                return client.chat.completions.create(**asked)
            with client.chat.completions.stream(**asked, stream_options={"include_usage": True}) as stream:
                for _ in stream:
                    pass
                return stream.get_final_completion()

        answer = ask()
        called: Outcome = {}
        if case.task == "tools":
            choice = answer.choices[0]
            calls: list[Any] = choice.message.tool_calls or []
            called["calls"] = [[call.function.name, _parsed(call.function.arguments)] for call in calls]
            called["called_finish"] = choice.finish_reason
            messages.append(_plain(choice.message))
            messages.extend({"role": "tool", "tool_call_id": call.id, "content": RESULT} for call in calls)
            answer = ask()
        choice = answer.choices[0]
        return {
            "text": choice.message.content,
            "parsed": _parsed(choice.message.content),
            "finish": choice.finish_reason,
            "input": answer.usage and answer.usage.prompt_tokens,
            "output": answer.usage and answer.usage.completion_tokens,
            **called,
        }

    # -- responses ---------------------------------------------------------------------------------------------------

    def _responses(self, case: Case, model: str) -> Outcome:
        client: Any = self.openai.with_options(api_key=_WRONG_KEY) if case.task == "wrong_key" else self.openai
        items: list[Any] = [{"role": "user", "content": WORDS[case.task]}]
        more: Outcome = {"store": False}
        if case.task == "vision":
            image = {"type": "input_image", "image_url": f"data:image/png;base64,{IMAGE}", "detail": "auto"}
            items[0]["content"] = [{"type": "input_text", "text": WORDS["vision"]}, image]
        elif case.task == "schema":
            more["text"] = {"format": {"type": "json_schema", "name": "person", "schema": SCHEMA, "strict": True}}
        elif case.task == "tools":
            tool = {"name": "weather", "description": "The weather", "parameters": PARAMETERS, "strict": True}
            more["tools"] = [{"type": "function", **tool}]

        def ask() -> Any:
            asked: Outcome = {"model": model, "input": items, **more}
            if not case.streamed:
                return client.responses.create(**asked)
            with client.responses.stream(**asked) as stream:
                for _ in stream:
                    pass
                return stream.get_final_response()

        answer = ask()
        called: Outcome = {}
        if case.task == "tools":
            calls = [item for item in answer.output if item.type == "function_call"]
            called["calls"] = [[call.name, _parsed(call.arguments)] for call in calls]
            called["called_finish"] = answer.status
            items.extend(_plain(item) for item in answer.output)
            items.extend({"type": "function_call_output", "call_id": call.call_id, "output": RESULT} for call in calls)
            answer = ask()
        return {
            "text": answer.output_text,
            "parsed": _parsed(answer.output_text),
            "finish": answer.status,
            "input": answer.usage and answer.usage.input_tokens,
            "output": answer.usage and answer.usage.output_tokens,
            **called,
        }

    # -- messages ----------------------------------------------------------------------------------------------------

    def _messages(self, case: Case, model: str) -> Outcome:
        client: Any = self.anthropic.with_options(api_key=_WRONG_KEY) if case.task == "wrong_key" else self.anthropic
        messages: list[Any] = [{"role": "user", "content": WORDS[case.task]}]
        more: Outcome = {}
        if case.task == "vision":
            source = {"type": "base64", "media_type": "image/png", "data": IMAGE}
            messages[0]["content"] = [{"type": "image", "source": source}, {"type": "text", "text": WORDS["vision"]}]
        elif case.task == "schema":
            more["output_config"] = {"format": {"type": "json_schema", "schema": SCHEMA}}
        elif case.task == "tools":
            more["tools"] = [{"name": "weather", "description": "The weather", "input_schema": PARAMETERS}]

        def ask() -> Any:
            asked: Outcome = {"model": model, "max_tokens": 99, "messages": messages, **more}
            if not case.streamed:
                return client.messages.create(**asked)
            with client.messages.stream(**asked) as stream:
                for _ in stream:
                    pass
                return stream.get_final_message()

        answer = ask()
        called: Outcome = {}
        if case.task == "tools":
            calls = [block for block in answer.content if block.type == "tool_use"]
            called["calls"] = [[call.name, call.input] for call in calls]
            called["called_finish"] = answer.stop_reason
            results = [{"type": "tool_result", "tool_use_id": call.id, "content": RESULT} for call in calls]
            messages.append({"role": "assistant", "content": [_plain(block) for block in answer.content]})
            messages.append({"role": "user", "content": results})
            answer = ask()
        text = "".join(block.text for block in answer.content if block.type == "text")
        return {
            "text": text,
            "parsed": _parsed(text),
            "finish": answer.stop_reason,
            "input": answer.usage.input_tokens,
            "output": answer.usage.output_tokens,
            **called,
        }

    # -- generateContent ---------------------------------------------------------------------------------------------

    def _generate(self, case: Case, model: str) -> Outcome:
        client = self._genai_wrong if case.task == "wrong_key" else self.genai
        contents: list[Any] = [{"role": "user", "parts": [{"text": WORDS[case.task]}]}]
        more: Outcome = {}
        if case.task == "vision":
            contents[0]["parts"].append({"inline_data": {"mime_type": "image/png", "data": base64.b64decode(IMAGE)}})
        elif case.task == "schema":
            more = {"response_mime_type": "application/json", "response_json_schema": SCHEMA}
        elif case.task == "tools":
            function = {"name": "weather", "description": "The weather", "parameters_json_schema": PARAMETERS}
            more = {"tools": [{"function_declarations": [function]}]}

        def ask() -> Outcome:
            asked: Outcome = {"model": model, "contents": contents, "config": more or None}
            if case.streamed:
                return _joined(list(client.models.generate_content_stream(**asked)))
            return _joined([client.models.generate_content(**asked)])

        answer = ask()
        called: Outcome = {}
        if case.task == "tools":
            calls = [part["function_call"] for part in answer["parts"] if part.get("function_call")]
            called["calls"] = [[call["name"], call["args"]] for call in calls]
            called["called_finish"] = answer["finish"]
            contents.append({"role": "model", "parts": answer["parts"]})
            contents.append({"role": "user", "parts": [{"function_response": _response_to(call)} for call in calls]})
            answer = ask()
        text = "".join(part.get("text") or "" for part in answer["parts"])
        return {**answer, "text": text, "parsed": _parsed(text), **called}


def _response_to(call: Outcome) -> Outcome:
    given = {"id": call["id"]} if call.get("id") else {}
    return {**given, "name": call["name"], "response": {"result": RESULT}}


def _joined(answers: list[Any]) -> Outcome:
    parts: list[Any] = []
    finish: str | None = None
    usage: Any = None
    for answer in answers:
        usage = answer.usage_metadata or usage
        for candidate in answer.candidates or ():
            finish = candidate.finish_reason.name if candidate.finish_reason else finish
            parts.extend(_plain(part) for part in (candidate.content and candidate.content.parts) or ())
    return {
        "parts": parts,
        "finish": finish,
        "input": usage and usage.prompt_token_count,
        "output": usage and usage.candidates_token_count,
    }


def _plain(model: Any) -> Any:
    """An object of a client, in the form in which its user sends it back."""
    return model.model_dump(exclude_none=True, exclude={"parsed"})


def _parsed(text: str | None) -> Any:
    try:
        return msgspec.json.decode(text or "")
    except msgspec.DecodeError:
        return None


def _told(error: Exception, status: int | None, response: Any) -> Outcome:
    headers: Any = getattr(response, "headers", None) or {}
    return {
        "kind": type(error).__name__,
        "status": status,
        "says": str(error),
        "retry_after": headers.get("retry-after"),
        "should_retry": headers.get("x-should-retry"),
    }
