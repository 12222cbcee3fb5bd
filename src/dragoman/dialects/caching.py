"""Caching: a request's `cache` setting said in marks or by a key, as the wire of the target has them.

Marks are set so that the next call of the same conversation reads what this one writes: at the end of the last message,
at the end of the system text (of the tools, where there is none), where the call before this one ended, and at the end
of the tools. The caller's own marks are never moved or changed, and count towards the most that a wire takes. Marks
move as a conversation grows; they are no part of what is kept, so what stands before them is still found.

Sources: the vendors' guides to prompt caching (four marks, of which those with the longer time come first).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.values import CacheHint, Media, MessageRole, Opaque, Text, ToolDefinition, ToolResult, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dragoman.values import AdaptationLog, CachePolicy, Message, Part, Request, Tool
    from dragoman.values.quirks import Caching

__all__ = ["MarkRules", "asked_policy", "note_loss", "place_marks", "retention", "with_key"]

_OPERATOR = (MessageRole.SYSTEM, MessageRole.DEVELOPER)
_TOOLS, _SYSTEM, _TURNS = range(3)
_LEAST_BYTES = 512  # a token has a byte at least, and no host is known to keep prompts of fewer tokens than this
_DIGEST_BYTES = 16
_EXTENDED = "24h"
_HARMLESS = (None, "5m")  # every host that keeps prompts keeps them so long


@dataclass(frozen=True, slots=True)
class MarkRules:
    """What a target takes: how many marks, on tools or not, on which parts, for which times (the usual one first).

    `pieces`: a tool's result is marked on its last piece, and not as a whole.
    """

    holds: Callable[[Part, MessageRole], bool]
    most: int = 4
    tools: bool = True
    ttls: tuple[str, ...] = ("5m", "1h")
    pieces: bool = False


_Place = tuple[int, int, int]
"""A place in the order of the wire: tools, system or turns; the index of the tool or message; that of the part."""


def asked_policy(request: Request) -> CachePolicy | None:
    """What is asked for, or None."""
    policy = request.cache
    return policy if policy is not None and policy.enabled else None


# -- marks -------------------------------------------------------------------------------------------------------------


def place_marks(request: Request, rules: MarkRules, log: AdaptationLog) -> Request:
    """The request with marks, as far as the wire has room for them."""
    policy = asked_policy(request)
    if policy is None:
        return request
    taken = dict(_own_marks(request))
    room = rules.most - len(taken) - any("cache_control" in members for members in request.extras.values())
    ttl = policy.ttl
    if ttl is not None and ttl not in rules.ttls:
        log.substituted("cache.ttl", f"this target keeps prompts for {' or '.join(rules.ttls)}", ttl, rules.ttls[-1])
        ttl = rules.ttls[-1]
    chosen: dict[_Place, CacheHint] = {}
    for place in _candidates(request, rules):
        if place in chosen or place in taken or len(chosen) >= room or not _long_enough(request, place):
            continue
        fitted = _fitting_ttl(place, ttl, taken, rules)
        if fitted is not _NONE:
            chosen[place] = CacheHint(ttl=cast("str | None", fitted))
    return _marked(request, chosen, rules) if chosen else request


_NONE: Any = object()


def _fitting_ttl(place: _Place, ttl: str | None, taken: dict[_Place, str | None], rules: MarkRules) -> Any:
    """The time that keeps longer ones before shorter ones, or `_NONE` where no mark of ours would.

    The usual time is not said: not every model of a host has a word for it.
    """
    usual = (None, rules.ttls[0])
    if ttl in usual:
        return _NONE if any(after > place and its not in usual for after, its in taken.items()) else None
    return None if any(before < place and its in usual for before, its in taken.items()) else ttl


def _own_marks(request: Request) -> Iterator[tuple[_Place, str | None]]:
    """The caller's marks: on tools, parts, pieces of results, and in what only one wire can say."""
    for index, tool in enumerate(request.tools):
        if _is_marked(tool):
            yield (_TOOLS, index, 0), _ttl(tool)
    for index, message in enumerate(request.messages):
        kind = _SYSTEM if message.role in _OPERATOR else _TURNS
        for number, part in enumerate(message.parts):
            pieces = part.content if isinstance(part, ToolResult) else ()
            marked = [piece for piece in (*pieces, part) if _is_marked(piece)]
            if marked:
                yield (kind, index, number), _ttl(marked[0])


def _is_marked(item: Part | Tool) -> bool:
    if item.cache is not None or any("cache_control" in members for members in item.extras.values()):
        return True
    data: Any = item.data if isinstance(item, Opaque) else None
    return isinstance(data, dict) and ("cache_control" in data or "cachePoint" in data)


def _ttl(item: Part | Tool) -> str | None:
    return None if item.cache is None else item.cache.ttl


def _candidates(request: Request, rules: MarkRules) -> Iterator[_Place]:
    """The places worth a mark, the most useful first."""
    messages = request.messages
    leading = next((index for index, message in enumerate(messages) if message.role not in _OPERATOR), len(messages))
    turns = [index for index, message in enumerate(messages) if message.role not in _OPERATOR]
    last = _last_place(messages, turns, rules)
    system = _last_place(messages, list(range(leading)), rules)
    tools = _last_tool(request) if rules.tools else None
    answered = max((index for index in turns if messages[index].role is MessageRole.ASSISTANT), default=0)
    before = _last_place(messages, [index for index in turns if index < answered], rules)
    for place in (last, system or tools, before, tools):
        if place is not None:
            yield place


def _last_place(messages: tuple[Message, ...], indices: list[int], rules: MarkRules) -> _Place | None:
    for index in reversed(indices):
        message = messages[index]
        operator = message.role in _OPERATOR
        for number in range(len(message.parts) - 1, -1, -1):
            part = message.parts[number]
            if (isinstance(part, Text) or not operator) and _holds(part, message.role, rules):
                return (_SYSTEM if operator else _TURNS, index, number)
    return None


def _holds(part: Part, role: MessageRole, rules: MarkRules) -> bool:
    if isinstance(part, Text) and not part.text:
        return False
    if rules.pieces and isinstance(part, ToolResult):
        return bool(part.content) and isinstance(part.content[-1], Text) and bool(part.content[-1].text)
    return rules.holds(part, role)


def _last_tool(request: Request) -> _Place | None:
    index = len(request.tools) - 1
    return (_TOOLS, index, 0) if index >= 0 and isinstance(request.tools[index], ToolDefinition) else None


def _long_enough(request: Request, place: _Place) -> bool:
    """Whether what stands up to a place may be long enough to be kept at all."""
    kind, last, number = place
    size = 0
    for tool in request.tools:
        size += len(msgspec.json.encode(tool))
        if size >= _LEAST_BYTES:
            return True
    for index, message in enumerate(request.messages if kind != _TOOLS else ()):
        operator = message.role in _OPERATOR
        if kind == _SYSTEM and not operator:
            continue
        for position, part in enumerate(message.parts):
            if kind == _TURNS and not operator and (index, position) > (last, number):
                return False
            size += _LEAST_BYTES if isinstance(part, Media) else len(msgspec.json.encode(part))
            if size >= _LEAST_BYTES:
                return True
    return False


def _marked(request: Request, chosen: dict[_Place, CacheHint], rules: MarkRules) -> Request:
    tools, messages = list(request.tools), list(request.messages)
    for (kind, index, number), hint in chosen.items():
        if kind == _TOOLS:
            tools[index] = replace(tools[index], cache=hint)
            continue
        parts = list(messages[index].parts)
        part = parts[number]
        if rules.pieces and isinstance(part, ToolResult):
            parts[number] = replace(part, content=(*part.content[:-1], replace(part.content[-1], cache=hint)))
        else:
            parts[number] = replace(part, cache=hint)
        messages[index] = replace(messages[index], parts=tuple(parts))
    return replace(request, tools=tuple(tools), messages=tuple(messages))


# -- keys, and hosts that need nothing ---------------------------------------------------------------------------------


def with_key(request: Request, caching: Caching, log: AdaptationLog, *, marks: bool = False) -> Request:
    """The request with the key that a host takes; `marks`: it is told by marks, so a key is not missed."""
    policy = asked_policy(request)
    if policy is None:
        return request
    if caching == "key":
        if not marks and policy.ttl not in (*_HARMLESS, _EXTENDED):
            log.dropped("cache.ttl", "the host keeps prompts for a time of its own, or for 24h", policy.ttl)
        return request if request.cache_key is not None else replace(request, cache_key=policy.key or _key_of(request))
    note_loss(request, log, automatic=marks or caching == "automatic", ttl=not marks)
    return request


def note_loss(request: Request, log: AdaptationLog, *, automatic: bool, ttl: bool = True) -> None:
    """Records what of the setting is lost on a host that takes no key: nothing, where it keeps prompts unasked."""
    policy = asked_policy(request)
    if policy is None:
        return
    if not automatic:
        log.dropped("cache", "the target is not known to keep prompts", msgspec.to_builtins(policy) or True)
        return
    if policy.key is not None:
        log.dropped("cache.key", "the host takes no key", policy.key)
    if ttl and policy.ttl not in _HARMLESS:
        log.dropped("cache.ttl", "the host keeps prompts for a time of its own", policy.ttl)


def retention(request: Request) -> str | None:
    """What `prompt_cache_retention` is to say, or None."""
    policy = asked_policy(request)
    return _EXTENDED if policy is not None and policy.ttl == _EXTENDED else None


def _key_of(request: Request) -> str:
    """A key of what calls with the same beginning have in common: tools and system text, else the first message."""
    leading: list[str] = []
    for message in request.messages:
        if message.role not in _OPERATOR:
            break
        leading.append(message.content)
    digest = blake2b(digest_size=_DIGEST_BYTES)
    digest.update(msgspec.json.encode([leading, *request.tools] if leading or request.tools else request.messages[:1]))
    return digest.hexdigest()
