"""Parts: the seven kinds of pieces that a message is made of, in order.

Every part may carry `item_id` (the id of the wire item it sat in; neighbouring parts of one item share it), `replay`
(state for its issuer alone), `cache` (a hint that the prefix up to here is worth caching) and `extras`.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import msgspec

from dragoman.errors import InvalidArguments
from dragoman.values.replay import Replay
from dragoman.values.value import Extras, JsonObject, Value

if TYPE_CHECKING:
    from os import PathLike

__all__ = [
    "CacheHint",
    "Citation",
    "Media",
    "Opaque",
    "Part",
    "Reasoning",
    "Refusal",
    "Text",
    "ToolCall",
    "ToolResult",
    "ToolResultPart",
]

_T = TypeVar("_T")
_PADDED = re.compile(r"[^=]+={0,2}|=+")


class CacheHint(Value, frozen=True, kw_only=True):
    """Asks the provider to keep the prefix up to here; `ttl` is its own word ("5m", "1h") or None for its default."""

    ttl: str | None = None


class Citation(Value, frozen=True, kw_only=True):
    """Where a piece of text comes from.

    `start` and `end` are code points in the part's text (None: the whole part, or unknown). The wire's own object is in
    `extras`, so an encoder of the same dialect writes it back unchanged.
    """

    kind: Literal["url", "document", "file", "tool", "other"] = "other"
    start: int | None = None
    end: int | None = None
    cited_text: str | None = None
    url: str | None = None
    title: str | None = None
    source_id: str | None = None
    extras: Extras = {}


class _Part(Value, frozen=True, kw_only=True, tag_field="type"):
    item_id: str | None = None
    replay: tuple[Replay, ...] = ()
    cache: CacheHint | None = None
    extras: Extras = {}


class Text(_Part, frozen=True, kw_only=True, tag="text"):
    """Words. `channel` is "commentary" for text that is not the answer itself (preambles, tool plans)."""

    text: str
    citations: tuple[Citation, ...] = ()
    channel: Literal["answer", "commentary"] = "answer"


class Reasoning(_Part, frozen=True, kw_only=True, tag="reasoning"):
    """Thinking made visible, summarised or withheld.

    `form` is "full" (the thoughts themselves), "summary", or "redacted" (nothing readable; the state is in `replay`).
    An empty `text` is legal and keeps its place: a signature may hang on it.
    """

    text: str = ""
    form: Literal["full", "summary", "redacted"] = "full"


class Refusal(_Part, frozen=True, kw_only=True, tag="refusal"):
    """The model's own words for declining."""

    text: str


class Media(_Part, frozen=True, kw_only=True, tag="media"):
    """An image, audio, video, document or other file, by exactly one of `data`, `url`, `file_id` or `text`.

    `data` is base64 text exactly as the wire has it (`Media.bytes()` decodes it); `media_type` is a MIME type;
    `transcript` is the text of generated audio; `text` is a document given as plain text. `issuer` names whose
    `file_id` it is (or whose `url`, where that serves its issuer alone): it is sent to nobody else, and None is sent to
    whoever is asked. `channel` is "commentary" for what was drawn on the way to the answer.
    """

    kind: Literal["image", "audio", "video", "document", "file"]
    data: str | None = None
    url: str | None = None
    file_id: str | None = None
    text: str | None = None
    media_type: str | None = None
    name: str | None = None
    detail: str | None = None
    transcript: str | None = None
    issuer: str | None = None
    channel: Literal["answer", "commentary"] = "answer"

    def bytes(self) -> bytes:
        """The content: the decoded `data`, or `text` in UTF-8. ValueError when it is elsewhere or not base64."""
        if self.data is None:
            if self.text is not None:
                return self.text.encode()
            raise ValueError(f"this {self.kind} has no inline data: {self._elsewhere()}")
        # The pieces of streamed audio are base64 each by itself, and may be padded each.
        pieces = _PADDED.findall(self.data) if "=" in self.data.rstrip("=") else [self.data]
        try:
            return b"".join(base64.b64decode(piece, validate=True) for piece in pieces)
        except ValueError as error:
            raise ValueError(f"the data of this {self.kind} are not base64: {error}") from None

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the content to a file, replacing one that is there. ValueError as for `bytes`, OSError as usual."""
        content = self.bytes()
        with open(path, "wb") as file:
            file.write(content)

    def _elsewhere(self) -> str:
        if self.url is not None:
            return f"fetch it from its url, {self.url:.200}"
        if self.file_id is not None:
            return f"{self.issuer or 'its provider'} keeps it as file {self.file_id}"
        return "it is empty"


class ToolCall(_Part, frozen=True, kw_only=True, tag="tool_call"):
    """The model asks for a tool.

    `id` correlates the result and is never empty (minted where the wire has none). `arguments_text` is the exact text
    received. `runner` is "provider" for tools that the provider runs itself: such calls are a trace, and are not in
    `Response.tool_calls`. `input` is "text" for free-form tools, whose input is not JSON.
    """

    id: str
    name: str
    arguments_text: str = ""
    runner: Literal["client", "provider"] = "client"
    input: Literal["json", "text"] = "json"

    @property
    def arguments(self) -> JsonObject:
        """The arguments as an object; an empty text is `{}`. Raises `InvalidArguments` when they are not one."""
        if not self.arguments_text.strip():
            return {}
        try:
            value: Any = msgspec.json.decode(self.arguments_text)
        except msgspec.DecodeError as error:
            raise InvalidArguments(
                f"the arguments of tool call {self.name!r} are not valid JSON ({error}); "
                "read them as they came in .arguments_text",
                name=self.name,
                text=self.arguments_text,
            ) from None
        if not isinstance(value, dict):
            raise InvalidArguments(
                f"the arguments of tool call {self.name!r} are JSON, but not an object; "
                "read them as they came in .arguments_text",
                name=self.name,
                text=self.arguments_text,
            )
        return cast("JsonObject", value)

    def as_type(self, kind: type[_T]) -> _T:
        """The arguments as a value of this type: a pydantic model, or what msgspec converts (dataclass, TypedDict …).

        Raises `InvalidArguments` when they are not of it.
        """
        given = self.arguments
        validate: Any = getattr(kind, "model_validate", None)
        try:
            return validate(given) if validate is not None else msgspec.convert(given, kind)
        except ValueError as error:  # pydantic's and msgspec's errors of validation are both of it
            raise InvalidArguments(
                f"the arguments of tool call {self.name!r} are not a {getattr(kind, '__name__', kind)}: {error}",
                name=self.name,
                text=self.arguments_text,
            ) from error


class Opaque(_Part, frozen=True, kw_only=True, tag="opaque"):
    """What has no part of its own: goes back only over `dialect`, at its place, exactly as it came."""

    dialect: str
    kind: str
    data: Any


ToolResultPart = Text | Media | Opaque


class ToolResult(_Part, frozen=True, kw_only=True, tag="tool_result"):
    """What a tool came to. `call_id` names the call; `name` is the tool's name where it is known."""

    call_id: str
    content: tuple[ToolResultPart, ...] = ()
    name: str | None = None
    is_error: bool = False
    runner: Literal["client", "provider"] = "client"

    @property
    def text(self) -> str:
        """The text parts, joined."""
        return "".join(part.text for part in self.content if isinstance(part, Text))


Part = Text | Reasoning | Refusal | Media | ToolCall | ToolResult | Opaque
