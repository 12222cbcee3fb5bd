"""Local servers: on one's own machine unless told otherwise."""

from __future__ import annotations

from msgspec.structs import replace

from dragoman.catalogue.row import Place, ProviderRow
from dragoman.catalogue.rows.compatible import COMPATIBLE
from dragoman.values.quirks import AnthropicQuirks, Quirks, ResponsesQuirks

__all__ = ["ROWS"]

LOCAL = replace(COMPATIBLE, schema_keywords="all", caching="automatic")
"""Local servers hold answers to grammars made of whatever schema: bounds on texts and lists are kept, too.

They keep the beginnings of prompts unasked (the pages of vLLM and llama.cpp, on which the others stand).
"""
KEEPING = ResponsesQuirks(caching="automatic")

# The server's own protocol comes first: it alone has the server's options (context length, keeping a model loaded),
# thinking switched on and off, and its timings. The compatible layer leaves members that it does not know (tool_choice,
# n, user, logit_bias) out in silence; the native encoder records what the wire cannot say.
OLLAMA = ProviderRow(
    name="ollama",
    dialects=("ollama", "openai-chat"),
    base_url="http://localhost:11434/v1",
    places={"ollama": Place(base_url="http://localhost:11434/api")},
    key="none",
    base_url_variables=("OLLAMA_BASE_URL",),
    host_variables=("OLLAMA_HOST",),
    # The vendor's page lists max_tokens. Its cloud, the same server, takes `reasoning` back (recorded).
    quirks=Quirks(chat=replace(LOCAL, reasoning_member="reasoning")),
    documentation="https://docs.ollama.com/api",
    checked="2026-11-20",
)

OLLAMA_COMPAT = replace(
    OLLAMA,
    name="ollama_compat",
    dialects=("openai-chat",),
    places={},
    base_url_variables=("OLLAMA_COMPAT_BASE_URL", "OLLAMA_BASE_URL"),
    documentation="https://docs.ollama.com/api/openai-compatibility",
)

LLAMA_CPP = ProviderRow(
    name="llama_cpp",
    dialects=("openai-chat", "openai-responses", "anthropic"),
    base_url="http://localhost:8080/v1",
    key="optional",
    key_variables=("LLAMA_CPP_API_KEY",),
    base_url_variables=("LLAMA_CPP_BASE_URL",),
    counts=("openai-responses", "anthropic"),  # tried with the real server
    quirks=Quirks(
        # Which roles there are is for the model's chat template to say. top_k is a sampling member of the server's own.
        chat=replace(LOCAL, top_k=True),
        # Tried with the real server: a previous_response_id is answered with 400, and a schema is followed by its chat
        # endpoint alone: the other two answer with plain text.
        responses=replace(KEEPING, refused=("previous_response_id", "text"), least_max_tokens=1),
        anthropic=AnthropicQuirks(schema_output=False),
    ),
    documentation="https://github.com/ggml-org/llama.cpp/tree/master/tools/server",
    checked="2026-11-20",
)

VLLM = ProviderRow(
    name="vllm",
    dialects=("openai-chat", "openai-responses"),
    base_url="http://localhost:8000/v1",
    key="optional",
    key_variables=("VLLM_API_KEY",),
    base_url_variables=("VLLM_BASE_URL",),
    quirks=Quirks(
        chat=replace(LOCAL, top_k=True), responses=KEEPING
    ),  # the vendor's page, extra parameters of the chat API
    documentation="https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
)

LMSTUDIO = ProviderRow(
    name="lmstudio",
    dialects=("openai-chat", "openai-responses"),
    base_url="http://localhost:1234/v1",
    key="optional",
    key_variables=("LMSTUDIO_API_KEY",),
    base_url_variables=("LMSTUDIO_BASE_URL",),
    quirks=Quirks(chat=LOCAL, responses=KEEPING),
    documentation="https://lmstudio.ai/docs",
)

ROWS = (OLLAMA, OLLAMA_COMPAT, LLAMA_CPP, VLLM, LMSTUDIO)
