"""The tables beside the project, and what our data file would be if it were compiled from them now."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from scripts.facts.__main__ import compile_all, read_tables, tables_folder

if TYPE_CHECKING:
    from dragoman.facts.tables.compiling import Report, Tables

__all__ = ["compiled_now", "require_tables", "tables_now"]


def require_tables() -> None:
    """Skip the calling test where the tables are not there."""
    if not (tables_folder() / "genai-prices-0.2.3.json").is_file():
        pytest.skip("the price tables are not here (../shared/prices, or set DRAGOMAN_PRICES)")


@cache
def tables_now() -> Tables:
    return read_tables(tables_folder())


@cache
def compiled_now() -> tuple[bytes, Report]:
    return compile_all(tables_folder())
