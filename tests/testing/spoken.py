"""The dialects that fakes are tested in: every one that is there, and what each can say."""

from __future__ import annotations

from dragoman import dialects
from dragoman.testing.wires import WIRES

DIALECTS = tuple(name for name in dialects.names() if name in WIRES)
EMBEDDING_DIALECTS = tuple(name for name in DIALECTS if dialects.load(name).encode_embedding_request is not None)
