"""The import table of the house: which room may know which."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source import PACKAGE, SOURCE, Import, imports_of, module_names, python_files

FRONT_DOOR = "front door"  # dragoman/__init__.py and the modules beside it that hand on names
HANDING_ON = ("providers", "middleware")

_VALUES = {"errors", "values"}
_DIALECTS = _VALUES | {"framing"}
_ENGINE = _DIALECTS | {"dialects", "facts", "transport", "catalogue"}
_ROUTING = _ENGINE | {"engine"}
_FACE = _ROUTING | {"routing"}
_ACCOUNTING = {"errors", "values", "facts", "routing protocols"}
_TESTING = _FACE | {"face", "observe", "simulate", FRONT_DOOR}

# A room may always import itself.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "values": {"errors"},
    "framing": {"errors"},
    "dialects": _DIALECTS,
    "facts": _VALUES,
    "transport": {"errors"},
    "catalogue": _VALUES | {"transport"},
    "engine": _ENGINE,
    "routing": _ROUTING,
    "face": _FACE,
    FRONT_DOOR: _FACE | {"face"},
    "accounts": _ACCOUNTING,
    "ledger": _ACCOUNTING,
    "storage": _ACCOUNTING | {"accounts", "ledger"},
    "observe": _VALUES,
    "testing": _TESTING,
    "simulate": _TESTING | {"testing", "accounts", "ledger", "storage"},
    "gateway": _TESTING | {"testing", "accounts", "ledger", "storage"},
    "cli": _TESTING | {"testing", "accounts", "ledger", "storage", "gateway"},
}

# The modules of routing/ that say what a permit is: all of routing/ that the rooms of money and limits may know.
ROUTING_PROTOCOLS = {"dragoman.routing.permits"}

CORE = {"msgspec", "httptools", "aiohappyeyeballs"}
SERVERS = {"uvicorn", "starlette"}

# What a room may import beside the standard library and the core. Everything here is an extra: a module that is
# loaded without being asked for may not import it at its top, which `import dragoman` in a bare process proves.
EXTRAS: dict[str, set[str]] = {
    # typing_extensions stands for names that type checkers know by themselves; nothing imports it when it runs.
    "values": {"pydantic", "pydantic_core", "typing_extensions"},
    "face": {"pydantic", "jsonschema", "typing_extensions"},
    "transport": {"aiohttp", "multidict", "yarl", "certifi"},  # multidict and yarl are types of the API of aiohttp
    "catalogue": {"cryptography"},
    "accounts": {"sqlalchemy", "redis"},
    "ledger": {"sqlalchemy"},
    "storage": {"sqlalchemy", "alembic", "aiosqlite", "asyncpg", "redis"},
    "observe": {"prometheus_client", "opentelemetry"},
    "gateway": {"uvloop", "jinja2", "yaml", *SERVERS},
    "testing": {"uvloop", "pytest", *SERVERS},  # pytest loads the plugin, and nobody else does
    "cli": {"typer", "click", "rich"},
}


def room_of(module: str) -> str:
    """Return the room that a module of the project stands in."""
    if module in ROUTING_PROTOCOLS:
        return "routing protocols"
    parts = module.split(".")
    return FRONT_DOOR if len(parts) == 1 or parts[1] in HANDING_ON else parts[1]


def room_of_file(file: Path) -> str:
    """Return the room that a file stands in."""
    parts = file.relative_to(SOURCE).with_suffix("").parts
    return FRONT_DOOR if parts[0] in ("__init__", *HANDING_ON) else parts[0]


def all_imports() -> Iterator[tuple[str, Import]]:
    """Yield each import of the package with the room of the file that makes it."""
    for file in python_files(SOURCE):
        for found in imports_of(file):
            yield room_of_file(file), found


def is_own(module: str) -> bool:
    """Tell whether a module is the project's."""
    return module.split(".")[0] == PACKAGE


def test_every_file_stands_in_a_room_of_the_table() -> None:
    assert {room_of_file(file) for file in python_files(SOURCE)} <= MAY_IMPORT.keys()


def test_a_room_imports_only_what_the_table_allows() -> None:
    broken = [
        f"{found} ({room} may not know {room_of(found.module)})"
        for room, found in all_imports()
        if is_own(found.module)
        and room_of(found.module) not in {room, *MAY_IMPORT[room]}
        and not (room_of(found.module) == "routing protocols" and "routing" in {room, *MAY_IMPORT[room]})
    ]
    assert not broken, "\n".join(broken)


def test_imports_of_the_project_exist() -> None:
    broken = [str(found) for _, found in all_imports() if is_own(found.module) and found.module not in module_names()]
    assert not broken, "\n".join(broken)


def dialect_of(module: str) -> str | None:
    """Return the dialect whose folder a module stands in, or None: dialects/ also holds modules that all share."""
    parts = module.split(".")
    if parts[:2] != [PACKAGE, "dialects"] or len(parts) < 3:
        return None
    return parts[2] if (SOURCE / "dialects" / parts[2]).is_dir() else None


def test_a_dialect_imports_no_other_dialect() -> None:
    # What lists all dialects imports each of them, so a dialect that imported the list would know the others.
    lists_them: set[str] = {f"{PACKAGE}.dialects"}
    for file in (SOURCE / "dialects").glob("*.py"):
        if any(dialect_of(found.module) for found in imports_of(file)):
            lists_them.add(f"{PACKAGE}.dialects.{file.stem}")
    broken = [
        str(found)
        for folder in (SOURCE / "dialects").iterdir()
        for file in python_files(folder)
        for found in imports_of(file)
        if dialect_of(found.module) not in (None, folder.name) or found.module in lists_them
    ]
    assert not broken, "\n".join(broken)


def test_no_room_but_gateway_and_testing_knows_that_a_server_exists() -> None:
    broken = [
        str(found)
        for room, found in all_imports()
        if found.module.split(".")[0] in SERVERS and room not in ("gateway", "testing")
    ]
    assert not broken, "\n".join(broken)


def test_only_the_core_and_declared_extras_come_from_outside() -> None:
    broken = [
        f"{found} ({room})"
        for room, found in all_imports()
        if (top := found.module.split(".")[0]) != PACKAGE
        and top not in sys.stdlib_module_names
        and top not in CORE | EXTRAS.get(room, set())
    ]
    assert not broken, "\n".join(broken)
