"""The tool loop: rounds, concurrency, threads and contexts, errors that the model is told, and its bound."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Any

import pytest

import dragoman
from dragoman import Image, ToolDefinition, TooManyRounds, user
from dragoman.values import Media, ToolResult
from tests.face.chat_wire import answer, failure, model_over, sent
from tests.face.dialect_wire import model_of, said, whole

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("WHO", default="nobody")


def calls(*given: tuple[str, str]) -> Any:
    """An answer that calls these tools with these arguments."""
    return answer(
        "",
        tool_calls=[
            {"id": f"c{index}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for index, (name, arguments) in enumerate(given)
        ],
    )


def results(run: dragoman.ToolRun[Any]) -> list[ToolResult]:
    """The results that the model was told, in order."""
    return [part for message in run.messages for part in message.parts if isinstance(part, ToolResult)]


def double(number: int) -> int:
    """Doubles."""
    return 2 * number


def test_it_runs_tools_until_the_model_answers() -> None:
    model, transport = model_over([calls(("double", '{"number": 2}')), calls(("double", '{"number": 4}')), answer("8")])
    run = model.bind_tools([double]).run_tools("Twice two, twice?")
    assert run.content == "8"
    assert run.rounds == 3
    assert [result.text for result in results(run)] == ["4", "8"]
    assert [message.role for message in run.messages] == ["user", "assistant", "tool", "assistant", "tool", "assistant"]
    assert sent(transport, 2)["messages"][-1] == {"role": "tool", "tool_call_id": "c0", "content": "8"}
    assert run.messages[0] == user("Twice two, twice?")


def test_sync_tools_run_in_the_callers_thread_and_context_async_tools_elsewhere() -> None:
    seen: dict[str, tuple[threading.Thread, str]] = {}

    def here() -> None:
        """Runs here."""
        seen["here"] = (threading.current_thread(), WHO.get())
        WHO.set("changed here")

    async def there() -> None:
        """Runs there."""
        seen["there"] = (threading.current_thread(), WHO.get())

    model, _ = model_over([calls(("here", "{}"), ("there", "{}")), answer("done")])

    def ask() -> str:
        WHO.set("me")
        model.bind_tools([here, there]).run_tools("Go")
        return WHO.get()

    assert contextvars.copy_context().run(ask) == "changed here"
    assert seen["here"] == (threading.current_thread(), "me")
    thread, who = seen["there"]
    assert thread is not threading.current_thread()
    assert thread.name == "dragoman-user"
    assert who in ("me", "changed here")


@pytest.mark.parametrize("face", ["sync", "async"])
def test_async_tools_run_at_once_and_their_results_stand_in_order(face: str) -> None:
    both = asyncio.Barrier(2)

    async def meet(name: str) -> str:
        """Waits until both are here."""
        async with asyncio.timeout(10):
            await both.wait()
        return name.upper()

    model, _ = model_over(
        [calls(("meet", '{"name": "a"}'), ("double", '{"number": 1}'), ("meet", '{"name": "b"}')), answer()]
    )
    bound = model.bind_tools([meet, double])
    run = bound.run_tools("Go") if face == "sync" else asyncio.run(bound.arun_tools("Go"))
    assert [(result.call_id, result.text) for result in results(run)] == [("c0", "A"), ("c1", "2"), ("c2", "B")]


def test_async_runs_use_the_callers_loop() -> None:
    async def main() -> None:
        loops: list[Any] = []

        async def where() -> None:
            """Where?"""
            loops.append(asyncio.get_running_loop())

        def inline() -> None:
            """Inline."""
            loops.append(asyncio.get_running_loop())

        model, _ = model_over([calls(("where", "{}"), ("inline", "{}")), answer()])
        await model.bind_tools([where, inline]).arun_tools("Go")
        assert loops == [asyncio.get_running_loop()] * 2

    asyncio.run(main())


@pytest.mark.parametrize("face", ["sync", "async"])
def test_what_goes_wrong_is_told_to_the_model(face: str) -> None:
    def broken(number: int) -> int:
        """Breaks."""
        return number // 0

    async def broken_later() -> None:
        """Breaks later."""
        raise LookupError("gone")

    wrong = calls(
        ("broken", '{"number": 1}'),
        ("broken_later", "{}"),
        ("unheard_of", "{}"),
        ("double", '{"number": "x"}'),
        ("double", "{"),
    )
    model, _ = model_over([wrong, answer("Sorry.")])
    bound = model.bind_tools([broken, broken_later, double])
    run = bound.run_tools("Go") if face == "sync" else asyncio.run(bound.arun_tools("Go"))
    told = [result.text for result in results(run)]
    assert all(result.is_error for result in results(run))
    assert told[0].startswith("ZeroDivisionError: ")
    assert told[1] == "LookupError: gone"
    assert "there is no tool 'unheard_of'; the tools are: broken, broken_later, double" in told[2]
    assert "$.number" in told[3]
    assert "not valid JSON" in told[4]
    assert [type(failed.error).__name__ for failed in run.failures] == [
        "ZeroDivisionError",
        "LookupError",
        "InvalidArguments",
        "InvalidArguments",
        "InvalidArguments",
    ]
    assert run.content == "Sorry."


def test_the_bound_is_an_error_that_carries_the_conversation() -> None:
    ran: list[int] = []

    def again(number: int) -> None:
        """Again."""
        ran.append(number)

    model, transport = model_over(lambda _request: calls(("again", '{"number": 1}')))
    with pytest.raises(TooManyRounds, match="3 rounds") as caught:
        model.bind_tools([again]).run_tools("Go", max_rounds=3)
    assert len(transport.requests) == 3
    assert len(ran) == 2
    assert [message.role for message in caught.value.messages] == [
        "user", "assistant", "tool", "assistant", "tool", "assistant",
    ]  # fmt: skip
    assert len(caught.value.attempts) == 3
    with pytest.raises(dragoman.InvalidRequest, match="max_rounds"):
        model.run_tools("Go", max_rounds=0)


def test_calls_of_tools_without_a_function_are_handed_back() -> None:
    model, transport = model_over([calls(("double", '{"number": 1}'), ("approve", "{}")), answer("Approved.")])
    bound = model.bind_tools([double, ToolDefinition(name="approve")])
    run = bound.run_tools("Go")
    assert [call.name for call in run.pending] == ["approve"]
    assert [result.text for result in results(run)] == ["2"]
    assert bound.chat([*run.messages, dragoman.tool_result(run.pending[0], "yes")]).content == "Approved."
    assert [message["role"] for message in sent(transport, 1)["messages"]] == ["user", "assistant", "tool", "tool"]


def test_a_forced_choice_holds_for_the_first_round() -> None:
    cases: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"tool_choice": "required"}, {}),
        ({}, {"tool_choice": "double"}),
    ]
    for options, bound_options in cases:
        model, transport = model_over([calls(("double", '{"number": 1}')), answer()])
        bound = model.bind_tools([double]).with_options(parallel_tool_calls=False, **bound_options)
        bound.run_tools("Go", **options)
        assert sent(transport, 0)["tool_choice"] not in (None, "auto")
        assert sent(transport, 1)["tool_choice"] == "auto"


def test_tools_of_the_run_replace_the_bound_ones() -> None:
    model, transport = model_over([calls(("triple", '{"number": 1}')), answer()])

    def triple(number: int) -> int:
        """Triples."""
        return 3 * number

    run = model.bind_tools([double]).run_tools("Go", tools=[triple])
    assert [result.text for result in results(run)] == ["3"]
    assert [tool["function"]["name"] for tool in sent(transport)["tools"]] == ["triple"]


def test_results_are_text_media_or_json() -> None:
    def give(kind: str) -> Any:
        """Gives."""
        picture = Image(b"\x89PNG\r\n\x1a\n", media_type="image/png")
        return {"text": "as it is", "none": None, "json": {"a": [1]}, "mixed": ["see", picture]}[kind]

    kinds = ("text", "none", "json", "mixed")
    model, _ = model_over([calls(*(("give", f'{{"kind": "{kind}"}}') for kind in kinds)), answer()])
    run = model.bind_tools([give]).run_tools("Go")
    assert [result.text for result in results(run)] == ["as it is", "null", '{"a":[1]}', "see"]
    assert isinstance(results(run)[3].content[1], Media)


def test_a_paused_answer_is_gone_on_with() -> None:
    script = [whole("anthropic", said("Hm.", finish="paused")), whole("anthropic", said("So."))]
    model, _ = model_of("anthropic", script)
    run = model.run_tools("Go")
    assert (run.content, run.rounds) == ("So.", 2)


def test_an_error_of_the_provider_ends_the_run() -> None:
    model, _ = model_over([calls(("double", '{"number": 1}')), failure(401)])
    with pytest.raises(dragoman.AuthenticationFailed):
        model.bind_tools([double]).run_tools("Go")


def test_cancelling_a_run_cancels_its_tools() -> None:
    async def main() -> None:
        begun, ended = asyncio.Event(), asyncio.Event()

        async def linger() -> None:
            """Lingers."""
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        model, _ = model_over([calls(("linger", "{}")), answer()])
        task = asyncio.create_task(model.bind_tools([linger]).arun_tools("Go"))
        async with asyncio.timeout(10):
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await ended.wait()

    asyncio.run(main())
