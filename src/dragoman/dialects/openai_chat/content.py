"""The member `content`: one text or a list of parts, whichever the parts and the host ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.dialects.openai_chat.notes import NAME, own
from dragoman.dialects.openai_chat.parts import write_part
from dragoman.values import Text

if TYPE_CHECKING:
    from dragoman.values import AdaptationLog, JsonObject, Part, Target

__all__ = ["put_content"]


def put_content(
    wire: JsonObject,
    parts: tuple[Part, ...],
    form: str | None,
    target: Target,
    log: AdaptationLog,
    path: str,
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
        said = _plain_text(parts[0], target, log, path)
        if said is not None:
            wire["content"] = said
            return
    content = [
        written
        for index, part in enumerate(parts)
        if (written := write_part(part, target, log, f"{path}[{index}]")) is not None
    ]
    if target.quirks.chat.content_parts:
        wire["content"] = content or empty
    else:
        wire["content"] = _flat(content, log, path)


def _plain_text(part: Part, target: Target, log: AdaptationLog, path: str) -> str | None:
    """The part's text, if there is nothing that only an object could say."""
    if not isinstance(part, Text):
        return None
    if part.extras:
        if own(part.extras):
            return None
        log.foreign_extras(part.extras, NAME, f"{path}[0]")
    if part.cache is not None:
        if target.quirks.chat.cache_marks and target.quirks.chat.content_parts:
            return None
        log.dropped(f"{path}[0].cache", "the host takes no cache marks", part.cache.ttl)
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
