"""The form of a configuration: one struct per block, from which the reader and the published JSON Schema are made."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from dragoman.catalogue import Secret

__all__ = [
    "AffinityBlock",
    "Block",
    "CacheBlock",
    "ConfigBlock",
    "DeploymentBlock",
    "DeploymentLimitsBlock",
    "DialectName",
    "FactsBlock",
    "GrantBlock",
    "HealthBlock",
    "HedgingBlock",
    "KeyBlock",
    "KeyLimitsBlock",
    "LogBlock",
    "Method",
    "ModelBlock",
    "PricesBlock",
    "ProviderBlock",
    "RuleBlock",
    "ServerBlock",
    "SpoolBlock",
    "SteeringMember",
    "StorageBlock",
    "StrategyName",
    "TimeoutBlock",
    "TlsBlock",
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

StrategyName = Literal["order", "weighted", "round-robin", "least-busy", "latency", "cost"]

Text = Annotated[str, Meta(min_length=1)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Retries = Annotated[int, Meta(ge=0, le=10)]
Usd = Annotated[float, Meta(ge=0, le=1_000_000)]


class Block(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all blocks."""


class TlsBlock(Block, frozen=True, kw_only=True):
    """What the gateway shows to its clients: PEM files, relative to the configuration's folder.

    Behind the gateway's own certificate stand those that vouch for it. `key_file` is left out where the same file holds
    the key; `key_password` is there for an encrypted one.
    """

    certificate_file: Text
    key_file: Text | None = None
    key_password: Secret | None = None


class ServerBlock(Block, frozen=True, kw_only=True):
    """Where the gateway listens, and its bounds; bytes, counts and seconds.

    With `tls` it speaks TLS alone. `trusted_hosts` are names under which clients may address it beside its own.
    `direct_models`: models of the providers below may be asked for as `provider/model` or by a bare name that one of
    them alone has; left out, it holds where no `models` are given. A body must make some way in every `body_seconds`
    and be whole within `body_total_seconds`. `drain_delay_seconds` is how long it goes on taking requests after it was
    told to stop, `drain_seconds` how long those at hand may take then.
    """

    host: Text = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 4000
    workers: Annotated[int, Meta(ge=1, le=256)] = 1
    tls: TlsBlock | None = None
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
    body_total_seconds: Seconds = 300.0
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


class DeploymentLimitsBlock(Block, frozen=True, kw_only=True):
    """What a deployment may be asked: requests and tokens a minute, and requests at once.

    Where every deployment is full, a request waits up to `queue_seconds`, behind `queue_length` others at most.
    """

    rpm: Count | None = None
    tpm: Count | None = None
    concurrency: Count | None = None
    queue_seconds: Annotated[float, Meta(ge=0, le=600)] = 5.0
    queue_length: Annotated[int, Meta(ge=0, le=100_000)] = 100


class DeploymentBlock(Block, frozen=True, kw_only=True):
    """One thing to try: `model` is `provider/model`. `name` is what headers, metrics and the ledger call it.

    `timeout` and `max_retries` take the place of the model's. Lower tiers are turned to first; `weight` is a share
    within a tier. `needs` and `max_price` come on top of the model's. `on_blocked`: what another deployment's filter
    refused may be asked of this one.
    """

    model: Text
    name: Text | None = None
    api_key: Secret | None = None
    max_retries: Retries | None = None
    timeout: Seconds | TimeoutBlock | None = None
    prices: PricesBlock | None = None
    facts: FactsBlock | None = None
    tier: Annotated[int, Meta(ge=1, le=1000)] = 1
    weight: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None
    limits: DeploymentLimitsBlock | None = None
    needs: tuple[Text, ...] = ()
    max_price: Usd | None = None
    on_blocked: bool = False


class RuleBlock(Block, frozen=True, kw_only=True):
    """Requests that meet all conditions go to the deployments that `use` names; the first rule that holds counts.

    Names and values may be patterns with `*`. `needs`: the request has all of these. Prompts are measured by an
    estimate. `percent` takes so many of the requests that meet the rest, always the same users, sessions or keys;
    `seed` sets splits apart. With `only` nobody else is asked.
    """

    use: Annotated[tuple[Text, ...], Meta(min_length=1)]
    model: Text | None = None
    headers: dict[str, Text] = {}
    metadata: dict[str, Text] = {}
    key: Text | None = None
    team: Text | None = None
    user: Text | None = None
    needs: tuple[Text, ...] = ()
    min_prompt_tokens: Annotated[int, Meta(ge=0, le=1_000_000_000)] | None = None
    max_prompt_tokens: Annotated[int, Meta(ge=0, le=1_000_000_000)] | None = None
    percent: Annotated[float, Meta(ge=0, le=100)] | None = None
    seed: str = ""
    only: bool = False


class HedgingBlock(Block, frozen=True, kw_only=True):
    """A second deployment is asked beside a slow one.

    After these seconds, or when it takes longer to begin than this `quantile` of its last answers, of which so many
    have to be known.
    """

    after_seconds: Seconds | None = None
    quantile: Annotated[float, Meta(ge=0.5, lt=1)] = 0.95
    least_samples: Annotated[int, Meta(ge=1, le=100_000)] = 20


class AffinityBlock(Block, frozen=True, kw_only=True):
    """Requests that belong together go to one deployment: those of a session, those whose long prompts begin alike.

    Where they went is known for so many of them, each for these seconds from its last request.
    """

    sessions: bool = True
    prefixes: bool = True
    seconds: Seconds = 3600.0
    max_entries: Annotated[int, Meta(ge=1, le=10_000_000)] = 10_000


class HealthBlock(Block, frozen=True, kw_only=True):
    """When a deployment is passed over for what its own traffic showed, and for how long, in seconds.

    `failure_share` of at least `least_attempts` counts over about half a minute. A Retry-After is believed up to
    `longest_retry_after_seconds`; a refused credential is tried again after `credential_seconds`.

    With `probe_seconds` providers are asked this often for their lists of models, which costs nothing: those of
    deployments that wait to be tried again, and of all others too. Left out, nobody is.
    """

    failures_in_a_row: Annotated[int, Meta(ge=1, le=10_000)] = 5
    failure_share: Annotated[float, Meta(gt=0, le=1)] = 0.5
    least_attempts: Annotated[int, Meta(ge=1, le=100_000)] = 10
    cooldown_seconds: Seconds = 10.0
    longest_cooldown_seconds: Seconds = 120.0
    longest_retry_after_seconds: Seconds = 300.0
    credential_seconds: Seconds = 300.0
    slow_start_seconds: Annotated[float, Meta(ge=0, le=86_400)] = 30.0
    probe_seconds: Annotated[float, Meta(ge=1, le=86_400)] | None = None


class CacheBlock(Block, frozen=True, kw_only=True):
    """Answers to equal requests are kept, in each worker's memory, for so many seconds and within these bounds."""

    seconds: Seconds = 300.0
    max_bytes: Annotated[int, Meta(ge=64 * 1024, le=2**36)] = 64 * 1024 * 1024
    max_entries: Annotated[int, Meta(ge=1, le=10_000_000)] = 10_000


class ModelBlock(Block, frozen=True, kw_only=True):
    """A model that clients may name: its deployments, then those of the models in `fallbacks`.

    `strategy` chooses within a tier; `rule` goes by `rules`, and by `otherwise` among those that they name.
    `needs` and `max_price` (US dollars per million input tokens) pass over models that are known not to meet them.
    `equivalents` adds the same published weights at the other providers of this file. `affinity` holds by itself for
    every strategy but order.

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
    strategy: Literal["order", "weighted", "round-robin", "least-busy", "latency", "cost", "rule"] = "order"
    rules: tuple[RuleBlock, ...] = ()
    otherwise: StrategyName = "order"
    needs: tuple[Text, ...] = ()
    max_price: Usd | None = None
    equivalents: bool = False
    hedging: HedgingBlock | bool = False
    affinity: AffinityBlock | bool | None = None


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
    """The append-only record of attempts. `sync: group` survives the loss of power, `none` that of the process.

    `max_bytes` bounds what may wait there, of each worker, until the database takes it: beyond it requests are answered
    with 503. Left out, it is 1 GiB, or four segments if that is more; it must hold two.
    """

    directory: Text = "dragoman-spool"
    sync: Literal["none", "group"] = "none"
    segment_bytes: Annotated[int, Meta(ge=64 * 1024, le=2**30)] = 16 * 1024 * 1024
    max_bytes: Annotated[int, Meta(ge=128 * 1024, le=2**40)] | None = None


class LogBlock(Block, frozen=True, kw_only=True):
    """`requests`: where a line per attempt goes: `stdout`, `stderr`, `none`, or a file's path."""

    requests: Text = "stdout"


class ConfigBlock(Block, frozen=True, kw_only=True):
    """A configuration of the gateway."""

    server: ServerBlock = ServerBlock()
    providers: dict[str, ProviderBlock] = {}
    models: dict[str, Annotated[tuple[Text | DeploymentBlock, ...], Meta(min_length=1)] | ModelBlock] = {}
    keys: tuple[KeyBlock, ...] = ()
    health: HealthBlock = HealthBlock()
    storage: StorageBlock = StorageBlock()
    spool: SpoolBlock = SpoolBlock()
    log: LogBlock = LogBlock()
