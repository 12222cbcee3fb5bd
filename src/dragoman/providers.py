"""Providers by name, for those who look for them here.

`ProviderRegistry.get_provider("groq", model="…")` gives any of them; `from dragoman.providers import openrouter` gives
one for direct construction: `openrouter.new(model="…", api_key="…")`. `ProviderResponse` is the `Response` type.
"""

from __future__ import annotations

from typing import Any

from dragoman import catalogue
from dragoman.catalogue import ProviderRow
from dragoman.face.model import ChatModel
from dragoman.face.registry import ProviderRegistry
from dragoman.values import Message, MessageRole
from dragoman.values import Response as ProviderResponse

__all__ = ["Message", "MessageRole", "Provider", "ProviderRegistry", "ProviderResponse", "ProviderRow"]


class Provider:
    """One provider, ready to make models: `new` takes what `ProviderRegistry.get_provider` takes."""

    def __init__(self, name: str) -> None:
        self.name = name

    def new(self, **options: Any) -> ChatModel:
        """A model of this provider."""
        return ProviderRegistry.get_provider(self.name, **options)

    def __repr__(self) -> str:
        return f"Provider({self.name!r})"


def __getattr__(name: str) -> Provider:
    if not name.startswith("_") and name in catalogue.names():
        return Provider(name)
    raise AttributeError(f"there is no provider {name!r}; ProviderRegistry.list_providers() lists them")
