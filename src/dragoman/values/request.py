"""Request: one call, as every dialect can say it."""

from __future__ import annotations

from typing import Any, Literal

from dragoman.values.messages import Message
from dragoman.values.tools import Tool, ToolChoice
from dragoman.values.value import Extras, JsonObject, Value

__all__ = ["CachePolicy", "OutputFormat", "OutputMode", "ReasoningOptions", "Request"]

OutputMode = Literal["native", "tool", "prompted"]


class OutputFormat(Value, frozen=True, kw_only=True):
    """The form the answer's text shall have; `json_schema` needs `schema`.

    `mode` says how it is had: the target's own schema output ("native"), the arguments of a forced tool ("tool"), or
    words alone ("prompted"). None: the first of these that the target is known to have.
    """

    type: Literal["text", "json_object", "json_schema"]
    schema: JsonObject | None = None
    name: str | None = None
    description: str | None = None
    strict: bool | None = None
    mode: OutputMode | None = None
    extras: Extras = {}


class ReasoningOptions(Value, frozen=True, kw_only=True):
    """How much to think, and what to show of it.

    `effort` is a level ("none", "minimal", "low", "medium", "high", "xhigh", "max"), `budget_tokens` a cap on thinking
    (-1: the model decides, 0: off), `summary` the provider's word for the summary wanted, `visible` whether thoughts
    are wanted in the answer. Encoders say what their wire can and record the rest.
    """

    effort: str | None = None
    budget_tokens: int | None = None
    summary: str | None = None
    visible: bool | None = None
    extras: Extras = {}


class CachePolicy(Value, frozen=True, kw_only=True):
    """Asks that the prompt be kept for the next call, whichever way the target has for it.

    Marks, cache points or a key are placed by the target's dialect, beside those that the caller placed; a host that
    keeps prompts by itself is told nothing. `ttl` is how long ("5m", "1h", "24h"; None: the host's usual time), `key`
    the word by which calls with the same beginning are sent to the same place (None: made from that beginning, where
    the host takes one). `enabled` False asks for nothing, where a model's own options would; it forbids nothing.
    """

    ttl: str | None = None
    key: str | None = None
    enabled: bool = True


class Request(Value, frozen=True, kw_only=True):
    """One call. None means "not asked for", and is not sent.

    `max_tokens` bounds the output, thinking included where the provider counts it so. `stream_usage` asks for usage on
    a stream (set by the engine where the target can). `cache_key` is what the wire calls so, `cache` what is made of
    marks and keys by the dialect. `extra_body` is merged over the encoded body and `extra_headers`
    over the headers, whatever the dialect.
    """

    model: str
    messages: tuple[Message, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    output: OutputFormat | None = None
    modalities: tuple[str, ...] = ()
    reasoning: ReasoningOptions | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    choices: int | None = None
    user: str | None = None
    metadata: dict[str, Any] | None = None
    service_tier: str | None = None
    store: bool | None = None
    previous_response_id: str | None = None
    cache_key: str | None = None
    cache: CachePolicy | None = None
    stream: bool = False
    stream_usage: bool | None = None
    extra_body: JsonObject | None = None
    extra_headers: dict[str, str] | None = None
    extras: Extras = {}
