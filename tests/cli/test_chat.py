"""`dragoman chat` with a prompt, in this process."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner, Result

from dragoman.cli.app import app
from tests.servers.fake_provider import COST, PIECES, TEXT, Failure, FakeProvider

PROVIDERS = {
    "openai": ("openai/gpt-4o", "OPENAI", "openai-responses"),
    "groq": ("groq/llama-3.1-8b-instant", "GROQ", "openai-chat"),
    "anthropic": ("anthropic/claude-sonnet-4-5", "ANTHROPIC", "anthropic"),
    "google": ("google/gemini-2.5-flash", "GOOGLE", "gemini"),
    "openrouter": ("openrouter/openai/gpt-4o", "OPENROUTER", "openai-chat"),
}


@pytest.fixture(autouse=True)
def answering(fake: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, (_, variable, dialect) in PROVIDERS.items():
        version = "v1beta" if dialect == "gemini" else "v1"
        monkeypatch.setenv(f"{variable}_BASE_URL", f"{fake.url}/{name}/{version}")
        monkeypatch.setenv(f"{variable}_API_KEY", f"{name}-key")


def chat(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["chat", *arguments], input=stdin, prog_name="dragoman")


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("streamed", [True, False])
def test_the_answer_is_all_that_standard_output_holds(fake: FakeProvider, name: str, streamed: bool) -> None:
    model, _, dialect = PROVIDERS[name]
    result = chat("-m", model, "What", "is", "a dragoman?", *([] if streamed else ["--no-stream"]))
    assert (result.exit_code, result.stdout, result.stderr) == (0, TEXT + "\n", "")
    assert (fake.last.provider, fake.last.dialect) == (name, dialect)
    assert "What is a dragoman?" in json.dumps(fake.last.body)
    told = fake.last.body.get("stream", "streamGenerateContent" in fake.last.path) or False
    assert told is streamed


def test_the_key_of_the_provider_itself_is_sent(fake: FakeProvider) -> None:
    chat("-m", "groq/llama-3.1-8b-instant", "Hello")
    assert fake.last.headers["authorization"] == "Bearer groq-key"


def test_options_reach_the_provider(fake: FakeProvider) -> None:
    options = "--system Brief. --max-tokens 5 --temperature 0.5 --dialect openai-chat --api-key other".split()
    result = chat("-m", "openai/gpt-4o", *options, "--base-url", f"{fake.url}/elsewhere/v1", "Hello")
    assert result.exit_code == 0, result.output
    assert (fake.last.provider, fake.last.dialect) == ("elsewhere", "openai-chat")
    assert fake.last.headers["authorization"] == "Bearer other"
    body = fake.last.body
    assert (body["max_completion_tokens"], body["temperature"]) == (5, 0.5)
    assert [message["content"] for message in body["messages"]] == ["Brief.", "Hello"]


@pytest.mark.parametrize(
    ("words", "stdin", "asked"),
    [
        ([], "From a pipe.\n", "From a pipe.\n"),
        (["Review", "this:", "-"], "a change\n", "Review this:\n\na change\n"),
        (["Is", "-", "good?"], "a change", "Is\n\na change\n\ngood?"),
        (["Only words"], "not read", "Only words"),
    ],
)
def test_the_prompt_comes_as_words_or_on_standard_input(
    fake: FakeProvider, words: list[str], stdin: str, asked: str
) -> None:
    result = chat("-m", "groq/x", *words, stdin=stdin)
    assert result.exit_code == 0, result.output
    assert fake.last.body["messages"] == [{"role": "user", "content": asked}]


def test_json_holds_the_whole_answer() -> None:
    result = chat("-m", "openrouter/openai/gpt-4o", "--output", "json", "Hello")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1
    told = json.loads(result.stdout)
    assert told["content"] == TEXT
    assert told["finish_reason"] == "stop"
    assert (told["provider"], told["model"], told["dialect"]) == ("openrouter", "openai/gpt-4o", "openai-chat")
    assert (told["usage"]["input_tokens"], told["usage"]["output_tokens"]) == (11, 7)
    assert (float(told["cost"]["amount"]), told["cost"]["basis"]) == (COST, "reported")
    assert [attempt["outcome"] for attempt in told["attempts"]] == ["ok"]
    assert told["adaptations"] == []
    assert told["tool_calls"] == []


def test_what_was_changed_to_fit_the_provider_is_told(fake: FakeProvider) -> None:
    result = chat("-m", "anthropic/claude-sonnet-4-5", "--temperature", "1.7", "Hello")
    assert (result.exit_code, result.stdout) == (0, TEXT + "\n")
    assert fake.last.body["temperature"] == 1
    assert "[temperature was clamped: " in result.stderr


def test_an_answer_that_was_cut_off_is_told(fake: FakeProvider) -> None:
    fake.finish = "length"
    result = chat("-m", "groq/x", "Hello")
    assert (result.exit_code, result.stdout) == (0, TEXT + "\n")
    assert "[the answer was cut off at its largest length; --max-tokens sets another]" in result.stderr


def test_thinking_stays_out_of_what_is_piped(fake: FakeProvider) -> None:
    fake.reasoning = "Courts, then."
    assert chat("-m", "groq/x", "Hello").stdout == TEXT + "\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-m", "opnai/gpt-4o", "Hi"], "'dragoman providers' lists the names"),
        (["-m", "together/x", "Hi"], "set TOGETHER_API_KEY"),
        (["-m", "openai", "Hi"], "Here that is -m PROVIDER/MODEL."),
        (["-m", "/x", "Hi"], "write 'provider/model'"),
        (["-m", "openai/gpt-4o", "--dialect", "gemini", "Hi"], "openai-responses"),
        (["-m", "openai/gpt-4o", "--base-url", "localhost:8000", "Hi"], "has no scheme"),
        (["-m", "openai/gpt-4o"], "the prompt is empty"),
        (["-m", "openai/gpt-4o", " "], "the prompt is empty"),
        (["-m", "openai/gpt-4o", "--max-tokens", "0", "Hi"], "--max-tokens"),
        (["-m", "openai/gpt-4o", "\udce9t\udce9"], "the prompt is not UTF-8 text"),
        (["-m", "openai/gpt-4o", "--system", "\udce9", "Hi"], "--system is not UTF-8 text"),
        (["Hi"], "--model"),
    ],
)
def test_settings_that_cannot_work_end_with_2(
    fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.delenv("TOGETHER_API_KEY", raising=False)
    result = chat(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr
    assert fake.requests == []


def test_standard_input_that_is_no_text_ends_with_2() -> None:
    result = chat("-m", "groq/x", stdin=b"\xff\xfe")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "standard input is not UTF-8 text (byte 0)" in result.stderr


@pytest.mark.parametrize("output", ["text", "json"])
@pytest.mark.parametrize(
    ("failure", "says"),
    [
        (Failure(401, "who are you"), "Check the API key"),
        (Failure(404, "no such model"), "Check the model's name"),
        (Failure(400, "bad words"), "bad words"),
        (Failure(429, "slow down", {"retry-after": "1000"}), "Retry after 1000 s"),
    ],
)
def test_calls_that_fail_end_with_1(fake: FakeProvider, failure: Failure, says: str, output: str) -> None:
    fake.failures.append(failure)
    result = chat("-m", "groq/x", "--output", output, "Hello")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"dragoman: groq (x) answered {failure.status}")
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_stream_that_breaks_off_ends_with_1_after_what_came(fake: FakeProvider) -> None:
    fake.failures.append(Failure(200))
    result = chat("-m", "groq/x", "Hello")
    assert (result.exit_code, result.stdout) == (1, PIECES[0] + "\n")
    assert result.stderr.startswith("dragoman: ")


def test_what_a_provider_says_does_not_command_the_terminal(fake: FakeProvider) -> None:
    fake.failures.append(Failure(400, "bad \x1b[2J words"))
    assert "\x1b" not in chat("-m", "groq/x", "Hello").stderr
