"""Hosts: those who serve the models of others."""

from __future__ import annotations

from msgspec.structs import replace

from dragoman.catalogue.row import ProviderRow
from dragoman.catalogue.rows.compatible import COMPATIBLE
from dragoman.values.quirks import ChatQuirks, Quirks, ResponsesQuirks

__all__ = ["ROWS"]

GROQ = ProviderRow(
    name="groq",
    dialects=("openai-chat", "openai-responses"),
    base_url="https://api.groq.com/openai/v1",
    key_variables=("GROQ_API_KEY",),
    base_url_variables=("GROQ_BASE_URL",),
    quirks=Quirks(
        # Both lists are the vendor's OpenAPI file, which closes its requests (additionalProperties: false); logprobs
        # and their like are in it, but answered with 400 (console.groq.com/docs/openai). It has the role `developer`,
        # max_completion_tokens, and `reasoning` in assistant messages.
        chat=ChatQuirks(
            reasoning_member="reasoning",
            caching="automatic",  # console.groq.com/docs/prompt-caching
            # Some models answer 400 "This model does not support response format `json_schema`".
            schema_by_some=True,
            refused=(
                "audio",
                "logit_bias",
                "logprobs",
                "modalities",
                "prediction",
                "prompt_cache_key",
                "prompt_cache_retention",
                "safety_identifier",
                "top_logprobs",
                "verbosity",
                "web_search_options",
            ),
        ),
        responses=ResponsesQuirks(
            caching="automatic",
            refused=(
                "background",
                "conversation",
                "include",
                "max_tool_calls",
                "previous_response_id",
                "prompt",
                "prompt_cache_key",
                "prompt_cache_retention",
                "safety_identifier",
                "stream_options",
                "top_logprobs",
            ),
        ),
    ),
    documentation="https://console.groq.com/keys",
    checked="2026-11-20",
)

TOGETHER = ProviderRow(
    name="together",
    dialects=("openai-chat",),
    base_url="https://api.together.xyz/v1",
    hosts=("https://api.together.ai",),  # recorded, and in the vendor's OpenAPI file
    key_variables=("TOGETHER_API_KEY",),
    base_url_variables=("TOGETHER_BASE_URL",),
    # The vendor's OpenAPI file: max_tokens, top_k, video_url parts; roles system, user, assistant, tool.
    quirks=Quirks(chat=replace(COMPATIBLE, top_k=True, video_parts=True)),
    documentation="https://api.together.ai/settings/api-keys",
    checked="2026-11-20",
)

FIREWORKS = ProviderRow(
    name="fireworks",
    dialects=("openai-chat", "anthropic"),
    base_url="https://api.fireworks.ai/inference/v1",
    hosts=("https://us.api.fireworks.ai",),
    key_variables=("FIREWORKS_API_KEY",),
    base_url_variables=("FIREWORKS_BASE_URL",),
    quirks=Quirks(chat=replace(COMPATIBLE, caching="automatic")),  # the vendor's guide to prompt caching
    documentation="https://docs.fireworks.ai",
)

HUGGINGFACE = ProviderRow(
    name="huggingface",
    dialects=("openai-chat",),
    base_url="https://router.huggingface.co/v1",
    hosts=("https://api-inference.huggingface.co",),  # its former address
    place_sign=":",
    key_variables=("HF_TOKEN", "HUGGINGFACE_API_KEY"),
    base_url_variables=("HUGGINGFACE_BASE_URL",),
    quirks=Quirks(chat=COMPATIBLE),
    documentation="https://huggingface.co/docs/inference-providers",
    checked="2026-11-20",
)

SAMBANOVA = ProviderRow(
    name="sambanova",
    dialects=("openai-chat",),
    base_url="https://api.sambanova.ai/v1",
    key_variables=("SAMBANOVA_API_KEY",),
    base_url_variables=("SAMBANOVA_BASE_URL",),
    quirks=Quirks(chat=COMPATIBLE),
    documentation="https://docs.sambanova.ai",
)

CEREBRAS = ProviderRow(
    name="cerebras",
    dialects=("openai-chat",),
    base_url="https://api.cerebras.ai/v1",
    key_variables=("CEREBRAS_API_KEY",),
    base_url_variables=("CEREBRAS_BASE_URL",),
    quirks=Quirks(
        chat=replace(
            COMPATIBLE,
            # Answered with 400 (hexdocs.pm/req_llm, Cerebras). The vendor's page on OpenAI's client: no `developer`.
            refused=("frequency_penalty", "logit_bias", "parallel_tool_calls", "presence_penalty", "service_tier"),
        )
    ),
    documentation="https://inference-docs.cerebras.ai/resources/openai",
    checked="2026-11-20",
)

SNOWFLAKE = ProviderRow(
    name="snowflake",
    dialects=("openai-chat", "anthropic"),  # https://<account>.snowflakecomputing.com/api/v2/cortex/v1 for both
    key_variables=("SNOWFLAKE_TOKEN",),
    base_url_variables=("SNOWFLAKE_BASE_URL",),
    lists_models=False,  # a statement of SQL does (SHOW CORTEX BASE MODELS)
    quirks=Quirks(
        chat=replace(
            COMPATIBLE,
            # Recorded: {"reasoning": {"effort": …}}, earlier reasoning_details taken back, finish_reason "".
            effort_form="reasoning_object",
            reasoning_member="reasoning_details",
            finish_optional=True,
        )
    ),
    documentation="https://docs.snowflake.com/en/user-guide/snowflake-cortex/cortex-rest-api",
    checked="2026-11-20",
)

HEROKU = ProviderRow(
    name="heroku",
    dialects=("openai-chat",),
    base_url="https://us.inference.heroku.com/v1",
    hosts=("https://eu.inference.heroku.com",),
    key_variables=("HEROKU_INFERENCE_KEY",),
    base_url_variables=("HEROKU_BASE_URL", "HEROKU_INFERENCE_URL"),
    lists_models=False,  # none is among the paths of its reference
    quirks=Quirks(chat=COMPATIBLE),
    documentation="https://devcenter.heroku.com/articles/heroku-inference",
    checked="2026-11-20",
)

CRUSOE = ProviderRow(
    name="crusoe",
    dialects=("openai-chat",),
    base_url="https://api.inference.crusoecloud.com/v1",
    key_variables=("CRUSOE_API_KEY",),
    base_url_variables=("CRUSOE_BASE_URL",),
    quirks=Quirks(chat=replace(COMPATIBLE, reasoning_member="reasoning")),  # recorded: taken back beside tool calls
    documentation="https://docs.crusoecloud.com",
    checked="2026-11-20",
)

OLLAMA_CLOUD = ProviderRow(
    name="ollama_cloud",
    dialects=("openai-chat",),
    base_url="https://ollama.com/v1",
    key_variables=("OLLAMA_API_KEY",),
    base_url_variables=("OLLAMA_CLOUD_BASE_URL",),
    quirks=Quirks(chat=replace(COMPATIBLE, reasoning_member="reasoning")),  # recorded: taken back
    documentation="https://docs.ollama.com/cloud",
    checked="2026-11-20",
)

# A name for whoever serves Llama models.
LLAMA = ProviderRow(
    name="llama",
    backends=("together", "fireworks", "groq", "sambanova", "cerebras", "ollama"),
    documentation="https://www.llama.com",
    checked="2026-11-20",
)

ROWS = (
    GROQ,
    TOGETHER,
    FIREWORKS,
    HUGGINGFACE,
    SAMBANOVA,
    CEREBRAS,
    SNOWFLAKE,
    HEROKU,
    CRUSOE,
    OLLAMA_CLOUD,
    LLAMA,
)
