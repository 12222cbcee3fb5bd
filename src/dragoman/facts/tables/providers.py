"""Which provider of the tables is which row of the catalogue, and how the names of its models may be written."""

from __future__ import annotations

import msgspec

__all__ = ["ALIASES", "PROVIDERS", "CacheManner", "Party"]


class CacheManner(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider caches prompts, for those models of which a table says that they are cached; `url` its page.

    `names` is a regular expression that the whole name of such a model matches, `litellm` the values of
    `litellm_provider` that it is told of; where they are empty, it holds for all that the provider caches.
    """

    kinds: tuple[str, ...]
    names: str = ""
    litellm: tuple[str, ...] = ()
    most_marks: int | None = None
    ttls: tuple[str, ...] | None = None
    url: str = ""


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """One provider's ids in the tables.

    `litellm` are values of `litellm_provider`; a key of that table is our id once the first of `litellm_prefixes` that
    it begins with is taken off, and a key that still holds a "/" is another thing (a region, a size) unless
    `slashes` says that ids hold them. `fallbacks` are providers whose models are served under their own names.

    `forms` are other ways to write a listed name, as regular expressions whose group 1 is the listed name; the flag
    says that the price is the listed one's too. `priced` False: the tables' prices are those of another site.
    """

    genai_prices: tuple[str, ...] = ()
    litellm: tuple[str, ...] = ()
    litellm_prefixes: tuple[str, ...] = ()
    slashes: bool = False
    models_dev: tuple[str, ...] = ()
    fallbacks: tuple[str, ...] = ()
    forms: tuple[tuple[str, bool], ...] = ()
    priced: bool = True
    cache: CacheManner | None = None


_ANTHROPIC_CACHE = "https://platform.claude.com/docs/en/build-with-claude/prompt-caching"
_MARKED = CacheManner(kinds=("marks",), most_marks=4, ttls=("5m", "1h"), url=_ANTHROPIC_CACHE)
_AUTOMATIC_WITH_KEY = CacheManner(
    kinds=("automatic", "key"), url="https://platform.openai.com/docs/guides/prompt-caching"
)

# https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
_BEDROCK_AREA = r"(?:us-gov|us|eu|apac|global|jp|au|ca|sa|me|il|mx|af)\.(.+)"
_BEDROCK_ARN = r"arn:aws[\w-]*:bedrock:[\w-]*:\d*:(?:foundation-model|inference-profile)/(.+)"
# https://ai.google.dev/api/models: a model's name is `models/{id}`.
_GEMINI_NAME = r"models/(.+)"
_VERTEX_NAME = r"(?:projects/[^/]+/locations/[^/]+/)?publishers/[^/]+/models/(.+)"
_VERTEX_VERSION = r"(.+)@[\w.-]+"
# https://openrouter.ai/docs/faq#what-are-model-variants: who serves the model differs, and so may the price.
_OPENROUTER_VARIANT = r"(.+):(?:nitro|floor|online|exacto)"
# https://huggingface.co/docs/inference-providers: `model:provider`, `model:fastest`, `model:cheapest`.
_HUGGINGFACE_CHOICE = r"(.+):[a-z0-9-]+"
# https://platform.openai.com/docs/guides/fine-tuning: `ft:{base}:{organisation}:{name}:{id}`.
_OPENAI_TUNED = r"ft:([^:]+):.*"

PROVIDERS: dict[str, Party] = {
    "anthropic": Party(
        genai_prices=("anthropic",),
        litellm=("anthropic",),
        litellm_prefixes=("anthropic/",),
        models_dev=("anthropic",),
        cache=_MARKED,
    ),
    "azure": Party(
        genai_prices=("azure",),
        litellm=("azure", "azure_ai"),
        litellm_prefixes=("azure/", "azure_ai/"),
        models_dev=("azure",),
        fallbacks=("openai", "anthropic", "deepseek", "xai", "moonshotai"),
        # Models of other makers (azure_ai) keep their makers' ways.
        cache=CacheManner(kinds=_AUTOMATIC_WITH_KEY.kinds, litellm=("azure",), url=_AUTOMATIC_WITH_KEY.url),
    ),
    "bedrock": Party(
        genai_prices=("aws",),
        litellm=("bedrock_converse", "bedrock"),
        models_dev=("amazon-bedrock",),
        forms=((_BEDROCK_ARN, True), (_BEDROCK_AREA, False)),
        cache=CacheManner(
            kinds=("marks",),
            most_marks=4,
            url="https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html",
        ),
    ),
    "bedrock_mantle": Party(genai_prices=("aws",), litellm=("bedrock_mantle",), litellm_prefixes=("bedrock_mantle/",)),
    "cerebras": Party(
        genai_prices=("cerebras",),
        litellm=("cerebras",),
        litellm_prefixes=("cerebras/",),
        models_dev=("cerebras",),
        cache=CacheManner(kinds=("automatic",), url="https://inference-docs.cerebras.ai/capabilities/prompt-caching"),
    ),
    "cohere": Party(
        genai_prices=("cohere",),
        litellm=("cohere_chat", "cohere"),
        litellm_prefixes=("cohere/",),
        models_dev=("cohere",),
    ),
    "crusoe": Party(litellm=("crusoe",), litellm_prefixes=("crusoe/",), slashes=True),
    "deepseek": Party(
        genai_prices=("deepseek",),
        litellm=("deepseek",),
        litellm_prefixes=("deepseek/",),
        models_dev=("deepseek",),
        cache=CacheManner(kinds=("automatic",), url="https://api-docs.deepseek.com/guides/kv_cache"),
    ),
    "fireworks": Party(
        genai_prices=("fireworks",),
        litellm=("fireworks_ai", "fireworks_ai-embedding-models"),
        litellm_prefixes=("fireworks_ai/",),
        slashes=True,
        models_dev=("fireworks-ai",),
        cache=CacheManner(kinds=("automatic",), url="https://docs.fireworks.ai/guides/prompt-caching"),
    ),
    "google": Party(
        genai_prices=("google",),
        litellm=("gemini",),
        litellm_prefixes=("gemini/",),
        models_dev=("google",),
        forms=((_GEMINI_NAME, True),),
        # Older ones have caches only that are made by a call of their own.
        cache=CacheManner(
            kinds=("automatic",),
            names=r"gemini-(?:2\.[5-9]|[3-9]).*",
            url="https://ai.google.dev/gemini-api/docs/caching",
        ),
    ),
    "groq": Party(
        genai_prices=("groq",),
        litellm=("groq",),
        litellm_prefixes=("groq/",),
        slashes=True,
        models_dev=("groq",),
        cache=CacheManner(kinds=("automatic",), url="https://console.groq.com/docs/prompt-caching"),
    ),
    "heroku": Party(litellm=("heroku",), litellm_prefixes=("heroku/",)),
    "huggingface": Party(models_dev=("huggingface",), forms=((_HUGGINGFACE_CHOICE, True),)),
    "mistral": Party(
        genai_prices=("mistral",),
        litellm=("mistral", "codestral"),
        litellm_prefixes=("mistral/", "codestral/"),
        models_dev=("mistral",),
    ),
    # Not a row of the catalogue; Azure serves its models under their own names.
    "moonshotai": Party(
        genai_prices=("moonshotai",), litellm=("moonshot",), litellm_prefixes=("moonshot/",), models_dev=("moonshotai",)
    ),
    "ollama_cloud": Party(models_dev=("ollama-cloud",)),
    "openai": Party(
        genai_prices=("openai",),
        litellm=("openai", "text-completion-openai"),
        litellm_prefixes=("openai/",),
        models_dev=("openai",),
        forms=((_OPENAI_TUNED, False),),
        cache=_AUTOMATIC_WITH_KEY,
    ),
    "openrouter": Party(
        genai_prices=("openrouter",),
        models_dev=("openrouter",),
        forms=((_OPENROUTER_VARIANT, False),),
    ),
    "perplexity": Party(
        genai_prices=("perplexity",),
        litellm=("perplexity",),
        litellm_prefixes=("perplexity/",),
        slashes=True,
        models_dev=("perplexity",),
    ),
    # The tables tell the prices of the international site (dashscope-intl); the row's address is the mainland's.
    "qwen": Party(litellm=("dashscope",), litellm_prefixes=("dashscope/",), models_dev=("alibaba",), priced=False),
    "sambanova": Party(litellm=("sambanova",), litellm_prefixes=("sambanova/",)),
    "snowflake": Party(litellm=("snowflake",), litellm_prefixes=("snowflake/",)),
    "together": Party(
        genai_prices=("together",),
        litellm=("together_ai",),
        litellm_prefixes=("together_ai/",),
        slashes=True,
        models_dev=("togetherai",),
    ),
    "vertex": Party(
        genai_prices=("google",),
        litellm=(
            "vertex_ai-language-models",
            "vertex_ai",
            "vertex_ai-anthropic_models",
            "vertex_ai-mistral_models",
            "vertex_ai-llama_models",
            "vertex_ai-deepseek_models",
            "vertex_ai-qwen_models",
            "vertex_ai-zai_models",
            "vertex_ai-openai_models",
            "vertex_ai-minimax_models",
            "vertex_ai-moonshot_models",
            "vertex_ai-ai21_models",
            "vertex_ai-embedding-models",
        ),
        litellm_prefixes=("vertex_ai/",),
        slashes=True,
        models_dev=("google-vertex", "google-vertex-anthropic"),
        fallbacks=("anthropic",),
        forms=((_VERTEX_NAME, True), (_VERTEX_VERSION, False)),
    ),
    "voyage": Party(genai_prices=("voyageai",), litellm=("voyage",), litellm_prefixes=("voyage/",)),
    "xai": Party(
        genai_prices=("x-ai",),
        litellm=("xai",),
        litellm_prefixes=("xai/",),
        models_dev=("xai",),
        cache=CacheManner(kinds=("automatic",), url="https://docs.x.ai/docs/models"),
    ),
    "zai": Party(genai_prices=("zai",), litellm=("zai",), litellm_prefixes=("zai/",), models_dev=("zai",)),
}
"""By the catalogue's name. Rows that are not here reach models of the user's own: nothing is known about those."""

ALIASES: dict[str, str] = {"gemini": "google"}
"""Catalogue names whose facts are another's; a row says the same in its field `facts`."""
