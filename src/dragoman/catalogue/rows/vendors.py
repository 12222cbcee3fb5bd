"""Vendors: those who serve models of their own."""

from __future__ import annotations

from msgspec.structs import replace

from dragoman.catalogue.auth import X_API_KEY, X_GOOG_API_KEY
from dragoman.catalogue.row import Option, Place, ProviderRow
from dragoman.catalogue.rows.compatible import COMPATIBLE
from dragoman.values.quirks import ChatQuirks, Quirks, ResponsesQuirks

__all__ = ["ROWS"]

OPENAI = ProviderRow(
    name="openai",
    dialects=("openai-responses", "openai-chat"),
    base_url="https://api.openai.com/v1",
    hosts=("https://eu.api.openai.com", "https://us.api.openai.com"),  # data residency
    key_variables=("OPENAI_API_KEY",),
    base_url_variables=("OPENAI_BASE_URL",),
    counts=("openai-responses",),
    options={
        "organization": Option(header="openai-organization", variable="OPENAI_ORG_ID"),
        "project": Option(header="openai-project", variable="OPENAI_PROJECT_ID"),
    },
    quirks=Quirks(chat=ChatQuirks(caching="key"), responses=ResponsesQuirks(caching="key")),
    documentation="https://platform.openai.com/api-keys",
    checked="2026-11-20",
)

# Anthropic and Google serve OpenAI's chat protocol too, as a trial layer that ignores members silently (caching,
# strict schemas, thinking); it is left out, for a chat client would be handed to it instead of being translated.
ANTHROPIC = ProviderRow(
    name="anthropic",
    dialects=("anthropic",),
    base_url="https://api.anthropic.com/v1",
    key_variables=("ANTHROPIC_API_KEY",),
    base_url_variables=("ANTHROPIC_BASE_URL",),
    counts=("anthropic",),
    auth=X_API_KEY,
    documentation="https://platform.claude.com/settings/keys",
    checked="2026-11-20",
)

GOOGLE = ProviderRow(
    name="google",
    dialects=("gemini",),
    base_url="https://generativelanguage.googleapis.com/v1beta",
    key_variables=("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GENAI_API_KEY"),
    base_url_variables=("GOOGLE_BASE_URL", "GEMINI_BASE_URL", "GOOGLE_GEMINI_BASE_URL"),
    counts=("gemini",),
    auth=X_GOOG_API_KEY,
    documentation="https://aistudio.google.com/apikey",
    checked="2026-11-20",
)

# The same party under the name of its models: same keys, same issuer.
GEMINI = replace(
    GOOGLE,
    name="gemini",
    base_url_variables=("GEMINI_BASE_URL", "GOOGLE_BASE_URL", "GOOGLE_GEMINI_BASE_URL"),
    facts="google",
)

MISTRAL = ProviderRow(
    name="mistral",
    dialects=("openai-chat",),
    base_url="https://api.mistral.ai/v1",
    key_variables=("MISTRAL_API_KEY",),
    base_url_variables=("MISTRAL_BASE_URL",),
    default_model="mistral-large-latest",
    quirks=Quirks(
        chat=ChatQuirks(
            # All from the vendor's OpenAPI file, which closes the request (additionalProperties: false): it has
            # max_tokens, random_seed, the roles system, user, assistant and tool, media in tool results, and no
            # stream_options: usage comes unasked (recorded streams). Of our members it lacks those refused.
            max_tokens_member="max_tokens",
            seed_member="random_seed",
            developer_role=False,
            stream_usage=False,
            caching="key",  # recorded
            tool_media=True,
            functions_alone=True,
            message_names=False,
            efforts=("none", "minimal", "low", "medium", "high", "xhigh"),
            service_tiers=("auto", "standard_only"),
            most_temperature=1.5,
            part_form="mistral",  # its ContentChunk: document_url, file with a bare file_id, input_audio as a text
            embedding_dimensions_member="output_dimension",
            call_id_form="nine",  # recorded ids; others are answered with 400 (magentic#276, opencode#1680)
            refused=(
                "audio",
                "logit_bias",
                "logprobs",
                "modalities",
                "prompt_cache_retention",
                "safety_identifier",
                "store",
                "stream_options",
                "top_logprobs",
                "user",
                "verbosity",
                "web_search_options",
            ),
        )
    ),
    documentation="https://console.mistral.ai/api-keys",
    checked="2026-11-20",
)

# The vendor's own protocol comes first: the compatible layer has neither citations nor documents, tool plans, safety
# modes and billed units.
COHERE = ProviderRow(
    name="cohere",
    dialects=("cohere", "openai-chat"),
    base_url="https://api.cohere.com/v2",
    places={"openai-chat": Place(base_url="https://api.cohere.ai/compatibility/v1")},
    key_variables=("COHERE_API_KEY", "CO_API_KEY"),  # the second is the official client's
    base_url_variables=("COHERE_BASE_URL",),
    quirks=Quirks(
        # stream_options: other clients of this layer have to switch it off (strandsagents.com, model provider Cohere).
        chat=replace(COMPATIBLE, stream_usage=False)
    ),
    documentation="https://docs.cohere.com/reference/chat",
    checked="2026-11-20",
)

XAI = ProviderRow(
    name="xai",
    dialects=("openai-chat", "openai-responses"),
    base_url="https://api.x.ai/v1",
    hosts=("https://us.api.x.ai",),
    key_variables=("XAI_API_KEY",),
    base_url_variables=("XAI_BASE_URL",),
    quirks=Quirks(
        # Recorded calls with max_completion_tokens are answered; the roles are those of the (third-party) OpenAPI
        # file: system, user, assistant, tool. Recorded usage counts thoughts in total_tokens alone.
        # Prompts are kept unasked (docs.x.ai, prompt caching). Recorded custom calls are of X search, which xAI runs;
        # callers' own tools are functions (docs.x.ai, tools overview).
        chat=ChatQuirks(developer_role=False, output_from_total=True, caching="automatic"),
        responses=ResponsesQuirks(caching="automatic", custom_calls="provider"),
    ),
    documentation="https://docs.x.ai/docs/models",
    checked="2026-11-20",
)

DEEPSEEK = ProviderRow(
    name="deepseek",
    dialects=("openai-chat", "openai-responses", "anthropic"),
    base_url="https://api.deepseek.com/v1",
    places={
        "openai-responses": Place(base_url="https://api.deepseek.com"),  # recorded there
        "anthropic": Place(base_url="https://api.deepseek.com/anthropic/v1", auth=X_API_KEY),
    },
    key_variables=("DEEPSEEK_API_KEY",),
    base_url_variables=("DEEPSEEK_BASE_URL",),
    default_model="deepseek-flash",  # the vendor's page: the name to use, whatever version serves it
    quirks=Quirks(
        chat=replace(
            COMPATIBLE,
            # A schema is answered with 422 "This response_format type is unavailable now" (dzhng/deep-research#22).
            schema_output="json_object",
            # Recorded: turns with tool calls are answered when they bring it; the vendor's page demands it.
            reasoning_member="reasoning_content",
            caching="automatic",  # the vendor's guide to context caching
        ),
        responses=ResponsesQuirks(caching="automatic"),
    ),
    documentation="https://api-docs.deepseek.com",
    checked="2026-11-20",
)

QWEN = ProviderRow(
    name="qwen",
    dialects=("openai-chat",),
    base_url="https://dashscope.aliyuncs.com/compatible-mode/v1",
    hosts=("https://dashscope-intl.aliyuncs.com", "https://dashscope-us.aliyuncs.com"),
    key_variables=("DASHSCOPE_API_KEY",),
    base_url_variables=("QWEN_BASE_URL", "DASHSCOPE_BASE_URL"),
    quirks=Quirks(
        # Schemas are taken by the newest models alone, JSON mode by all (docs.instructorphp.com, QwenCloud).
        # Prompts are kept unasked (the vendor's page on context caching, implicit).
        chat=replace(COMPATIBLE, schema_output="json_object", caching="automatic")
    ),
    documentation="https://www.alibabacloud.com/help/en/model-studio/models",
)

ZAI = ProviderRow(
    name="zai",
    dialects=("openai-chat", "anthropic"),
    base_url="https://api.z.ai/api/paas/v4",
    places={"anthropic": Place(base_url="https://api.z.ai/api/anthropic/v1")},
    key_variables=("ZAI_API_KEY",),
    base_url_variables=("ZAI_BASE_URL",),
    quirks=Quirks(
        chat=replace(
            COMPATIBLE,
            # Recorded: thinking is an object {"type": "enabled"}, answered with reasoning_content.
            effort_form="thinking_object",
            reasoning_member="reasoning_content",
            # No schemas, no strict tools, no penalties: java.agentscope.io, GLM model, compatibility notes.
            schema_output="json_object",
            strict_tools=False,
            caching="automatic",  # the vendor's guide to context caching
            refused=("frequency_penalty", "presence_penalty"),
        )
    ),
    documentation="https://docs.z.ai",
    checked="2026-11-20",
)

PERPLEXITY = ProviderRow(
    name="perplexity",
    dialects=("openai-chat",),
    base_url="https://api.perplexity.ai",  # no version
    key_variables=("PERPLEXITY_API_KEY",),
    base_url_variables=("PERPLEXITY_BASE_URL",),
    quirks=Quirks(
        chat=replace(
            COMPATIBLE,
            output_beside=True,  # docs.perplexity.ai, "Pricing" of sonar-deep-research
            # No function calling, and these members have no effect (docs.getbifrost.ai, provider Perplexity).
            refused=(
                "logit_bias",
                "logprobs",
                "parallel_tool_calls",
                "seed",
                "service_tier",
                "stop",
                "tool_choice",
                "tools",
                "top_logprobs",
            ),
        )
    ),
    documentation="https://docs.perplexity.ai",
    checked="2026-11-20",
)

VOYAGE = ProviderRow(
    name="voyage",
    dialects=("openai-chat",),
    base_url="https://api.voyageai.com/v1",
    key_variables=("VOYAGE_API_KEY",),
    base_url_variables=("VOYAGE_BASE_URL",),
    embeddings_only=True,
    lists_models=False,  # none is among the paths of its reference
    # Recorded: input_type and output_dimension.
    quirks=Quirks(chat=ChatQuirks(embedding_task_member="input_type", embedding_dimensions_member="output_dimension")),
    documentation="https://docs.voyageai.com/docs/embeddings",
    checked="2026-11-20",
)

ROWS = (
    OPENAI,
    ANTHROPIC,
    GOOGLE,
    GEMINI,
    MISTRAL,
    COHERE,
    XAI,
    DEEPSEEK,
    QWEN,
    ZAI,
    PERPLEXITY,
    VOYAGE,
)
