"""Framing: bytes → frames, safe against drips, bounded. A frame is what one dialect event travels in."""

from __future__ import annotations

from dragoman.framing.eventstream import (
    EventMessage,
    EventStreamDecoder,
    encode_event_headers,
    encode_event_message,
)
from dragoman.framing.lines import LineSplitter
from dragoman.framing.ndjson import NdjsonDecoder, encode_ndjson
from dragoman.framing.sse import SseDecoder, SseFrame, encode_sse
from dragoman.framing.sse_blocks import SseBlocks

__all__ = [
    "EventMessage",
    "EventStreamDecoder",
    "LineSplitter",
    "NdjsonDecoder",
    "SseBlocks",
    "SseDecoder",
    "SseFrame",
    "encode_event_headers",
    "encode_event_message",
    "encode_ndjson",
    "encode_sse",
]
