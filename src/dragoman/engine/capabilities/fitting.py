"""Fitting one request to the limits of its target; see the package's docstring for what becomes of what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dragoman.engine.capabilities.thinking import fit_thinking
from dragoman.errors import Unsupported
from dragoman.values import AdaptationLog, Media, MessageRole, ToolDefinition, ToolResult, replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dragoman.engine.capabilities.limits import Limits
    from dragoman.values import Message, Request

__all__ = ["fit_request", "is_default", "media_in"]

_DEFAULTS: Final[dict[str, tuple[Any, ...]]] = {
    "temperature": (1,),
    "top_p": (1,),
    "top_k": (),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logprobs": (False,),
    "top_logprobs": (0,),
}
"""What the members are where nothing is said."""

_REMEDY: Final = "Choose another model, or pass facts=False if this one does"
_SYSTEM: Final = (MessageRole.SYSTEM, MessageRole.DEVELOPER)


def fit_request(request: Request, limits: Limits, log: AdaptationLog) -> Request:
    """The request as the model is known to take it; the same value where nothing is changed.

    Raises `Unsupported`, naming the member, for what the model cannot do and the request cannot do without. Takes a few
    µs where nothing is changed.
    """
    changes: dict[str, Any] = {}
    most = limits.output_tokens
    if most is not None and request.max_tokens is not None and request.max_tokens > most:
        log.clamped("max_tokens", "the longest answer of the model", request.max_tokens, most)
        changes["max_tokens"] = most
    if limits.refused:
        _sampling(request, limits.refused, "the model is known to refuse it", changes, log)
    if limits.thinking is not None and request.reasoning is not None:
        fitted = fit_thinking(request.reasoning, limits.thinking, log)
        if fitted is not request.reasoning:
            changes["reasoning"] = fitted
    if limits.refused_thinking and _will_think(request, limits):
        _sampling(request, limits.refused_thinking, "the model is known to refuse it while it thinks", changes, log)
    if request.tools or request.tool_choice is not None:
        _tools(request, limits, changes, log)
    if limits.lacking:
        _media(request, limits)
    if limits.no_system:
        _system(request, changes, log)
    return replace(request, **changes) if changes else request


def is_default(name: str, value: Any) -> bool:
    """Whether a member says what would hold without it."""
    return value in _DEFAULTS.get(name, ())


def _sampling(
    request: Request, names: tuple[str, ...], reason: str, changes: dict[str, Any], log: AdaptationLog
) -> None:
    for name in names:
        value: Any = getattr(request, name)
        if value is None or value == ():
            continue
        changes[name] = () if name == "stop" else None
        if is_default(name, value):
            log.defaulted(name, reason, value)
        else:
            log.dropped(name, reason, value)


def _will_think(request: Request, limits: Limits) -> bool:
    options = request.reasoning
    if options is None or (options.effort is None and options.budget_tokens is None):
        return limits.thinks_unasked
    return options.effort != "none" and options.budget_tokens != 0


# -- tools -------------------------------------------------------------------------------------------------------------


def _tools(request: Request, limits: Limits, changes: dict[str, Any], log: AdaptationLog) -> None:
    choice = request.tool_choice
    if limits.no_tools and any(type(tool) is ToolDefinition for tool in request.tools):
        if choice is None or choice.mode != "none":
            raise Unsupported(f"{limits.name} is known not to call tools. {_REMEDY}.", path="tools")
        log.dropped("tools", "the model is known not to call tools", len(request.tools))
        changes["tools"] = tuple(tool for tool in request.tools if type(tool) is not ToolDefinition)
        changes["tool_choice"] = None if not changes["tools"] else choice
        return
    if choice is None:
        return
    fitted = choice
    if limits.no_force and choice.mode in ("required", "named"):
        # Naming some tools also keeps the others from being called, which "auto" would undo: they are left out.
        log.substituted("tool_choice", "the model is known to take no forced tool", choice.mode, "auto")
        fitted = replace(fitted, mode="auto", names=())
        if choice.mode == "named":
            changes["tools"] = tuple(
                tool for tool in request.tools if type(tool) is not ToolDefinition or tool.name in choice.names
            )
    if limits.no_parallel and choice.parallel is not None:
        if choice.parallel:
            log.dropped("tool_choice.parallel", "the model is known to call one tool at a time", True)
        else:
            log.defaulted("tool_choice.parallel", "the model is known to call one tool at a time", False)
        fitted = replace(fitted, parallel=None)
    if fitted is not choice:
        changes["tool_choice"] = None if fitted.mode is None and not fitted.extras else fitted


# -- messages ----------------------------------------------------------------------------------------------------------


def media_in(messages: tuple[Message, ...]) -> Iterator[tuple[str, Media]]:
    """The media that a model shall perceive, with their paths; what models made themselves is not among them.

    A document is asked about where it is a PDF, or may be one: others are read as text.
    """
    for index, message in enumerate(messages):
        if message.role is MessageRole.ASSISTANT:
            continue
        for place, part in enumerate(message.parts):
            if type(part) is Media:
                if _perceived(part):
                    yield f"messages[{index}].parts[{place}]", part
            elif type(part) is ToolResult:
                for inner, piece in enumerate(part.content):
                    if type(piece) is Media and _perceived(piece):
                        yield f"messages[{index}].parts[{place}].content[{inner}]", piece


def _perceived(media: Media) -> bool:
    if media.kind != "document":
        return True
    return media.text is None and media.media_type in (None, "application/pdf")


def _media(request: Request, limits: Limits) -> None:
    for path, media in media_in(request.messages):
        if media.kind in limits.lacking:
            raise Unsupported(
                f"{limits.name} is known to take no {media.kind}, and {path} is one. {_REMEDY}.", path=path
            )


def _system(request: Request, changes: dict[str, Any], log: AdaptationLog) -> None:
    if not any(message.role in _SYSTEM for message in request.messages):
        return
    messages = list(request.messages)
    for index, message in enumerate(messages):
        if message.role in _SYSTEM:
            reason = "the model is known to take no system messages"
            log.substituted(f"messages[{index}].role", reason, message.role.value, MessageRole.USER.value)
            messages[index] = replace(message, role=MessageRole.USER)
    changes["messages"] = tuple(messages)
