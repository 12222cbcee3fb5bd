"""The project's own files, and what each of them imports."""

from __future__ import annotations

import ast
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PACKAGE = "dragoman"
SOURCE = ROOT / "src" / PACKAGE


@dataclass(frozen=True)
class Import:
    """One imported module, by its full name, and the line that imports it."""

    file: str
    line: int
    module: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def python_files(folder: Path) -> list[Path]:
    """Return every Python file under `folder`, sorted."""
    return sorted(folder.rglob("*.py"))


def module_name(file: Path) -> str:
    """Return the dotted name of a file under src/."""
    parts = file.relative_to(ROOT / "src").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def module_names() -> frozenset[str]:
    """Return the dotted names of all modules and packages of the project; a folder without `__init__` counts."""
    files = {module_name(file) for file in python_files(SOURCE)}
    return frozenset(files | {name.rpartition(".")[0] for name in files if "." in name})


def imports_of(file: Path) -> Iterator[Import]:
    """Yield every import of a file: inside functions and under TYPE_CHECKING too, for all of them count.

    `from a import b` is an import of `a.b` where that is a module of the project, else of `a`.
    """
    shown = str(file.relative_to(ROOT))
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), filename=shown)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(shown, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            for module in _from_modules(file, node):
                yield Import(shown, node.lineno, module)


def _from_modules(file: Path, node: ast.ImportFrom) -> Iterator[str]:
    base = node.module or ""
    if node.level:
        package = module_name(file).split(".")
        up = node.level - (1 if file.name == "__init__.py" else 0)
        base = ".".join([*package[: len(package) - up], *([base] if base else [])])
    for alias in node.names:
        full = f"{base}.{alias.name}"
        yield full if full in module_names() else base


def project_files() -> list[Path]:
    """Return the files that git tracks or would track; skip the test outside a git work tree."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("only a git work tree tells which files are the project's")
    command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    files = [ROOT / name for name in listed.split("\0") if name]
    return sorted(file for file in files if file.is_file())
