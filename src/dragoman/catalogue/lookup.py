"""Lookup: provider names to rows; built-in rows, rows registered by the program, and rows of installed packages."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast, overload

from msgspec.structs import replace

from dragoman.catalogue.row import ProviderRow
from dragoman.catalogue.rows import BUILT_IN
from dragoman.errors import ConfigError, UnknownProvider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    RowSource = ProviderRow | Callable[[], ProviderRow]

__all__ = ["ENTRY_POINT_GROUP", "Catalogue", "EntryPoint", "find", "names", "register", "split", "unregister"]

ENTRY_POINT_GROUP = "dragoman.providers"

_Factory = TypeVar("_Factory", bound="Callable[[], ProviderRow]")


class EntryPoint(Protocol):
    """What is used of an `importlib.metadata.EntryPoint`."""

    @property
    def name(self) -> str: ...

    def load(self) -> Any: ...


def _installed() -> Iterable[EntryPoint]:
    from importlib.metadata import entry_points  # slow to import, and needed only for names that are not built in

    return entry_points(group=ENTRY_POINT_GROUP)


class Catalogue:
    """Rows by name. Safe to use from several threads.

    A name means, in this order: what the program registered, a built-in row, what an installed package declares under
    the entry point group `dragoman.providers` (a `ProviderRow`, or a function without arguments that returns one). So
    an installed package can add names, but never take one over.
    """

    def __init__(
        self, built_in: Mapping[str, ProviderRow], entry_points: Callable[[], Iterable[EntryPoint]] = _installed
    ) -> None:
        self._built_in = built_in
        self._entry_points = entry_points
        self._registered: dict[str, RowSource] = {}
        self._discovered: dict[str, EntryPoint] | None = None
        self._lock = RLock()

    def find(self, name: str) -> ProviderRow:
        """The row of a provider.

        Raises `UnknownProvider` with similar names, or `ConfigError` where a registered or installed row is unusable.
        """
        if not self._registered:
            row = self._built_in.get(name)
            if row is not None:
                return row
        with self._lock:
            source = self._registered.get(name) or self._built_in.get(name) or self._load(name)
            if isinstance(source, ProviderRow):
                return source
            row = _named(name, source())
            self._registered[name] = row
            return row

    def names(self) -> list[str]:
        """Every name, sorted. Installed packages are listed without being loaded."""
        with self._lock:
            return sorted({*self._built_in, *self._registered, *self._discover()})

    @overload
    def register(self, name: str, row: RowSource, *, override: bool = False) -> None: ...

    @overload
    def register(self, name: str, *, override: bool = False) -> Callable[[_Factory], _Factory]: ...

    def register(
        self, name: str, row: RowSource | None = None, *, override: bool = False
    ) -> Callable[[_Factory], _Factory] | None:
        """Add a row, or a function that makes one, called when it is first looked up; without `row`, a decorator.

        The row is kept under `name`, whatever its own; a row that shares keys with another keeps the other's `issuer`.
        Raises `ConfigError` for a name that is taken, unless `override` is set.
        """
        if not name or "/" in name or name != name.strip():
            raise ConfigError(
                f"{name!r} cannot be a provider's name: it must be a word without '/' or spaces around it."
            )
        if row is None:

            def decorate(factory: _Factory) -> _Factory:
                self._add(name, factory, override)
                return factory

            return decorate
        self._add(name, row, override)
        return None

    def _add(self, name: str, row: RowSource, override: bool) -> None:
        source = _named(name, row) if isinstance(row, ProviderRow) else row
        if not isinstance(source, ProviderRow) and not callable(source):
            raise ConfigError(f"{name} must be registered with a ProviderRow or a function that returns one.")
        with self._lock:
            if not override and (name in self._registered or name in self._built_in):
                raise ConfigError(f"A provider called {name!r} exists; choose another name, or pass override=True.")
            self._registered[name] = source

    def unregister(self, name: str) -> None:
        """Take back what was registered under a name; a built-in row of this name counts again."""
        with self._lock:
            self._registered.pop(name, None)

    def _load(self, name: str) -> RowSource:
        entry = self._discover().get(name)
        if entry is None:
            raise self._unknown(name)
        try:
            loaded = entry.load()
        except Exception as error:  # another's package: whatever its import raises, the name cannot be used
            raise ConfigError(f"The installed provider {name!r} cannot be loaded: {error}") from error
        if isinstance(loaded, ProviderRow):
            row = self._registered[name] = _named(name, loaded)
            return row
        if not callable(loaded):
            raise ConfigError(f"The installed provider {name!r} is neither a ProviderRow nor a function returning one.")
        return cast("Callable[[], ProviderRow]", loaded)

    def _discover(self) -> dict[str, EntryPoint]:
        if self._discovered is None:
            self._discovered = {entry.name: entry for entry in self._entry_points()}
        return self._discovered

    def _unknown(self, name: str) -> UnknownProvider:
        from difflib import get_close_matches

        near = get_close_matches(name.lower().replace("-", "_"), self.names(), 3, 0.6)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        return UnknownProvider(
            f"No provider is called {name!r}.{hint} Models are named 'provider/model'; list_providers() gives all "
            "names; for a host of your own use 'openai_compatible' with base_url.",
            name=name,
            near=near,
        )


def _named(name: str, row: Any) -> ProviderRow:
    if not isinstance(row, ProviderRow):
        raise ConfigError(
            f"The provider {name!r} is made by a function that returned {type(row).__name__}, not a ProviderRow."
        )
    return row if row.name == name else replace(row, name=name)


def split(text: str) -> tuple[str, str | None]:
    """`provider/model` at the first `/`; a name alone has no model. Raises `ConfigError` where a side is empty."""
    provider, slash, model = text.partition("/")
    if not provider or (slash and not model):
        raise ConfigError(f"{text!r} does not name a model: write 'provider/model', as in 'openai/gpt-4o'.")
    return provider, model or None


_CATALOGUE = Catalogue(BUILT_IN)

find = _CATALOGUE.find
names = _CATALOGUE.names
register = _CATALOGUE.register
unregister = _CATALOGUE.unregister
