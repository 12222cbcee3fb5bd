"""Discovery: model servers on this machine that say what they are, asked all at once within one deadline."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import msgspec

from dragoman import catalogue
from dragoman.catalogue.location import locate
from dragoman.errors import ConfigError, DragomanError
from dragoman.gateway.config.names import is_name
from dragoman.transport import HttpRequest, HttpTransport, Timeout, TransportLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dragoman.transport import Transport

__all__ = ["Discovered", "discover"]

DISCOVERY_SECONDS: Final = 1.5
_MOST_BYTES: Final = 1024 * 1024
_MOST_MODELS: Final = 1000


class Discovered(NamedTuple):
    """A server that answered as one of its kind does; `base_url` is where, `models` what it has."""

    provider: str
    base_url: str
    models: tuple[str, ...] = ()


class _Sign(NamedTuple):
    """How a kind of server is known: a path at its root, what its answer has to look like, where its models are."""

    provider: str
    path: str
    known_by: Callable[[Any], bool]
    models_path: str
    models_in: Callable[[Any], list[Any]]


def _member(value: Any, name: str) -> Any:
    return cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None


def _items(value: Any, name: str) -> list[Any]:
    items = _member(value, name)
    return cast("list[Any]", items) if isinstance(items, list) else []


def _ids(answer: Any) -> list[Any]:
    return [_member(item, "id") for item in _items(answer, "data")]


def _is_vllm(answer: Any) -> bool:
    # Its /version has nothing of its own, but its list of models says whose they are.
    return any(_member(item, "owned_by") == "vllm" for item in _items(answer, "data"))


def _is_lmstudio(answer: Any) -> bool:
    items = _items(answer, "data")
    return isinstance(_member(answer, "data"), list) and all(
        isinstance(_member(item, "state"), str) and isinstance(_member(item, "id"), str) for item in items
    )


def _has_version(answer: Any) -> bool:
    return isinstance(_member(answer, "version"), str)


def _is_llama_cpp(answer: Any) -> bool:
    return isinstance(_member(answer, "default_generation_settings"), dict)


def _names(answer: Any) -> list[Any]:
    return [_member(item, "name") for item in _items(answer, "models")]


_SIGNS: Final = (
    _Sign("ollama", "/api/version", _has_version, "/api/tags", _names),
    _Sign("llama_cpp", "/props", _is_llama_cpp, "/v1/models", _ids),
    _Sign("vllm", "/version", _has_version, "/v1/models", _ids),
    _Sign("lmstudio", "/api/v0/models", _is_lmstudio, "/api/v0/models", _ids),
)


async def discover(
    environ: Mapping[str, str] | None = None, *, transport: Transport | None = None, seconds: float = DISCOVERY_SECONDS
) -> list[Discovered]:
    """The servers that run at the addresses their rows and variables name, in the order of their kinds.

    Nothing is raised for what does not answer, answers something else, or takes longer than `seconds`. No credential
    is sent.
    """
    environ = os.environ if environ is None else environ
    own = transport is None
    if transport is None:
        transport = HttpTransport(limits=TransportLimits(body_bytes=_MOST_BYTES))
    try:
        found = await asyncio.gather(*(_ask(sign, environ, transport, seconds) for sign in _SIGNS))
    finally:
        if own:
            await transport.aclose()
    return [server for server in found if server is not None]


async def _ask(sign: _Sign, environ: Mapping[str, str], transport: Transport, seconds: float) -> Discovered | None:
    row = catalogue.find(sign.provider)
    try:
        base_url = locate(row, None, environ).bases["openai-chat"]
    except ConfigError:
        return None  # a variable holds no address; `dragoman providers` tells of it
    root = base_url.removesuffix("/v1")
    try:
        async with asyncio.timeout(seconds):
            if not sign.known_by(await _get(transport, root + sign.path, seconds)):
                return None
            listing = await _get(transport, root + sign.models_path, seconds)
    except (DragomanError, TimeoutError, msgspec.DecodeError, RecursionError):
        return None
    if sign.provider == "vllm" and not _is_vllm(listing):
        return None
    names = [name for name in sign.models_in(listing) if isinstance(name, str) and is_name(name)]
    return Discovered(sign.provider, base_url, tuple(dict.fromkeys(names))[:_MOST_MODELS])


async def _get(transport: Transport, url: str, seconds: float) -> Any:
    limits = Timeout(connect=seconds, first_byte=seconds, idle=seconds, total=seconds)
    answer = await transport.send(HttpRequest("GET", url, timeout=limits))
    return msgspec.json.decode(answer.body) if answer.status == 200 else None
