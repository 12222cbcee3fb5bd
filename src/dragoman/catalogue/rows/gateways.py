"""Gateways: what stands in front of providers, and hosts that the catalogue does not know."""

from __future__ import annotations

from msgspec.structs import replace

from dragoman.catalogue.auth import X_PORTKEY_API_KEY
from dragoman.catalogue.row import Option, ProviderRow
from dragoman.catalogue.rows.compatible import COMPATIBLE
from dragoman.values.quirks import ChatQuirks, Quirks, ResponsesQuirks

__all__ = ["ROWS"]

OPENROUTER = ProviderRow(
    name="openrouter",
    dialects=("openai-chat", "openai-responses", "anthropic"),
    base_url="https://openrouter.ai/api/v1",
    key_variables=("OPENROUTER_API_KEY",),
    base_url_variables=("OPENROUTER_BASE_URL",),
    quirks=Quirks(
        # From the vendor's OpenAPI file: the reasoning object (of which reasoning_effort is a shorthand), the
        # reasoning_details of assistant messages, cache_control in content parts and video_url parts (both recorded
        # too), files by address, media in tool results, top_k, the role `developer`, max_completion_tokens.
        chat=ChatQuirks(
            effort_form="reasoning_object",
            reasoning_member="reasoning_details",
            cache_marks=True,
            caching="key",
            modalities=("text", "image", "audio"),
            top_k=True,
            video_parts=True,
            file_urls=True,
            tool_media=True,
        ),
        # The same file: nothing is stored, and a previous_response_id is answered with 400; the sampling settings and
        # modalities of the chat API are members there too.
        responses=ResponsesQuirks(
            stateless=True,
            caching="key",
            accepted=("top_k", "presence_penalty", "frequency_penalty", "modalities"),
            refused=("conversation", "previous_response_id"),
        ),
    ),
    options={
        "referer": Option(header="http-referer"),
        "title": Option(header="x-title"),
        "provider": Option(member="provider", shape="object"),
        "models": Option(member="models", shape="list"),
        "plugins": Option(member="plugins", shape="list"),
        "transforms": Option(member="transforms", shape="list"),
        "route": Option(member="route"),
        "session_id": Option(member="session_id"),
        "trace": Option(member="trace", shape="object"),
    },
    documentation="https://openrouter.ai/keys",
    checked="2026-11-20",
)

PORTKEY = ProviderRow(
    name="portkey",
    dialects=("openai-chat",),
    base_url="https://api.portkey.ai/v1",
    key_variables=("PORTKEY_API_KEY",),
    base_url_variables=("PORTKEY_BASE_URL",),
    auth=X_PORTKEY_API_KEY,
    options={
        "virtual_key": Option(header="x-portkey-virtual-key"),
        "config": Option(header="x-portkey-config", shape="document"),
        "provider": Option(header="x-portkey-provider"),
        "authorization": Option(header="authorization", prefix="Bearer "),  # the key of the provider behind it
        "trace_id": Option(header="x-portkey-trace-id"),
        "metadata": Option(header="x-portkey-metadata", shape="document"),
    },
    documentation="https://portkey.ai/docs/api-reference/inference-api/headers",
)

LITELLM = ProviderRow(
    name="litellm",
    dialects=("openai-chat", "openai-responses", "anthropic"),
    base_url="http://localhost:4000/v1",
    key="optional",
    key_variables=("LITELLM_API_KEY", "LITELLM_PROXY_API_KEY"),
    base_url_variables=("LITELLM_BASE_URL", "LITELLM_PROXY_API_BASE"),
    default_model="gpt-4o",  # a name that the proxy's own configuration gives a meaning to
    # Marks are passed on to providers that know them and removed for others (docs.litellm.ai, prompt caching).
    quirks=Quirks(chat=ChatQuirks(cache_marks=True)),
    documentation="https://docs.litellm.ai/docs/simple_proxy",
    checked="2026-11-20",
)

BIFROST = ProviderRow(
    name="bifrost",
    dialects=("openai-chat",),
    key="optional",
    key_variables=("BIFROST_API_KEY",),
    base_url_variables=("BIFROST_BASE_URL",),
    documentation="https://docs.getbifrost.ai",
)

# A host that the catalogue does not know. Its key is passed or stands in its own variable; OpenAI's is never lent.
OPENAI_COMPATIBLE = ProviderRow(
    name="openai_compatible",
    dialects=("openai-chat",),
    key="optional",
    key_variables=("OPENAI_COMPATIBLE_API_KEY",),
    base_url_variables=("OPENAI_COMPATIBLE_BASE_URL",),
    quirks=Quirks(chat=COMPATIBLE),
)

CHAT_COMPLETIONS = replace(
    OPENAI_COMPATIBLE,
    name="chat_completions",
    issuer="chat_completions",
    key_variables=("CHAT_COMPLETIONS_API_KEY",),
    base_url_variables=("CHAT_COMPLETIONS_BASE_URL",),
)

ROWS = (OPENROUTER, PORTKEY, LITELLM, BIFROST, OPENAI_COMPATIBLE, CHAT_COMPLETIONS)
