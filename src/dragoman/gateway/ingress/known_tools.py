"""Tools that clients send again: what a request's member `tools` says, known by its bytes.

An agent sends the same tools with every request, and they are often more than all the rest of it: to decode 40 kB of
schemas takes 0.2 ms, to gather the words in them as long again, to compare their bytes 20 µs. Nothing is kept of tools
that came but once.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

import msgspec

from dragoman.engine.relay import words_of
from dragoman.gateway.ingress.tool_heads import tool_types

if TYPE_CHECKING:
    from dragoman.engine.relay import Members

__all__ = ["KnownTools", "ToolMemory"]

_SHORTEST: Final = 256
_LONGEST: Final = 1024 * 1024
_MOST: Final = 256
_MOST_BYTES: Final = 2 * 1024 * 1024
"""As clients sent them; as values they take several times as much."""
_MOST_SEEN: Final = 4096
_decode = msgspec.json.Decoder().decode


class KnownTools(msgspec.Struct, frozen=True):
    """What the bytes of a member `tools` say: as JSON, which nobody may change, and what stands in quotation marks.

    `types` are those of the tools, None for what is no list of objects; `functions`: all of them are described there,
    and run by the caller (`facts.body_bounds.are_functions`).
    """

    parsed: Any
    words: frozenset[bytes]
    types: frozenset[str | None] | None
    functions: bool

    def words_with(self, members: Members) -> frozenset[bytes]:
        """The words of a body with these tools and other members."""
        rest = b",".join([raw for name, raw in members.items() if name != "tools"])
        return self.words.union(words_of(rest), map(str.encode, members))

    def body_with(self, members: Members) -> dict[str, Any]:
        """The body as JSON. Raises what msgspec raises for a member that is none."""
        return {name: self.parsed if name == "tools" else _decode(raw) for name, raw in members.items()}


class ToolMemory:
    """Tools by their bytes, those that were asked for last; bounded by count and by bytes."""

    __slots__ = ("_bytes", "_kept", "_seen")

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, KnownTools] = OrderedDict()
        self._seen: set[int] = set()
        self._bytes = 0

    def find(self, members: Members) -> KnownTools | None:
        """What is known of a body's tools: from the second time on that they came; None for all others."""
        raw = members.get("tools")
        if raw is None:
            return None
        tools = bytes(raw)
        found = self._kept.get(tools)
        if found is not None:
            try:  # `suppress` would take a microsecond
                self._kept.move_to_end(tools)
            except KeyError:
                pass  # two gateways in one process: the other has let go of it just now
            return found
        if not _SHORTEST <= len(tools) <= _LONGEST:
            return None
        digest = hash(tools)
        if digest in self._seen:
            return self._keep(raw, tools)
        if len(self._seen) >= _MOST_SEEN:
            self._seen.clear()
        self._seen.add(digest)
        return None

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def held_bytes(self) -> int:
        """The bytes of what is kept, as clients sent them."""
        return self._bytes

    def _keep(self, raw: msgspec.Raw, tools: bytes) -> KnownTools | None:
        from dragoman.facts.body_bounds import are_functions  # here: who relays alone does not load facts

        try:
            found = KnownTools(_decode(tools), words_of(tools), tool_types(raw), are_functions(raw))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None  # whoever decodes the body says what is wrong
        self._kept[tools] = found
        self._bytes += len(tools)
        while self._kept and (self._bytes > _MOST_BYTES or len(self._kept) > _MOST):
            gone, _ = self._kept.popitem(last=False)
            self._bytes -= len(gone)
        return found
