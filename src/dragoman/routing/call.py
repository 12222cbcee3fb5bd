"""What strategies and affinity may know of one call, each piece worked out when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack, cast

from dragoman.routing.sessions import prefix_of, session_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dragoman.values import Request

__all__ = ["Call", "Known"]

EXPECTED_OUTPUT_TOKENS = 300
_NOTHING: Mapping[str, Any] = {}
_UNKNOWN = object()
_T = TypeVar("_T")
_HIDDEN = {"prompt_tokens": "_prompt_tokens", "needs": "_needs", "prefix": "_prefix", "issuer": "_issuer"}


class Known(TypedDict, total=False):
    """What may be told of a call (see `Call`)."""

    model: str
    headers: Mapping[str, str]
    metadata: Mapping[str, Any]
    user: str | None
    key: str
    team: str
    prompt_tokens: int | None
    max_tokens: int | None
    needs: tuple[str, ...] | Callable[[], tuple[str, ...]]
    conversation: str | None
    state: str | None
    issuer: str | None
    prefix: str | Callable[[], str | None] | None
    streamed: bool


_DEFAULTS: dict[str, Any] = {}


class _Told:
    """A member of a call that is `untold`: all is told first. Every other call has one of its own."""

    def __init__(self, default: object) -> None:
        self._default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name
        _DEFAULTS[name] = self._default

    def __get__(self, call: Call | None, owner: type) -> Any:
        if call is None or not call.untold:
            return self._default
        call.untold = False
        call.__dict__.update(_DEFAULTS | call.__dict__)
        call.tell()
        return getattr(call, self._name)


def _told(default: _T) -> _T:
    return cast("_T", _Told(default))


class Call:
    """One call, as those who choose among deployments see it.

    In the library it is made from the `request`. A gateway that passes bodies on unread gives what it has: `model` (the
    name that was asked for), `headers` (names in lower case), `metadata`, `user`, `key` and `team` (who asks),
    `prompt_tokens`, `max_tokens`, `needs` ("tools", "vision", … as in `facts.NEEDS`), `conversation` (a session named
    in the body: `prompt_cache_key`, `conversation`), `state` (`previous_response_id`), `issuer` (whose opaque state the
    request holds), `prefix` (a digest of how the conversation begins, or a function that works one out).

    A subclass may leave everything `untold`, for most routes never ask: `tell` then sets the members of such a call.
    """

    request: Request | None = _told(None)
    streamed = False
    key: str = _told("")
    team: str = _told("")
    model: str = _told("")
    headers: Mapping[str, str] = _told(_NOTHING)
    metadata: Mapping[str, Any] = _told(_NOTHING)
    user: str | None = _told(None)
    max_tokens: int | None = _told(None)
    conversation: str | None = _told(None)
    state: str | None = _told(None)
    _session: Any = _UNKNOWN
    _prompt_tokens: int | None = _told(None)
    _needs: tuple[str, ...] | Callable[[], tuple[str, ...]] | None = _told(None)
    _prefix: Any = _told(_UNKNOWN)
    _issuer: Any = _told(_UNKNOWN)
    _dice: float | None = None
    bonds: list[tuple[str, str]] | None = _told(None)
    """Kept by affinity: by what the call is bound to a deployment."""
    untold = False
    """Whether nothing is set yet."""

    def __init__(self, request: Request | None = None, **known: Unpack[Known]) -> None:
        if not self.untold:
            self.__dict__.update(_DEFAULTS)
        for name, value in known.items():
            setattr(self, _HIDDEN.get(name, name), value)
        if request is not None:
            self.know(request)

    def tell(self) -> None:
        """Sets the members of a call that is `untold`, when one of them is first asked for."""

    def know(self, request: Request) -> None:
        """What the request says is known, where nobody has said it before."""
        self.request = request
        self.model = self.model or request.model
        if request.extra_headers and not self.headers:
            self.headers = {name.lower(): value for name, value in request.extra_headers.items()}
        self.metadata = self.metadata or request.metadata or _NOTHING
        self.user = self.user or request.user
        self.max_tokens = self.max_tokens or request.max_tokens
        self.conversation = self.conversation or request.cache_key
        self.state = self.state or request.previous_response_id

    @property
    def session(self) -> str | None:
        """What tells the calls of one session from others: a header of the client's, or a member of the body."""
        if self._session is _UNKNOWN:
            self._session = session_of(self.headers, self.metadata, self.user) or self.conversation
        return self._session

    @property
    def prefix(self) -> str | None:
        """A digest of how the conversation begins, where that is long enough for providers to keep it."""
        if self._prefix is _UNKNOWN:
            self._prefix = None if self.request is None else prefix_of(self.request)
        elif callable(self._prefix):
            self._prefix = self._prefix()
        return self._prefix

    @property
    def issuer(self) -> str | None:
        """Whose opaque state (thought signatures, encrypted reasoning) the request holds, the newest first."""
        if self._issuer is _UNKNOWN:
            self._issuer = None if self.request is None else _issuer_of(self.request)
        return self._issuer

    def dice(self, random: Callable[[], float]) -> float:
        """One throw for the whole call, so that it stays on one side of a split."""
        if self._dice is None:
            self._dice = random()
        return self._dice

    @property
    def needs(self) -> tuple[str, ...]:
        """What the request cannot do without, as in `facts.NEEDS`."""
        needs = self._needs
        if needs is None:
            from dragoman.engine.capabilities import needs_of

            needs = () if self.request is None else needs_of(self.request)
        elif callable(needs):
            needs = needs()
        self._needs = needs
        return needs

    @property
    def prompt_tokens(self) -> int:
        """About how many tokens the prompt has: a quarter of its letters, where nobody said more."""
        if self._prompt_tokens is None:
            self._prompt_tokens = 0 if self.request is None else _letters(self.request) // 4 + 1
        return self._prompt_tokens

    @property
    def output_tokens(self) -> int:
        """About how many tokens the answer will have."""
        most = self.max_tokens
        return EXPECTED_OUTPUT_TOKENS if most is None else max(1, min(most, EXPECTED_OUTPUT_TOKENS))

    @property
    def tokens(self) -> int:
        """Both together: what is set aside of a limit on tokens until the answer has come."""
        return self.prompt_tokens + self.output_tokens


def _issuer_of(request: Request) -> str | None:
    for message in reversed(request.messages):
        for part in reversed(message.parts):
            if part.replay:
                return part.replay[-1].issuer
    return None


def _letters(request: Request) -> int:
    from dragoman.values import Text, ToolCall, ToolResult

    count = 0
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, Text):
                count += len(part.text)
            elif isinstance(part, ToolResult):
                count += sum(len(piece.text) for piece in part.content if isinstance(piece, Text))
            elif isinstance(part, ToolCall):
                count += len(part.arguments_text)
    return count
