"""Blocks of code in the documents, and running them in a process of their own where one server plays all providers.

A comment before a block says what becomes of it: `<!-- test: name -->` (it is run), `<!-- printed: name -->` (what that
one prints) or `<!-- not run: reason -->`. Blocks run as they stand, but for addresses on this machine: those are the
fake provider's, under a path that keeps the port, such as `/localhost-4000/v1`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from dragoman import catalogue
from tests.cli.programs import DEADLINE_SECONDS, Finished, environment
from tests.servers.fake_provider import FakeProvider
from tests.servers.process import ROOT

DOCUMENTS = (ROOT / "README.md", *(ROOT / "docs" / f"{name}.md" for name in ("coming-from", "facts", "routing")))
_BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>[^>]*?) -->\n)?```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
_LOCAL = re.compile(r"http://localhost:(\d+)")


@dataclass(frozen=True)
class Block:
    """One block of code; `mark` is what the comment before it says."""

    place: str
    mark: str
    language: str
    code: str

    @property
    def name(self) -> str:
        """The name after `test:`, or nothing."""
        kind, _, name = self.mark.partition(": ")
        return name if kind == "test" else ""


def blocks(document: Path) -> list[Block]:
    """All blocks of a document, in order."""
    text = document.read_text(encoding="utf-8")
    return [
        Block(f"{document.name}:{text.count(chr(10), 0, found.start('code'))}", found["mark"] or "", found["language"],
              found["code"])
        for found in _BLOCK.finditer(text)
    ]  # fmt: skip


def all_blocks() -> list[Block]:
    """All blocks of all documents."""
    return [block for document in DOCUMENTS for block in blocks(document)]


def named(name: str) -> Block:
    """The block that is run under this name."""
    (block,) = (block for block in all_blocks() if block.name == name)
    return block


def printed(name: str) -> str | None:
    """What a document says that this block prints; None where it says nothing."""
    found = [block.code for block in all_blocks() if block.mark == f"printed: {name}"]
    return found[0] if found else None


def played_by(fake: FakeProvider) -> dict[str, str]:
    """An environment in which `fake` plays every provider, under a path with the provider's name, each with a key."""
    variables: dict[str, str] = {}
    for name in catalogue.names():
        row = catalogue.find(name)
        version = "v1beta" if row.dialects == ("gemini",) else "v1"
        for variable in row.base_url_variables[:1]:
            variables.setdefault(variable, f"{fake.url}/{name}/{version}")
        for variable in row.key_variables[:1]:
            variables.setdefault(variable, f"{name}-key")
    return environment(**variables)


def run_python(code: str, fake: FakeProvider, folder: Path) -> Finished:
    """Run Python as a program of its own."""
    file = folder / "snippet.py"
    file.write_text(_LOCAL.sub(rf"{fake.url}/localhost-\1", code), encoding="utf-8")
    return _run([sys.executable, str(file)], fake, folder)


def run_shell(code: str, fake: FakeProvider, folder: Path) -> Finished:
    """Run commands as a shell does, ending at the first that fails; `dragoman` is the one of this environment."""
    return _run(["bash", "-euo", "pipefail", "-c", code], fake, folder)


def _run(command: list[str], fake: FakeProvider, folder: Path) -> Finished:
    env = played_by(fake)
    env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=folder, timeout=DEADLINE_SECONDS)
    return Finished(done.returncode, done.stdout, done.stderr)
