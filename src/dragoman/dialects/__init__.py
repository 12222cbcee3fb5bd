"""Dialects: wire protocols, in both directions, sans I/O.

Each dialect is a package with the same files: `request`, `response`, `stream`, `errors`, `usage`, `embeddings` (where
it has them), and `dialect`, which gathers its functions into one `Dialect`. A dialect imports no other dialect: two
wires meet only in `values`. What all of them share stands beside them: `contract` (the types), `reading` (typed
access to JSON), `call_ids`, `headers`, `statuses`.

`load(name)` imports a dialect when it is first needed.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from dragoman.dialects.contract import Dialect, EncodedBody, EncodedError, EncodedRequest, StreamDecoder, StreamEncoder
from dragoman.errors import ConfigError

__all__ = [
    "Dialect",
    "EncodedBody",
    "EncodedError",
    "EncodedRequest",
    "StreamDecoder",
    "StreamEncoder",
    "load",
    "names",
]

_MODULES = {
    "openai-chat": "openai_chat",
    "openai-responses": "openai_responses",
    "anthropic": "anthropic",
    "gemini": "gemini",
    "bedrock": "bedrock",
    "cohere": "cohere",
    "ollama": "ollama",
}


def names() -> tuple[str, ...]:
    """The dialects there are."""
    return tuple(_MODULES)


@cache  # every call asks; a name that is none is not kept, since it raises
def load(name: str) -> Dialect:
    """The dialect of this name, imported at its first use. Raises `ConfigError` for a name that is none."""
    module = _MODULES.get(name)
    if module is None:
        raise ConfigError(f"unknown dialect {name!r}; the dialects are {', '.join(_MODULES)}")
    return import_module(f".{module}.dialect", __name__).DIALECT
