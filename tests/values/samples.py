"""One value of every type with every field filled; `golden/` holds the JSON form of each, as it is promised.

`python -m tests.values.samples` writes the golden files anew: a change of them is a change of the published form.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from dragoman.values import (
    Adaptation,
    ArgumentsDelta,
    Attempt,
    AttemptFailed,
    CacheHint,
    CachePolicy,
    Choice,
    Citation,
    CitationAdded,
    Cost,
    EmbeddingRequest,
    EmbeddingResponse,
    Finish,
    Finished,
    Media,
    MediaDelta,
    Message,
    MessageRole,
    Opaque,
    OutputFormat,
    PartEnded,
    PartStarted,
    Ping,
    Reasoning,
    ReasoningDelta,
    ReasoningOptions,
    Refusal,
    RefusalDelta,
    Replay,
    Request,
    Response,
    Started,
    Text,
    TextDelta,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    ToolResult,
    TranscriptDelta,
    Usage,
    UsageSeen,
    to_json,
)

__all__ = ["FOLDER", "SAMPLES", "pretty"]

FOLDER = Path(__file__).parent / "golden"

_EXTRAS: dict[str, dict[str, Any]] = {"elsewhere": {"documents": None, ":content": "string"}}
_REPLAY = Replay(
    issuer="anthropic", dialect="anthropic", kind="signature", data="EqoBCkgIBRAB", model="claude-sonnet-4-5"
)
_CACHE = CacheHint(ttl="1h")
_CITATION = Citation(
    kind="url",
    start=0,
    end=5,
    cited_text="Paris is the capital",
    url="https://example.org/paris",
    title="Paris",
    source_id="doc-1",
    extras={"anthropic": {"type": "web_search_result_location"}},
)
_TEXT = Text(
    text="Paris, 世界",
    citations=(_CITATION,),
    channel="commentary",
    item_id="msg_1",
    replay=(_REPLAY,),
    cache=_CACHE,
    extras=_EXTRAS,
)
_REASONING = Reasoning(
    text="Let me think.", form="summary", item_id="rs_1", replay=(_REPLAY,), cache=_CACHE, extras=_EXTRAS
)
_REFUSAL = Refusal(text="I cannot.", item_id="msg_1", replay=(_REPLAY,), cache=_CACHE, extras=_EXTRAS)
_MEDIA = Media(
    kind="image",
    data="iVBORw0KGgo=",
    media_type="image/png",
    name="dot.png",
    detail="low",
    item_id="msg_2",
    replay=(_REPLAY,),
    cache=_CACHE,
    extras=_EXTRAS,
)
_AUDIO = Media(kind="audio", data="UklGRg==", media_type="audio/wav", transcript="Hello.", channel="commentary")
_DOCUMENT = Media(kind="document", text="Plain words.", name="notes.txt")
_LINKED = Media(kind="image", url="https://example.org/dot.png")
_UPLOADED = Media(kind="file", file_id="file-1", issuer="openai")
_CALL = ToolCall(
    id="call_1",
    name="weather",
    arguments_text='{"city": "Paris"}',
    item_id="fc_1",
    replay=(_REPLAY,),
    cache=_CACHE,
    extras=_EXTRAS,
)
_SEARCH = ToolCall(id="ws_1", name="web_search", arguments_text="free words", runner="provider", input="text")
_OPAQUE = Opaque(
    dialect="openai-responses",
    kind="item_reference",
    data={"type": "item_reference", "id": "rs_0"},
    item_id="rs_0",
    replay=(_REPLAY,),
    cache=_CACHE,
    extras=_EXTRAS,
)
_RESULT = ToolResult(
    call_id="call_1",
    content=(
        Text(text="21 °C"),
        _LINKED,
        Opaque(
            dialect="anthropic",
            kind="search_result",
            data={
                "type": "search_result",
                "source": "https://example.org",
                "title": "A page",
                "content": [{"type": "text", "text": "Words."}],
            },
        ),
    ),
    name="weather",
    is_error=True,
    item_id="fco_1",
    replay=(_REPLAY,),
    cache=_CACHE,
    extras=_EXTRAS,
)
_FOUND = ToolResult(call_id="ws_1", content=(), runner="provider")
_TOOL = ToolDefinition(
    name="weather",
    description="The weather of a city.",
    input_schema={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    strict=True,
    cache=_CACHE,
    extras=_EXTRAS,
)
_USAGE = Usage(
    input_tokens=120,
    output_tokens=40,
    total_tokens=160,
    cache_read_tokens=50,
    cache_write_tokens=20,
    cache_write_5m_tokens=15,
    cache_write_1h_tokens=5,
    input_audio_tokens=7,
    input_image_tokens=8,
    input_video_tokens=9,
    input_tool_tokens=3,
    cache_read_audio_tokens=2,
    cache_read_image_tokens=3,
    cache_read_video_tokens=4,
    reasoning_tokens=12,
    citation_tokens=9,
    output_audio_tokens=4,
    output_image_tokens=5,
    output_video_tokens=6,
    accepted_prediction_tokens=2,
    rejected_prediction_tokens=1,
    billed_input_tokens=110,
    billed_output_tokens=39,
    tool_uses={"web_search": 2},
    reported_cost=Decimal("0.00042"),
    dialect="openai-chat",
    raw={"prompt_tokens": 120, "completion_tokens": 40, "total_tokens": 160},
)
_ADAPTATION = Adaptation(path="temperature", action="clamped", reason="the target takes 0 to 1", asked=1.5, applied=1)
_ATTEMPT = Attempt(
    provider="groq",
    model="llama-3.1-8b-instant",
    dialect="openai-chat",
    outcome="error",
    reason="fallback",
    started_at=1767225600.5,
    duration_seconds=0.25,
    cost=Cost(amount=Decimal("0.0003"), basis="estimated"),
    first_byte_seconds=0.125,
    status=429,
    error="RateLimited",
    message="Rate limit reached.",
    sent="no",
    request_id="req_0",
    usage=_USAGE,
    service_tier="flex",
    adaptations=2,
)
_MESSAGES = (
    Message(MessageRole.SYSTEM, "Be brief."),
    Message(MessageRole.DEVELOPER, "Answer in English."),
    Message(MessageRole.USER, parts=(Text(text="Look:"), _MEDIA, _AUDIO, _DOCUMENT, _LINKED, _UPLOADED), name="ann"),
    Message(
        MessageRole.ASSISTANT,
        parts=(_REASONING, _TEXT, _REFUSAL, _SEARCH, _FOUND, _CALL, _OPAQUE),
        extras=_EXTRAS,
    ),
    Message(MessageRole.TOOL, parts=(_RESULT,)),
)
_REQUEST = Request(
    model="gpt-4o",
    messages=_MESSAGES,
    tools=(_TOOL, Opaque(dialect="openai-responses", kind="web_search", data={"type": "web_search"})),
    tool_choice=ToolChoice(mode="named", names=("weather",), parallel=False, extras=_EXTRAS),
    output=OutputFormat(
        type="json_schema",
        schema={"type": "object"},
        name="answer",
        description="The answer.",
        strict=True,
        mode="tool",
        extras=_EXTRAS,
    ),
    modalities=("text", "audio"),
    reasoning=ReasoningOptions(effort="high", budget_tokens=2048, summary="auto", visible=True, extras=_EXTRAS),
    max_tokens=1024,
    temperature=0.7,
    top_p=0.9,
    top_k=40,
    stop=("END", "STOP"),
    seed=7,
    presence_penalty=0.5,
    frequency_penalty=-0.5,
    logprobs=True,
    top_logprobs=3,
    choices=2,
    user="user-1",
    metadata={"team": "north"},
    service_tier="flex",
    store=False,
    previous_response_id="resp_0",
    cache_key="prefix-1",
    cache=CachePolicy(ttl="1h", key="prefix-1", enabled=False),
    stream=True,
    stream_usage=True,
    extra_body={"vendor_option": [1, 2]},
    extra_headers={"X-Title": "Test"},
    extras=_EXTRAS,
)
_RESPONSE = Response(
    id="chatcmpl-1",
    model="gpt-4o-2024-08-06",
    provider="openai",
    dialect="openai-chat",
    created=1767225600,
    choices=(
        Choice(
            index=1,
            message=_MESSAGES[3],
            finish=Finish(reason="stop", raw="stop_sequence", stop_sequence="END", detail={"type": "stop"}),
            extras=_EXTRAS,
        ),
    ),
    usage=_USAGE,
    cost=Cost(amount=Decimal("0.0012"), currency="EUR", basis="computed"),
    service_tier="default",
    adaptations=(_ADAPTATION,),
    attempts=(_ATTEMPT,),
    output_mode="tool",
    request_id="req_1",
    extras=_EXTRAS,
)

SAMPLES: dict[str, Any] = {
    "message": _MESSAGES[3],
    "messages": _MESSAGES,
    "tools": _REQUEST.tools,
    "request": _REQUEST,
    "response": _RESPONSE,
    "usage": _USAGE,
    "adaptation": _ADAPTATION,
    "attempt": _ATTEMPT,
    "embedding_request": EmbeddingRequest(
        model="text-embedding-3-small",
        inputs=("Hello", "World"),
        dimensions=256,
        task="RETRIEVAL_QUERY",
        user="user-1",
        extra_body={"truncate": True},
        extra_headers={"X-Title": "Test"},
        extras=_EXTRAS,
    ),
    "embedding_response": EmbeddingResponse(
        vectors=((0.5, -0.25), (1.0, 0.0)),
        model="text-embedding-3-small",
        provider="openai",
        dialect="openai-chat",
        usage=_USAGE,
        cost=Cost(amount=Decimal("0.00001")),
        adaptations=(_ADAPTATION,),
        attempts=(_ATTEMPT,),
        request_id="req_2",
        extras=_EXTRAS,
    ),
    "event-started": Started("chatcmpl-1", "gpt-4o", "openai", "openai-chat", 1767225600, "req_1", _EXTRAS),
    "event-part-started": PartStarted(1, ToolCall(id="call_1", name="weather"), 1),
    "event-text-delta": TextDelta(0, "Par", 1),
    "event-reasoning-delta": ReasoningDelta(0, "Let me", 1),
    "event-refusal-delta": RefusalDelta(0, "I can", 1),
    "event-arguments-delta": ArgumentsDelta(1, '{"ci', 1),
    "event-media-delta": MediaDelta(2, "iVBO", 1),
    "event-transcript-delta": TranscriptDelta(2, "Hel", 1),
    "event-citation-added": CitationAdded(0, _CITATION, 1),
    "event-part-ended": PartEnded(1, _CALL, 1),
    "event-usage-seen": UsageSeen(_USAGE),
    "event-ping": Ping(),
    "event-attempt-failed": AttemptFailed(_ATTEMPT),
    "event-finished": Finished(_RESPONSE),
}
"""By the name of the golden file."""


def pretty(value: Any) -> str:
    """The JSON form, laid out for a reader."""
    return msgspec.json.format(to_json(value), indent=2).decode() + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, sample in SAMPLES.items():
        (FOLDER / f"{name}.json").write_text(pretty(sample), encoding="utf-8")
