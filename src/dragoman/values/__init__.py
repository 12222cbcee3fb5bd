"""Values: what is said and answered, as frozen data, with no I/O and no knowledge of any wire.

Parts make messages (`parts`, `messages`); a `Request` asks, a `Response` or a stream of events answers; `Usage` tells
what it took; adaptations and attempts tell how it was come by; `Target` and `Quirks` describe whom a codec speaks with;
`Assembly` builds lawful events and the whole answer from a stream's steps.
"""

from __future__ import annotations

from msgspec.structs import replace

from dragoman.values.adaptations import Adaptation, AdaptationLog, AdaptationPolicy
from dragoman.values.assembly import Assembly
from dragoman.values.attempts import Attempt
from dragoman.values.embeddings import EmbeddingRequest, EmbeddingResponse
from dragoman.values.events import (
    ArgumentsDelta,
    AttemptFailed,
    CitationAdded,
    Event,
    Finished,
    MediaDelta,
    PartDelta,
    PartEnded,
    PartStarted,
    Ping,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
    TranscriptDelta,
    UsageSeen,
)
from dragoman.values.messages import Message, MessageRole, as_parts, assistant, system, tool_result, user
from dragoman.values.parts import (
    CacheHint,
    Citation,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    ToolResultPart,
)
from dragoman.values.quirks import (
    AnthropicQuirks,
    BedrockQuirks,
    ChatQuirks,
    CohereQuirks,
    GeminiQuirks,
    OllamaQuirks,
    Quirks,
    ResponsesQuirks,
)
from dragoman.values.replay import Replay, own_replay
from dragoman.values.request import CachePolicy, OutputFormat, OutputMode, ReasoningOptions, Request
from dragoman.values.response import Choice, Finish, FinishReason, Response
from dragoman.values.serial import from_json, json_schema, to_json
from dragoman.values.target import Target
from dragoman.values.tools import Tool, ToolChoice, ToolDefinition
from dragoman.values.usage import Cost, Usage
from dragoman.values.value import Extras, JsonObject, Value

__all__ = [
    "Adaptation",
    "AdaptationLog",
    "AdaptationPolicy",
    "AnthropicQuirks",
    "ArgumentsDelta",
    "Assembly",
    "Attempt",
    "AttemptFailed",
    "BedrockQuirks",
    "CacheHint",
    "CachePolicy",
    "ChatQuirks",
    "Choice",
    "Citation",
    "CitationAdded",
    "CohereQuirks",
    "Cost",
    "EmbeddingRequest",
    "EmbeddingResponse",
    "Event",
    "Extras",
    "Finish",
    "FinishReason",
    "Finished",
    "GeminiQuirks",
    "JsonObject",
    "Media",
    "MediaDelta",
    "Message",
    "MessageRole",
    "OllamaQuirks",
    "Opaque",
    "OutputFormat",
    "OutputMode",
    "Part",
    "PartDelta",
    "PartEnded",
    "PartStarted",
    "Ping",
    "Quirks",
    "Reasoning",
    "ReasoningDelta",
    "ReasoningOptions",
    "Refusal",
    "RefusalDelta",
    "Replay",
    "Request",
    "Response",
    "ResponsesQuirks",
    "Started",
    "Target",
    "Text",
    "TextDelta",
    "Tool",
    "ToolCall",
    "ToolChoice",
    "ToolDefinition",
    "ToolResult",
    "ToolResultPart",
    "TranscriptDelta",
    "Usage",
    "UsageSeen",
    "Value",
    "as_parts",
    "assistant",
    "from_json",
    "json_schema",
    "own_replay",
    "replace",
    "system",
    "to_json",
    "tool_result",
    "user",
]
