"""The row of the provider `mock`, which an entry point of this package adds to the catalogue."""

from __future__ import annotations

from dragoman.catalogue.row import ProviderRow

__all__ = ["ROW"]

ROW = ProviderRow(
    name="mock",
    dialects=("openai-chat",),
    base_url="http://mock.invalid/v1",
    key="none",
    default_model="mock-fixture",
    maker="dragoman.testing.mock:make",
)
