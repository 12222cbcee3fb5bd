"""Ids of tool calls as a wire takes them: the one mapping that all dialects share.

An id that the wire takes stays as it is. Another is mapped by its hash, so that different ids stay different, the same
id is the same in a call and in its result, and no table has to be kept. Nothing is mapped back: a provider answers with
ids of its own, and the conversation keeps each id as its issuer gave it.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

__all__ = ["NINE", "WORD", "CallIdForm", "fitted_id"]

WORD: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_DIGEST_CHARACTERS = 20  # 80 bits
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class CallIdForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a wire takes: at most `longest` characters (None: any number), all of them of `characters` (None: any)."""

    longest: int | None = None
    characters: frozenset[str] | None = None
    exact: bool = False


NINE: Final = CallIdForm(longest=9, characters=WORD - {"_", "-"}, exact=True)
"""Mistral's: nine letters or digits."""


def fitted_id(call_id: str, form: CallIdForm) -> str:
    """The id itself if the wire takes it, else one of its own."""
    if _fits(call_id, form):
        return call_id
    digest = hashlib.sha256(call_id.encode()).digest()
    if form.exact and form.longest is not None:
        number = int.from_bytes(digest, "big")
        return "".join(_DIGITS[number // 36**place % 36] for place in range(form.longest))
    kept = call_id
    if form.characters is not None:
        kept = "".join(char if char in form.characters else "_" for char in call_id)
    if form.longest is not None:
        kept = kept[: form.longest - _DIGEST_CHARACTERS - 1]
    return f"{kept}_{digest.hex()[:_DIGEST_CHARACTERS]}"


def _fits(call_id: str, form: CallIdForm) -> bool:
    if form.longest is not None and (len(call_id) > form.longest or (form.exact and len(call_id) < form.longest)):
        return False
    return form.characters is None or form.characters.issuperset(call_id)
