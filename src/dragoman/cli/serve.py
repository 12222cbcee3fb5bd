"""`dragoman serve`: the gateway, in this process or in several."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dragoman.cli.notices import explained, harmless

if TYPE_CHECKING:
    from dragoman.gateway.config import Discovered
    from dragoman.gateway.hosting import Hosting

__all__ = ["serve"]

DEFAULT_CONFIG = "dragoman.yaml"
_EXTRA = frozenset(("aiosqlite", "prometheus_client", "sqlalchemy", "starlette", "uvicorn", "yaml"))


def serve(
    config: Annotated[
        str | None, typer.Option(help=f"The configuration's file; without it {DEFAULT_CONFIG}, if there is one.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Listen there in place of server.host.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="In place of server.port; 0 takes a free one.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=256, help="In place of server.workers.")] = None,
    supervised: Annotated[bool, typer.Option(help="Run a supervisor even for one worker.")] = False,
    discover: Annotated[
        bool, typer.Option(help="Without a configuration: also use model servers found on this machine.")
    ] = False,
) -> None:
    """Serve every configured model to clients of OpenAI, Anthropic and Gemini. SIGHUP reloads, SIGTERM drains."""
    with explained():
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s [%(process)d] %(message)s")
        hosting = _hosting(config, host, port, workers, supervised, discover)

        def ready(bound: int) -> None:
            server = hosting.config.server
            shown = f"[{server.host}]" if ":" in server.host else server.host
            count = f" with {hosting.workers} workers" if hosting.supervised else ""
            sys.stdout.write(f"dragoman serves {harmless(hosting.config.file)} at http://{shown}:{bound}{count}\n")
            sys.stdout.flush()

        status = hosting.run(ready)
    if status:
        raise typer.Exit(status)


def _hosting(
    path: str | None, host: str | None, port: int | None, workers: int | None, supervised: bool, discover: bool
) -> Hosting:
    from dragoman.errors import MissingExtra

    try:
        from dragoman.gateway.hosting import Hosting, Settings
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in _EXTRA:
            raise
        raise MissingExtra(
            'the gateway needs packages that are not installed: pip install "dragoman[gateway]"'
        ) from None
    if path is None and Path(DEFAULT_CONFIG).is_file():
        path = DEFAULT_CONFIG
    found: tuple[Discovered, ...] = ()
    if discover and path is None:
        import asyncio

        from dragoman.gateway.config import discover as look

        found = tuple(asyncio.run(look()))
    return Hosting(path, Settings(host=host, port=port, found=found), workers=workers, supervised=supervised)
