"""Dragoman: one typed interface to every language-model provider.

    import dragoman

    model = dragoman.get_model("openai/gpt-4o")
    print(model.chat("Explain channels in Go.").content)

The nouns, and where each lives:

- message, part, request, response, event, usage, adaptation, replay, attempt: `values/`, frozen data
- dialect, quirk: `dialects/`, a wire protocol in both directions, and a host's declared deviations from it
- provider, credential: `catalogue/`, who answers, where, and as whom one asks
- facts: `facts/`, what models can do and what calls cost, each piece with its source
- transport: `transport/`, two methods, and our own HTTP/1.1 client behind them
- deployment, attempt: `engine/`, one thing that can be tried, tried once
- route, plan, permit: `routing/`, what is tried when, and what is done when it fails
- model, stream, pool, registry: `face/`, what a caller holds

Names are loaded at their first use, so that importing this package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dragoman.errors import (
        AllAttemptsFailed,
        AuthenticationFailed,
        BadRequest,
        ConfigError,
        ConnectFailed,
        ConnectionLost,
        ContentBlocked,
        ContextOverflow,
        DragomanError,
        InvalidArguments,
        InvalidRequest,
        MissingExtra,
        MissingKey,
        MissingModel,
        NotFound,
        OutputError,
        Overloaded,
        PermissionDenied,
        PoolExhausted,
        ProtocolViolation,
        ProviderError,
        QuotaExhausted,
        RateLimited,
        RequestTooLarge,
        SchemaMismatch,
        ServerFault,
        StreamStateError,
        StreamTruncated,
        TimedOut,
        TooManyRounds,
        TransportError,
        Unavailable,
        UnknownName,
        UnknownProvider,
        Unsupported,
        UnusableAnswer,
        UpstreamTimeout,
    )
    from dragoman.face.combine import Member, fallback, route, wrap
    from dragoman.face.conversation import Conversation
    from dragoman.face.media import Audio, Document, Image, Video
    from dragoman.face.model import ChatModel
    from dragoman.face.options import CallOptions
    from dragoman.face.pool import ModelPool
    from dragoman.face.registry import ProviderRegistry, aembed, embed, get_model
    from dragoman.face.streams import AsyncChatStream, ChatChunk, ChatStream
    from dragoman.face.toolloop import ToolFailure, ToolRun
    from dragoman.face.tools import FunctionTool, tool
    from dragoman.routing.affinity import Affinity
    from dragoman.routing.health import Health, HealthSettings
    from dragoman.routing.hedging import Hedging
    from dragoman.routing.limits import Limits
    from dragoman.routing.plan import Bounds
    from dragoman.routing.strategies.rules import Rule
    from dragoman.routing.tally import usage
    from dragoman.transport.seam import Timeout
    from dragoman.values import (
        Adaptation,
        Attempt,
        CacheHint,
        CachePolicy,
        Citation,
        Cost,
        EmbeddingRequest,
        EmbeddingResponse,
        Event,
        Finish,
        Media,
        Message,
        MessageRole,
        Opaque,
        OutputFormat,
        Part,
        Reasoning,
        ReasoningOptions,
        Refusal,
        Replay,
        Request,
        Response,
        Text,
        ToolCall,
        ToolChoice,
        ToolDefinition,
        ToolResult,
        Usage,
        assistant,
        from_json,
        system,
        to_json,
        tool_result,
        user,
    )
    from dragoman.values.counts import TokenCount

_ROOMS = {
    "dragoman.errors": (
        "AllAttemptsFailed AuthenticationFailed BadRequest ConfigError ConnectFailed ConnectionLost ContentBlocked "
        "ContextOverflow DragomanError InvalidArguments InvalidRequest MissingExtra MissingKey MissingModel NotFound "
        "OutputError Overloaded PermissionDenied PoolExhausted ProtocolViolation ProviderError QuotaExhausted "
        "RateLimited RequestTooLarge SchemaMismatch ServerFault StreamStateError StreamTruncated TimedOut "
        "TooManyRounds TransportError Unavailable UnknownName UnknownProvider Unsupported UnusableAnswer "
        "UpstreamTimeout"
    ),
    "dragoman.face.combine": "Member fallback route wrap",
    "dragoman.face.conversation": "Conversation",
    "dragoman.face.media": "Audio Document Image Video",
    "dragoman.face.model": "ChatModel",
    "dragoman.face.options": "CallOptions",
    "dragoman.face.pool": "ModelPool",
    "dragoman.face.registry": "ProviderRegistry aembed embed get_model",
    "dragoman.face.streams": "AsyncChatStream ChatChunk ChatStream",
    "dragoman.face.toolloop": "ToolFailure ToolRun",
    "dragoman.face.tools": "FunctionTool tool",
    "dragoman.routing.affinity": "Affinity",
    "dragoman.routing.health": "Health HealthSettings",
    "dragoman.routing.hedging": "Hedging",
    "dragoman.routing.limits": "Limits",
    "dragoman.routing.plan": "Bounds",
    "dragoman.routing.strategies.rules": "Rule",
    "dragoman.routing.tally": "usage",
    "dragoman.transport.seam": "Timeout",
    "dragoman.values": (
        "Adaptation Attempt CacheHint CachePolicy Citation Cost EmbeddingRequest EmbeddingResponse Event Finish Media "
        "Message MessageRole Opaque OutputFormat Part Reasoning ReasoningOptions Refusal Replay Request Response Text "
        "ToolCall ToolChoice ToolDefinition ToolResult Usage assistant from_json system to_json tool_result user"
    ),
    "dragoman.values.counts": "TokenCount",
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names.split()}

__version__ = "0.1.0"

__all__ = [
    "Adaptation",
    "Affinity",
    "AllAttemptsFailed",
    "AsyncChatStream",
    "Attempt",
    "Audio",
    "AuthenticationFailed",
    "BadRequest",
    "Bounds",
    "CacheHint",
    "CachePolicy",
    "CallOptions",
    "ChatChunk",
    "ChatModel",
    "ChatStream",
    "Citation",
    "ConfigError",
    "ConnectFailed",
    "ConnectionLost",
    "ContentBlocked",
    "ContextOverflow",
    "Conversation",
    "Cost",
    "Document",
    "DragomanError",
    "EmbeddingRequest",
    "EmbeddingResponse",
    "Event",
    "Finish",
    "FunctionTool",
    "Health",
    "HealthSettings",
    "Hedging",
    "Image",
    "InvalidArguments",
    "InvalidRequest",
    "Limits",
    "Media",
    "Member",
    "Message",
    "MessageRole",
    "MissingExtra",
    "MissingKey",
    "MissingModel",
    "ModelPool",
    "NotFound",
    "Opaque",
    "OutputError",
    "OutputFormat",
    "Overloaded",
    "Part",
    "PermissionDenied",
    "PoolExhausted",
    "ProtocolViolation",
    "ProviderError",
    "ProviderRegistry",
    "QuotaExhausted",
    "RateLimited",
    "Reasoning",
    "ReasoningOptions",
    "Refusal",
    "Replay",
    "Request",
    "RequestTooLarge",
    "Response",
    "Rule",
    "SchemaMismatch",
    "ServerFault",
    "StreamStateError",
    "StreamTruncated",
    "Text",
    "TimedOut",
    "Timeout",
    "TokenCount",
    "TooManyRounds",
    "ToolCall",
    "ToolChoice",
    "ToolDefinition",
    "ToolFailure",
    "ToolResult",
    "ToolRun",
    "TransportError",
    "Unavailable",
    "UnknownName",
    "UnknownProvider",
    "Unsupported",
    "UnusableAnswer",
    "UpstreamTimeout",
    "Usage",
    "Video",
    "aembed",
    "assistant",
    "embed",
    "fallback",
    "from_json",
    "get_model",
    "route",
    "system",
    "to_json",
    "tool",
    "tool_result",
    "usage",
    "user",
    "wrap",
]


def __getattr__(name: str) -> Any:
    room = _HOME.get(name)
    if room is None:
        raise AttributeError(f"module 'dragoman' has no attribute {name!r}")
    value = getattr(import_module(room), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
