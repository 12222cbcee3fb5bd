"""Every block of code in the documents runs, asks whom it should, and prints what the document says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.expected import EXPECTED
from tests.docs.snippets import DOCUMENTS, all_blocks, named, played_by, printed, run_python, run_shell
from tests.servers.fake_provider import FakeProvider


@pytest.mark.parametrize("name", EXPECTED)
def test_a_block_does_what_it_shows(name: str, fake: FakeProvider, tmp_path: Path) -> None:
    expected, block = EXPECTED[name], named(name)
    fake.failures.extend(expected.failures)
    fake.tool_arguments = expected.tool_arguments
    run = run_shell if block.language == "sh" else run_python
    done = run(block.code, fake, tmp_path)
    assert done.status == 0, f"{block.place}: {done.err}"
    assert done.err == ""
    assert [(seen.provider, seen.dialect) for seen in fake.requests] == expected.asks
    for text in expected.prints:
        assert text in done.out
    said = printed(name)
    if said is not None:
        assert done.out == said


def test_every_block_is_run_or_says_why_not() -> None:
    unmarked = [
        block.place
        for block in all_blocks()
        if not block.mark.startswith(("test: ", "printed: ", "not run: ", "gateway: "))
    ]
    assert not unmarked
    assert sorted(block.name for block in all_blocks() if block.name) == sorted(EXPECTED)


def test_what_is_said_to_be_printed_belongs_to_a_block_that_is_run() -> None:
    told = [block.mark.removeprefix("printed: ") for block in all_blocks() if block.mark.startswith("printed: ")]
    assert told
    assert set(told) <= set(EXPECTED)


def test_keys_go_where_the_document_says(fake: FakeProvider, tmp_path: Path) -> None:
    assert run_python(named("readme-keys").code, fake, tmp_path).status == 0
    assert [seen.headers.get("authorization") for seen in fake.requests] == ["Bearer sk-internal", None]


def test_openrouters_own_options_arrive(fake: FakeProvider, tmp_path: Path) -> None:
    assert run_python(named("readme-openrouter").code, fake, tmp_path).status == 0
    assert fake.last.body["provider"] == {"order": ["anthropic"], "allow_fallbacks": False}
    assert fake.last.body["model"] == "anthropic/claude-sonnet-4.5"
    assert fake.last.headers["x-title"] == "Harbour"


def test_what_is_to_be_kept_is_marked(fake: FakeProvider, tmp_path: Path) -> None:
    assert run_python(named("facts-cache").code, fake, tmp_path).status == 0
    system, last = fake.last.body["system"][-1], fake.last.body["messages"][-1]["content"][-1]
    assert system["cache_control"] == last["cache_control"] == {"type": "ephemeral", "ttl": "1h"}


def test_the_key_of_every_provider_is_another() -> None:
    keys = [value for name, value in played_by(FakeProvider("http://fake")).items() if name.endswith("_API_KEY")]
    assert len(keys) == len(set(keys)) > 10


def test_links_between_documents_lead_somewhere() -> None:
    # The figures are written by `make bench`; they are there once it has run.
    later = {"RESULTS.md"}
    broken = [
        f"{document.name}: {target}"
        for document in DOCUMENTS
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8"))
        if Path(target).name not in later and not (document.parent / target).exists()
    ]
    assert not broken
