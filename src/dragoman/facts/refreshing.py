"""Refreshing: newer facts from a file or an address that the user names, without a restart.

What is read is our own form (`form.py`), or one of the tables that it is compiled from: models.dev's API, LiteLLM's
map, the data of genai-prices. All of it is decoded and checked before it takes the place of an earlier one, in one
step; what is wrong is refused whole, and the data in use stay in use. Lookups never wait.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from dragoman.errors import ConfigError
from dragoman.facts.compiled import Compiled
from dragoman.values.profile import Source

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["load", "refresh"]

MOST_BYTES = 64 * 1024 * 1024
FETCH_SECONDS = 60


def refresh(source: str | Path, *, fetch: Callable[[str], bytes] | None = None) -> int:
    """Reads newer facts from a path or an http(s) address, and returns how many there are; from now on they count.

    It blocks its caller until it is done, and nobody else: call it from a thread of your own
    (`asyncio.to_thread(facts.refresh, …)`). `fetch` gets an address and returns what is there; without one the
    standard library asks (proxies and certificates as the environment says, redirects followed, no credentials). A
    file that was read before is replaced. Raises `ConfigError` for what cannot be read or is no such file; then
    everything stays as it was.
    """
    name = str(source)
    is_address = name.startswith(("http://", "https://"))
    if is_address:
        data = (fetch or _fetched)(name)
    else:
        try:
            data = Path(source).read_bytes()
        except OSError as error:
            raise ConfigError(f"The model facts at {name} cannot be read: {error.strerror or error}") from None
    shown = name.partition("?")[0]
    return load(data, Source(name=shown, date=f"{datetime.now(UTC):%Y-%m-%d}", url=shown if is_address else None))


def load(data: bytes, source: Source | None = None) -> int:
    """As `refresh`, with the content at hand; `source` is what facts from a table of others are said to be from."""
    from dragoman.facts.lookup import FACTS

    given = source or Source(name="loaded")
    compiled = _compiled(data, given)
    try:
        count = compiled.check()
    except ConfigError as error:
        raise ConfigError(f"{given.name}: {error.message} Nothing of it was taken over.") from None
    if not count:
        raise ConfigError(f"{given.name} holds no model of a provider that is known here. Nothing was taken over.")
    FACTS.set_refreshed(compiled)
    return count


def _compiled(data: bytes, source: Source) -> Compiled:
    if len(data) > MOST_BYTES:
        raise ConfigError(f"{source.name} has {len(data)} bytes, and model facts have at most {MOST_BYTES}")
    try:
        told = json.loads(data, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{source.name} is not JSON: {error}. Nothing was taken over.") from None
    if isinstance(told, dict) and "form" in told:
        return Compiled.decode(data)
    shape = _shape(told)
    if shape is None:
        raise ConfigError(
            f"{source.name} is neither a file of model facts nor a table of models.dev, LiteLLM or genai-prices. "
            "Nothing was taken over."
        )
    from dragoman.facts.tables.compiling import Tables, compiled

    tables = Tables([], {}, {}, source, source, source)._replace(**{shape: told})
    try:
        content, _ = compiled(tables)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise ConfigError(
            f"{source.name} looks like a table of {shape.replace('_', '-')}, but cannot be read as one "
            f"({type(error).__name__}: {error}). Nothing was taken over."
        ) from None
    return Compiled.decode(content)


def _shape(told: Any) -> str | None:
    """Which table a document is, by members that all entries of that table have."""
    if isinstance(told, list):
        entries = cast("list[Any]", told)
        return "genai_prices" if entries and all(_has(entry, "id", "models") for entry in entries) else None
    if not isinstance(told, dict) or not told:
        return None
    # LiteLLM's map begins with an entry that documents the others.
    values = [entry for name, entry in cast("dict[str, Any]", told).items() if name != "sample_spec"]
    if values and all(_has(entry, "id", "models") for entry in values):
        return "models_dev"
    return "litellm" if sum(_has(entry, "litellm_provider") for entry in values) * 2 > len(values) else None


def _has(entry: Any, *members: str) -> bool:
    return isinstance(entry, dict) and all(member in entry for member in members)


def _fetched(address: str) -> bytes:
    from http.client import HTTPException
    from urllib.request import Request, urlopen

    # The address is one of the two schemes: `refresh` reads every other name as a path.
    asked = Request(address, headers={"Accept": "application/json", "User-Agent": "dragoman"})  # noqa: S310 - see above
    try:
        with urlopen(asked, timeout=FETCH_SECONDS) as answer:  # noqa: S310 - see above
            return answer.read(MOST_BYTES + 1)
    except (OSError, HTTPException, ValueError) as error:
        raise ConfigError(f"The model facts at {address.partition('?')[0]} cannot be fetched: {error}") from None
