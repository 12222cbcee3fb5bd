"""`dragoman ledger`: what was tried, for whom, and what it came to."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from dragoman.cli.chat import OutputForm
from dragoman.cli.notices import explained, harmless
from dragoman.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from dragoman.ledger import Intent, Settlement
    from dragoman.storage import Engine

__all__ = ["ledger"]

ledger = typer.Typer(name="ledger", help="Show what was tried, for whom, and what it cost.", no_args_is_help=True)

_POLL_SECONDS = 0.2
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class By(Enum):
    """What sums are made for."""

    KEY = "key"
    TEAM = "team"
    ROUTE = "route"
    DEPLOYMENT = "deployment"
    PROVIDER = "provider"
    MODEL = "model"
    OUTCOME = "outcome"


Spool = Annotated[Path, typer.Option("--spool", help="The gateway's spool directory.")]
Database = Annotated[str, typer.Option("--database", help="The gateway's database.")]
Output = Annotated[OutputForm, typer.Option(help="'json' writes one JSON document to a line.")]
Since = Annotated[str, typer.Option(help="Only what began within 30s, 15m, 24h, 7d.")]
Key = Annotated[str, typer.Option(help="Only what this key asked for.")]
_SPOOL = Path("dragoman-spool")
_DATABASE = "sqlite:///dragoman.db"


@ledger.command()
def tail(
    number: Annotated[int, typer.Option("-n", "--number", min=0, help="How many attempts to begin with.")] = 20,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what ends from now on.")] = False,
    spool: Spool = _SPOOL,
    database: Database = _DATABASE,
    output: Output = OutputForm.TEXT,
) -> None:
    """Show the latest attempts, oldest first, those still open among them."""
    with explained(), ExitStack() as opened:
        from dragoman.storage import LedgerTail

        seen = opened.enter_context(closing(LedgerTail(spool, _opener(database, opened))))
        if not spool.is_dir() and not _exists(database):
            raise ConfigError(f"there is no ledger here: neither the spool {spool} nor the database {database} exists")
        _tell(seen.first(number), output)
        while follow:
            time.sleep(_POLL_SECONDS)
            _tell(seen.more(), output)


@ledger.command()
def rows(
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many at most.")] = 100,
    key: Key = "",
    since: Since = "",
    database: Database = _DATABASE,
    output: Output = OutputForm.TEXT,
) -> None:
    """Show the latest attempts in the database, oldest first."""
    with explained(), _existing(database) as engine:
        from dragoman.storage import latest_attempts

        found, _ = latest_attempts(engine, most=number, key=key or None, since=_begun(since))
        _tell(found, output)


@ledger.command("sum")
def totals(
    by: Annotated[By, typer.Option(help="What to add up for.")] = By.KEY,
    since: Since = "",
    database: Database = _DATABASE,
    output: Output = OutputForm.TEXT,
) -> None:
    """Add up attempts, tokens and cost, exactly. What has no known cost is counted apart."""
    with explained(), _existing(database) as engine:
        from dragoman.storage import sums

        found = sums(engine, by.value, since=_begun(since))
        if output is OutputForm.JSON:
            _write(msgspec.json.encode(each).decode() for each in found)
            return
        for each in found:
            unknown = f", {each.unknown_costs} of unknown cost" if each.unknown_costs else ""
            cost = f"{each.cost} {each.currency}" if each.cost is not None else "unknown cost"
            tokens = f"{each.input_tokens} in, {each.output_tokens} out"
            _write([f"{each.group or '-'}: {cost}, {each.attempts} attempts, {tokens}{unknown}"])


# -- where it is -------------------------------------------------------------------------------------------------------


def _exists(database: str) -> bool:
    _, separator, path = database.partition(":///")
    return bool(separator) and Path(path).is_file()


@contextmanager
def _existing(database: str) -> Generator[Engine]:
    from dragoman.storage import open_database

    if not _exists(database) and database.startswith("sqlite"):
        raise ConfigError(f"there is no database at {database}; name the gateway's with --database")
    engine = open_database(database)
    try:
        yield engine
    finally:
        engine.dispose()


def _opener(database: str, opened: ExitStack) -> Callable[[], Engine | None]:
    """Opens the database once it is there: to look at a ledger must not make one. `opened` closes it."""
    engine: Engine | None = None

    def opener() -> Engine | None:
        nonlocal engine
        if engine is None and _exists(database):
            engine = opened.enter_context(_existing(database))
        return engine

    return opener


def _begun(since: str) -> float | None:
    if not since:
        return None
    number, unit = since[:-1], since[-1:]
    if not number.isdecimal() or unit not in _SECONDS:
        raise ConfigError(f"{since!r} is no length of time; write 30s, 15m, 24h or 7d")
    return time.time() - int(number) * _SECONDS[unit]


# -- how it looks ------------------------------------------------------------------------------------------------------


def _tell(attempts: Iterable[tuple[Intent, Settlement | None]], output: OutputForm) -> None:
    form = _document if output is OutputForm.JSON else _line
    _write(form(intent, settlement) for intent, settlement in attempts)


def _write(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(harmless(line) + "\n")
    sys.stdout.flush()


def _document(intent: Intent, settlement: Settlement | None) -> str:
    document: dict[str, Any] = {**msgspec.structs.asdict(intent), "attempt_id": intent.attempt_id.hex()}
    document["started_at"] = document.pop("at")
    if settlement is None:
        document["outcome"] = None
    else:
        ended = msgspec.structs.asdict(settlement)
        document |= {"ended_at": ended.pop("at")} | {name: ended[name] for name in ended if name != "attempt_id"}
    return msgspec.json.encode(document).decode()


def _line(intent: Intent, settlement: Settlement | None) -> str:
    """One attempt on one line, in the order in which one asks: when, which, who, where, what came of it."""
    at = datetime.fromtimestamp(intent.at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    stream = " stream" if intent.stream else ""
    asked = f"{at} {intent.request_id} #{intent.number} {intent.key or '-'} {intent.route or '-'}"
    where = f"-> {intent.deployment} {intent.mode}{stream} ({intent.reason})"
    came = "open" if settlement is None else _came_to(settlement)
    return f"{asked} {where}: {came}".replace("\n", " ").replace("\t", " ")


def _came_to(settlement: Settlement) -> str:
    status = "" if settlement.status is None else f" {settlement.status}"
    cost = f"cost {settlement.basis}" if settlement.cost is None else _priced(settlement)
    tokens = f"{_count(settlement.input_tokens)} in {_count(settlement.output_tokens)} out"
    took = f"{settlement.duration_seconds:.3f} s"
    error = f", {settlement.error}: {settlement.message or ''}" if settlement.error else ""
    return f"{settlement.outcome}{status}, {tokens}, {cost}, {took}{error}"


def _priced(settlement: Settlement) -> str:
    return f"{settlement.cost} {settlement.currency} ({settlement.basis})"


def _count(tokens: int | None) -> str:
    return "?" if tokens is None else str(tokens)
