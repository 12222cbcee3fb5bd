"""A configuration without a file: every provider whose key variable is set, and servers found on this machine."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from dragoman import catalogue
from dragoman.catalogue.readiness import check_providers
from dragoman.gateway.config.loading import Config, digest_of_files
from dragoman.gateway.config.providers import Provider, make_provider
from dragoman.gateway.config.structs import HealthBlock, LogBlock, ProviderBlock, ServerBlock, SpoolBlock, StorageBlock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dragoman.gateway.config.discovery import Discovered

__all__ = ["AMBIENT", "ambient_config"]

AMBIENT: Final = "the environment"
"""What such a configuration has in the place of a file's name."""


def ambient_config(environ: Mapping[str, str] | None = None, found: Iterable[Discovered] = ()) -> Config:
    """What `serve` goes by when it is given no file. `found` are servers that identified themselves.

    Providers come in the catalogue's order of names. Keyless ones are left out unless they were found: nothing says
    that they run.
    """
    environ = dict(os.environ if environ is None else environ)
    providers: dict[str, Provider] = {}
    for standing in check_providers(environ):
        if standing.ready and not standing.keyless and not catalogue.find(standing.provider).maker:
            _add(providers, standing.provider, ProviderBlock(), environ)
    local: dict[str, str] = {}
    for server in found:
        _add(providers, server.provider, ProviderBlock(base_url=server.base_url), environ)
        if server.provider in providers:
            for model in server.models:
                local.setdefault(model, server.provider)
    told = "\n".join([*providers, *(f"{model} {name}" for model, name in local.items())])
    text_digest = sha256(told.encode()).digest()
    return Config(
        file=AMBIENT,
        digest=digest_of_files(text_digest, ()),
        text_digest=text_digest,
        server=ServerBlock(),
        providers=providers,
        models={},
        keys=(),
        health=HealthBlock(),
        storage=StorageBlock(),
        spool=SpoolBlock(),
        log=LogBlock(),
        direct=True,
        local_models=local,
    )


def _add(providers: dict[str, Provider], name: str, block: ProviderBlock, environ: Mapping[str, str]) -> None:
    # What cannot be reached with the variables as they are is left out, as `dragoman providers` tells.
    from pathlib import Path

    provider = make_provider(name, block, lambda _path, _message: None, environ=environ, folder=Path())
    if provider is not None and provider.missing is None:
        providers[name] = provider
