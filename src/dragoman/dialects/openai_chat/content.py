"""The member `content`: one text or a list of parts, whichever the parts and the host ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from dragoman.dialects.openai_chat.notes import NAME, own
from dragoman.dialects.openai_chat.parts import drop_foreign_state, write_part
from dragoman.values import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.values import AdaptationLog, JsonObject, Part, Target

__all__ = ["Placed", "put_content"]

Placed: TypeAlias = "tuple[Part, str]"
"""A part, and its path in our values."""


def put_content(
    wire: JsonObject,
    parts: Sequence[Placed],
    form: str | None,
    target: Target,
    log: AdaptationLog,
    *,
    empty: Any = "",
) -> None:
    """Sets `content` in the form noted; else as text where it is one plain text, and as a list where it is not.

    The note `:content` is "list", "null", "absent" or "" (an empty text); `empty` stands for no parts.
    """
    if not parts:
        if form == "list":
            wire["content"] = []
        elif form == "null":
            wire["content"] = None
        elif form != "absent":
            wire["content"] = form if form == "" else empty
        return
    if len(parts) == 1 and form != "list":
        said = _plain_text(*parts[0], target, log)
        if said is not None:
            wire["content"] = said
            return
    content = [written for part, place in parts if (written := write_part(part, target, log, place)) is not None]
    if target.quirks.chat.content_parts:
        wire["content"] = content or empty
    else:
        wire["content"] = _flat(content, log, parts[0][1].rpartition("[")[0])


def _plain_text(part: Part, path: str, target: Target, log: AdaptationLog) -> str | None:
    """The part's text, if there is nothing that only an object could say."""
    if not isinstance(part, Text):
        return None
    if part.extras:
        if own(part.extras):
            return None
        log.foreign_extras(part.extras, NAME, path)
    if part.replay:
        drop_foreign_state(part, target, log, path)
    if part.cache is not None:
        if target.quirks.chat.cache_marks and target.quirks.chat.content_parts:
            return None
        log.dropped(f"{path}.cache", "the host takes no cache marks", part.cache.ttl)
    return part.text


def _flat(content: list[JsonObject], log: AdaptationLog, path: str) -> str:
    texts: list[str] = []
    for part in content:
        if part.get("type") == "text":
            texts.append(part["text"])
        else:
            log.dropped(path, "the host takes text alone", part.get("type"))
    if len(texts) > 1:
        log.substituted(path, "the host takes content as one text", "parts", "joined by newlines")
    return "\n".join(texts)
