"""Access: everything needed to reach one model of one provider, worked out once before the first call."""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, final

from dragoman.catalogue.auth import auth_headers
from dragoman.catalogue.connection import connect
from dragoman.catalogue.lookup import find
from dragoman.catalogue.options import apply_options, refuse_unknown
from dragoman.catalogue.row import ProviderRow
from dragoman.catalogue.shapes import fill_rules, place, rule_for
from dragoman.errors import ConfigError, MissingModel
from dragoman.values.target import Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.catalogue.credentials import Credential
    from dragoman.catalogue.row import PathRule
    from dragoman.catalogue.secret import Secret
    from dragoman.catalogue.shapes import Shaped
    from dragoman.catalogue.signing import Signer
    from dragoman.values.quirks import Quirks

    Pairs = tuple[tuple[str, str], ...]

__all__ = ["Access", "backend_of", "resolve"]

_PARAMETERS = ("model", "api_key", "base_url", "dialect")
"""What `resolve` takes of every provider, in a call and in settings."""

_EMPTY: Mapping[str, Any] = MappingProxyType({})
_MOST_JOINED = 16


@final
class Access:
    """One model of one provider: who, where, as whom, in which dialect.

    Shared between calls, so never changed: `speaking` and `with_model` give another one. `key_source` tells where the
    credential came from, `key_withheld` why none is sent where that may be the reason of a 401. `body_members` go into
    every request's body. `signer` authenticates requests where no plain key does (None: the headers are all). Prints
    without its headers' values; refuses to be pickled, for it holds a credential.
    """

    __slots__ = (
        "__weakref__",
        "_base_url",
        "_bases",
        "_headers",
        "_joined",
        "_plain_headers",
        "_rules",
        "_shaped",
        "body_members",
        "credential",
        "dialect",
        "limits",
        "row",
        "signer",
        "target",
    )

    row: ProviderRow
    dialect: str
    target: Target
    credential: Credential
    body_members: Mapping[str, Any]
    signer: Signer | None
    limits: Any
    """Kept by the engine: what is known to be forbidden to this model. It lives as long as the access."""

    def __init__(
        self,
        row: ProviderRow,
        *,
        dialect: str,
        target: Target,
        bases: Mapping[str, str],
        credential: Credential,
        headers: tuple[tuple[str, str], ...] = (),
        body_members: Mapping[str, Any] = _EMPTY,
        shaped: Shaped | None = None,
        signer: Signer | None = None,
    ) -> None:
        """`bases` holds the address of each of the row's dialects; `headers` everything but the credential.

        `shaped` is how a row with shapes maps paths.
        """
        self.row = row
        self.dialect = dialect
        self.target = target
        self.credential = credential
        self.body_members = MappingProxyType(dict(body_members)) if body_members else _EMPTY
        self._bases = bases
        self._plain_headers = headers
        self._shaped = shaped
        self._rules: tuple[PathRule, ...] = () if shaped is None else fill_rules(shaped.rules, target.model)
        self.signer = signer
        self.limits = None
        # Both are built here once: every call reads them.
        self._base_url = bases[dialect]
        self._headers = headers + auth_headers(row.auth_for(dialect), credential.secret)
        self._joined: dict[int, tuple[Pairs, Pairs]] = {}

    @property
    def provider(self) -> str:
        return self.target.provider

    @property
    def issuer(self) -> str:
        return self.target.issuer

    @property
    def model(self) -> str:
        return self.target.model

    @property
    def quirks(self) -> Quirks:
        return self.target.quirks

    @property
    def base_url(self) -> str:
        """The address that paths of the dialect are appended to, without a `/` at its end."""
        return self._base_url

    @property
    def key_source(self) -> str:
        return self.credential.source

    @property
    def key_withheld(self) -> str | None:
        return self.credential.withheld

    def headers(self) -> tuple[tuple[str, str], ...]:
        """Header pairs of every request, the credential's among them; names are lower case."""
        return self._headers

    def headers_and(self, more: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        """The same with further pairs behind them; one tuple for each `more`: transports keep what they make of it.

        `more` is to be one of few that live as long as the program.
        """
        kept = self._joined.get(id(more))
        if kept is None or kept[0] is not more:
            if len(self._joined) >= _MOST_JOINED:
                self._joined.clear()
            kept = self._joined[id(more)] = (more, self._headers + more)
        return kept[1]

    def url(self, path: str) -> str:
        """The absolute address of a dialect's path, which begins with `/` and may hold a query."""
        return self.place(path, _EMPTY)[0]

    def place(self, path: str, body: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """The absolute address of a request, and its body as it is wanted there; most hosts want it as it is."""
        if self._shaped is None:
            return self._base_url + path if path[:1] == "/" else f"{self._base_url}/{path}", body
        path = path if path[:1] == "/" else f"/{path}"
        rule = rule_for(self._rules, path.partition("?")[0], body.get("stream") is True)
        url = place(self._base_url, path, rule, self._shaped.query)
        if rule is None or not (rule.members or rule.without):
            return url, body
        kept = {name: value for name, value in body.items() if name not in rule.without}
        return url, {**kept, **rule.members}

    def speaking(self, dialect: str) -> Access:
        """The same model reached in another dialect of the provider's. Raises `ConfigError` if it has no such one."""
        if dialect == self.dialect:
            return self
        return self._changed(_choose_dialect(self.row, dialect), self.target)

    def with_model(self, model: str) -> Access:
        """Another model by the same way, in the dialect that alone reaches it if there is one."""
        if model == self.target.model:
            return self
        own = self.row.dialect_of(self.target.model)
        new = self.row.dialect_of(model)
        # A dialect that was chosen stays chosen, unless the model is one that it cannot reach.
        dialect = self.dialect if new == own else new
        return self._changed(dialect, _target(self.row, self.target.issuer, model))

    def with_target(self, target: Target) -> Access:
        """The same way to a target with other quirks, where a caller knows the model better than the row does."""
        return self._changed(self.dialect, target)

    def with_headers(self, headers: tuple[tuple[str, str], ...]) -> Access:
        """The same way with further headers on every request; names are lower case."""
        return self._changed(self.dialect, self.target, headers)

    def _changed(self, dialect: str, target: Target, headers: tuple[tuple[str, str], ...] = ()) -> Access:
        return Access(
            self.row,
            dialect=dialect,
            target=target,
            bases=self._bases,
            credential=self.credential,
            headers=self._plain_headers + headers,
            body_members=self.body_members,
            shaped=self._shaped,
            signer=self.signer,
        )

    def __repr__(self) -> str:
        carried = f"key from {self.key_source}" if self.credential.secret is not None else "no key"
        if self.signer is not None:
            carried = f"signed with {self.key_source}"
        return f"Access({self.provider}/{self.model}, {self.dialect} at {self._base_url}, {carried})"

    def __copy__(self) -> Access:
        return self

    def __deepcopy__(self, _memo: object) -> Access:
        return self

    def __getstate__(self) -> NoReturn:
        raise TypeError("an Access holds a credential and is not serialised; resolve it again where it is needed")

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("an Access holds a credential and is not pickled; resolve it again where it is needed")


def resolve(
    provider: str | ProviderRow,
    /,
    *,
    model: str | None = None,
    api_key: Secret | str | None = None,
    base_url: str | None = None,
    dialect: str | None = None,
    settings: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    **options: Any,
) -> Access:
    """Work out how to reach a model.

    `settings` is the provider's block of a configuration: `model`, `api_key`, `base_url`, `dialect` and options, each
    used where no argument was given. `options` are the provider's own, its cloud's credentials among them. `environ`
    stands in for `os.environ`. `api_key="none"` sends no credential. Raises `ConfigError` and its kinds; nothing
    is sent.
    """
    environ = os.environ if environ is None else environ
    settings = _EMPTY if settings is None else settings
    given = {**{name: value for name, value in settings.items() if name not in _PARAMETERS}, **options}
    row = backend_of(find(provider) if isinstance(provider, str) else provider, given.pop("backend", None))
    refuse_unknown(row, given, _PARAMETERS)
    name = _text(row, "model", model, settings) or row.default_model
    chosen = _choose_dialect(row, _text(row, "dialect", dialect, settings), name)
    found = connect(
        row,
        chosen,
        base_url=_text(row, "base_url", base_url, settings),
        api_key=api_key,
        configured=settings.get("api_key"),
        options=given,
        environ=environ,
    )
    if name is None and found.shaped is not None:
        name = found.shaped.named_model(row.model_slot)
    if name is None:
        raise MissingModel(f"{row.name} has no default model: pass model=…, or write '{row.name}/<model>'.")
    headers, members = apply_options(row, given, environ, own_host=found.location.own_host)
    return Access(
        row,
        dialect=chosen,
        target=_target(row, found.location.issuer, name),
        bases=found.location.bases,
        credential=found.credential,
        headers=row.headers + headers,
        body_members=members,
        shaped=found.shaped,
        signer=found.signer,
    )


def backend_of(row: ProviderRow, backend: object) -> ProviderRow:
    """The row that a name for others stands for; any other row is its own."""
    if not row.backends:
        if backend is not None:
            raise ConfigError(f"{row.name} has no option 'backend'.")
        return row
    name = row.backends[0] if backend is None else backend
    if not isinstance(name, str) or name not in row.backends:
        raise ConfigError(f"{row.name}: backend must be one of {', '.join(row.backends)}, not {backend!r}.")
    return find(name)


def _choose_dialect(row: ProviderRow, dialect: str | None, model: str | None = None) -> str:
    if dialect is None:
        return row.dialect_of(model)
    if dialect not in row.dialects:
        raise ConfigError(f"{row.name} does not speak {dialect!r}; it speaks {', '.join(row.dialects)}.")
    return dialect


def _text(row: ProviderRow, name: str, given: object, settings: Mapping[str, Any]) -> str | None:
    value = settings.get(name) if given is None else given
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        found = "empty" if value == "" else f"{type(value).__name__} {value!r}"
        raise ConfigError(f"{row.name}: {name} must be a text that is not blank, but it is {found}.")
    return value


def _target(row: ProviderRow, issuer: str, model: str) -> Target:
    return Target(provider=row.name, issuer=issuer, model=model, quirks=row.quirks)
