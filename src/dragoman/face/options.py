"""Per-call options: what a caller may say besides messages, and what becomes of it in a request."""

from __future__ import annotations

from re import fullmatch
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

from dragoman.errors import InvalidRequest
from dragoman.face.tools import as_tool
from dragoman.transport.seam import Timeout
from dragoman.values import CachePolicy, OutputFormat, ReasoningOptions, ToolChoice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dragoman.face.tools import ToolLike
    from dragoman.values import AdaptationPolicy

__all__ = ["SETTING_NAMES", "CallOptions", "as_timeout", "checked_count", "option_names", "request_fields"]


class CallOptions(TypedDict, total=False):
    """The options of `chat`, `achat`, `stream`, `astream`. None means "not asked for", and is not sent.

    `tools` replaces bound tools for this call. `tool_choice` is "auto", "none", "required", a tool's name, or OpenAI's
    dictionary. `reasoning` is an effort ("low", "high", "none" …), a budget in tokens, or `ReasoningOptions`.
    `cache` asks that the prompt be kept for the next call, whichever way the target has for it: True, a time ("5m",
    "1h", "24h"), or a `CachePolicy`; False undoes what a model's own options ask.
    `response_format` is OpenAI's dictionary or an `OutputFormat`. `output_mode` says how a form of the answer is had:
    "native" (the provider's own schema output), "tool" (a forced tool), "prompted" (words), or "auto" (the first of
    them that the target is known to have); `output_retries` how often a typed answer is asked for again when it is not
    of its type (2). `adapt` says what happens to what the target cannot
    take: "note" (adapt and record, the default), "refuse" (raise `Unsupported`) or "silent". `extra_body` and
    `extra_headers` are laid over what is sent, whatever the dialect. `timeout` is seconds or a `Timeout`.
    """

    tools: Sequence[ToolLike] | None
    tool_choice: str | Mapping[str, Any] | ToolChoice | None
    parallel_tool_calls: bool | None
    temperature: float | None
    max_tokens: int | None
    top_p: float | None
    top_k: int | None
    stop: str | Sequence[str] | None
    seed: int | None
    presence_penalty: float | None
    frequency_penalty: float | None
    logprobs: bool | None
    top_logprobs: int | None
    n: int | None
    reasoning: str | int | Mapping[str, Any] | ReasoningOptions | None
    response_format: Mapping[str, Any] | OutputFormat | None
    output_mode: Literal["auto", "native", "tool", "prompted"] | None
    output_retries: int | None
    modalities: Sequence[str] | None
    user: str | None
    metadata: Mapping[str, Any] | None
    service_tier: str | None
    store: bool | None
    previous_response_id: str | None
    cache_key: str | None
    cache: bool | str | Mapping[str, Any] | CachePolicy | None
    extra_body: Mapping[str, Any] | None
    extra_headers: Mapping[str, str] | None
    adapt: AdaptationPolicy
    timeout: float | Timeout | None
    max_retries: int | None


SETTING_NAMES = frozenset({"adapt", "timeout", "max_retries", "output_mode", "output_retries"})


def option_names() -> frozenset[str]:
    """Every option's name."""
    return frozenset(CallOptions.__annotations__)


def as_timeout(timeout: float | Timeout | None) -> Timeout | None:
    """Seconds mean: no phase and not the whole may take longer."""
    if timeout is None or isinstance(timeout, Timeout):
        return timeout
    if timeout <= 0:
        raise InvalidRequest(f"timeout is a number of seconds above 0, and not {timeout!r}", path="timeout")
    return Timeout(connect=min(10.0, timeout), first_byte=timeout, idle=timeout, total=timeout)


def checked_count(name: str, value: Any, *, least: int = 0) -> int | None:
    """A whole number from `least` up, or None."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= least):
        return value
    raise InvalidRequest(f"{name} is a whole number from {least} up, and not {value!r}", path=name)


def request_fields(options: Mapping[str, Any]) -> dict[str, Any]:
    """The request's fields for these options. Raises `InvalidRequest` for an unknown option or a value of no sense."""
    fields: dict[str, Any] = {}
    for name, value in options.items():
        if name in SETTING_NAMES or value is None:
            continue
        convert = _CONVERT.get(name)
        if convert is None:
            raise _unknown(name)
        convert(fields, name, value)
    return fields


def _unknown(name: str) -> InvalidRequest:
    from difflib import get_close_matches

    near = get_close_matches(name, option_names(), n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"the options are {', '.join(sorted(option_names()))}."
    return InvalidRequest(
        f"unknown option {name!r}; {hint} What only one provider knows goes into extra_body.", path=name
    )


_Fields = dict[str, Any]


def _number(fields: _Fields, name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidRequest(f"{name} is a number, and not {value!r}", path=name)
    fields[name] = value


def _integer(fields: _Fields, name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidRequest(f"{name} is a whole number, and not {value!r}", path=name)
    fields["choices" if name == "n" else name] = value


def _text(fields: _Fields, name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise InvalidRequest(f"{name} is text, and not {value!r:.80}", path=name)
    fields[name] = value


def _flag(fields: _Fields, name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise InvalidRequest(f"{name} is True or False, and not {value!r:.80}", path=name)
    fields[name] = value


def _texts(fields: _Fields, name: str, value: Any) -> None:
    items = (value,) if isinstance(value, str) else tuple(value)
    if not all(isinstance(item, str) for item in items):
        raise InvalidRequest(f"{name} is text or a list of texts, and not {value!r:.80}", path=name)
    fields[name] = items


def _mapping(fields: _Fields, name: str, value: Any) -> None:
    try:
        fields[name] = dict(value)
    except (TypeError, ValueError):
        raise InvalidRequest(f"{name} is a dictionary, and not {value!r:.80}", path=name) from None


def _tools(fields: _Fields, name: str, value: Any) -> None:
    fields["tools"] = tuple(as_tool(item) for item in value)


def _tool_choice(fields: _Fields, name: str, value: Any) -> None:
    choice = _as_tool_choice(value)
    parallel = fields["tool_choice"].parallel if "tool_choice" in fields else None
    if choice.parallel is None and parallel is not None:
        choice = ToolChoice(mode=choice.mode, names=choice.names, parallel=parallel, extras=choice.extras)
    fields["tool_choice"] = choice


def _parallel(fields: _Fields, name: str, value: Any) -> None:
    choice: ToolChoice = fields.get("tool_choice") or ToolChoice()
    fields["tool_choice"] = ToolChoice(mode=choice.mode, names=choice.names, parallel=value, extras=choice.extras)


def _as_tool_choice(value: Any) -> ToolChoice:
    if isinstance(value, ToolChoice):
        return value
    if isinstance(value, str):
        if value in ("auto", "none", "required"):
            return ToolChoice(mode=value)
        if value == "any":
            return ToolChoice(mode="required")
        return ToolChoice(mode="named", names=(value,))
    if isinstance(value, dict):
        given = cast("dict[str, Any]", value)
        name: Any = given.get("name") or cast("dict[str, Any]", given.get("function") or {}).get("name")
        kind = given.get("type")
        if isinstance(name, str) and kind in ("function", "tool", None):
            return ToolChoice(mode="named", names=(name,))
        if kind in ("auto", "none", "any", "required"):
            return _as_tool_choice(kind)
    raise InvalidRequest(
        'tool_choice is "auto", "none", "required", a tool\'s name, or {"type": "function", "function": {"name": …}}, '
        f"and not {value!r:.80}",
        path="tool_choice",
    )


def _reasoning(fields: _Fields, name: str, value: Any) -> None:
    if isinstance(value, ReasoningOptions):
        fields["reasoning"] = value
    elif isinstance(value, str):
        fields["reasoning"] = ReasoningOptions(effort=value)
    elif isinstance(value, int) and not isinstance(value, bool):
        fields["reasoning"] = ReasoningOptions(budget_tokens=value)
    elif isinstance(value, dict):
        try:
            fields["reasoning"] = ReasoningOptions(**cast("dict[str, Any]", value))
        except TypeError:
            raise InvalidRequest(
                f"reasoning may hold effort, budget_tokens, summary and visible, and not {value!r:.80}",
                path="reasoning",
            ) from None
    else:
        raise InvalidRequest(f"reasoning is an effort or a number of tokens, and not {value!r:.80}", path="reasoning")


def _cache(fields: _Fields, name: str, value: Any) -> None:
    if isinstance(value, CachePolicy):
        policy = value
    elif isinstance(value, bool):
        policy = CachePolicy(enabled=value)
    elif isinstance(value, str):
        policy = CachePolicy(ttl=value)
    else:
        try:
            policy = CachePolicy(**dict(value))
        except (TypeError, ValueError):
            raise InvalidRequest(
                f'cache is True, False, a time such as "5m" or "1h", or a CachePolicy, and not {value!r:.80}', path=name
            ) from None
    if policy.ttl is not None and not fullmatch(r"[1-9][0-9]*[smhd]", policy.ttl):
        raise InvalidRequest(
            f'cache takes a time such as "5m", "1h" or "24h", and not {policy.ttl!r:.80}', path="cache.ttl"
        )
    fields["cache"] = policy


def _response_format(fields: _Fields, name: str, value: Any) -> None:
    if isinstance(value, OutputFormat):
        fields["output"] = value
        return
    if not isinstance(value, dict):
        raise InvalidRequest(
            f'response_format is {{"type": "json_object"}} or one with a json_schema, and not {value!r:.80}', path=name
        )
    given = cast("dict[str, Any]", value)
    kind = given.get("type")
    if kind in ("text", "json_object"):
        fields["output"] = OutputFormat(type=kind)
        return
    held: Any = given.get("json_schema", given) if kind == "json_schema" else None
    schema: Any = held.get("schema") if isinstance(held, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if not isinstance(schema, dict):
        raise InvalidRequest(
            'response_format is {"type": "text"}, {"type": "json_object"} or {"type": "json_schema", "json_schema": '
            f'{{"name": …, "schema": {{…}}}}}}, and not {value!r:.80}',
            path=name,
        )
    found = cast("dict[str, Any]", held)
    fields["output"] = OutputFormat(
        type="json_schema",
        schema=cast("dict[str, Any]", schema),
        name=found.get("name"),
        description=found.get("description"),
        strict=found.get("strict"),
    )


_CONVERT: dict[str, Callable[[_Fields, str, Any], None]] = {
    "tools": _tools,
    "tool_choice": _tool_choice,
    "parallel_tool_calls": _parallel,
    "temperature": _number,
    "max_tokens": _integer,
    "top_p": _number,
    "top_k": _integer,
    "stop": _texts,
    "seed": _integer,
    "presence_penalty": _number,
    "frequency_penalty": _number,
    "logprobs": _flag,
    "top_logprobs": _integer,
    "n": _integer,
    "reasoning": _reasoning,
    "response_format": _response_format,
    "modalities": _texts,
    "user": _text,
    "metadata": _mapping,
    "service_tier": _text,
    "store": _flag,
    "previous_response_id": _text,
    "cache_key": _text,
    "cache": _cache,
    "extra_body": _mapping,
    "extra_headers": _mapping,
}
