"""How clients name the session that a call belongs to, and how a conversation is known by its beginning.

The names are data: what coding agents and proxies send by themselves, the particular ones before the general.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.values import Request

__all__ = ["SESSION_HEADERS", "prefix_of", "session_of"]

SESSION_HEADERS: Final[tuple[tuple[str, str], ...]] = (
    ("x-dragoman-session", "ours"),
    ("x-claude-code-session-id", "Claude Code"),
    ("x-opencode-session", "OpenCode"),
    ("x-session-affinity", "OpenCode and others"),
    ("session-id", "Codex"),
    ("session_id", "Codex before 2026"),
    ("x-session-id", "Cursor's and other agents' gateways"),
    ("x-amp-thread-id", "Amp"),
    ("x-qwen-code-session-id", "Qwen Code"),
    ("x-grok-conv-id", "xAI's clients"),
    ("thread-id", "Codex"),
    ("conversation-id", "Codex before 2025-10"),
    ("conversation_id", "Codex before 2025-10"),
    ("x-conversation-id", "others"),
    ("x-litellm-session-id", "LiteLLM's clients"),
    ("helicone-session-id", "Helicone's clients"),
)
"""Header, and who sends it."""

MOST_LETTERS = 256
LEAST_PREFIX_LETTERS = 4096
"""Providers keep prompts of about a thousand tokens and more; shorter ones gain nothing by going where they were."""

_MEMBERS = ("session_id", "sessionId", "session", "conversation_id", "thread_id")
_IN_USER_ID = re.compile(r"_session_([0-9A-Za-z-]{8,64})$|\"session_id\"\s*:\s*\"([^\"]{1,256})\"")


def session_of(headers: Mapping[str, str], metadata: Mapping[str, Any], user: str | None = None) -> str | None:
    """The name of the session, or None. `headers` by names in lower case."""
    if headers:
        for name, _ in SESSION_HEADERS:
            value = headers.get(name)
            if value and len(value) <= MOST_LETTERS:
                return value
    for name in _MEMBERS if metadata else ():
        value = metadata.get(name)
        if isinstance(value, str) and 0 < len(value) <= MOST_LETTERS:
            return value
    for held in (metadata.get("user_id"), user):
        if isinstance(held, str):  # Claude Code writes its session into `metadata.user_id`
            found = _IN_USER_ID.search(held)
            if found is not None:
                return found[1] or found[2]
    return None


def prefix_of(request: Request) -> str | None:
    """A digest of all that stands before the first answer: it stays the same while a conversation grows."""
    from hashlib import blake2b

    from dragoman.values import MessageRole, Text, ToolDefinition

    pieces: list[str] = [tool.name for tool in request.tools if isinstance(tool, ToolDefinition)]
    letters = 0
    for message in request.messages:
        if message.role is MessageRole.ASSISTANT:
            break
        for part in message.parts:
            if isinstance(part, Text):
                pieces.append(part.text)
                letters += len(part.text)
    if letters < LEAST_PREFIX_LETTERS:
        return None
    return blake2b("\0".join(pieces).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
