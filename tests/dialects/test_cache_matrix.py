"""One `cache` setting, said to every provider in each of its dialects; no cell is missing.

A cell tells where marks stand on the wire (with the time they ask for), the members that say the rest, and, behind `!`,
what was recorded as lost.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import catalogue, dialects
from dragoman.catalogue.rows import BUILT_IN
from dragoman.dialects.caching import MarkRules, place_marks
from dragoman.errors import InvalidRequest
from dragoman.face.options import request_fields
from dragoman.values import (
    AdaptationLog,
    BedrockQuirks,
    CacheHint,
    CachePolicy,
    Media,
    Message,
    Opaque,
    Part,
    Quirks,
    Reasoning,
    Request,
    ResponsesQuirks,
    Target,
    Text,
    ToolCall,
    ToolDefinition,
    ToolResult,
    assistant,
    replace,
    system,
    tool_result,
    user,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG = "Much to read. " * 60
TOOL = ToolDefinition(name="look", description=LONG, input_schema={"type": "object"})
CALL = ToolCall(id="call-1", name="look", arguments_text="{}")
TALK = (system(LONG), user("one"), assistant(CALL), tool_result(CALL, "seen"), assistant("two"), user("three"))

ASKED: dict[str, CachePolicy] = {
    "True": CachePolicy(),
    "1h": CachePolicy(ttl="1h"),
    "24h": CachePolicy(ttl="24h"),
    "key": CachePolicy(key="mine"),
    "False": CachePolicy(enabled=False),
}
_PLACES = "messages/2/content/0 messages/4/content/0 system/0 tools/0"
_OF_CHAT = "messages/0/content/0 messages/3/content/0 messages/5/content/0 tools/0"
_HOUR = {places: " ".join(f"{place}=1h" for place in places.split()) for places in (_PLACES, _OF_CHAT)}
MARKS = (_PLACES, _HOUR[_PLACES], f"{_HOUR[_PLACES]} !cache.ttl", f"{_PLACES} !cache.key", "")
CHAT_MARKS = (_OF_CHAT, _HOUR[_OF_CHAT], f"{_HOUR[_OF_CHAT]} !cache.ttl", f"{_OF_CHAT} !cache.key", "")
BOTH = (f"{_OF_CHAT} key", f"{_HOUR[_OF_CHAT]} key", f"{_HOUR[_OF_CHAT]} key 24h !cache.ttl", f"{_OF_CHAT} mine", "")
KEY = ("key", "key !cache.ttl", "key 24h", "mine", "")
KEY_ALONE = ("key", "key !cache.ttl", "key !cache.ttl", "mine", "")
UNASKED = ("", "!cache.ttl", "!cache.ttl", "!cache.key", "")
UNKNOWN = ("!cache", "!cache", "!cache", "!cache", "")


CELLS: dict[str, tuple[str, ...]] = {
    "anthropic anthropic": MARKS,
    "azure openai-chat": KEY,
    "azure openai-responses": KEY,
    "bedrock bedrock": UNKNOWN,
    "bedrock_mantle openai-chat": UNKNOWN,
    "bedrock_mantle openai-responses": UNKNOWN,
    "bifrost openai-chat": UNKNOWN,
    "cerebras openai-chat": UNKNOWN,
    "chat_completions openai-chat": UNKNOWN,
    "cohere cohere": UNASKED,
    "cohere openai-chat": UNKNOWN,
    "crusoe openai-chat": UNKNOWN,
    "deepseek anthropic": MARKS,
    "deepseek openai-chat": UNASKED,
    "deepseek openai-responses": UNASKED,
    "fireworks anthropic": MARKS,
    "fireworks openai-chat": UNASKED,
    "gemini gemini": UNASKED,
    "google gemini": UNASKED,
    "groq openai-chat": UNASKED,
    "groq openai-responses": UNASKED,
    "heroku openai-chat": UNKNOWN,
    "huggingface openai-chat": UNKNOWN,
    "litellm anthropic": MARKS,
    "litellm openai-chat": CHAT_MARKS,
    "litellm openai-responses": UNKNOWN,
    "llama_cpp anthropic": MARKS,
    "llama_cpp openai-chat": UNASKED,
    "llama_cpp openai-responses": UNASKED,
    "lmstudio openai-chat": UNASKED,
    "lmstudio openai-responses": UNASKED,
    "mistral openai-chat": KEY_ALONE,
    "ollama ollama": UNASKED,
    "ollama openai-chat": UNASKED,
    "ollama_cloud openai-chat": UNKNOWN,
    "ollama_compat openai-chat": UNASKED,
    "openai openai-chat": KEY,
    "openai openai-responses": KEY,
    "openai_compatible openai-chat": UNKNOWN,
    "openrouter anthropic": MARKS,
    "openrouter openai-chat": BOTH,
    "openrouter openai-responses": KEY,
    "perplexity openai-chat": UNKNOWN,
    "portkey openai-chat": UNKNOWN,
    "qwen openai-chat": UNASKED,
    "sambanova openai-chat": UNKNOWN,
    "snowflake anthropic": MARKS,
    "snowflake openai-chat": UNKNOWN,
    "together openai-chat": UNKNOWN,
    "vertex anthropic": MARKS,
    "vertex gemini": UNASKED,
    "vllm openai-chat": UNASKED,
    "vllm openai-responses": UNASKED,
    "xai openai-chat": UNASKED,
    "xai openai-responses": UNASKED,
    "zai anthropic": MARKS,
    "zai openai-chat": UNASKED,
}


def rows() -> Iterator[tuple[str, str]]:
    for name, row in BUILT_IN.items():
        if not row.backends and not row.maker and not row.embeddings_only:
            yield from ((name, dialect) for dialect in row.dialects)


def marks_in(body: Any, path: str = "") -> Iterator[str]:
    """Where `cache_control` and its like stand in a body, and for how long they ask."""
    if isinstance(body, dict):
        members = cast("dict[str, Any]", body)
        for name in ("cache_control", "cachePoint", "prompt_cache_breakpoint"):
            if name in members:
                ttl = members[name].get("ttl")
                yield path if ttl is None else f"{path}={ttl}"
        for name, value in members.items():
            yield from marks_in(value, f"{path}/{name}".lstrip("/"))
    elif isinstance(body, list):
        for index, value in enumerate(cast("list[Any]", body)):
            yield from marks_in(value, f"{path}/{index}")


def said(dialect: str, policy: CachePolicy, quirks: Quirks, messages: tuple[Message, ...] = TALK) -> str:
    request = Request(model="m", messages=messages, tools=(TOOL,), cache=policy)
    encoded = dialects.load(dialect).encode_request(request, Target(provider="p", model="m", quirks=quirks))
    words = sorted(marks_in(encoded.body))
    key = encoded.body.get("prompt_cache_key")
    words += [] if key is None else [re.sub("^[0-9a-f]{32}$", "key", key)]
    words += [encoded.body["prompt_cache_retention"]] if "prompt_cache_retention" in encoded.body else []
    words += [f"!{entry.path}" for entry in encoded.adaptations if entry.path.startswith("cache")]
    return " ".join(words)


@pytest.mark.parametrize("name", CELLS)
def test_every_provider_is_told_in_its_own_way(name: str) -> None:
    provider, _, dialect = name.partition(" ")
    quirks = catalogue.find(provider).quirks
    assert tuple(said(dialect, policy, quirks) for policy in ASKED.values()) == CELLS[name]


def test_no_cell_is_missing() -> None:
    assert {f"{name} {dialect}" for name, dialect in rows()} == CELLS.keys()


def test_where_a_bedrock_model_takes_points() -> None:
    def points(takes: Any) -> str:
        return said("bedrock", CachePolicy(), Quirks(bedrock=BedrockQuirks(cache_points=takes)))

    assert points("all") == "messages/2/content/1 messages/4/content/1 system/1 toolConfig/tools/1"
    assert points("turns") == "messages/2/content/1 messages/4/content/1 system/1"
    hour = CachePolicy(ttl="1h")
    nova = Quirks(bedrock=BedrockQuirks(cache_points="turns"))
    assert said("bedrock", hour, nova) == f"{points('turns')} !cache.ttl"
    claude = Quirks(bedrock=BedrockQuirks(cache_points="turns", cache_ttls=("5m", "1h")))
    assert said("bedrock", hour, claude) == "messages/2/content/1=1h messages/4/content/1=1h system/1=1h"


def test_breakpoints_of_the_responses_dialect_where_a_host_takes_them() -> None:
    quirks = Quirks(responses=ResponsesQuirks(cache_marks=True, caching="key"))
    assert (
        said("openai-responses", CachePolicy(), quirks) == "input/0/content/0 input/1/content/0 input/5/content/0 key"
    )


# -- what a mark may stand on ------------------------------------------------------------------------------------------


def encoded(*messages: Message, dialect: str = "anthropic", quirks: Quirks | None = None, **fields: Any) -> Any:
    request = Request(model="m", messages=messages, cache=CachePolicy(), **fields)
    return dialects.load(dialect).encode_request(request, Target(model="m", quirks=quirks or Quirks())).body


def test_a_document_at_the_end_is_marked_at_anthropic_and_the_text_before_it_at_bedrock() -> None:
    paper = Media(kind="document", data="aGk=", media_type="application/pdf", name="paper")
    asking = user(Text(text=LONG), paper)
    assert list(marks_in(encoded(asking))) == ["messages/0/content/1"]
    points = Quirks(bedrock=BedrockQuirks(cache_points="turns"))
    body = encoded(asking, dialect="bedrock", quirks=points)
    assert list(body["messages"][0]["content"][1]) == ["cachePoint"]
    assert list(marks_in(body)) == ["messages/0/content/1"]


def test_thoughts_and_empty_texts_are_passed_over() -> None:
    said_last = assistant(Text(text=LONG), Reasoning(text="hm"), Text(text=""))
    assert list(marks_in(encoded(user("a"), said_last))) == ["messages/1/content/0"]


def test_a_short_prompt_is_not_marked() -> None:
    assert list(marks_in(encoded(system("Be brief."), user("Hello.")))) == []


def test_without_system_text_the_tools_are_marked() -> None:
    assert list(marks_in(encoded(user("Hello."), tools=(TOOL,)))) == ["messages/0/content/0", "tools/0"]


def test_the_callers_marks_count_and_stay() -> None:
    hint = CacheHint(ttl="5m")
    own = [user(Text(text=f"{number} {LONG}", cache=hint)) for number in range(3)]
    body = encoded(system(LONG), *own, user("last"))
    assert list(marks_in(body)) == [*(f"messages/{number}/content/0=5m" for number in range(3)), "messages/3/content/0"]
    full = encoded(system(LONG), *own, user(Text(text="x", cache=hint)), user("last"))
    assert list(marks_in(full)) == [f"messages/{number}/content/0=5m" for number in range(4)]


def test_longer_times_stay_before_shorter_ones() -> None:
    """The API answers with 400 where a mark of an hour comes behind one of five minutes."""

    def times(policy: CachePolicy, hint: CacheHint) -> list[str]:
        talk = (system(LONG), user(Text(text=LONG, cache=hint)), assistant("b"), user("c"))
        request = Request(model="m", messages=talk, cache=policy)
        return sorted(marks_in(dialects.load("anthropic").encode_request(request, Target(model="m")).body))

    behind = times(CachePolicy(ttl="1h"), CacheHint())
    assert behind == ["messages/0/content/0", "messages/2/content/0", "system/0=1h"]
    before = times(CachePolicy(), CacheHint(ttl="1h"))
    assert before == ["messages/0/content/0=1h", "messages/2/content/0"]


def test_an_automatic_mark_of_the_callers_own_counts() -> None:
    whole = {"anthropic": {"cache_control": {"type": "ephemeral"}}}
    body = encoded(*TALK, tools=(TOOL,), extras=whole)
    assert len(list(marks_in(body))) == 4  # the one on the request itself, and three of ours


# -- the next turn -----------------------------------------------------------------------------------------------------


def unmarked(value: Any) -> Any:
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {name: unmarked(inner) for name, inner in members.items() if name != "cache_control"}
    return [unmarked(inner) for inner in cast("list[Any]", value)] if isinstance(value, list) else value


def test_the_next_turn_reads_what_this_one_wrote() -> None:
    """Everything before the last mark of a call stands in the next call too, and is marked at the same place there."""
    talk = [system(LONG), user("one"), assistant(CALL), tool_result(CALL, "seen"), assistant("two"), user("three")]
    for length in (2, 4, 6):
        more = [assistant("and"), user("then")] if length == 6 else talk[length : length + 2]
        first = encoded(*talk[:length], tools=(TOOL,))
        second = encoded(*talk[:length], *more, tools=(TOOL,))
        written = max(mark for mark in marks_in(first) if mark.startswith("messages"))
        assert written in set(marks_in(second))
        before = unmarked(first)
        assert unmarked(second)["messages"][: len(before["messages"])] == before["messages"]
        assert all(before[name] == unmarked(second)[name] for name in ("system", "tools"))


def test_the_key_is_that_of_the_common_beginning() -> None:
    def key(*messages: Message, **fields: Any) -> str:
        quirks = catalogue.find("openai").quirks
        return encoded(*messages, dialect="openai-chat", quirks=quirks, **fields)["prompt_cache_key"]

    assert key(system("S"), user("a")) == key(system("S"), user("b"), assistant("c"), user("d"))
    assert key(system("S"), user("a")) != key(system("T"), user("a"))
    assert key(user("a")) == key(user("a"), assistant("b"), user("c")) != key(user("b"))
    assert key(system("S"), user("a"), tools=(TOOL,)) != key(system("S"), user("a"))
    assert key(system("S"), user("a"), cache_key="mine") == "mine"


# -- any request -------------------------------------------------------------------------------------------------------

_HINTS = st.sampled_from([None, None, None, CacheHint(), CacheHint(ttl="5m")])
_PARTS: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, text=st.sampled_from(["", "a", LONG]), cache=_HINTS),
    st.builds(Reasoning, text=st.just("hm")),
    st.builds(ToolCall, id=st.just("c"), name=st.just("t"), cache=_HINTS),
    st.builds(ToolResult, call_id=st.just("c"), content=st.tuples(st.builds(Text, text=st.just("r"), cache=_HINTS))),
    st.builds(Opaque, dialect=st.just("anthropic"), kind=st.just("x"), data=st.just({"type": "x"})),
)
_MESSAGES = st.builds(
    Message, st.sampled_from(["system", "developer", "user", "assistant", "tool"]), st.lists(_PARTS, max_size=4)
)
_TOOLS = st.lists(st.builds(ToolDefinition, name=st.just("t"), cache=_HINTS), max_size=2).map(tuple)


def hints(request: Request) -> list[CacheHint]:
    pieces = [
        piece
        for message in request.messages
        for part in message.parts
        for piece in (part, *(part.content if isinstance(part, ToolResult) else ()))
    ]
    return [item.cache for item in (*request.tools, *pieces) if item.cache is not None]


@given(st.lists(_MESSAGES, max_size=6).map(tuple), _TOOLS, st.booleans(), st.sampled_from([None, "5m", "1h", "9h"]))
def test_marks_stay_within_the_limit_and_change_nothing_else(
    messages: tuple[Message, ...], tools: tuple[ToolDefinition, ...], pieces: bool, ttl: str | None
) -> None:
    request = Request(model="m", messages=messages, tools=tools, cache=CachePolicy(ttl=ttl))
    rules = MarkRules(lambda part, role: isinstance(part, (Text, ToolCall, ToolResult)), pieces=pieces)
    marked = place_marks(request, rules, AdaptationLog())
    assert len(hints(marked)) <= max(rules.most, len(hints(request)))
    own, theirs = list(_items(request)), list(_items(marked))
    assert len(own) == len(theirs)
    for one, other in zip(own, theirs, strict=True):
        if one.cache is not None:
            assert one.cache == other.cache
        assert replace(one, cache=None) == replace(other, cache=None)


def _items(request: Request) -> Iterator[Any]:
    yield from request.tools
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, ToolResult):
                yield from part.content
                yield replace(part, content=())
            else:
                yield part


# -- the option --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "policy"),
    [
        (True, CachePolicy()),
        (False, CachePolicy(enabled=False)),
        ("1h", CachePolicy(ttl="1h")),
        ({"ttl": "5m", "key": "mine"}, CachePolicy(ttl="5m", key="mine")),
        (CachePolicy(key="k"), CachePolicy(key="k")),
    ],
)
def test_the_option(given: Any, policy: CachePolicy) -> None:
    assert request_fields({"cache": given}) == {"cache": policy}


@pytest.mark.parametrize("given", ["soon", "0m", 5, {"time": "5m"}, CachePolicy(ttl="an hour")])
def test_an_option_of_no_sense_is_refused(given: Any) -> None:
    with pytest.raises(InvalidRequest, match="cache"):
        request_fields({"cache": given})
