"""ModelPool: models by names of the caller's own, chosen while the program runs."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from dragoman.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dragoman.face.model import ChatModel

__all__ = ["ModelPool"]


class ModelPool:
    """Models by name. Thread-safe.

    >>> pool = ModelPool()
    >>> pool.add("smart", model)
    >>> pool.get("smart").chat("…")
    """

    def __init__(self) -> None:
        self._models: dict[str, ChatModel] = {}
        self._lock = Lock()

    def add(self, name: str, model: ChatModel) -> None:
        """Adds a model; an earlier one of this name gives way to it."""
        with self._lock:
            self._models[name] = model

    def get(self, name: str) -> ChatModel:
        """The model of this name. Raises `UnknownName`, which names those there are."""
        with self._lock:
            model = self._models.get(name)
            known = sorted(self._models)
        if model is None:
            there = f"it has {', '.join(map(repr, known))}" if known else "it is empty"
            raise UnknownName(f"model {name!r} is not in the pool; {there}. Add it with pool.add({name!r}, model).")
        return model

    def remove(self, name: str) -> ChatModel:
        """Takes a model out, and gives it back. Raises `UnknownName`."""
        model = self.get(name)
        with self._lock:
            self._models.pop(name, None)
        return model

    def names(self) -> list[str]:
        """The names, sorted."""
        with self._lock:
            return sorted(self._models)

    def __contains__(self, name: object) -> bool:
        return name in self._models

    def __len__(self) -> int:
        return len(self._models)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())
