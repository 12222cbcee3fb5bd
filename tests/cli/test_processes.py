"""The command line as processes of its own: exit statuses, pipes, signals, and real servers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

import dragoman
from examples.tiny_model import MODEL_NAME
from tests.cli.programs import DEADLINE_SECONDS, environment, run, started
from tests.servers.fake_provider import PIECES, TEXT, FakeProvider
from tests.servers.litellm_proxy import MOCK_TEXT, Proxy
from tests.servers.process import ROOT


def to_groq(fake: FakeProvider) -> dict[str, str]:
    return environment(GROQ_BASE_URL=f"{fake.url}/groq/v1", GROQ_API_KEY="groq-key")


def test_version() -> None:
    done = run("--version")
    assert (done.status, done.out, done.err) == (0, f"dragoman {dragoman.__version__}\n", "")


def test_without_a_command_help_is_shown() -> None:
    done = run()
    assert "chat" in done.out + done.err
    assert "providers" in done.out + done.err


def test_without_the_extra_it_says_how_to_install_it() -> None:
    script = "import sys; sys.modules['typer'] = None; from dragoman.cli import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, env=environment())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert 'pip install "dragoman[cli]"' in done.stderr


def test_what_is_missing_beside_the_extra_is_not_hidden() -> None:
    script = "import sys; sys.modules['msgspec'] = None; from dragoman.cli import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, env=environment())
    assert done.returncode == 1
    assert "msgspec" in done.stderr


def test_main_is_light() -> None:
    script = "import sys, dragoman.cli; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"typer", "rich", "click", "msgspec"} & set(done.stdout.split())


def test_pipes(fake: FakeProvider) -> None:
    done = run("chat", "-m", "groq/x", "Summarise:", "-", stdin="Grüße\n", env=to_groq(fake))
    assert (done.status, done.out, done.err) == (0, TEXT + "\n", "")
    assert fake.last.body["messages"][0]["content"] == "Summarise:\n\nGrüße\n"


def test_a_missing_key_ends_with_2_and_one_line() -> None:
    done = run("chat", "-m", "openai/gpt-4o", "Hello")
    assert (done.status, done.out) == (2, "")
    assert "set OPENAI_API_KEY" in done.err
    assert "Here that is --api-key KEY." in done.err
    assert done.err.count("\n") == 1


def test_a_server_that_is_not_there_ends_with_1_and_one_line() -> None:
    env = environment(GROQ_BASE_URL="http://127.0.0.1:9/v1", GROQ_API_KEY="key")
    done = run("chat", "-m", "groq/x", "Hello", env=env)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("dragoman: ")
    assert "127.0.0.1" in done.err
    assert done.err.endswith("Here the address is --base-url.\n")
    assert done.err.count("\n") == 1
    assert "Traceback" not in done.err


def test_the_key_is_never_shown(fake: FakeProvider) -> None:
    env = environment(GROQ_BASE_URL=f"{fake.url}/groq/v1")
    done = run("chat", "-m", "groq/x", "--api-key", "se cret-key", "Hello", env=env)
    assert done.status == 2
    assert "cret-key" not in done.out + done.err


def test_interrupt_ends_with_130_and_closes_the_stream(fake: FakeProvider) -> None:
    fake.holds.set()
    with started("chat", "-m", "groq/x", "Hello", env=to_groq(fake)) as process:
        assert fake.holding.wait(DEADLINE_SECONDS)
        assert process.stdout is not None
        assert process.stdout.read(len(PIECES[0])).decode() == PIECES[0]
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 130
    assert err == b""
    assert fake.caller_left.wait(DEADLINE_SECONDS)


def test_interrupt_of_a_whole_answer_leaves_standard_output_empty(fake: FakeProvider) -> None:
    fake.holds.set()
    with started("chat", "-m", "groq/x", "--output", "json", "Hello", env=to_groq(fake)) as process:
        assert fake.holding.wait(DEADLINE_SECONDS)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=DEADLINE_SECONDS)
    assert (process.returncode, out, err) == (130, b"", b"")
    assert fake.caller_left.wait(DEADLINE_SECONDS)


def test_a_reader_that_goes_away_is_no_traceback(fake: FakeProvider) -> None:
    fake.pieces = ("many words " * 1000,) * 200
    with started("chat", "-m", "groq/x", "Hello", env=to_groq(fake)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(4) == b"many"
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait(DEADLINE_SECONDS) == 1
    assert err == b""


@pytest.mark.parametrize("dialect", ["openai-chat", "openai-responses", "anthropic"])
@pytest.mark.parametrize("options", [[], ["--no-stream"]])
def test_the_real_llama_server(llama_server: str, dialect: str, options: list[str]) -> None:
    model = ["-m", f"llama_cpp/{MODEL_NAME}", "--base-url", llama_server, "--dialect", dialect]
    done = run("chat", *model, "--max-tokens", "8", *options, "What is a dragoman?")
    assert done.status == 0, done.err
    assert done.out.strip()


def test_the_real_llama_server_as_json(llama_server: str) -> None:
    done = run("chat", "-m", f"llama_cpp/{MODEL_NAME}", "--output", "json", "--max-tokens", "8", "Hello",
               env=environment(LLAMA_CPP_BASE_URL=llama_server))  # fmt: skip
    assert (done.status, done.err) == (0, "")
    told = json.loads(done.out)
    assert told["content"]
    assert told["finish_reason"] in ("stop", "length")
    assert 1 <= told["usage"]["output_tokens"] <= 8
    assert told["attempts"][0]["provider"] == "llama_cpp"


def test_the_real_litellm_proxy(litellm_proxy: Proxy) -> None:
    done = run("chat", "-m", "litellm/mock-text", "Hello", env=environment(LITELLM_BASE_URL=litellm_proxy.address))
    assert (done.status, done.out, done.err) == (0, MOCK_TEXT + "\n", "")
