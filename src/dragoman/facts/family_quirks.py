"""How families of models want to be spoken with, beyond what tables of prices and capabilities say of them.

Each row says, for the models whose names its pattern matches whole (in lower case), which quirks of a dialect they set
and which members they refuse. All rows that match count, a later one over an earlier one. Nothing here is guessed from
a likeness of names: a row has a page or an exchange that says it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from dragoman.values.profile import Source
from dragoman.values.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.values.profile import Profile

__all__ = ["FAMILIES", "Conduct", "FamilyQuirks", "conduct_of", "quirks_of"]


class Conduct(Value, frozen=True, kw_only=True):
    """What models answer with an error: members of a request, always or while they think.

    `thinks_unasked`: they think where nothing is said about it. `reads` are kinds of media that the host turns into
    what its models take, whatever they take themselves.
    """

    refused: tuple[str, ...] = ()
    refused_thinking: tuple[str, ...] = ()
    thinks_unasked: bool = False
    reads: tuple[str, ...] = ()


class FamilyQuirks(Value, frozen=True, kw_only=True):
    """One family: `providers` are names of the catalogue, `quirks` fields by the name of their dialect's quirks."""

    providers: tuple[str, ...]
    pattern: str
    source: Source
    quirks: dict[str, dict[str, Any]] = {}
    conduct: Conduct | None = None


_OPENAI: Final = ("openai", "azure")
_GOOGLE: Final = ("google", "gemini", "vertex")
_CLAUDE: Final = ("anthropic", "vertex")

# The members that learn.microsoft.com names, as far as a Request has them.
_UNSAMPLED: Final = (
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "logprobs",
    "top_logprobs",
)

_AZURE_REASONING: Final = Source(
    name="Azure OpenAI reasoning models: API and feature support",
    url="https://learn.microsoft.com/azure/ai-foundry/openai/how-to/reasoning",
)
_OPENAI_LATEST: Final = Source(
    name="OpenAI, using the latest model: parameter compatibility",
    url="https://platform.openai.com/docs/guides/latest-model",
)
_OPENAI_STOP: Final = Source(
    name="OpenAI, create chat completion: stop, not supported with o3 and o4-mini",
    url="https://platform.openai.com/docs/api-reference/chat/create",
)
_XAI_REASONING: Final = Source(
    name="xAI, reasoning: parameters that reasoning models refuse", url="https://docs.x.ai/docs/guides/reasoning"
)
_DEEPSEEK_REASONER: Final = Source(
    name="DeepSeek, reasoning model: parameters that are not supported",
    url="https://api-docs.deepseek.com/guides/reasoning_model",
)
_CLAUDE_SCHEMAS: Final = Source(
    name="Claude, structured outputs", url="https://platform.claude.com/docs/en/build-with-claude/structured-outputs"
)
_CLAUDE_EFFORT: Final = Source(
    name="Claude, effort and adaptive thinking",
    url="https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking",
)
_CLAUDE_SAMPLING: Final = Source(
    name="Claude, what is new in Claude Opus 4.7: sampling parameters",
    url="https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-7",
)
_CLAUDE_ALWAYS_ADAPTIVE: Final = Source(
    name="OpenRouter, Claude 5.5 migration guide: thinking is always adaptive",
    url="https://openrouter.ai/docs/cookbook/evaluate-and-optimize/model-migrations/claude-5-5",
)
_CLAUDE_UNFORCED: Final = Source(
    name="Claude, what is new in Claude Opus 5.5: forced tool use is not supported",
    url="https://platform.claude.com/docs/en/models/opus-5-5/whats-new-opus-5-5",
)
_MISTRAL_DOCUMENTS: Final = Source(
    name="Mistral, document question answering", url="https://docs.mistral.ai/capabilities/document_ai/document_qna"
)
_OPENROUTER_DOCUMENTS: Final = Source(
    name="OpenRouter, PDF inputs: for any model", url="https://openrouter.ai/docs/guides/overview/multimodal/pdfs"
)
_BEDROCK_SCHEMAS: Final = Source(
    name="Amazon Bedrock, structured outputs",
    url="https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html",
)
_GEMINI_3: Final = Source(name="Gemini 3 developer guide", url="https://ai.google.dev/gemini-api/docs/gemini-3")
_BEDROCK_CLAUDE: Final = Source(
    name="Amazon Bedrock, Anthropic Claude Messages API",
    url="https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html",
)
_BEDROCK_NOVA: Final = Source(
    name="Amazon Nova, complete request schema",
    url="https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html",
)
_BEDROCK_CACHE: Final = Source(
    name="Amazon Bedrock, prompt caching: supported models, regions and limits",
    url="https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html",
)

FAMILIES: Final[tuple[FamilyQuirks, ...]] = (
    # -- OpenAI --------------------------------------------------------------------------------------------------------
    FamilyQuirks(
        providers=_OPENAI,
        pattern=r"(o[134]|gpt-[5-9]|codex-mini)(?!.*-chat)([.-].*)?",
        source=_AZURE_REASONING,
        quirks={"chat": {"newer_cap_alone": True}},
        conduct=Conduct(refused=_UNSAMPLED, thinks_unasked=True),
    ),
    FamilyQuirks(
        providers=_OPENAI,
        pattern=r"(o3|o4-mini)(-\d{4}-\d\d-\d\d)?",
        source=_OPENAI_STOP,
        conduct=Conduct(refused=(*_UNSAMPLED, "stop"), thinks_unasked=True),
    ),
    # Without an effort these do not think, and then they take what the others refuse.
    FamilyQuirks(
        providers=_OPENAI,
        pattern=r"gpt-5\.[124](-\d{4}-\d\d-\d\d)?",
        source=_OPENAI_LATEST,
        conduct=Conduct(
            refused=("presence_penalty", "frequency_penalty"),
            refused_thinking=("temperature", "top_p", "logprobs", "top_logprobs"),
        ),
    ),
    # -- xAI, DeepSeek -------------------------------------------------------------------------------------------------
    FamilyQuirks(
        providers=("xai",),
        pattern=r"grok-(3-mini(-fast)?|4(-0709)?|4(-1)?-fast-reasoning|code-fast-1)",
        source=_XAI_REASONING,
        conduct=Conduct(refused=("presence_penalty", "frequency_penalty", "stop"), thinks_unasked=True),
    ),
    FamilyQuirks(
        providers=("deepseek",),
        pattern=r"deepseek-reasoner",
        source=_DEEPSEEK_REASONER,
        conduct=Conduct(refused=("logprobs", "top_logprobs"), thinks_unasked=True),
    ),
    # -- Claude --------------------------------------------------------------------------------------------------------
    FamilyQuirks(
        providers=_CLAUDE,
        pattern=r"claude-(2.*|instant.*|3.*|(opus|sonnet)-4(-0|[-@]20250514)?)",
        source=_CLAUDE_SCHEMAS,
        quirks={"anthropic": {"schema_output": False}},
    ),
    FamilyQuirks(
        providers=_CLAUDE,
        pattern=r"claude-((opus|sonnet)-4-[15]|haiku-4-5|[a-z]+-4-[6-9]|[a-z]+-([5-9]|\d\d))([-@].*)?",
        source=_CLAUDE_SCHEMAS,
        quirks={"anthropic": {"schema_output": True}},
    ),
    # It takes an effort, but thinks by a budget alone: an effort by itself is said as adaptive thinking.
    FamilyQuirks(
        providers=_CLAUDE,
        pattern=r"claude-opus-4-5([-@].*)?",
        source=_CLAUDE_EFFORT,
        quirks={"anthropic": {"thinking_form": "budget"}},
    ),
    FamilyQuirks(
        providers=_CLAUDE,
        pattern=r"claude-(opus-4-[7-9]|[a-z]+-([5-9]|\d\d))([-@].*)?",
        source=_CLAUDE_SAMPLING,
        conduct=Conduct(refused=("temperature", "top_p", "top_k")),
    ),
    FamilyQuirks(
        providers=_CLAUDE,
        pattern=r"claude-([a-z]+-5-5|(fable|mythos)-5.*)([-@].*)?",
        source=_CLAUDE_ALWAYS_ADAPTIVE,
        quirks={"anthropic": {"thinking_form": "adaptive"}},
    ),
    FamilyQuirks(
        providers=_CLAUDE,
        pattern=r"claude-((opus|sonnet)-5-5|(fable|mythos)-5-[1-9])([-@].*)?",
        source=_CLAUDE_UNFORCED,
        quirks={"anthropic": {"forced_tool": False}},
    ),
    # -- Gemini --------------------------------------------------------------------------------------------------------
    FamilyQuirks(
        providers=_GOOGLE,
        pattern=r"(models/)?gemini-([3-9]|\d\d)([.-].*)?",
        source=_GEMINI_3,
        quirks={"gemini": {"schema_beside_tools": True, "result_media": True}},
    ),
    FamilyQuirks(
        providers=_GOOGLE,
        pattern=r"(models/)?gemini-[12]([.-].*)?",
        source=_GEMINI_3,
        quirks={"gemini": {"schema_beside_tools": False, "result_media": False}},
    ),
    # -- hosts that read documents for their models --------------------------------------------------------------------
    FamilyQuirks(
        providers=("mistral",),
        pattern=r".+",
        source=_MISTRAL_DOCUMENTS,
        conduct=Conduct(reads=("document",)),
    ),
    FamilyQuirks(
        providers=("openrouter",),
        pattern=r".+",
        source=_OPENROUTER_DOCUMENTS,
        conduct=Conduct(reads=("document",)),
    ),
    # -- Bedrock -------------------------------------------------------------------------------------------------------
    FamilyQuirks(
        providers=("bedrock",),
        pattern=r"(?!arn:).+",
        # `thinking` is a member of Anthropic's models; others have none, or one of their own. Schemas are followed by
        # the few models of a list, and those of tables say what a client can emulate.
        source=_BEDROCK_CLAUDE,
        quirks={"bedrock": {"thinking_form": "none", "schema_output": False}},
    ),
    FamilyQuirks(
        providers=("bedrock",),
        pattern=r"(.+[./])?anthropic\.claude-([a-z]+-4-[5-8]|sonnet-5)([-:@].*)?",
        source=_BEDROCK_SCHEMAS,
        quirks={"bedrock": {"schema_output": True}},
    ),
    FamilyQuirks(
        providers=("bedrock",),
        pattern=r"(.+[./])?anthropic\.claude-(3-7|(opus|sonnet)-4(-[0-5])?|haiku-4-5)([-:@].*)?",
        source=_BEDROCK_CLAUDE,
        quirks={"bedrock": {"thinking_form": "budget"}},
    ),
    FamilyQuirks(
        providers=("bedrock",),
        pattern=r"(.+[./])?anthropic\.claude-[a-z]+-4-6([-:@].*)?",
        source=_BEDROCK_CLAUDE,
        quirks={"bedrock": {"thinking_form": "native"}},
    ),
    FamilyQuirks(
        providers=("bedrock",),
        pattern=r"(.+[./])?anthropic\.claude-([a-z]+-4-[7-9]|[a-z]+-([5-9]|\d\d))([-:@].*)?",
        source=_BEDROCK_CLAUDE,
        quirks={"bedrock": {"thinking_form": "effort"}},
    ),
    FamilyQuirks(
        providers=("bedrock",),
        pattern=r"(.+[./])?anthropic\.claude-((opus|sonnet)-5-5|(fable|mythos)-5-[1-9])([-:@].*)?",
        source=_CLAUDE_UNFORCED,
        quirks={"bedrock": {"forced_tool": False}},
    ),
    FamilyQuirks(
        providers=("bedrock",),
        pattern=r"(.+[./])?anthropic\.claude-.*",
        source=_BEDROCK_CLAUDE,
        quirks={"bedrock": {"top_k_path": ("top_k",)}},
    ),
    FamilyQuirks(
        providers=("bedrock",),
        pattern=r"(.+[./])?amazon\.nova-.*",
        source=_BEDROCK_NOVA,
        quirks={"bedrock": {"top_k_path": ("inferenceConfig", "topK")}},
    ),
    FamilyQuirks(
        providers=("bedrock",),
        pattern=r"(.+[./])?anthropic\.claude-(3-5-(haiku|sonnet-20241022)|3-7|[a-z]+-([4-9]|\d\d))([-:@].*)?",
        source=_BEDROCK_CACHE,
        quirks={"bedrock": {"cache_points": "all"}},
    ),
    FamilyQuirks(
        providers=("bedrock",),
        pattern=r"(.+[./])?anthropic\.claude-[a-z]+-(4-[5-9]|[5-9]|\d\d)([-:@].*)?",
        source=_BEDROCK_CACHE,
        quirks={"bedrock": {"cache_ttls": ("5m", "1h")}},
    ),
    FamilyQuirks(
        providers=("bedrock",),
        pattern=r"(.+[./])?amazon\.nova-(micro|lite|pro|premier|2-lite)([-:].*)?",
        source=_BEDROCK_CACHE,
        quirks={"bedrock": {"cache_points": "turns"}},
    ),
)

_NONE: Final = Conduct()


def quirks_of(profile: Profile, group: str) -> Mapping[str, Any]:
    """The fields of a dialect's quirks (by the name of the quirks) that a model's families set."""
    fields: dict[str, Any] = {}
    for row in _matching(profile.provider, profile.model):
        fields |= row.quirks.get(group, {})
    return fields


def conduct_of(profile: Profile) -> Conduct:
    """What a model's families are known to refuse; the last row that says something is the one."""
    told = [row.conduct for row in _matching(profile.provider, profile.model) if row.conduct is not None]
    return told[-1] if told else _NONE


@lru_cache(maxsize=1024)
def _matching(provider: str, model: str) -> tuple[FamilyQuirks, ...]:
    name = model.lower()
    return tuple(row for row in FAMILIES if provider in row.providers and re.fullmatch(row.pattern, name))
