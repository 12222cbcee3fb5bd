"""The commands, and the options that belong to none of them."""

from __future__ import annotations

from typing import Annotated

import typer

from dragoman.cli.chat import chat
from dragoman.cli.config import config
from dragoman.cli.ledger import ledger
from dragoman.cli.models import models
from dragoman.cli.providers import providers
from dragoman.cli.route import route
from dragoman.cli.serve import serve

__all__ = ["app"]

app = typer.Typer(
    name="dragoman",
    help="One interface to every language-model provider.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,  # they would show local variables, and an API key may be one
)
app.command()(chat)
app.command()(providers)
app.command()(models)
app.command()(serve)
app.add_typer(config)
app.add_typer(route)
app.add_typer(ledger)


def _version(wanted: bool) -> None:
    if wanted:
        from dragoman import __version__

        typer.echo(f"dragoman {__version__}")
        raise typer.Exit


@app.callback()
def _options(  # pyright: ignore[reportUnusedFunction] - typer calls it
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None: ...
