"""Which published weights a host's model is, by the exact id of their repository at Hugging Face.

Two things make an entry, and nothing else: the host's own name of the model is the repository's id (letters' case
aside, which Hugging Face does not tell apart), or a line below says so with the host's page. A name with something
more ("-Turbo", "-FP8", "-lite") is another thing until a line says otherwise. With which precision a host computes is
not told by this. The lines were written from the hosts' lists of models; they bear no day on which a page was read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dragoman.facts.tables.providers import PROVIDERS
from dragoman.values.profile import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dragoman.facts.tables.compiling import Tables

__all__ = ["DECLARED", "weights_of"]

_BY_REPOSITORY: Final = ("crusoe", "groq", "huggingface", "openrouter", "together")
"""Hosts that name models by repository ids where they have one."""

_NOT: Final = {
    # genai-prices lists this and kimi-k2-instruct-0905 as one model there: the name no longer tells the weights.
    ("groq", "moonshotai/kimi-k2-instruct"),
}

_GROQ = "https://console.groq.com/docs/models"
_CEREBRAS = "https://inference-docs.cerebras.ai/models/overview"
_FIREWORKS = "https://fireworks.ai/models"
_BEDROCK = "https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html"
_VERTEX = "https://cloud.google.com/vertex-ai/generative-ai/docs/maas/use-open-models"
_SAMBANOVA = "https://docs.sambanova.ai/docs/en/models/sambacloud-models"
_OPENROUTER = "https://openrouter.ai/models"
_OLLAMA = "https://ollama.com/library/gpt-oss"

DECLARED: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    "meta-llama/Llama-3.3-70B-Instruct": (
        ("groq", "llama-3.3-70b-versatile", _GROQ),
        ("cerebras", "llama-3.3-70b", _CEREBRAS),
        ("fireworks", "accounts/fireworks/models/llama-v3p3-70b-instruct", _FIREWORKS),
        ("bedrock", "meta.llama3-3-70b-instruct-v1:0", _BEDROCK),
        ("vertex", "meta/llama-3.3-70b-instruct-maas", _VERTEX),
        ("sambanova", "Meta-Llama-3.3-70B-Instruct", _SAMBANOVA),
    ),
    "meta-llama/Llama-3.1-8B-Instruct": (
        ("groq", "llama-3.1-8b-instant", _GROQ),
        ("cerebras", "llama3.1-8b", _CEREBRAS),
        ("fireworks", "accounts/fireworks/models/llama-v3p1-8b-instruct", _FIREWORKS),
        ("bedrock", "meta.llama3-1-8b-instruct-v1:0", _BEDROCK),
        ("vertex", "meta/llama-3.1-8b-instruct-maas", _VERTEX),
    ),
    "meta-llama/Llama-3.1-70B-Instruct": (
        ("fireworks", "accounts/fireworks/models/llama-v3p1-70b-instruct", _FIREWORKS),
        ("bedrock", "meta.llama3-1-70b-instruct-v1:0", _BEDROCK),
        ("vertex", "meta/llama-3.1-70b-instruct-maas", _VERTEX),
    ),
    "openai/gpt-oss-120b": (
        ("cerebras", "gpt-oss-120b", _CEREBRAS),
        ("fireworks", "accounts/fireworks/models/gpt-oss-120b", _FIREWORKS),
        ("bedrock", "openai.gpt-oss-120b-1:0", _BEDROCK),
        ("bedrock_mantle", "openai.gpt-oss-120b", _BEDROCK),
        ("vertex", "openai/gpt-oss-120b-maas", _VERTEX),
        ("sambanova", "gpt-oss-120b", _SAMBANOVA),
        ("ollama_cloud", "gpt-oss:120b", _OLLAMA),
    ),
    "openai/gpt-oss-20b": (
        ("fireworks", "accounts/fireworks/models/gpt-oss-20b", _FIREWORKS),
        ("bedrock", "openai.gpt-oss-20b-1:0", _BEDROCK),
        ("bedrock_mantle", "openai.gpt-oss-20b", _BEDROCK),
        ("vertex", "openai/gpt-oss-20b-maas", _VERTEX),
        ("ollama_cloud", "gpt-oss:20b", _OLLAMA),
    ),
    "Qwen/Qwen3-32B": (
        ("cerebras", "qwen-3-32b", _CEREBRAS),
        ("bedrock", "qwen.qwen3-32b-v1:0", _BEDROCK),
    ),
    "deepseek-ai/DeepSeek-R1": (
        ("bedrock", "deepseek.r1-v1:0", _BEDROCK),
        ("openrouter", "deepseek/deepseek-r1", _OPENROUTER),
    ),
    "deepseek-ai/DeepSeek-R1-0528": (
        ("vertex", "deepseek-ai/deepseek-r1-0528-maas", _VERTEX),
        ("fireworks", "accounts/fireworks/models/deepseek-r1-0528", _FIREWORKS),
        ("openrouter", "deepseek/deepseek-r1-0528", _OPENROUTER),
    ),
    "deepseek-ai/DeepSeek-V3.1": (
        ("vertex", "deepseek-ai/deepseek-v3.1-maas", _VERTEX),
        ("fireworks", "accounts/fireworks/models/deepseek-v3p1", _FIREWORKS),
        ("sambanova", "DeepSeek-V3.1", _SAMBANOVA),
    ),
    "deepseek-ai/DeepSeek-V3.2": (
        ("sambanova", "DeepSeek-V3.2", _SAMBANOVA),
        ("fireworks", "accounts/fireworks/models/deepseek-v3p2", _FIREWORKS),
        ("openrouter", "deepseek/deepseek-v3.2", _OPENROUTER),
    ),
    "moonshotai/Kimi-K2-Instruct-0905": (
        ("fireworks", "accounts/fireworks/models/kimi-k2-instruct-0905", _FIREWORKS),
        ("openrouter", "moonshotai/kimi-k2-0905", _OPENROUTER),
    ),
    "moonshotai/Kimi-K2-Thinking": (
        ("fireworks", "accounts/fireworks/models/kimi-k2-thinking", _FIREWORKS),
        ("vertex", "moonshotai/kimi-k2-thinking-maas", _VERTEX),
    ),
    "zai-org/GLM-4.6": (
        ("fireworks", "accounts/fireworks/models/glm-4p6", _FIREWORKS),
        ("openrouter", "z-ai/glm-4.6", _OPENROUTER),
    ),
    "zai-org/GLM-4.7": (("openrouter", "z-ai/glm-4.7", _OPENROUTER),),
}


def weights_of(tables: Tables) -> dict[tuple[str, str], tuple[str, Source]]:
    """The weights of each model of which it is known which they are, by provider and model."""
    repositories = {name.lower(): name for name in sorted(_repositories(tables))}
    found: dict[tuple[str, str], tuple[str, Source]] = {}
    for provider in _BY_REPOSITORY:
        for model in _models(provider, tables):
            repository = repositories.get(model.lower())
            if repository is not None and (provider, model) not in _NOT:
                source = Source(name="Hugging Face", url=f"https://huggingface.co/{repository}")
                found[provider, model] = (repository, source)
    for repository, lines in DECLARED.items():
        for provider, model, page in lines:
            found[provider, model] = (repository, Source(name="the host's page", url=page))
    return found


def _repositories(tables: Tables) -> Iterable[str]:
    """Ids of repositories: what Hugging Face's own router calls models."""
    yield from tables.models_dev["huggingface"]["models"]
    for provider in tables.genai_prices:
        if provider["id"].startswith("huggingface_"):
            yield from (model["id"] for model in provider["models"] if "/" in model["id"])
    yield from DECLARED


def _models(provider: str, tables: Tables) -> set[str]:
    party = PROVIDERS[provider]
    names: set[str] = set()
    for table in party.models_dev:
        names.update(tables.models_dev[table]["models"])
    for entry in tables.genai_prices:
        if entry["id"] in party.genai_prices:
            names.update(_equal_names(entry["models"]))
    for key, told in tables.litellm.items():
        if told.get("litellm_provider") in party.litellm:
            names.update(key.removeprefix(prefix) for prefix in party.litellm_prefixes if key.startswith(prefix))
    return names


def _equal_names(models: list[dict[str, Any]]) -> Iterable[str]:
    """Ids that are names of models themselves."""
    for model in models:
        match = model["match"]
        clauses = match.get("or", [match])
        if any(clause.get("equals", "").lower() == model["id"].lower() for clause in clauses):
            yield model["id"]
