"""What a client asked: the members of its body, what was peeked of them, and the request as values when it is needed.

Reading the members takes about 2 µs for a small body; decoding the whole is left until a target must be translated for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from dragoman.engine.relay import holds_any, true_member, words_of
from dragoman.errors import InvalidRequest
from dragoman.gateway.ingress.known_tools import ToolMemory
from dragoman.gateway.ingress.shapes import ACTING, shape_of
from dragoman.gateway.ingress.tool_heads import tool_types

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.dialects import Dialect
    from dragoman.engine.relay import Members
    from dragoman.gateway.ingress.known_tools import KnownTools
    from dragoman.gateway.ingress.shapes import Shape
    from dragoman.values import Request

__all__ = ["Asked", "PublicDialect", "acting_members", "checked_shape", "stream_member"]

_decode = msgspec.json.Decoder().decode
_TOOLS = ToolMemory()


class PublicDialect(msgspec.Struct, frozen=True, kw_only=True):
    """A dialect as clients of the gateway speak it.

    `keep_alive` is what may be sent on a stream at any time between events. `comments`: a closing comment may follow
    the last event. `control` are the members that the gateway itself reads. `acts` tells whether a request may act on
    the world, by its members and by its tools where they are known. `request_id_header` is where the dialect's clients
    look for the id of an answer. `state_marks` are texts without which a body holds no provider's state (thought
    signatures, encrypted reasoning). `stores_unless_told`: the provider keeps its answer unless the member `store` is
    false.
    """

    name: str
    keep_alive: bytes
    comments: bool
    control: frozenset[str]
    acts: Callable[[Members, KnownTools | None], bool]
    request_id_header: str
    state_marks: tuple[bytes, ...]
    stream_type: str = "text/event-stream"
    stores_unless_told: bool = False


class Asked:
    """One call of a client. `model` is the name it gave; `headers` are those of its headers that may be forwarded.

    `outline` is what has to be searched of the body (`engine.relay.read_body`).
    """

    __slots__ = (
        "_acts",
        "_request",
        "body",
        "codec",
        "dialect",
        "headers",
        "holds_state",
        "known_tools",
        "members",
        "model",
        "outline",
        "path",
        "public",
        "relayable",
        "shape",
        "stream",
        "words",
    )

    def __init__(
        self,
        public: PublicDialect,
        codec: Dialect,
        *,
        body: bytes,
        outline: bytes,
        members: Members,
        shape: Shape,
        model: str,
        stream: bool,
        path: str,
        headers: tuple[tuple[str, str], ...] = (),
        relayable: bool = True,
    ) -> None:
        self.public = public
        self.dialect = public.name
        self.codec = codec
        self.body = body
        self.outline = outline
        self.members = members
        self.model = model
        self.stream = stream
        self.path = path
        self.headers = headers
        self.relayable = relayable
        self.shape = shape
        self.known_tools = known = _TOOLS.find(members) if "tools" in members else None
        self.words = words_of(outline) if known is None or outline is not body else known.words_with(members)
        """What stands between quotation marks in the body (see `engine.relay.words`)."""
        self.holds_state = holds_any(public.state_marks, outline, self.words) is not None
        """Whether the request may hold a provider's state, which only its issuer may have."""
        self._request: Request | None = None
        self._acts: bool | None = None

    @property
    def acts_on_world(self) -> bool:
        """Whether the request may act on the world (see `routing.effects`), as far as its members tell."""
        if self._acts is None:
            self._acts = self.shape.may_act and self.public.acts(self.members, self.known_tools)
        return self._acts

    def tool_types(self, mark: bytes) -> list[str]:
        """The types of the tools asked for, read only where the text `mark` may stand somewhere in them."""
        tools = self.members.get("tools")
        if tools is None:
            return []
        if self.known_tools is not None:
            types = self.known_tools.types
        else:
            raw = bytes(tools)
            # A letter may be written as an escape.
            types = tool_types(tools) if raw.find(mark) >= 0 or raw.find(b"\\u") >= 0 else None
        return [each for each in types or () if each]

    def _parsed(self) -> Any:
        if self.known_tools is not None:
            try:
                return self.known_tools.body_with(self.members)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                pass  # the whole body tells where it is wrong
        return _decode(self.body)

    def request(self, read: Callable[[Dialect, Any, str], Request]) -> Request:
        """The request as values, decoded once. Raises `InvalidRequest` naming the member that is wrong."""
        if self._request is None:
            try:
                parsed = self._parsed()
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise InvalidRequest(f"the body is not valid JSON: {error}") from None
            except RecursionError:
                raise InvalidRequest("the body is nested too deeply") from None
            self._request = read(self.codec, parsed, self.path)
        return self._request


# -- what members say --------------------------------------------------------------------------------------------------

_EMPTY = frozenset({b"null", b"false", b"[]", b"{}", b'""'})


def acting_members(members: Members, known: KnownTools | None, own_types: frozenset[str | None]) -> bool:
    """Whether members ask for more than an answer: work in the background, stored state, tools that a provider runs.

    `own_types` are the types of tools that the client runs itself.
    """
    for name in ACTING:
        raw = members.get(name)
        if raw is not None and bytes(raw) not in _EMPTY:
            return True
    tools = members.get("tools")
    if tools is None:
        return False
    types = tool_types(tools) if known is None else known.types
    return types is not None and not types <= own_types  # no list of objects: whoever decodes it says so


def checked_shape(members: Members, control: frozenset[str]) -> Shape:
    """The shape of a body. Raises `InvalidRequest` for `Model` and its like: hosts would obey what we have not read."""
    shape = shape_of(members)
    for name in shape.capital:
        if name not in control and (folded := name.casefold()) in control:
            raise InvalidRequest(f"the member {name!r} differs in case alone from {folded!r}; write it so", path=name)
    return shape


def stream_member(members: Members) -> bool:
    """Whether a stream is asked for, by the member of that name."""
    return "stream" in members and true_member(members, "stream")
