"""`dragoman providers`: every provider, and whether it could be called now."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from dragoman.cli.chat import OutputForm
from dragoman.cli.notices import explained

if TYPE_CHECKING:
    from dragoman.catalogue import Readiness

__all__ = ["providers"]

PIPED_WIDTH = 160


def providers(
    output: Annotated[OutputForm, typer.Option(help="'json' writes one JSON document.")] = OutputForm.TEXT,
) -> None:
    """List the providers: ready, or what is missing."""
    with explained():
        from dragoman.catalogue import check_providers

        found = check_providers()
        if output is OutputForm.JSON:
            sys.stdout.write(_document(found) + "\n")
        else:
            _print_table(found)


def _document(found: list[Readiness]) -> str:
    rows = [
        {
            "name": provider.provider,
            "ready": provider.ready,
            "state": provider.state,
            "keyless": provider.keyless,
            "detail": provider.detail,
            "variables": provider.variables,
            "base_url": provider.base_url,
            "dialects": provider.dialects,
        }
        for provider in found
    ]
    return msgspec.json.encode(rows).decode()


def _print_table(found: list[Readiness]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("provider", no_wrap=True)
    table.add_column("ready", overflow="fold")
    table.add_column("dialects", overflow="fold")
    for provider in found:
        style = "green" if provider.ready else ("red" if provider.state == "wrong" else "dim")
        cells = (provider.provider, _standing(provider), ", ".join(provider.dialects))
        table.add_row(*(Text(cell, style=style) for cell in cells))
    # A table that is piped is for programs such as grep, which want one row to a line.
    console = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH, highlight=False)
    console.print(table)


def _standing(provider: Readiness) -> str:
    if provider.ready and provider.keyless:
        # Nobody was asked: a server that wants no key may or may not be there.
        return f"if it runs at {provider.base_url}"
    return f"yes, {provider.detail}" if provider.ready else f"no: {provider.detail}"
