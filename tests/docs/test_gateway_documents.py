"""Every command that the documents show for a gateway is run against one with the configuration that they show."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dragoman.gateway.config.loading import read
from dragoman.gateway.generation import Generations
from tests.docs.served import Served, prints, served, shown
from tests.docs.snippets import Block, blocks
from tests.servers.process import ROOT

DOCUMENTS = (ROOT / "docs" / "gateway.md", ROOT / "README.md")
CASES = [(document, *case) for document in DOCUMENTS for case in shown(document)]


@pytest.fixture(scope="module")
def gateways(tmp_path_factory: pytest.TempPathFactory) -> Generator[dict[Path, Served]]:
    with ExitStack() as running:
        yield {
            document: running.enter_context(served(document, tmp_path_factory.mktemp("gateway")))
            for document in DOCUMENTS
        }


@pytest.mark.parametrize(("document", "block", "said"), CASES, ids=[block.place for _, block, _ in CASES])
def test_a_command_does_what_it_shows(
    gateways: dict[Path, Served], document: Path, block: Block, said: Block | None
) -> None:
    done = gateways[document].run(block)
    assert done.status == 0, f"{block.place}: {done.err}"
    assert done.err == ""
    assert said is not None, "what it prints is not told"
    assert prints(said.code, done.out), f"{said.place}: it printed {done.out}"


def test_every_block_of_the_gateways_page_is_run_or_says_why_not() -> None:
    marks = ("gateway: configuration", "gateway: run", "gateway: printed", "not run: ")
    page = blocks(DOCUMENTS[0])
    assert not [block.place for block in page if not block.mark.startswith(marks)]
    assert sum(block.mark == "gateway: run" for block in page) >= 8


def test_every_public_path_is_in_the_table() -> None:
    import json

    described = json.loads((ROOT / "docs" / "schema" / "openapi.json").read_text(encoding="utf-8"))["paths"]
    page = DOCUMENTS[0].read_text(encoding="utf-8")
    for path in described:
        ending = re.split(r"[:/]", path)[-1].strip("{}")
        assert path.split("{")[0].rstrip("/") in page, path
        assert ending in page or ending.endswith(("_id", "model")), path


def test_links_lead_somewhere() -> None:
    page, later = DOCUMENTS[0], {"soak-kill.md"}  # written by `make soak`
    for target in re.findall(r"\]\(([^)#:]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert target in later or (page.parent / target).exists(), target


@pytest.mark.parametrize("document", [*DOCUMENTS, ROOT / "docs" / "coming-from.md"], ids=lambda path: path.name)
def test_configurations_that_are_shown_can_be_used(document: Path, tmp_path: Path) -> None:
    variables = re.compile(r"\$\{([A-Z_]+)\}")
    found = [block for block in blocks(document) if block.mark == "gateway: configuration"]
    assert found
    for block in found:
        environ = {name: f"a-key-for-{name}" for name in variables.findall(block.code)}
        environ |= {"OPENAI_API_KEY": "openai-key", "ANTHROPIC_API_KEY": "anthropic-key"}
        config = read(block.code, block.place, folder=tmp_path, environ=environ)
        Generations(lambda config=config: config).open().retire()


def test_a_wrong_base_address_is_told_what_is_wrong_with_it(gateways: dict[Path, Served]) -> None:
    gateway = gateways[DOCUMENTS[0]]
    for path, told in (("/v1/v1/messages", "has '/v1' too many"), ("/chat/completions", "lacks '/v1'")):
        asked = gateway.run(Block("", "", "sh", f"curl -s http://localhost:4000{path}"))
        assert "there is nothing at" in asked.out
        assert told in asked.out
    asked = gateway.run(Block("", "", "sh", "curl -s http://localhost:4000/elsewhere"))
    assert "there is nothing at '/elsewhere'\"" in asked.out
