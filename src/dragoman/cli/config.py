"""`dragoman config check` and `dragoman config schema`: whether a gateway's configuration can be used, and its form."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dragoman.cli.notices import EXIT_CALL, explained, harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dragoman.gateway.config import Config
    from dragoman.gateway.generation import Generation

__all__ = ["config"]

config = typer.Typer(name="config", help="The gateway's configuration.", no_args_is_help=True)


@config.command()
def check(
    path: Annotated[str, typer.Argument(metavar="PATH", help="The configuration's file.")] = "dragoman.yaml",
) -> None:
    """Say everything that is wrong with a configuration, or what it comes to. No secret is shown, nothing is sent."""
    with explained():
        from dragoman.errors import ConfigError, MissingExtra
        from dragoman.gateway.config import InvalidConfig, load
        from dragoman.gateway.generation import Generations

        try:
            found = load(path)
            generation = Generations(lambda: found).open()
        except MissingExtra:
            raise
        except InvalidConfig as error:
            _say([*map(str, error.problems), _counted(len(error.problems))])
            raise typer.Exit(EXIT_CALL) from None
        except ConfigError as error:
            _say([error.message])
            raise typer.Exit(EXIT_CALL) from None
        _say(_summary(path, found, generation))


@config.command()
def schema() -> None:
    """Write the JSON Schema of a configuration, by which editors check and complete it."""
    with explained():
        import msgspec

        from dragoman.gateway.config.schema import json_schema

        sys.stdout.write(msgspec.json.format(msgspec.json.encode(json_schema()), indent=2).decode() + "\n")


def _say(lines: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{harmless(line)}\n" for line in lines))
    sys.stdout.flush()


def _counted(problems: int) -> str:
    return "1 problem" if problems == 1 else f"{problems} problems"


def _summary(path: str, found: Config, generation: Generation) -> Iterator[str]:
    server = found.server
    yield f"{path} can be used."
    tls = "" if server.tls is None else f", TLS with {server.tls.certificate_file}"
    yield f"server     {server.host}:{server.port}, {server.workers} worker{'s' if server.workers > 1 else ''}{tls}"
    yield from _section("providers", _providers(found))
    yield from _section("models", _models(found, generation))
    yield from _section("keys", _keys(found))
    if found.health.probe_seconds is not None:
        yield f"health     lists of models every {found.health.probe_seconds:g} s"


def _section(title: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    told = list(rows)
    width = max((len(name) for name, _ in told), default=0)
    for at, (name, text) in enumerate(told):
        yield f"{title if not at else '':<9}  {name:<{width}}  {text}".rstrip()


def _providers(found: Config) -> Iterator[tuple[str, str]]:
    from dragoman.routing.probing import listing_url

    for name, provider in found.providers.items():
        if provider.missing is not None:
            yield name, f"{', '.join(provider.row.dialects)}; a key of each deployment"
            continue
        access = provider.access("model")
        key = f"key from {access.key_source}" if access.key_source else "without a key"
        if access.key_source == "settings":
            key = "without a key" if access.credential.secret is None else "key from this file"
        probed = "" if found.health.probe_seconds is None or listing_url(access) else "; no free list: not probed"
        yield name, f"{', '.join(provider.row.dialects)} at {access.base_url}; {key}{probed}"


def _models(found: Config, generation: Generation) -> Iterator[tuple[str, str]]:
    for name, model in found.models.items():
        if "*" in name:
            told = [deployment.model for deployment in model.deployments]
            told += [f"then {fallback}" for fallback in model.block.fallbacks]
        else:
            candidates = generation.routes.find(name).route.candidates
            told = [candidate.deployment.label for candidate in candidates]
        yield name, ", ".join(told)
    if found.direct and found.providers:
        yield "provider/model", "any model of the providers above, and bare names that one of them alone has"
    if not found.providers:
        yield "none", "nothing could be answered: name a provider, or a model with its deployments"


def _keys(found: Config) -> Iterator[tuple[str, str]]:
    if found.server.master_key is not None:
        yield "master", "everything"
    for key in found.keys:
        told = [f"models {', '.join(key.models) or 'none'}"]
        if key.limits.rpm is not None:
            told.append(f"{key.limits.rpm} requests a minute")
        if key.limits.concurrency is not None:
            told.append(f"{key.limits.concurrency} at once")
        told += [f"{grant.provider}: {' '.join(grant.methods)} {' '.join(grant.paths)}" for grant in key.pass_through]
        team = f" ({key.team})" if key.team else ""
        yield key.name + team, "; ".join(told)
    if found.server.master_key is None and not found.keys:
        yield "none", "whoever is on this machine may call"
