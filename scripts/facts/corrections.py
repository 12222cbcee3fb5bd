"""Corrections: what the tables say wrongly, or not at all, about a model, with the evidence for each.

A recorded exchange is one of the recordings of providers' traffic that the tests read; it is named below its folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dragoman.values.profile import ReasoningFacts, Source

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CORRECTIONS"]


def _recorded(file: str, date: str | None = None) -> Source:
    return Source(name=f"a recorded exchange: {file}", date=date)


_AZURE_FUNCTIONS: Final = Source(
    name="Azure OpenAI, function calling: model support",
    url="https://learn.microsoft.com/azure/ai-foundry/openai/how-to/function-calling",
)
_CODEX_INSTRUCTIONS: Final = Source(
    name="OpenAI, Responses API: instructions", url="https://platform.openai.com/docs/api-reference/responses/create"
)
_GROK_AT_GOOGLE: Final = Source(
    name="Google Cloud, reasoning for Grok models",
    url="https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/grok/capabilities/reasoning",
)
_XAI_REASONING: Final = Source(name="xAI, reasoning", url="https://docs.x.ai/docs/guides/reasoning")

CORRECTIONS: Final[Mapping[tuple[str, str], list[tuple[Mapping[str, Any], Source]]]] = {
    # Called tools and was answered, several times; one of the tables denies it.
    ("deepseek", "deepseek-reasoner"): [
        ({"tools": True}, _recorded("deepseek/openai.chat_completions, tools of deepseek-reasoner")),
    ],
    # 400 "Model grok-code-fast-1 does not support parameter reasoningEffort."
    ("xai", "grok-code-fast-1"): [
        (
            {"reasoning_facts": ReasoningFacts(form="none")},
            _recorded("xai/openai.chat_completions__error-400__grok-code-fast-1-reasoning-basic"),
        ),
    ],
    # 400 "JSON mode is not enabled for models/gemini-2.5-flash-image"
    ("google", "gemini-2.5-flash-image"): [
        (
            {"json_output": False, "schema_output": False},
            _recorded("google/google.generate_content__error-400__gemini-2-5-flash-image-object-basic"),
        ),
    ],
    # 400 "'messages[0].role' does not support 'developer' with this model."
    ("openai", "o1-mini"): [
        (
            {"system_messages": False},
            _recorded("openai/openai.chat_completions__error-400__openai-o1-mini-system-role-developer"),
        ),
    ],
    # "reasoning_effort is not supported by grok-4": it thinks as it does.
    **{
        ("xai", model): [({"reasoning": True, "reasoning_facts": ReasoningFacts(form="none")}, _XAI_REASONING)]
        for model in ("grok-4", "grok-4-0709")
    },
    # "Grok reasoning models don't support reasoning_effort"; later ones (grok-4.3) do.
    **{
        ("xai", model): [({"reasoning": True, "reasoning_facts": ReasoningFacts(form="none")}, _GROK_AT_GOOGLE)]
        for model in ("grok-4-fast-reasoning", "grok-4-1-fast-reasoning")
    },
    # They call functions since the version of June 2023.
    **{
        ("azure", f"gpt-3.5-turbo-{version}"): [({"tools": True}, _AZURE_FUNCTIONS)]
        for version in ("0613", "1106", "0125")
    },
    # They are reached over the Responses API alone, which has no system role in a table of roles, but instructions.
    **{
        (provider, model): [({"system_messages": True}, _CODEX_INSTRUCTIONS)]
        for provider, model in (
            ("azure", "gpt-5.1-codex"),
            ("azure", "gpt-5.1-codex-2025-11-13"),
            ("azure", "gpt-5.1-codex-max"),
            ("azure", "gpt-5.1-codex-mini"),
            ("azure", "gpt-5.1-codex-mini-2025-11-13"),
            ("openai", "gpt-5.3-codex"),
        )
    },
}
