"""`dragoman serve`: the gateway, in this process or in several."""

from __future__ import annotations

import logging
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dragoman.cli.notices import explained, harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dragoman.gateway.config import Config, Discovered
    from dragoman.gateway.hosting import Hosting

__all__ = ["serve"]

DEFAULT_CONFIG = "dragoman.yaml"
_NEEDED = ("prometheus_client", "sqlalchemy", "uvicorn", "yaml")
"""Looked for before anything is loaded: some of them would else be missed only by a worker, or by the first request."""

_MOST_SHOWN = 12


def serve(
    config: Annotated[
        str | None, typer.Option(help=f"The configuration's file; without it {DEFAULT_CONFIG}, if there is one.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Listen there in place of server.host.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="In place of server.port; 0 takes a free one.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=256, help="In place of server.workers.")] = None,
    supervised: Annotated[bool, typer.Option("--supervised", help="Run a supervisor even for one worker.")] = False,
    discover: Annotated[
        bool,
        typer.Option(
            "--discover",
            help="Without a configuration: also use Ollama, llama.cpp, vLLM and LM Studio where they run here.",
        ),
    ] = False,
) -> None:
    """Serve models to clients of OpenAI, Anthropic and Gemini.

    Without a configuration: the models of every provider whose key variable is set. SIGHUP reads the configuration
    again, SIGTERM and Ctrl-C end what is at hand first.
    """
    with explained():
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s [%(process)d] %(message)s")
        hosting = _hosting(config, host, port, workers, supervised, discover)

        def ready(bound: int) -> None:
            server = hosting.config.server
            shown = f"[{server.host}]" if ":" in server.host else server.host
            scheme = "http" if hosting.config.tls is None else "https"
            count = f" with {hosting.workers} workers" if hosting.supervised else ""
            sys.stdout.write(f"dragoman serves {harmless(hosting.config.file)} at {scheme}://{shown}:{bound}{count}\n")
            sys.stdout.flush()
            # Standard output is where the request log goes unless told otherwise: what people read stands apart.
            sys.stderr.write("".join(f"  {harmless(line)}\n" for line in _told(hosting.config)))
            sys.stderr.flush()

        status = hosting.run(ready)
    if status:
        raise typer.Exit(status)


def _hosting(
    path: str | None, host: str | None, port: int | None, workers: int | None, supervised: bool, discover: bool
) -> Hosting:
    from dragoman.errors import ConfigError, MissingExtra

    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingExtra(
            f'the gateway needs packages that are not installed ({", ".join(missing)}): pip install "dragoman[gateway]"'
        )
    from dragoman.gateway.hosting import Hosting, Settings

    if path is None and Path(DEFAULT_CONFIG).is_file():
        path = DEFAULT_CONFIG
    found: tuple[Discovered, ...] = ()
    if discover and path is not None:
        raise ConfigError(
            f"--discover is for serving without a configuration, and {path} is one: leave one of them out"
        )
    if discover:
        import asyncio

        from dragoman.gateway.config import discover as look

        found = tuple(asyncio.run(look()))
    hosting = Hosting(path, Settings(host=host, port=port, found=found), workers=workers, supervised=supervised)
    if not hosting.config.providers:
        raise ConfigError(_nothing_to_serve(path, discover))
    return hosting


def _nothing_to_serve(path: str | None, discover: bool) -> str:
    if path is not None:
        return f"{path} names no provider and no model, so nothing could be answered: docs/config.md shows how to."
    found = f"there is no {DEFAULT_CONFIG} here and no provider's key is set"
    other = "take --discover for model servers on this machine"
    if discover:
        found = f"there is no {DEFAULT_CONFIG} here, no provider's key is set, and no model server was found"
        other = "start a model server"
    return (
        f"{found}: nothing could be answered. Set a key such as OPENAI_API_KEY ('dragoman providers' lists them), "
        f"{other}, or name a configuration with --config."
    )


def _told(config: Config) -> Iterator[str]:
    """What people want to know of a gateway that has just begun to serve."""
    if config.models:
        yield f"models     {_listed(list(config.models))}"
    if config.direct:
        yield f"providers  {_listed(list(config.providers))}: any model of theirs as provider/model"
    if config.local_models:
        yield f"here       {_listed(list(config.local_models))}"
    keys = [key.name for key in config.keys]
    if config.server.master_key is not None:
        keys.append("the master key")
    yield f"keys       {_listed(keys) if keys else 'none: whoever is on this machine may call'}"


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_SHOWN
    return ", ".join(names[:_MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")
