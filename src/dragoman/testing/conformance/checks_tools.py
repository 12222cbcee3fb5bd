"""Checks of tools: offering them, calls whole and streamed, and results that go back."""

from __future__ import annotations

from dragoman.errors import InvalidArguments
from dragoman.testing.conformance.findings import Refused, Wrong
from dragoman.testing.conformance.subject import Subject, check
from dragoman.values import Message, Response, ToolCall, ToolDefinition, assistant, tool_result, user

WEATHER = ToolDefinition(
    name="weather",
    description="The weather in a city.",
    input_schema={"type": "object", "properties": {"city": {"type": "string", "maxLength": 12}}, "required": ["city"]},
)
CLOCK = ToolDefinition(
    name="clock",
    description="The time of day.",
    input_schema={"type": "object", "properties": {"zone": {"type": "string", "maxLength": 12}}, "required": ["zone"]},
)
BELL = ToolDefinition(
    name="ring_bell", description="Rings the bell.", input_schema={"type": "object", "properties": {}}
)
ASK_WEATHER = 'Call weather with {"city": "Izmir"}.'
ASK_BOTH = 'Call weather with {"city": "Izmir"} and, at the same time, clock with {"zone": "UTC"}.'


@check("tools")
def tools(subject: Subject) -> None:
    """A tool that must be called is called, with arguments of its schema."""
    _weather(subject.ask(ASK_WEATHER, "tools", "tool_choice", tools=[WEATHER], tool_choice="required"))


@check("tools on streams")
def tools_on_streams(subject: Subject) -> None:
    """The same with a stream, whose pieces of arguments add up."""
    _weather(subject.stream(ASK_WEATHER, "tools", "tool_choice", tools=[WEATHER], tool_choice="required"))


@check("a named tool")
def named_tool(subject: Subject) -> None:
    """Of two tools the one that is named is called."""
    response = subject.ask(ASK_WEATHER, "tools", "tool_choice", tools=[CLOCK, WEATHER], tool_choice="weather")
    _weather(response)


@check("no tool")
def no_tool(subject: Subject) -> None:
    """With tool_choice "none" no tool is called."""
    response = subject.ask(ASK_WEATHER, "tool_choice", tools=[WEATHER], tool_choice="none")
    for one in response.tool_calls:
        raise Wrong(f"{one.name} was called, and no tool was allowed")


@check("a tool without arguments")
def tool_without_arguments(subject: Subject) -> None:
    """A tool whose schema has no properties is called, with an empty object."""
    response = subject.ask("Call ring_bell.", "tools", tools=[BELL], tool_choice="required")
    (first, *_) = _calls(response, {"ring_bell"})
    if first.arguments:
        raise Wrong(f"it was called with {first.arguments_text[:80]!r}")


@check("parallel tools")
def parallel_tools(subject: Subject) -> None:
    """Two tools are called in one answer."""
    response = subject.ask(ASK_BOTH, "tools", tools=[WEATHER, CLOCK], tool_choice="required", parallel_tool_calls=True)
    calls = list(_calls(response, {"weather", "clock"}))
    if len({one.id for one in calls}) != len(calls):
        raise Wrong(f"calls share an id: {[one.id for one in calls]}")
    if len(calls) < 2:
        raise Refused(f"one call was made: {calls[0].name}")


@check("a tool's result")
def tool_round_trip(subject: Subject) -> None:
    """A call and its result are taken back, with the arguments' letters as they were, and gone on from."""
    wanted = ToolCall(id="call_1a2b3c4d5", name="weather", arguments_text='{"city": "Zürich 🌉"}')
    _after_results(subject, [wanted], [tool_result(wanted, "It rains – 8 °C")])


@check("a tool's error")
def tool_error(subject: Subject) -> None:
    """A result that is an error is taken back."""
    wanted = ToolCall(id="call_1a2b3c4d5", name="weather", arguments_text='{"city": "Izmir"}')
    _after_results(subject, [wanted], [tool_result(wanted, "no such city", is_error=True)])


@check("parallel results")
def parallel_results(subject: Subject) -> None:
    """Two calls of one answer and their results are taken back."""
    first = ToolCall(id="call_1a2b3c4d5", name="weather", arguments_text='{"city": "Izmir"}')
    second = ToolCall(id="call_9z8y7x6w5", name="clock", arguments_text='{"zone": "UTC"}')
    _after_results(subject, [first, second], [tool_result(first, "rain"), tool_result(second, "noon")])


@check("a call's own round")
def own_round(subject: Subject) -> None:
    """The call that it made itself is taken back with a result, and gone on from."""
    question = user(ASK_WEATHER)
    asked = subject.ask([question], "tools", tools=[WEATHER], tool_choice="required")
    calls = _calls(asked, {"weather"})
    results = [tool_result(one, "It rains.") for one in calls]
    _gone_on(subject.ask([question, asked.message, *results], "messages", tools=[WEATHER]))


def _after_results(subject: Subject, calls: list[ToolCall], results: list[Message]) -> None:
    history = [user(ASK_BOTH), assistant(*calls), *results]
    _gone_on(subject.ask(history, "messages", tools=[WEATHER, CLOCK]))


def _gone_on(response: Response) -> None:
    if not response.content.strip() and not response.tool_calls and not response.reasoning.strip():
        raise Wrong(f"after the result came neither text nor a call: {response.message.parts!r:.200}")


def _calls(response: Response, names: set[str]) -> tuple[ToolCall, ...]:
    calls = response.tool_calls
    if not calls:
        raise Wrong(f"no tool was called; it said {response.content[:80]!r}")
    for one in calls:
        if one.name not in names:
            raise Wrong(f"{one.name!r} was called, which was not asked for")
        try:
            _ = one.arguments
        except InvalidArguments as error:
            ended = f", finished with {response.finish_reason}"
            raise Wrong(f"the arguments are no JSON object: {error.text[:80]!r}{ended}") from None
    if response.finish_reason not in ("tool_calls", "stop"):
        raise Wrong(f"it finished with {response.finish_reason}, and has called a tool")
    return calls


def _weather(response: Response) -> None:
    (first, *_) = _calls(response, {"weather"})
    if not isinstance(first.arguments.get("city"), str):
        raise Wrong(f"the arguments are not of the tool's schema: {first.arguments_text[:80]!r}")
