"""The key law: which credential a call may carry.

Order: explicit argument, configuration, the provider's OWN variable, else an error that names the variable. A key from
the environment goes only to the provider's own hosts or to the address in `<NAME>_BASE_URL`; to another address goes
what was passed for it, or nothing. No provider is ever given the key of another.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dragoman.catalogue.secret import Secret
from dragoman.errors import ConfigError, MissingKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.catalogue.row import ProviderRow

__all__ = ["NO_KEY", "Credential", "find_credential", "first_set"]

NO_KEY = "none"
"""Passed as `api_key`, it says that no credential is to be sent."""

_VISIBLE = re.compile(r"[!-~]+")


class Credential(NamedTuple):
    """What a call carries: the secret if any, where it came from, and why a call goes without where that may matter.

    `source` is `api_key`, `settings`, the name of a variable, what calls are signed with, or empty.
    """

    secret: Secret | None
    source: str = ""
    withheld: str | None = None


def find_credential(
    row: ProviderRow,
    *,
    given: Secret | str | None,
    configured: Secret | str | None,
    environ: Mapping[str, str],
    trusted: bool,
    address: str,
    signed: str = "",
) -> Credential:
    """Apply the key law.

    `trusted` tells that `address` is one of the provider's own, or the one that its base-URL variable holds. `signed`
    says what calls without a key are signed with, which then need none. Raises `MissingKey` where a key is needed and
    none was found, `ConfigError` for one that cannot be a key.
    """
    for key, source in ((given, "api_key"), (configured, "settings")):
        if key is not None:
            return _passed(row, key, source)
    if row.key == "none":
        return Credential(None)
    variable, text = first_set(row.key_variables, environ)
    if variable and trusted:
        return Credential(_checked(text, variable), variable)
    if trusted:
        if signed:
            return Credential(None, signed)
        if row.key == "required":
            raise _missing(row)
        return Credential(None)
    if variable or row.key == "required":
        return Credential(None, "", _withheld(row, variable, address))
    return Credential(None)


def first_set(variables: tuple[str, ...], environ: Mapping[str, str]) -> tuple[str, str]:
    """The first variable that holds more than white space, and its text; two empty strings if there is none."""
    for variable in variables:
        text = environ.get(variable, "").strip()
        if text:
            return variable, text
    return "", ""


def _passed(row: ProviderRow, key: object, source: str) -> Credential:
    if isinstance(key, Secret):
        return Credential(key, source)
    if not isinstance(key, str):
        raise ConfigError(f"{row.name}: api_key must be a text, not {type(key).__name__}.")
    text = key.strip()
    if text == NO_KEY:
        return Credential(None, source)
    if text:
        return Credential(_checked(text, source), source)
    # An empty key is nearly always a variable that is not set; to go on with another key would hide that.
    if row.key == "required":
        raise _missing(row, "The api_key that was passed is empty. ")
    return Credential(None, source)


def _checked(text: str, source: str) -> Secret:
    if _VISIBLE.fullmatch(text) is None:
        raise ConfigError(
            f"The key in {source} holds spaces, line breaks or letters that no key has: pass the bare key, without "
            "quotes and without 'Bearer'."
        )
    return Secret(text)


def _missing(row: ProviderRow, cause: str = "") -> MissingKey:
    choices = [f"set {' or '.join(row.key_variables)}"] if row.key_variables else []
    choices += ["pass api_key=…", f'or api_key="{NO_KEY}" to send none']
    where = f" Keys: {row.documentation}" if row.documentation else ""
    return MissingKey(
        f"{cause}{row.name} needs an API key: {', '.join(choices)}. "
        f"Keys of other providers are not used for it.{where}",
        provider=row.name,
        variables=row.key_variables,
    )


def _withheld(row: ProviderRow, variable: str, address: str) -> str:
    if not variable:
        return f"No API key was sent, since none was passed for the base_url {address}: pass api_key with it."
    allowed = [f"{row.name}'s own hosts"] if row.base_url is not None else []
    allowed += [f"the address in {row.base_url_variables[0]}"] if row.base_url_variables else []
    rule = f" a key from the environment goes only to {' or '.join(allowed)};" if allowed else ""
    return f"{variable} was not sent to {address}:{rule} pass api_key with base_url."
