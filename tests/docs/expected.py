"""What each block of the documents asks of whom, and what it needs the provider to do."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.servers.fake_provider import TEXT, Failure

CHAT, RESPONSES, ANTHROPIC, GEMINI, EMBEDDINGS = (
    "openai-chat",
    "openai-responses",
    "anthropic",
    "gemini",
    "embeddings",
)


@dataclass(frozen=True)
class Expected:
    """`asks` are the requests that arrive, as (provider, dialect); `prints` stands in what the block prints."""

    asks: list[tuple[str, str]]
    prints: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    tool_arguments: str = field(default='{"expression": "6 * 7"}')


OPENAI, CLAUDE, GROQ = ("openai", RESPONSES), ("anthropic", ANTHROPIC), ("groq", CHAT)
PROXY, ROUTER = ("localhost-4000", CHAT), ("openrouter", CHAT)

EXPECTED: dict[str, Expected] = {
    "readme-front": Expected([OPENAI], (TEXT,)),
    "readme-chat": Expected([CLAUDE]),
    "readme-conversation": Expected([GROQ, GROQ]),
    "readme-image": Expected([("google", GEMINI)]),
    "readme-media-refused": Expected([CLAUDE]),
    "readme-stream": Expected([OPENAI]),
    "readme-async": Expected([OPENAI, OPENAI], (f"{TEXT}\n{TEXT}",)),
    "readme-tools": Expected([CLAUDE, CLAUDE], tool_arguments='{"city": "Istanbul"}'),
    "readme-tool-calls": Expected([CLAUDE, CLAUDE], tool_arguments='{"city": "Istanbul"}'),
    "readme-typed": Expected([OPENAI, OPENAI]),
    "readme-json": Expected([OPENAI], ("Istanbul",)),
    "readme-options": Expected([CLAUDE], ("seed dropped",)),
    "readme-fallback": Expected([OPENAI, CLAUDE], failures=(Failure(429, "slow down", {"retry-after": "60"}),)),
    "readme-facts": Expected([OPENAI]),
    "readme-wrap": Expected([OPENAI], ("gpt-4o 7",)),
    "readme-middleware": Expected([OPENAI], ("stop\nstop\n1 7 0.0000975 USD\n",)),
    "readme-pool": Expected([GROQ], (TEXT,)),
    "readme-errors": Expected([OPENAI], failures=(Failure(401, "Incorrect API key provided."),)),
    "readme-keys": Expected([("localhost-8000", RESPONSES)] * 2),
    "readme-timeouts": Expected([OPENAI]),
    "readme-openrouter": Expected([ROUTER]),
    "readme-local": Expected(
        [("litellm", CHAT), ("ollama", "ollama"), ("llama_cpp", ANTHROPIC), ("localhost-8000", CHAT)],
        ("litellm/gpt-4o stop", "ollama/llama3.2 stop", "llama_cpp/my-model stop", "openai_compatible/my-model stop"),
    ),
    "readme-own-provider": Expected([("localhost-8000", CHAT)]),
    "readme-embeddings": Expected([("openai", EMBEDDINGS)], ("2 11",)),
    "readme-cli": Expected([OPENAI, CLAUDE, GROQ], (f"{TEXT}\n{TEXT}\n", '"finish_reason":"stop"')),
    "facts-profile": Expected([]),
    "facts-cost": Expected([OPENAI, OPENAI]),
    "facts-prices": Expected([]),
    "facts-override": Expected([OPENAI]),
    "facts-refresh": Expected([]),
    "facts-find": Expected([], ("$/M in", '"name":"openai/gpt-4o"')),
    "facts-models": Expected([], ("True True\nTrue\nsmall\n",)),
    "facts-needs": Expected([OPENAI]),
    "facts-tokens": Expected(
        [], ("True estimated\n", "500 True True\nthe price of openai/no-such-model is not known -> prices\nTrue\n")
    ),
    "facts-fit": Expected([OPENAI], ("402 -> ", "| And the next one?", "\n4\n")),
    "facts-cache": Expected([CLAUDE, CLAUDE]),
    "beluga-litellm": Expected([PROXY] * 2 + [("litellm", CHAT)] * 2 + [PROXY] * 4, (f"{TEXT}\n{TEXT}",)),
    "beluga-openrouter": Expected([ROUTER] * 8, (f"{TEXT}\n{TEXT}",)),
    "beluga-multi-provider": Expected(
        [OPENAI, CLAUDE, OPENAI, CLAUDE, OPENAI, CLAUDE, OPENAI],
        ("'anthropic', ", f"{TEXT}\n11 7\n", "calculator {'expression': '6 * 7'}\n" * 2, "'fast' is not in the pool"),
    ),
    "beluga-switching": Expected(
        [OPENAI, CLAUDE, OPENAI, CLAUDE, OPENAI, CLAUDE, OPENAI, OPENAI],
        ("claude-sonnet-4-5 after RateLimited", "['openai', 'anthropic', 'openai', 'anthropic']", "gpt-4o-mini"),
        failures=(Failure(429, "slow down", {"retry-after": "60"}),),
    ),
    "routing-front": Expected([OPENAI, OPENAI, CLAUDE, OPENAI]),
    "routing-rules": Expected([OPENAI, OPENAI]),
    "routing-function": Expected([OPENAI, OPENAI]),
    "routing-health": Expected([OPENAI, CLAUDE, OPENAI], failures=(Failure(500),)),
    "routing-explain": Expected([]),
    "allos": Expected([GROQ], (TEXT, "'input_tokens': 11")),
    "openai-sdk": Expected(
        [OPENAI, ("openai", CHAT), OPENAI, OPENAI, ("openai", EMBEDDINGS)],
        (f"{TEXT}\n{TEXT}\n{TEXT}", "calculator {'expression': '6 * 7'}", "(0.25, -0.5, 1.0)"),
    ),
    "litellm-library": Expected([CLAUDE] * 4 + [("openai", EMBEDDINGS)], (f"{TEXT}\n11 0.000138\n{TEXT}",)),
}
