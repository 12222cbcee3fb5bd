"""The front door offers what public_names.txt lists, and nothing beside it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dragoman
from tests.architecture.source import SOURCE
from tests.architecture.test_imports import EXTRAS

LISTED = Path(__file__).with_name("public_names.txt")
PUBLIC_ROOMS = {"facts", "testing"}  # the rooms themselves are public


def promised() -> set[str]:
    """Return the names of the list."""
    lines = [line.strip() for line in LISTED.read_text(encoding="utf-8").splitlines()]
    return {line for line in lines if line and not line.startswith("#")}


def test_the_front_door_offers_what_is_promised() -> None:
    offered: list[str] = list(getattr(dragoman, "__all__", []))
    assert sorted(offered) == sorted(promised())
    missing = [name for name in offered if not hasattr(dragoman, name)]
    assert not missing


def test_a_public_name_is_never_also_a_room() -> None:
    rooms = {path.stem for path in SOURCE.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert not promised() & (rooms - PUBLIC_ROOMS)


def test_importing_the_package_loads_no_extra() -> None:
    script = "import sys, dragoman; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not set(loaded) & set[str]().union(*EXTRAS.values())
