"""The form of a configuration: one struct per block, from which the reader and the published JSON Schema are made."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from dragoman.catalogue import Secret

__all__ = [
    "Block",
    "CacheBlock",
    "ConfigBlock",
    "DeploymentBlock",
    "DialectName",
    "FactsBlock",
    "GrantBlock",
    "KeyBlock",
    "KeyLimitsBlock",
    "LogBlock",
    "Method",
    "ModelBlock",
    "PricesBlock",
    "ProviderBlock",
    "ServerBlock",
    "SpoolBlock",
    "SteeringMember",
    "StorageBlock",
    "TimeoutBlock",
]

DialectName = Literal["openai-chat", "openai-responses", "anthropic", "gemini", "bedrock", "cohere", "ollama"]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
SteeringMember = Literal[
    "models",
    "provider",
    "route",
    "preset",
    "plugins",
    "transforms",
    "fallbacks",
    "context_window_fallback_dict",
    "custom_llm_provider",
    "user_config",
    "mock_response",
    "api_base",
    "base_url",
    "api_key",
    "api_version",
    "mcp_servers",
    "mcp_tools",
]
"""Members of a request that choose who answers, with which credential, or whom the provider calls in turn."""

Text = Annotated[str, Meta(min_length=1)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Retries = Annotated[int, Meta(ge=0, le=10)]
Usd = Annotated[float, Meta(ge=0, le=1_000_000)]


class Block(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all blocks."""


class ServerBlock(Block, frozen=True, kw_only=True):
    """Where the gateway listens, and its bounds; bytes, counts and seconds.

    `trusted_hosts` are names under which clients may address it beside its own. `direct_models`: models of the
    providers below may be asked for as `provider/model` or by a bare name that one of them alone has; left out, it
    holds where no `models` are given. `drain_delay_seconds` is how long it goes on taking requests after it was told
    to stop, `drain_seconds` how long those at hand may take then.
    """

    host: Text = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 4000
    workers: Annotated[int, Meta(ge=1, le=256)] = 1
    master_key: Secret | None = None
    trusted_hosts: tuple[Text, ...] = ()
    direct_models: bool | None = None
    max_body_bytes: Annotated[int, Meta(ge=1024, le=2**30)] = 32 * 1024 * 1024
    max_header_bytes: Annotated[int, Meta(ge=1024, le=2**20)] = 64 * 1024
    max_headers: Annotated[int, Meta(ge=8, le=10_000)] = 100
    max_requests: Count = 4096
    max_bytes_in_flight: Annotated[int, Meta(ge=1024, le=2**40)] = 512 * 1024 * 1024
    header_seconds: Seconds = 15.0
    body_seconds: Seconds = 30.0
    write_seconds: Seconds = 60.0
    keep_alive_seconds: Seconds = 75.0
    hold_seconds: Seconds = 10.0
    drain_delay_seconds: Annotated[float, Meta(ge=0, le=3600)] = 0.0
    drain_seconds: Annotated[float, Meta(ge=0, le=3600)] = 30.0


class TimeoutBlock(Block, frozen=True, kw_only=True):
    """Limits of one attempt, in seconds; null switches one off."""

    connect: Seconds | None = 10.0
    first_byte: Seconds | None = 120.0
    idle: Seconds | None = 60.0
    total: Seconds | None = 600.0


class ProviderBlock(Block, frozen=True, kw_only=True):
    """A provider: a name of the catalogue, one `like` it, or one of your own that speaks a `dialect`.

    `api_key: none` sends no key. `dialects` are in order of preference. `timeout` is seconds or a block of limits.
    `ca_file` holds a private authority to believe. Everything else is an option of the provider's own.
    """

    like: Text | None = None
    dialect: DialectName | None = None
    dialects: tuple[DialectName, ...] = ()
    base_url: Text | None = None
    api_key: Secret | None = None
    backend: Text | None = None
    headers: dict[str, Secret] = {}
    timeout: Seconds | TimeoutBlock | None = None
    ca_file: Text | None = None
    proxy: Secret | None = None
    options: dict[str, Any] = {}


class PricesBlock(Block, frozen=True, kw_only=True):
    """What a deployment charges, in US dollars: per million tokens, but `request` and `web_search` per one."""

    input: Usd
    output: Usd
    cache_read: Usd | None = None
    cache_write: Usd | None = None
    cache_write_1h: Usd | None = None
    input_audio: Usd | None = None
    output_audio: Usd | None = None
    input_image: Usd | None = None
    output_image: Usd | None = None
    output_reasoning: Usd | None = None
    request: Usd | None = None
    web_search: Usd | None = None


Modality = Literal["text", "image", "audio", "video", "document"]


class FactsBlock(Block, frozen=True, kw_only=True):
    """What is known about a deployment's model better than the facts that come along; null changes nothing."""

    context_tokens: Count | None = None
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    input_modalities: tuple[Modality, ...] | None = None
    output_modalities: tuple[Modality, ...] | None = None
    tools: bool | None = None
    parallel_tools: bool | None = None
    tool_choice: bool | None = None
    schema_output: bool | None = None
    json_output: bool | None = None
    system_messages: bool | None = None
    prefill: bool | None = None
    reasoning: bool | None = None


class DeploymentBlock(Block, frozen=True, kw_only=True):
    """One thing to try: `model` is `provider/model`. `name` is what headers, metrics and the ledger call it.

    `timeout` and `max_retries` take the place of the model's.
    """

    model: Text
    name: Text | None = None
    api_key: Secret | None = None
    max_retries: Retries | None = None
    timeout: Seconds | TimeoutBlock | None = None
    prices: PricesBlock | None = None
    facts: FactsBlock | None = None


class CacheBlock(Block, frozen=True, kw_only=True):
    """Answers to equal requests are kept, in each worker's memory, for so many seconds and within these bounds."""

    seconds: Seconds = 300.0
    max_bytes: Annotated[int, Meta(ge=64 * 1024, le=2**36)] = 64 * 1024 * 1024
    max_entries: Annotated[int, Meta(ge=1, le=10_000_000)] = 10_000


class ModelBlock(Block, frozen=True, kw_only=True):
    """A model that clients may name: its deployments in order, then those of the models in `fallbacks`.

    `max_retries` are the tries of each deployment after its first. `max_attempts` and `max_seconds` bound one request
    over all of them. `allow` names members of requests that may steer the provider. `cache`: left out, answers are kept
    for requests that ask for it; `off` for none.
    """

    deployments: Annotated[tuple[Text | DeploymentBlock, ...], Meta(min_length=1)]
    fallbacks: tuple[Text, ...] = ()
    max_retries: Retries = 2
    max_attempts: Annotated[int, Meta(ge=1, le=100)] = 10
    max_seconds: Seconds = 600.0
    timeout: Seconds | TimeoutBlock | None = None
    allow: tuple[SteeringMember, ...] = ()
    cache: CacheBlock | Literal["off"] | None = None


class KeyLimitsBlock(Block, frozen=True, kw_only=True):
    """`rpm`: requests in any 60 seconds; `concurrency`: requests at once."""

    rpm: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    concurrency: Annotated[int, Meta(ge=1, le=100_000)] | None = None


class GrantBlock(Block, frozen=True, kw_only=True):
    """Leave to reach a provider's own paths through `/providers/{name}/…`.

    In `paths` a segment `*` stands for one segment, and `**` at the end for one or more.
    """

    provider: Text
    methods: Annotated[tuple[Method, ...], Meta(min_length=1)]
    paths: Annotated[tuple[Text, ...], Meta(min_length=1)]


class KeyBlock(Block, frozen=True, kw_only=True):
    """A key of a client: its secret as `key`, or as `key_sha256` in hexadecimal. `models` may be patterns."""

    name: Text
    key: Secret | None = None
    key_sha256: Text | None = None
    team: str = ""
    models: tuple[Text, ...] = ("*",)
    limits: KeyLimitsBlock = KeyLimitsBlock()
    pass_through: tuple[GrantBlock, ...] = ()


class StorageBlock(Block, frozen=True, kw_only=True):
    """Where rows are kept: one SQLite file."""

    database: Text = "sqlite:///dragoman.db"
    redis: None = None


class SpoolBlock(Block, frozen=True, kw_only=True):
    """The append-only record of attempts. `sync: group` survives the loss of power, `none` that of the process."""

    directory: Text = "dragoman-spool"
    sync: Literal["none", "group"] = "none"
    segment_bytes: Annotated[int, Meta(ge=64 * 1024, le=2**30)] = 16 * 1024 * 1024


class LogBlock(Block, frozen=True, kw_only=True):
    """`requests`: where a line per attempt goes: `stdout`, `stderr`, `none`, or a file's path."""

    requests: Text = "stdout"


class ConfigBlock(Block, frozen=True, kw_only=True):
    """A configuration of the gateway."""

    server: ServerBlock = ServerBlock()
    providers: dict[str, ProviderBlock] = {}
    models: dict[str, Annotated[tuple[Text | DeploymentBlock, ...], Meta(min_length=1)] | ModelBlock] = {}
    keys: tuple[KeyBlock, ...] = ()
    storage: StorageBlock = StorageBlock()
    spool: SpoolBlock = SpoolBlock()
    log: LogBlock = LogBlock()
