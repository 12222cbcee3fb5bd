"""`dragoman models`: what is known about models, those that meet what is wanted, and what they cost."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from dragoman.cli.notices import explained, note

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.facts.finder import Candidate
    from dragoman.values.profile import Profile

__all__ = ["models"]

PIPED_WIDTH = 250


def models(
    text: Annotated[
        str, typer.Argument(metavar="[TEXT]", help="Only models whose PROVIDER/MODEL holds this.", show_default=False)
    ] = "",
    provider: Annotated[str | None, typer.Option(metavar="NAME", help="Only models of this provider.")] = None,
    needs: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NEED,…",
            help="Only models known to have all of these: tools, parallel_tools, schema, reasoning, vision, audio, "
            "video, documents, caching.",
        ),
    ] = None,
    max_price: Annotated[
        str | None,
        typer.Option(metavar="USD", help="Highest price of a million input tokens, in US dollars (standard tier)."),
    ] = None,
    min_window: Annotated[
        int | None, typer.Option(metavar="TOKENS", help="Smallest window, the answer included.")
    ] = None,
    mode: Annotated[
        str, typer.Option(metavar="MODE", help="What models are for: chat, embedding, image, rerank, … or any.")
    ] = "chat",
    sort: Annotated[
        str, typer.Option(metavar="ORDER", help="name, price (cheapest first), window (largest), released (newest).")
    ] = "name",
    retired: Annotated[bool, typer.Option("--retired", help="Models that are switched off, too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Write one JSON document: every fact, with its source.")] = False,
) -> None:
    """List models: windows, prices, capabilities.

    dragoman models --needs tools,vision --max-price 1 --min-window 200000 --sort price
    """
    with explained():
        from dragoman import catalogue
        from dragoman.facts.finder import models as find_models

        if provider is not None:
            provider = catalogue.find(provider).facts or provider
        wanted = [need.strip() for given in needs or [] for need in given.split(",") if need.strip()]
        found = find_models(
            provider=provider,
            containing=text,
            needs=wanted,
            max_price=max_price,
            min_window=min_window,
            mode=mode,
            sort=sort,  # pyright: ignore[reportArgumentType] - the finder says what is wrong with it
            retired=retired,
        )
        if json:
            sys.stdout.write(_document(found) + "\n")
            return
        if found:
            _print_table(found)
        else:
            note("no model is known to be all of that")


def _document(found: list[Candidate]) -> str:
    rows: list[dict[str, Any]] = [
        {
            "name": candidate.name,
            "input_price": candidate.input_price,
            "output_price": candidate.output_price,
            "currency": candidate.currency,
            "profile": candidate.profile,
        }
        for candidate in found
    ]
    return msgspec.json.encode(rows).decode()


def _print_table(found: list[Candidate]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("model", overflow="fold")
    for head in ("window", "answer", "$/M in", "$/M out"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("released", no_wrap=True)
    table.add_column("takes and can", overflow="fold")
    for candidate in found:
        profile = candidate.profile
        cells = (
            candidate.name,
            _count(profile.window_tokens),
            _count(profile.output_tokens),
            _price(candidate.input_price, candidate.currency),
            _price(candidate.output_price, candidate.currency),
            profile.released or "",
            _abilities(profile),
        )
        table.add_row(*map(Text, cells), style="dim" if profile.status in ("deprecated", "retired") else None)
    # A table that is piped is for programs such as grep, which want one row to a line.
    console = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH, highlight=False)
    console.print(table)


def _count(tokens: int | None) -> str:
    return "" if tokens is None else f"{tokens:,}"


def _price(amount: Decimal | None, currency: str) -> str:
    if amount is None:
        return ""
    return str(amount) if currency == "USD" else f"{amount} {currency}"


def _abilities(profile: Profile) -> str:
    """What is known to be there, in words as `--needs` takes them."""
    from dragoman.facts.meeting import NEEDS, answers

    return " ".join(need for need in NEEDS if answers(profile, need) is True)
