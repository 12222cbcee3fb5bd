"""Small rooms: how long a file and a function may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.source import ROOT, SOURCE, python_files

FILE_LINES = {"src": 600, "tests": 800, "examples": 600, "benchmarks": 600}
FUNCTION_LINES = 80

# Functions of src/ that are longer, as "file::name", with their length. This list may only shrink: a new function
# does not enter it, and one that has become shorter takes its new length or leaves.
LONG_FUNCTIONS: dict[str, int] = {}


def function_lengths() -> Iterator[tuple[str, int]]:
    """Yield each function of the package and its lines, from `def` to its end without its docstring."""
    for file in python_files(SOURCE):
        shown = str(file.relative_to(ROOT))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                docstring = node.body[0] if ast.get_docstring(node, clean=False) is not None else None
                documented = 0 if docstring is None else (docstring.end_lineno or 0) - docstring.lineno + 1
                yield f"{shown}::{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1 - documented


def test_files_are_short() -> None:
    too_long = {
        str(file.relative_to(ROOT)): lines
        for folder, cap in FILE_LINES.items()
        for file in python_files(ROOT / folder)
        if (lines := len(file.read_text(encoding="utf-8").splitlines())) > cap
    }
    assert not too_long


def test_functions_are_short() -> None:
    assert {name: lines for name, lines in function_lengths() if lines > FUNCTION_LINES} == LONG_FUNCTIONS
