"""Records as rows: what the drain carries over, read from a spool's payloads without making records between.

Of an attempt, two payloads become one row of 39 fields some thousand times a second. Structs between would cost as much
again as the reading (`benchmarks/spool.py`), so both kinds are read as tuples, held to the same types. What is not of
exactly this version's form is read as a record, which knows what older and newer versions write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast, get_type_hints

import msgspec

from dragoman.ledger.records import Correction, Intent, RequestRecord, Settlement, decode_record, encode_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.ledger.records import Record

__all__ = ["Row", "attempt_row", "fields_of", "fields_of_record"]

Row: TypeAlias = tuple[Any, ...]
_TAGS: dict[type[Record], str] = {Intent: "i", Settlement: "s", Correction: "c", RequestRecord: "r"}
_HEAD_BYTES = 5


def _head(kind: type[Record]) -> bytes:
    """The bytes that a record of exactly these fields begins with: how many they are, and its tag."""
    return encode_record([_TAGS[kind], *[None] * len(kind.__struct_fields__)])[:_HEAD_BYTES]


def _reader(kind: type[Record]) -> Callable[[bytes], Row]:
    types = get_type_hints(kind, include_extras=True)
    form = tuple[(str, *(types[name] for name in kind.__struct_fields__))]
    return cast("Callable[[bytes], Row]", msgspec.msgpack.Decoder(form).decode)


_READERS = {_head(kind): _reader(kind) for kind in (Intent, Settlement)}


def fields_of(payload: bytes) -> Row | None:
    """A record's tag, and its fields in their order; None for what no version of this code can read."""
    read = _READERS.get(payload[:_HEAD_BYTES])
    if read is not None:
        try:
            return read(payload)
        except msgspec.DecodeError:
            return None
    record = decode_record(payload)
    return None if record is None else fields_of_record(record)


def fields_of_record(record: Record) -> Row:
    """The same of a record."""
    return (_TAGS[type(record)], *msgspec.structs.astuple(record))


def attempt_row(begun: Row, ended: Row) -> Row:
    """The row of an attempt: an intent's fields, then a settlement's without its id. Takes what `fields_of` gives."""
    return begun[1:] + ended[2:]
