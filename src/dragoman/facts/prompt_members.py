"""What stands in a request for words that are not in it: tools with a prompt of the provider's, contents held there.

Rows of data, by the name that the wire has for a tool or a member; a date or a version at the end of a tool's name is
not part of it. A tool that no row names is taken for one that the provider runs as often as it likes.
Sources: the vendors' pages on tool use and token counts (Anthropic "Tool use: pricing", OpenAI "Tools", Gemini API
"Tools"); not looked up on a day of record, and rounded up.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

if TYPE_CHECKING:
    from dragoman.values import Opaque

__all__ = ["ELSEWHERE", "MEDIA_MEMBERS", "Hidden", "hidden_prompt"]


class Hidden(msgspec.Struct, frozen=True):
    """What a tool or member adds: at most `most_tokens` of the provider's words, and with a `reason` more.

    `rounds` as in `measuring.Elsewhere`; `kind` is the meter that its uses are charged by.
    """

    most_tokens: int = 0
    reason: str = ""
    rounds: int | None = None
    kind: str = ""


_RUN_BY_CALLER: Final = {
    "function": 0,
    "custom": 100,
    "namespace": 100,
    "additional_tools": 100,
    "bash": 1000,
    "text_editor": 1500,
    "computer": 3000,
    "computer_use_preview": 3000,
    "memory": 3000,
    "local_shell": 2000,
    "shell": 2000,
    "apply_patch": 2000,
}
"""Tools of the vendor's that the caller runs: the words that describe them are the vendor's, their results ours."""

_SEARCHES: Final = (
    "web_search web_search_preview web_search_ga googleSearch google_search googleSearchRetrieval enterpriseWebSearch "
    "browser_search"
)
_METERS: Final = {
    **dict.fromkeys(_SEARCHES.split(), "web_search"),
    "x_search": "social_search",
    "file_search": "storage_search",
    "fileSearch": "storage_search",
    "code_execution": "code_execution",
    "code_interpreter": "code_execution",
}
_DATE: Final = re.compile(r"(_\d{4,8})+\Z|_\d{4}_\d{2}_\d{2}\Z")

ELSEWHERE: Final[dict[str, Hidden]] = {
    "conversation": Hidden(reason="the provider holds the conversation", rounds=0),
    "prompt": Hidden(reason="the provider holds the prompt's template", rounds=0),
    "cachedContent": Hidden(reason="the provider holds the cached contents", rounds=0),
    "promptVariables": Hidden(reason="the provider holds the prompt's template", rounds=0),
    "data_sources": Hidden(reason="what is found in data_sources is added to the prompt", rounds=None),
    "mcp_servers": Hidden(reason="the provider calls the MCP servers as often as it likes", rounds=None),
    "plugins": Hidden(reason="what the plugins find is added to the prompt", rounds=None, kind="web_search"),
    "web_search_options": Hidden(reason="what is found is added to the prompt", rounds=None, kind="web_search"),
    "search_parameters": Hidden(reason="what is found is added to the prompt", rounds=None, kind="web_search"),
    "models": Hidden(reason="another model may answer, at another price", rounds=None),
    "speed": Hidden(reason="the speed changes the price", rounds=None),
    "inference_geo": Hidden(reason="the place changes the price", rounds=None),
}
"""Members of requests that stand for more than their own words."""

MEDIA_MEMBERS: Final = frozenset({"file_id", "file_uri", "fileUri", "url", "image_url", "s3Location", "uri"})
"""Members that name contents which are not in the request."""


def hidden_prompt(tool: Opaque) -> Hidden:
    """What a tool that only one dialect knows adds to the prompt."""
    data: Any = tool.data
    members = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
    kind = tool.kind or ("function" if "function" in members else "")
    name = _DATE.sub("", kind.rpartition(":")[2])
    most = _RUN_BY_CALLER.get(name)
    if most is not None:
        return Hidden(most)
    return Hidden(
        reason=f"the provider runs {name or 'the tool'} itself, and what comes of it is added to the prompt",
        rounds=_most_uses(members),
        kind=_METERS.get(name, ""),
    )


def _most_uses(members: dict[str, Any]) -> int | None:
    given: Any = members.get("max_uses")
    if given is None and isinstance(members.get("parameters"), dict):
        given = members["parameters"].get("max_uses")
    return given if isinstance(given, int) and not isinstance(given, bool) and given >= 0 else None
