"""`dragoman chat` without a prompt: a person at a terminal."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from tests.cli.programs import DEADLINE_SECONDS, Terminal, environment, on_terminal
from tests.servers.fake_provider import PIECES, TEXT, Failure, FakeProvider


@contextmanager
def conversation(fake: FakeProvider, *arguments: str, **variables: str) -> Generator[Terminal]:
    env = environment(GROQ_BASE_URL=f"{fake.url}/groq/v1", GROQ_API_KEY="groq-key", **variables)
    with on_terminal("chat", "-m", "groq/some-model", *arguments, env=env) as terminal:
        terminal.expect("> ")
        yield terminal


def messages(fake: FakeProvider) -> list[tuple[str, Any]]:
    return [(message["role"], message["content"]) for message in fake.last.body["messages"]]


def test_each_answer_is_context_of_the_next_question(fake: FakeProvider) -> None:
    with conversation(fake, "--system", "Be brief.") as terminal:
        terminal.type("What is a dragoman?\n")
        terminal.expect(TEXT)
        terminal.expect("> ")
        terminal.type("And a bridge?\n")
        terminal.expect(TEXT)
        terminal.expect("> ")
        terminal.type("/exit\n")
        assert terminal.status() == 0
    assert messages(fake) == [
        ("system", "Be brief."),
        ("user", "What is a dragoman?"),
        ("assistant", TEXT),
        ("user", "And a bridge?"),
    ]


def test_end_of_input_ends_it(fake: FakeProvider) -> None:
    with conversation(fake) as terminal:
        terminal.type("\x04")
        assert terminal.status() == 0
    assert fake.requests == []


def test_an_empty_line_asks_nothing(fake: FakeProvider) -> None:
    with conversation(fake) as terminal:
        terminal.type("\n")
        terminal.expect("> ")
        terminal.type("/exit\n")
        assert terminal.status() == 0
    assert fake.requests == []


def test_interrupt_cancels_the_answer_and_not_the_program(fake: FakeProvider) -> None:
    fake.holds.set()
    with conversation(fake) as terminal:
        terminal.type("Tell me all.\n")
        terminal.expect(PIECES[0].strip())
        assert fake.holding.wait(DEADLINE_SECONDS)
        terminal.interrupt("[cancelled]")
        assert fake.caller_left.wait(DEADLINE_SECONDS), "the provider goes on writing for nobody"
        terminal.expect("> ")
        fake.holds.clear()
        terminal.type("Shorter.\n")
        terminal.expect(TEXT)
        terminal.expect("> ")
        terminal.type("/exit\n")
        assert terminal.status() == 0
    assert messages(fake) == [("user", "Tell me all."), ("assistant", PIECES[0]), ("user", "Shorter.")]
    assert "Traceback" not in terminal.screen


def test_interrupt_at_the_prompt_only_tells_how_to_leave(fake: FakeProvider) -> None:
    with conversation(fake) as terminal:
        terminal.type("half a questi")
        terminal.expect("half a questi")
        terminal.interrupt("[/exit or Ctrl-D ends the conversation]")
        terminal.expect("> ")
        terminal.type("A whole one.\n")
        terminal.expect(TEXT)
        terminal.expect("> ")
        terminal.type("\x04")
        assert terminal.status() == 0
    assert messages(fake) == [("user", "A whole one.")]


def test_a_failed_question_is_told_and_taken_out(fake: FakeProvider) -> None:
    fake.failures.append(Failure(400, "no such thing as questions"))
    with conversation(fake) as terminal:
        terminal.type("First.\n")
        terminal.expect("dragoman: groq (some-model) answered 400")
        terminal.expect("no such thing as questions")
        terminal.expect("> ")
        terminal.type("Second.\n")
        terminal.expect(TEXT)
        terminal.expect("> ")
        terminal.type("\x04")
        assert terminal.status() == 0
    assert messages(fake) == [("user", "Second.")]


def test_a_cut_answer_is_told_and_what_was_shown_stays(fake: FakeProvider) -> None:
    fake.failures.append(Failure(200))
    with conversation(fake) as terminal:
        terminal.type("First.\n")
        terminal.expect(PIECES[0].strip())
        terminal.expect("\ndragoman: ")
        terminal.expect("> ")
        terminal.type("Second.\n")
        terminal.expect(TEXT)
        terminal.expect("> ")
        terminal.type("\x04")
        assert terminal.status() == 0
    assert messages(fake) == [("user", "First."), ("assistant", PIECES[0]), ("user", "Second.")]


def test_what_a_model_writes_does_not_command_the_terminal(fake: FakeProvider) -> None:
    fake.pieces = ("before\x1b]52;c;cm0gLXJm\x07", "\x9b2J after\n")
    with conversation(fake) as terminal:
        terminal.type("Trick me.\n")
        terminal.expect("after")
        terminal.expect("> ")
        terminal.type("\x04")
        assert terminal.status() == 0
    shown = terminal.screen.partition("Trick me.")[2].partition("after")[0]
    assert "\x1b]52" not in shown
    assert "\x07" not in shown
    assert "\x9b" not in shown
    assert "before\ufffd]52;c;cm0gLXJm\ufffd\ufffd2J " in shown


def test_thinking_is_shown_dimmed_before_the_answer(fake: FakeProvider) -> None:
    fake.reasoning = "Courts, then."
    env = environment(DEEPSEEK_BASE_URL=f"{fake.url}/deepseek/v1", DEEPSEEK_API_KEY="key", TERM="xterm")
    with on_terminal("chat", "-m", "deepseek/deepseek-reasoner", "Think.", env=env) as terminal:
        terminal.expect("\x1b[2mCourts, then.\x1b[0m\n" + TEXT)
        assert terminal.status() == 0
