"""The conformance pack: over the fakes of every dialect, over providers that do something wrong, and as a plugin."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import dragoman
from dragoman.testing import Cut, FakeProvider, Status, call
from dragoman.testing.answering import plain_answer
from dragoman.testing.conformance import CHECKS, Report, run_conformance
from dragoman.testing.wires import WIRES
from dragoman.values import Usage, replace
from tests.testing.spoken import DIALECTS, EMBEDDING_DIALECTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dragoman import ChatModel, Request
    from dragoman.testing import Reply

# What the wires themselves cannot say; everything else works against a provider that obeys.
UNSAYABLE = {
    "openai-chat": {"a tool's error"},
    "openai-responses": {"a tool's error", "stop"},
    "anthropic": set[str](),
    "gemini": set[str](),
}


def factory(fake: FakeProvider, dialect: str) -> Callable[..., ChatModel]:
    def make(**changes: Any) -> ChatModel:
        given: dict[str, Any] = {"model": "fake-model", "api_key": "right", "max_retries": 0, **changes}
        return fake.model(dialect, **given)

    return make


def run(fake: FakeProvider, dialect: str = "openai-chat", **settings: Any) -> Report:
    return run_conformance(factory(fake, dialect), embedding_model="fake-model", **settings)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_nothing_is_wrong_with_a_provider_that_obeys(dialect: str) -> None:
    keyless = not WIRES[dialect].key_headers
    with FakeProvider(key=None if keyless else "right", models=["fake-model"]) as fake:
        report = run(fake, dialect, skip=["a wrong key"] if keyless else [])
        assert report.named("wrong") == []
        assert len(fake.requests) > 30
    if dialect in UNSAYABLE:
        vectors = set[str]() if dialect in EMBEDDING_DIALECTS else {"embeddings"}
        assert set(report.named("refused")) == UNSAYABLE[dialect] | vectors
    assert {"chat", "stream", "system", "several turns", "schema", "a tool's result"} <= set(report.named("works"))


def test_every_check_says_what_it_holds_to_be_right() -> None:
    assert len(CHECKS) >= 25
    assert all(check.about.endswith(".") for check in CHECKS.values())


def answering(change: Callable[[Request, dragoman.Response], Reply]) -> Callable[[Request], Reply]:
    return lambda request: change(request, plain_answer(request, 1))


def without_usage(_request: Request, answer: dragoman.Response) -> Reply:
    return replace(answer, usage=Usage(input_tokens=0, output_tokens=0))


def deaf_to_caps(request: Request, _answer: dragoman.Response) -> Reply:
    return plain_answer(replace(request, max_tokens=None), 1)


def deaf_to_stops(request: Request, _answer: dragoman.Response) -> Reply:
    return plain_answer(replace(request, stop=()), 1)


def toolless(request: Request, _answer: dragoman.Response) -> Reply:
    return plain_answer(replace(request, tools=()), 1)


def misnaming(_request: Request, answer: dragoman.Response) -> Reply:
    return [call("nonsense")] if answer.tool_calls else answer


def breaking_arguments(_request: Request, answer: dragoman.Response) -> Reply:
    return [call(one.name, '{"city": ') for one in answer.tool_calls] or answer


def one_at_a_time(_request: Request, answer: dragoman.Response) -> Reply:
    return [answer.tool_calls[0]] if answer.tool_calls else answer


def formless(request: Request, _answer: dragoman.Response) -> Reply:
    return plain_answer(replace(request, output=None), 1)


def silent(request: Request, answer: dragoman.Response) -> Reply:
    return answer if answer.tool_calls or request.output else " "


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (without_usage, {"usage": "wrong", "usage on streams": "wrong"}),
        (deaf_to_caps, {"max_tokens": "wrong"}),
        (deaf_to_stops, {"stop": "wrong"}),
        (toolless, {"tools": "wrong", "tools on streams": "wrong", "a named tool": "wrong", "no tool": "works"}),
        (misnaming, {"tools": "wrong", "a tool without arguments": "wrong", "parallel tools": "wrong"}),
        (breaking_arguments, {"tools": "wrong", "a call's own round": "wrong"}),
        (one_at_a_time, {"parallel tools": "refused", "tools": "works"}),
        (formless, {"schema": "wrong", "JSON object": "wrong"}),
        (silent, {"chat": "wrong", "stream": "wrong", "async": "wrong"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_a_provider_does_wrong_is_found(
    change: Callable[[Request, dragoman.Response], Reply], found: dict[str, str]
) -> None:
    with FakeProvider(say=answering(change)) as fake:
        report = run(fake, only=list(found))
    assert {finding.check: finding.verdict for finding in report} == found
    assert all(finding.detail for finding in report if finding.verdict != "works")


def test_failures_are_findings_too() -> None:
    with FakeProvider() as fake:
        fake.fail(Status(400, "no such thing here"))
        assert run(fake, only=["chat"])["chat"].verdict == "refused"
        fake.fail(Status(503))
        assert run(fake, only=["chat"])["chat"].verdict == "wrong"
        fake.fail(Status(501, "not built"))
        assert run(fake, only=["chat"])["chat"].verdict == "refused"
        fake.fail(Cut(clean=True))
        finding = run(fake, only=["stream"])["stream"]
        assert (finding.verdict, "StreamTruncated" in finding.detail) == ("wrong", True)
        assert run(fake, only=["a wrong key"])["a wrong key"].verdict == "wrong"
        assert run(fake, only=["an unknown model"], unknown_model=None)["an unknown model"].verdict == "not asked"
        with pytest.raises(dragoman.UnknownName, match="no check 'chatt'"):
            run(fake, only=["chatt"])


def test_a_report_can_be_read() -> None:
    with FakeProvider() as fake:
        report = run(fake, only=["chat", "a tool's error"])
    assert str(report).splitlines()[:2] == ["fake/fake-model", "  chat: works"]
    assert "a tool's error: refused (" in str(report)


def test_the_bytes_of_a_calls_arguments_reach_the_other_side() -> None:
    with FakeProvider() as fake:
        assert run(fake, only=["a tool's result"])["a tool's result"].verdict == "works"
        arguments = fake.requests[0].body["messages"][1]["tool_calls"][0]["function"]["arguments"]
        assert arguments == '{"city": "Zürich 🌉"}'


# -- as a plugin -------------------------------------------------------------------------------------------------------

FILE = """
import dragoman

def test_my_provider(dragoman_check):
    def make(**changes):
        given = {"model": "fake-model", "base_url": URL, "api_key": "right", "max_retries": 0, **changes}
        return dragoman.ProviderRegistry.get_provider("chat_completions", **given)

    dragoman_check(make, unknown_model=None)

def test_guard(no_network, fake_provider):
    assert fake_provider.model().chat("Say: hi").content == "hi"
"""


def pytest_in(folder: Path, *arguments: str) -> tuple[int, str]:
    """Its status and all that it said; what lies in the folders above is no concern of its."""
    alone = ["-c", os.devnull, f"--rootdir={folder}", f"--confcutdir={folder}", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *alone, "-rs", *arguments, str(folder)]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def test_a_test_of_ones_own_is_run_once_for_each_check(tmp_path: Path) -> None:
    with FakeProvider(key="right") as fake:
        (tmp_path / "test_mine.py").write_text(FILE.replace("URL", json.dumps(fake.base_url("openai-chat"))))
        status, output = pytest_in(tmp_path, "-q")
    assert status == 0, output
    assert f"{len(CHECKS) - 2} passed, 3 skipped" in output
    assert "refused: messages[2].parts[0].is_error cannot be said" in output


def test_the_pack_runs_on_any_address_without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_OF_THE_TEST", "sk-key-of-the-test")
    with FakeProvider(say=answering(toolless)) as fake:
        status, output = pytest_in(
            tmp_path,
            "--dragoman-conformance=openai_compatible/m",
            f"--dragoman-base-url={fake.base_url('openai-chat')}",
            "--dragoman-dialect=openai-chat",
            "--dragoman-key-variable=KEY_OF_THE_TEST",
            "--dragoman-skip=a wrong key",
            "-v",
        )
    assert status == 1, output
    assert "conformance[chat] PASSED" in output
    assert "no tool was called" in output
    assert "a wrong key" not in output
    assert "sk-key-of-the-test" not in output
    assert {seen.key for seen in fake.requests} == {"sk-key-of-the-test"}
    status, output = pytest_in(tmp_path, "--dragoman-conformance=openai/m", "--dragoman-key-variable=NOT_SET")
    assert status == 4


def test_the_plugin_imports_nothing_until_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "test_nothing.py").write_text(
        "import sys\n\n"
        "def test_nothing():\n"
        "    loaded = {name for name in sys.modules if name.startswith('dragoman')}\n"
        "    assert loaded <= {'dragoman', 'dragoman.testing', 'dragoman.testing.plugin'}\n"
    )
    status, output = pytest_in(tmp_path, "-q")
    assert status == 0, output
