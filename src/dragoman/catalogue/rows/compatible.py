"""What hosts that are compatible with OpenAI's chat API have in common."""

from __future__ import annotations

from dragoman.values.quirks import ChatQuirks

__all__ = ["COMPATIBLE"]

# `max_completion_tokens` and the role `developer` came to OpenAI's API late. The older words are the safer ones
# for a host of which nothing else is known; hosts that are known to take the newer ones start from ChatQuirks().
COMPATIBLE = ChatQuirks(max_tokens_member="max_tokens", developer_role=False)
