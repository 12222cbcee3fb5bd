"""Quirks: declared deviations of one host from its dialect, as data.

A codec reads the fields of its own dialect; a catalogue row sets them. A default is what the dialect's own vendor does.
"""

from __future__ import annotations

from typing import Literal

from dragoman.values.value import Value

__all__ = [
    "AnthropicQuirks",
    "BedrockQuirks",
    "ChatQuirks",
    "CohereQuirks",
    "GeminiQuirks",
    "OllamaQuirks",
    "Quirks",
    "ResponsesQuirks",
]

Caching = Literal["key", "automatic", "unknown"]


class ChatQuirks(Value, frozen=True, kw_only=True):
    """Deviations from `openai-chat`.

    `refused` names members that the host answers with an error: they are left out and recorded. `max_tokens_member`
    and `reasoning_member` tell how the host spells the output cap and earlier reasoning sent back (None: it takes
    none). `finish_optional`: a clean end without finish_reason is a complete answer.

    `max_stop` is the most stop sequences that the host takes, `modalities` are what it can give. `seed_member` spells
    the seed. `top_k`: the host takes it. `content_parts` False: content is one text.
    `video_parts`: `video_url` parts are taken. `file_urls`: documents may be given by address in `file_data`.
    `part_form` "mistral": documents are `document_url` parts, files bare ids, audio bare base64 or an address.
    `functions_alone`: the host knows no custom tools, no `allowed_tools` and no `refusal`, and wants a schema of every
    function. `message_names`: messages may name their speaker. `efforts` and `service_tiers` are the words that the
    host knows (empty: it takes any), `most_temperature` is its highest temperature.
    `tool_media`: tool results may hold media. `call_id_form` "nine": ids of tool calls are nine letters or digits.
    `output_from_total`: thoughts are missing in completion_tokens and counted in total_tokens alone.
    `output_beside`: thoughts and cited sources are charged, and counted beside completion_tokens and in no total.
    `schema_by_some`: only some of the host's models follow a schema, so one is emulated unless the caller knows better.
    `schema_keywords`: strict schemas hold the vendor's own subset of keywords alone, or whatever JSON Schema has.
    `schema_beside_tools` False: a schema is not taken together with tools. `forced_tool` False: no tool can be forced.
    `newer_cap_alone`: of the two spellings of the output cap the model takes `max_completion_tokens` alone.
    `embedding_task_member` and `embedding_dimensions_member` spell the two members of embedding requests (None for the
    task: the host knows none).
    `cache_marks`: the host takes `cache_control`. `caching`: it keeps prompts by itself ("automatic"), and also takes
    `prompt_cache_key` ("key"). To ask for it must not cost the call, so hosts of which nothing is known are not asked.
    """

    max_tokens_member: Literal["max_tokens", "max_completion_tokens"] = "max_completion_tokens"
    newer_cap_alone: bool = False
    developer_role: bool = True
    stream_usage: bool = True
    schema_output: Literal["json_schema", "json_object", "none"] = "json_schema"
    schema_by_some: bool = False
    schema_keywords: Literal["openai", "all"] = "openai"
    schema_beside_tools: bool = True
    forced_tool: bool = True
    strict_tools: bool = True
    required_word: Literal["required", "any"] = "required"
    effort_form: Literal["reasoning_effort", "reasoning_object", "thinking_object", "none"] = "reasoning_effort"
    reasoning_member: Literal["reasoning_content", "reasoning", "reasoning_details"] | None = None
    content_parts: bool = True
    cache_marks: bool = False
    caching: Caching = "unknown"
    finish_optional: bool = False
    seed_member: Literal["seed", "random_seed"] = "seed"
    max_stop: int = 4
    modalities: tuple[str, ...] = ("text", "audio")
    top_k: bool = False
    video_parts: bool = False
    file_urls: bool = False
    part_form: Literal["openai", "mistral"] = "openai"
    functions_alone: bool = False
    message_names: bool = True
    efforts: tuple[str, ...] = ()
    service_tiers: tuple[str, ...] = ()
    most_temperature: float | None = None
    tool_media: bool = False
    call_id_form: Literal["free", "nine"] = "free"
    output_from_total: bool = False
    output_beside: bool = False
    embedding_task_member: str | None = None
    embedding_dimensions_member: str = "dimensions"
    refused: tuple[str, ...] = ()


class ResponsesQuirks(Value, frozen=True, kw_only=True):
    """Deviations from `openai-responses`.

    `stateless`: the host keeps nothing, so encrypted reasoning is asked for. `accepted` names settings that the host
    takes beyond the vendor's own (of `top_k`, `seed`, `presence_penalty`, `frequency_penalty`, `modalities`, `stop`),
    `refused` members that it answers with an error: they are left out and recorded. `cache_marks`: it takes
    `prompt_cache_breakpoint`. `caching` as in `ChatQuirks`. `audio_input`: it takes `input_audio`. `least_max_tokens`
    is the smallest `max_output_tokens` that it takes. `schema_keywords` and `forced_tool` as in `ChatQuirks`;
    `schema_output` and `json_object`: the model follows a schema, and can be held to JSON without one. `custom_calls`
    "provider": the host's custom calls are of tools that it runs itself, and callers can give it none.
    """

    schema_keywords: Literal["openai", "all"] = "openai"
    schema_output: bool = True
    json_object: bool = True
    forced_tool: bool = True
    custom_calls: Literal["client", "provider"] = "client"
    stateless: bool = False
    accepted: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    cache_marks: bool = False
    caching: Caching = "unknown"
    audio_input: bool = False
    least_max_tokens: int = 16


class AnthropicQuirks(Value, frozen=True, kw_only=True):
    """Deviations from `anthropic`.

    `default_max_tokens` is sent where the caller gives no cap: the wire wants one. `schema_output`: the host follows a
    JSON schema. `thinking_form` is the form of thinking that the host or model knows: "native" says levels as adaptive
    thinking and budgets as enabled thinking, "budget" and "adaptive" know that one alone, "none" takes no options for
    it. `forced_tool` False: no tool can be forced. `betas`: the host wants to be told features in `anthropic-beta`.
    `finish_optional`: a clean end without stop_reason is a complete answer. `refused` names members that the host
    answers with an error.
    """

    default_max_tokens: int = 4096
    schema_output: bool = True
    forced_tool: bool = True
    thinking_form: Literal["native", "budget", "adaptive", "none"] = "native"
    betas: bool = True
    finish_optional: bool = False
    refused: tuple[str, ...] = ()


class GeminiQuirks(Value, frozen=True, kw_only=True):
    """Deviations from `gemini`.

    `schema_output`: the model follows a schema; `schema_beside_tools`: also together with tools, as models from
    Gemini 3 on do; `json_object`: it can be held to JSON without one. `forced_tool` False: no tool can be forced.
    `refused` names wire members (of the request, of generationConfig, of parts) that the host answers with an error:
    they are left out and recorded. `finish_optional`: a clean end without finishReason is a complete answer.
    `thinking`: an effort is said as a token budget, which every thinking model takes, or as a thinkingLevel.
    `json_schema` False: schemas are converted to the older `parameters` and `responseSchema`. `result_media` False:
    media in tool results are sent beside them. `call_signature` is sent as the thought signature of calls that a model
    of another issuer made, since newer models refuse unsigned ones (None: nothing is sent). `labels`: the host takes
    `metadata` as labels. `batch_embeddings` False: one text a request. `enum_numbers`: whose numbers stand for words.
    `count_wrapped`: a request whose tokens are to be counted goes into one member, with its model.
    """

    finish_optional: bool = False
    thinking: Literal["budget", "level"] = "budget"
    json_schema: bool = True
    schema_output: bool = True
    schema_beside_tools: bool = False
    json_object: bool = True
    forced_tool: bool = True
    result_media: bool = True
    call_signature: str | None = "skip_thought_signature_validator"
    labels: bool = False
    batch_embeddings: bool = True
    enum_numbers: Literal["gemini", "vertex"] = "gemini"
    count_wrapped: bool = True
    refused: tuple[str, ...] = ()


class CohereQuirks(Value, frozen=True, kw_only=True):
    """Deviations from `cohere`.

    `refused` names members that the host answers with an error: they are left out and recorded. `finish_optional`: a
    clean end without a finish reason is a complete answer.
    """

    finish_optional: bool = False
    refused: tuple[str, ...] = ()


class OllamaQuirks(Value, frozen=True, kw_only=True):
    """Deviations from `ollama`.

    `refused` names members (of the request and of its options) that the host answers with an error: they are left out
    and recorded. `finish_optional`: a clean end without a line that is done is a complete answer.
    """

    finish_optional: bool = False
    refused: tuple[str, ...] = ()


class BedrockQuirks(Value, frozen=True, kw_only=True):
    """Deviations from `bedrock`; many are of one family of models among those that a host has.

    `schema_output`: the model follows a JSON schema. `forced_tool` False: no tool can be forced. `thinking_form` is the
    form of thinking that it knows: "native" says levels as `outputConfig.effort` and budgets as `thinking` among the
    model's own fields, "budget" and "effort" know that one alone, "none" takes no options for it. `top_k_path` leads to
    top_k among the model's own fields (empty: it takes none). `cache_points` is where the model takes cache points:
    nowhere, in system and messages, or behind tools too; `cache_ttls` are the times that it knows, the usual one first.
    `unsigned_thoughts`: thoughts that came without a signature are taken back. `finish_optional`: a clean end without
    stopReason is a complete answer. `refused` names members of the body that the host answers with an error.
    """

    schema_output: bool = True
    forced_tool: bool = True
    thinking_form: Literal["native", "budget", "effort", "none"] = "native"
    top_k_path: tuple[str, ...] = ()
    cache_points: Literal["none", "turns", "all"] = "none"
    cache_ttls: tuple[str, ...] = ("5m",)
    unsigned_thoughts: bool = False
    finish_optional: bool = False
    refused: tuple[str, ...] = ()


class Quirks(Value, frozen=True, kw_only=True, cache_hash=True):
    """The deviations of one host, per dialect that it speaks."""

    chat: ChatQuirks = ChatQuirks()
    responses: ResponsesQuirks = ResponsesQuirks()
    anthropic: AnthropicQuirks = AnthropicQuirks()
    gemini: GeminiQuirks = GeminiQuirks()
    bedrock: BedrockQuirks = BedrockQuirks()
    cohere: CohereQuirks = CohereQuirks()
    ollama: OllamaQuirks = OllamaQuirks()
