"""The types of the tools in a body, read without decoding what they describe."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["tool_types"]


class _ToolHead(msgspec.Struct):
    type: Any = None


_decode = msgspec.json.Decoder(list[_ToolHead]).decode


def tool_types(tools: msgspec.Raw) -> frozenset[str | None] | None:
    """The types: None among them where a tool has none, "" where it is no text. None for what is no list of objects."""
    try:
        heads = _decode(tools)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return frozenset([head.type if head.type is None or isinstance(head.type, str) else "" for head in heads])
