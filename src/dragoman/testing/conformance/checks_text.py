"""Checks of text: whole and streamed, one turn and several, and the settings of an answer."""

from __future__ import annotations

import asyncio

from dragoman.testing.conformance.findings import Wrong
from dragoman.testing.conformance.subject import Subject, check
from dragoman.values import Response, assistant, system, user

QUESTION = "Say: the bridge over the river is old"
LONG_ANSWER = "Say: " + " ".join(f"word{number}" for number in range(200))
CAP = 16  # the least that OpenAI's Responses take


@check("chat")
def whole_answer(subject: Subject) -> None:
    """A question is answered with text and a reason for its end."""
    _spoken(subject.ask(QUESTION))


@check("stream")
def streamed_answer(subject: Subject) -> None:
    """A streamed answer keeps the laws of streams, and has text."""
    _spoken(subject.stream(QUESTION))


@check("async")
def async_answers(subject: Subject) -> None:
    """Four calls at once on one event loop are all answered."""

    async def there() -> list[Response]:
        async with subject.make() as model:
            calls = (model.achat(QUESTION, **subject.brief) for _ in range(4))
            return await asyncio.gather(*calls)

    for response in asyncio.run(there()):
        _spoken(response)


@check("leaving a stream")
def leaving(subject: Subject) -> None:
    """After a stream was left at its first event, the next call is answered."""
    with subject.model.stream(LONG_ANSWER, **subject.brief) as stream:
        next(iter(stream))
    _spoken(subject.ask(QUESTION))


@check("system")
def system_message(subject: Subject) -> None:
    """A system message is taken, and counts as input."""
    bare = subject.ask([user(QUESTION)])
    told = subject.ask(
        [system("You are a guide in an old town who answers in short words."), user(QUESTION)], "messages"
    )
    _spoken(told)
    _grew(bare, told, "the system message")


@check("several turns")
def several_turns(subject: Subject) -> None:
    """Earlier turns are taken, and count as input."""
    bare = subject.ask([user(QUESTION)])
    turns = [user("Say: good morning to you"), assistant("Good morning to you."), user(QUESTION)]
    told = subject.ask(turns, "messages")
    _spoken(told)
    _grew(bare, told, "the earlier turns")


@check("unicode")
def unicode_text(subject: Subject) -> None:
    """Text of other scripts is taken, whole and streamed."""
    _spoken(subject.ask("Say: İstanbul 東京 🌉"))
    _spoken(subject.stream("Say: İstanbul 東京 🌉"))


@check("sampling")
def sampling(subject: Subject) -> None:
    """Temperature and top_p are taken."""
    _spoken(subject.ask(QUESTION, "temperature", "top_p", temperature=0.5, top_p=0.9))


@check("max_tokens")
def most_tokens(subject: Subject) -> None:
    """An answer ends at its cap, with the finish `length`."""
    response = subject.ask(LONG_ANSWER, "max_tokens", max_tokens=CAP)
    said = response.usage.output_tokens
    if said is not None and said > CAP:
        raise Wrong(f"{said} tokens came, and {CAP} were allowed")
    if response.finish_reason != "length" and (said is None or said >= CAP):
        raise Wrong(f"the cap of {CAP} tokens is not told by the finish: {response.finish_reason}")


@check("stop")
def stop_sequence(subject: Subject) -> None:
    """An answer ends before a stop sequence."""
    response = subject.ask("Say: one two three four", "stop", stop=["three"])
    if "three" in response.content:
        raise Wrong(f"the stop sequence is in the answer: {response.content[:80]!r}")


@check("usage")
def usage(subject: Subject) -> None:
    """Input and output tokens are told with a whole answer."""
    _counted(subject.ask(QUESTION))


@check("usage on streams")
def usage_on_streams(subject: Subject) -> None:
    """Input and output tokens are told with a stream."""
    _counted(subject.stream(QUESTION))


def _spoken(response: Response) -> None:
    if not response.content.strip() and not response.reasoning.strip():
        raise Wrong(f"there is no text in the answer: {response.message.parts!r:.200}")


def _counted(response: Response) -> None:
    counts = (response.usage.input_tokens, response.usage.output_tokens)
    if not all(counts):
        raise Wrong(f"tokens of input and output are told as {counts[0]} and {counts[1]}")


def _grew(bare: Response, told: Response, what: str) -> None:
    before, after = bare.usage.input_tokens, told.usage.input_tokens
    if before is not None and after is not None and after <= before:
        raise Wrong(f"{what} did not count: {before} tokens of input without, {after} with")
