"""Loading: a file into a checked configuration."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from dragoman.errors import ConfigError
from dragoman.gateway.config.checks import Checks, Model, serves_directly
from dragoman.gateway.config.interpolation import Included, Interpolation
from dragoman.gateway.config.nodes import MOST_BYTES, read_nodes
from dragoman.gateway.config.problems import InvalidConfig, Problem
from dragoman.gateway.config.reading import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dragoman.gateway.config.providers import Provider
    from dragoman.gateway.config.server_tls import ServerTls
    from dragoman.gateway.config.structs import (
        HealthBlock,
        KeyBlock,
        LogBlock,
        ServerBlock,
        SpoolBlock,
        StorageBlock,
    )

__all__ = ["Config", "digest_of_files", "load", "read"]


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration in which everything was checked; building a generation of it only puts it together.

    `providers` are those that it gives and those of the catalogue that it names. `direct` says that models of the
    providers may be asked for though nobody listed them; `local_models` are names that servers on this machine told,
    with the provider that has each. `tls` is what the gateway shows to clients, where it speaks TLS. `included` are the
    files that it refers to; `digest` stands for the contents of all of them (equal digests, equal configurations),
    `text_digest` for those of the file itself.
    """

    file: str
    digest: str
    text_digest: bytes
    server: ServerBlock
    providers: dict[str, Provider]
    models: dict[str, Model]
    keys: tuple[KeyBlock, ...]
    health: HealthBlock
    storage: StorageBlock
    spool: SpoolBlock
    log: LogBlock
    direct: bool
    tls: ServerTls | None = None
    included: tuple[Included, ...] = ()
    local_models: dict[str, str] = {}


def load(path: str | os.PathLike[str], environ: Mapping[str, str] | None = None) -> Config:
    """Read a configuration's file. `environ` stands in for `os.environ`.

    Raises `InvalidConfig` with all its problems, `ConfigError` for a file that cannot be read, `MissingExtra`.
    """
    shown = os.fspath(path)
    file = Path(path)
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{shown} cannot be read: {error.strerror or error}.") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidConfig([Problem(shown, line, "", "not UTF-8 text")]) from None
    return _read(text, shown, file.parent, os.environ if environ is None else environ, sha256(data).digest())


def read(
    text: str, file: str = "dragoman.yaml", *, folder: Path | None = None, environ: Mapping[str, str] | None = None
) -> Config:
    """Read a configuration's text; `file` is what problems call it, `folder` where files that it names lie."""
    environ = os.environ if environ is None else environ
    return _read(text, file, Path() if folder is None else folder, environ, sha256(text.encode()).digest())


def _read(text: str, file: str, folder: Path, environ: Mapping[str, str], text_digest: bytes) -> Config:
    problems: list[Problem] = []
    root = read_nodes(text, file, problems)
    interpolation = Interpolation(environ, folder)
    reader = Reader(file, interpolation, problems)
    block = reader.config(root)
    checks = Checks(block, reader.complain, environ=environ, folder=folder)
    checks.run()
    if problems:
        raise InvalidConfig(problems)
    included = [*interpolation.included, *_authorities(checks.providers.values())]
    if checks.tls is not None:
        included += checks.tls.included
    return Config(
        file=file,
        digest=digest_of_files(text_digest, included),
        text_digest=text_digest,
        server=block.server,
        providers=checks.providers,
        models=checks.models,
        keys=block.keys,
        health=block.health,
        storage=block.storage,
        spool=block.spool,
        log=block.log,
        direct=serves_directly(block),
        tls=checks.tls,
        included=tuple(included),
    )


def _authorities(providers: Iterable[Provider]) -> list[Included]:
    """The files of private authorities: a changed one has to be noticed as a changed configuration is."""
    paths = {provider.trust.ca_file for provider in providers if provider.trust.ca_file is not None}
    return [Included(path, sha256(path.read_bytes()).digest()) for path in sorted(paths)]


def digest_of_files(text_digest: bytes, included: Iterable[Included]) -> str:
    """One digest for a configuration's text and the files that it refers to."""
    total = sha256(text_digest)
    for each in sorted(set(included)):
        total.update(os.fsencode(each.path) + b"\0" + each.digest)
    return total.hexdigest()
