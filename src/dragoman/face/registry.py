"""Models by name: the registry, and `get_model`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman import catalogue
from dragoman.engine.deployment import Deployment
from dragoman.errors import ConfigError, InvalidRequest
from dragoman.face.model import ChatModel
from dragoman.face.options import as_timeout, option_names
from dragoman.routing.route import Candidate, Route
from dragoman.transport.seam import Timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dragoman.facts.price_lists import PriceList
    from dragoman.transport import Transport
    from dragoman.values import EmbeddingResponse

__all__ = ["ProviderRegistry", "aembed", "embed", "get_model"]


def get_model(name: str, /, **options: Any) -> ChatModel:
    """A model by `provider/model`, split at the first "/"; the options are those of `ProviderRegistry.get_provider`.

    >>> get_model("openai/gpt-4o", api_key="sk-…").model_id
    'openai/gpt-4o'

    A provider's name alone means its default model, where it has one. Raises `UnknownProvider` with near names,
    `MissingKey` naming the variable, `MissingModel`.
    """
    provider, model = catalogue.split(name)
    return ProviderRegistry.get_provider(provider, model=model, **options)


class ProviderRegistry:
    """All providers by name."""

    @staticmethod
    def list_providers() -> list[str]:
        """Every provider's name, sorted."""
        return list(catalogue.names())

    @staticmethod
    def get_env_var_name(name: str) -> str | None:
        """The variable that a provider's key is read from (the first, where there are several), or None."""
        variables = catalogue.find(name).key_variables
        return variables[0] if variables else None

    @staticmethod
    def get_provider(
        name: str,
        *,
        model: str | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        dialect: str | None = None,
        timeout: float | Timeout | None = None,
        max_retries: int = 2,
        transport: Transport | str | None = None,
        facts: bool = True,
        prices: PriceList | Mapping[str, Any] | None = None,
        **options: Any,
    ) -> ChatModel:
        """A provider's model.

        `model` may be left out where the provider has a default. `api_key` wins over the provider's own variable; with
        a `base_url` that is not the provider's own, no variable is read. `base_url` may have the version segment or
        not. `dialect` chooses among those that the provider speaks. `timeout` is seconds or a `Timeout`; `max_retries`
        the tries after the first. `transport` is one of your own, or "aiohttp". `facts` False applies nothing of what
        is known about a model of this name, as where another one answers to it. `prices` are this model's own, of a
        contract or of a server of one's own: a `PriceList`, or amounts in USD per million tokens
        (`{"input": 2, "output": "0.5"}`; see `dragoman.facts.override`). Further options are the provider's own
        (OpenRouter's `provider`, `models`, …) or defaults for every call (`temperature`, `max_tokens`, …).
        """
        if isinstance(max_retries, bool) or max_retries < 0:
            raise InvalidRequest(
                f"max_retries is a whole number from 0 up, and not {max_retries!r}", path="max_retries"
            )
        maker = catalogue.find(name).maker
        if maker:
            told = {"model": model, "api_key": api_key, "base_url": base_url, "dialect": dialect, "timeout": timeout}
            return _made_by(maker)(**told, max_retries=max_retries, transport=_transport(transport), **options)
        defaults = {key: options.pop(key) for key in _call_defaults(options, name)}
        _refuse_misspelt(options, name)
        access = catalogue.resolve(name, model=model, api_key=api_key, base_url=base_url, dialect=dialect, **options)
        deployment = Deployment(
            access=access,
            timeout=as_timeout(timeout) or Timeout(),
            transport=_transport(transport),
            facts=facts,
            prices=None if prices is None else _price_list(prices),
        )
        route = Route(candidates=(Candidate(deployment=deployment, max_retries=max_retries),))
        return ChatModel(route, name=deployment.name, options=defaults)

    @staticmethod
    def register(name: str, row: Any = None) -> Any:
        """Adds a provider: a row, or a factory of one (called at the first use). Without `row`, a decorator.

        >>> @ProviderRegistry.register("mine")
        ... def mine():
        ...     return ProviderRow(...)
        """
        if row is not None:
            catalogue.register(name, row)
            return row

        def decorate(factory: Callable[[], Any]) -> Callable[[], Any]:
            catalogue.register(name, factory)
            return factory

        return decorate


def _price_list(prices: PriceList | Mapping[str, Any]) -> PriceList:
    from dragoman.facts.giving import as_price_list
    from dragoman.values.profile import Source

    return as_price_list(prices, Source(name="prices of this model"))


def _made_by(maker: str) -> Callable[..., ChatModel]:
    from importlib import import_module

    module, _, function = maker.partition(":")
    return getattr(import_module(module), function)


def _call_defaults(options: dict[str, Any], provider: str) -> list[str]:
    """The names that are options of calls; what the provider itself takes under such a name stays the provider's."""
    own = catalogue.find(provider).options
    return [key for key in options if key in option_names() and key not in own]


_PARAMETERS = ("model", "api_key", "base_url", "dialect", "timeout", "max_retries", "transport", "facts", "prices")


def _refuse_misspelt(options: dict[str, Any], provider: str) -> None:
    """Raises for a name that is nearly one that calls or `get_provider` take.

    The catalogue refuses all unknown names, but it knows the provider's own alone, and could not say what was meant.
    """
    own = catalogue.find(provider).options
    for key in options:
        if key in own:
            continue
        from difflib import get_close_matches

        near = get_close_matches(key, [*own, *option_names(), *_PARAMETERS], 1, 0.75)
        if near:
            raise ConfigError(f"{provider} has no option {key!r}; did you mean {near[0]!r}?")


def _transport(given: Transport | str | None) -> Transport | None:
    if given is None or not isinstance(given, str):
        return given
    if given == "aiohttp":
        from dragoman.transport import AiohttpTransport

        return AiohttpTransport()
    raise ConfigError(f'transport is a Transport or "aiohttp", and not {given!r}')


def embed(model: str, inputs: str | Sequence[str], /, **options: Any) -> EmbeddingResponse:
    """Vectors for texts by a model given as `provider/model`.

    Options are those of `ChatModel.embed`; `api_key`, `base_url`, `transport` and their like go to the provider.
    """
    given, rest = _split_options(options)
    return get_model(model, **given).embed(inputs, **rest)


async def aembed(model: str, inputs: str | Sequence[str], /, **options: Any) -> EmbeddingResponse:
    """Vectors for texts, awaited; see `embed`."""
    given, rest = _split_options(options)
    return await get_model(model, **given).aembed(inputs, **rest)


_EMBEDDING_OPTIONS = frozenset(
    {"dimensions", "task", "user", "extra_body", "extra_headers", "timeout", "adapt", "max_retries"}
)


def _split_options(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    rest = {key: value for key, value in options.items() if key in _EMBEDDING_OPTIONS}
    return {key: value for key, value in options.items() if key not in rest}, rest
