"""Secret: a credential that does not print, pickle or serialise.

It protects against accidents (logs, tracebacks, dumps, pickled objects), not against code of the same process that
means to read it: that is what `reveal` is for.
"""

from __future__ import annotations

from typing import NoReturn, final

__all__ = ["Secret"]

_MASK = "***"


@final
class Secret:
    """Holds a credential. `str`, `repr` and `format` give `***`; pickling and JSON raise `TypeError`.

    Copies are the object itself. Two secrets are equal when their values are, compared in constant time.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        # A plain class with one slot: msgspec encodes dataclasses, attrs classes and structs, but not this.
        self._value = value

    def reveal(self) -> str:
        """The value itself; to be called only where a request's headers are built."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret('{_MASK}')"

    def __str__(self) -> str:
        return _MASK

    def __format__(self, spec: str) -> str:
        return format(_MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        from hmac import compare_digest

        return compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _memo: object) -> Secret:
        return self

    def __getstate__(self) -> NoReturn:
        raise TypeError("a Secret is not serialised; pass the credential again where it is needed")

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("a Secret is not pickled; pass the credential again where it is needed")
