"""The most tokens that a body can hold, without decoding it: for requests that are passed on as they came."""

from __future__ import annotations

import re
from typing import Any, Final, cast

import msgspec

from dragoman.facts.prompt_families import family_of, searches_itself

__all__ = ["are_functions", "bound_bytes"]

# Members that may stand for more than their own bytes. A name with an escape in it may be any of them.
_UNSEEN: Final = re.compile(
    rb'"(?:file_id|file_uri|fileUri|file_data|fileData|inline_data|inlineData|image_url|video_url|document_url|'
    rb"file_url|url|uri|s3Location|input_audio|source|image|images|video|audio|document|previous_response_id|conversation|prompt|cachedContent|"
    rb"cached_content|mcp_servers|plugins|web_search_options|search_parameters|data_sources|models|speed|"
    rb'inference_geo|context_management|promptVariables)"\s*:'
)
_ESCAPED_NAME: Final = re.compile(rb'\\u[0-9a-fA-F]{4}[^"]{0,60}"\s*:')
_TOOLS: Final = re.compile(
    rb'"(?:tools|toolConfig|tool_config|functions|response_format|responseSchema|responseJsonSchema|response_schema|'
    rb'output_config|output_format|outputConfig|json_schema|format)"\s*:'
)


_BACKSLASH: Final = 0x5C
_NAME: Final = re.compile(rb"[A-Za-z_]\w+")
_UNSEEN_NAMES: Final = frozenset(_NAME.findall(_UNSEEN.pattern))
_TOOLS_NAMES: Final = frozenset(_NAME.findall(_TOOLS.pattern))


class _Tools(msgspec.Struct):
    tools: Any = None
    toolConfig: Any = None  # the wire's own name
    tool_config: Any = None


class _Head(msgspec.Struct, gc=False):
    type: str | None = None


_DECODER: Final = msgspec.json.Decoder(_Tools)
_HEADS: Final = msgspec.json.Decoder(list[_Head])
_ANY: Final = msgspec.json.Decoder()


def bound_bytes(
    body: bytes,
    provider: str,
    model: str,
    words: frozenset[bytes] | None = None,
    tools: msgspec.Raw | None = None,
    functions: bool | None = None,
) -> int | None:
    """The most tokens that the prompt in a JSON body can be; None where that takes a closer look: ask `bound`.

    JSON says everything in at least as many bytes as it has tokens, and its own signs around a turn are more than what
    a template puts there. What may stand for more than its own bytes (media, contents held elsewhere, tools that the
    provider runs) is only recognised here. `words` are the pieces of the body between quotation marks, `tools` the
    member of that name and `functions` what `are_functions` says of it, where somebody has them already.
    """
    # A hot path: what stands in quotation marks is looked at, all names first, and the body itself only where one of
    # them is there; tools are decoded only where there are any.
    if searches_itself(model):
        return None
    if functions is None:
        functions = tools is not None and are_functions(tools)
    if words is None or not _UNSEEN_NAMES.isdisjoint(words):
        if tools is None or not functions:
            if _UNSEEN.search(body) is not None:
                return None
        elif _is_unseen_beside(body, bytes(tools)):
            return None
    # A search for one byte is twenty times as quick as one for two, and `find` much quicker than `in` for two.
    if _BACKSLASH in body and body.find(b"\\u") >= 0 and _ESCAPED_NAME.search(body) is not None:
        return None
    family = family_of(provider, model)
    most = len(body) + family.most_request
    if functions:
        most += family.most_tools
    elif (words is None or not _TOOLS_NAMES.isdisjoint(words)) and _TOOLS.search(body) is not None:
        if not _plain_tools(body):
            return None
        most += family.most_tools
    return most


def _is_unseen_beside(body: bytes, tools: bytes) -> bool:
    """Whether there is such a member outside of these tools, whose schemas may call their arguments what they like."""
    begin = body.find(tools)
    if begin < 0:
        return _UNSEEN.search(body) is not None
    return _UNSEEN.search(body, 0, begin) is not None or _UNSEEN.search(body, begin + len(tools)) is not None


def are_functions(tools: msgspec.Raw) -> bool:
    """Whether all tools in a list are functions that the caller runs, described there."""
    try:
        for head in _HEADS.decode(tools):
            if head.type != "function" and head.type != "custom":
                break
        else:
            return True
        found: Any = _ANY.decode(tools)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(found, list) and all(map(_plain, cast("list[Any]", found)))


def _plain_tools(body: bytes) -> bool:
    """Whether all tools are functions that the caller runs, described in the body."""
    try:
        found = _DECODER.decode(body)
    except msgspec.DecodeError:
        return False
    config: Any = found.toolConfig
    tools: Any = found.tools if found.tools is not None else _tools_of(config)
    return isinstance(tools, list) and all(map(_plain, cast("list[Any]", tools)))


def _tools_of(config: Any) -> Any:
    return cast("dict[str, Any]", config).get("tools", []) if isinstance(config, dict) else []


_DECLARING: Final = ({"functionDeclarations"}, {"function_declarations"}, {"toolSpec"}, {"cachePoint"})


def _plain(tool: Any) -> bool:
    if not isinstance(tool, dict):
        return False
    members = cast("dict[str, Any]", tool)
    names = set(members)
    if members.get("type") in ("function", "custom"):
        return True
    return names in _DECLARING or ("type" not in names and {"name", "input_schema"} <= names)
