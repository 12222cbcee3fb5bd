"""The form of our data file: one document of JSON, one model a line, told by source.

    {"form": 1,
     "sources": [{"name": "models.dev", "date": "2026-07-02"}, …],
     "aliases": {"gemini": "google"},
     "providers": {
       "groq": {
         "fallbacks": [], "forms": [["(.+):online", false]],
         "families": [
           {"id": "kimi", "match": {"starts_with": ["kimi-k2"]}, "of": {"4": {"prices": […]}}}, …],
         "models": {
           "llama-3.3-70b-versatile": {"0": {"context": 131072, "can": "chat tools"}, "4": {"prices": […]}}, …}}}}

Under a source's index stand the facts that are taken from it; no fact stands under two. `families` are in order, the
first whose clause matches a name is the name's; without a clause it is its `id` and the names in `also`. Prices of
tokens are per million, others per piece, all decimals. `families_of` names a provider whose families are the same.
Models, families and providers are decoded when they are first asked for.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from dragoman.errors import ConfigError
from dragoman.facts.price_lists import Condition, Price, PriceList, PriceTable, Step
from dragoman.values.profile import CacheFacts, Profile, ReasoningFacts, Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    Basis = Literal["list", "override", "listing"]

__all__ = [
    "FLAGS",
    "FORM",
    "Document",
    "Family",
    "Piece",
    "ProviderFacts",
    "Row",
    "check_fields",
    "packed",
    "packed_prices",
    "priced_by_million",
    "unpacked",
]

FORM = 1

_CAN = {
    "tools": "tools",
    "parallel": "parallel_tools",
    "choice": "tool_choice",
    "schema": "schema_output",
    "json": "json_output",
    "system": "system_messages",
    "prefill": "prefill",
    "reason": "reasoning",
    "open": "open_weights",
}
FLAGS = tuple(_CAN.values())
_CAN_SHORT = {name: word for word, name in _CAN.items()}
_CHAT = "chat"
_TEMPERATURE = "temperature"
"""Words of `can` for what nearly every model has: the mode "chat", and a temperature."""

_PLAIN = {
    "name": "name",
    "mode": "mode",
    "weights": "weights",
    "context": "context_tokens",
    "input": "input_tokens",
    "output": "output_tokens",
    "knows": "knowledge_until",
    "status": "status",
    "released": "released",
    "deprecated": "deprecated",
    "retired": "retired",
}
_WORDS = {
    "takes": "input_modalities",
    "some": "some_input_modalities",
    "gives": "output_modalities",
    "sampling": "sampling",
    "refused": "refused",
}

_MILLION = 6


def priced_by_million(meter: str) -> bool:
    """Whether a meter's price is told per million here: those of tokens are, those of things are not."""
    return meter.startswith(("input", "output", "cache"))


_TableForm = dict[str, Decimal | list[Decimal | list[Decimal]] | dict[str, Any]]


class _ReasoningPiece(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    efforts: str | None = None
    least: int | None = None
    most: int | None = None
    form: Literal["effort", "budget", "both", "none"] | None = None
    optional: bool | None = None


class _CachePiece(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    kinds: str | None = None
    least: int | None = None
    marks: int | None = None
    ttls: str | None = None


class Piece(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one source says of one model; lists are words of one text, flags the words of `can` and `cannot`."""

    name: str | None = None
    mode: Literal["chat", "embedding", "image", "audio", "rerank", "moderation", "other"] | None = None
    weights: str | None = None
    context: int | None = None
    input: int | None = None
    output: int | None = None
    takes: str | None = None
    some: str | None = None
    gives: str | None = None
    can: str = ""
    cannot: str = ""
    think: _ReasoningPiece | None = None
    sampling: str | None = None
    refused: str | None = None
    cache: _CachePiece | None = None
    knows: str | None = None
    status: Literal["preview", "deprecated", "retired"] | None = None
    released: str | None = None
    deprecated: str | None = None
    retired: str | None = None
    prices: list[_TableForm] | None = None
    currency: str = "USD"


class Family(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A declared pattern: what `of` tells (by source) is true of every name that the clause holds for."""

    id: str
    match: dict[str, Any] | None = None
    also: tuple[str, ...] = ()
    of: msgspec.Raw = msgspec.Raw(b"{}")

    @property
    def clause(self) -> dict[str, Any]:
        """What holds for the names of the family."""
        return self.match if self.match is not None else {"equals": [self.id, *self.also]}

    @property
    def named(self) -> bool:
        """Whether the family's id is itself the name of a model."""
        equal = self.clause.get("equals", ())
        return self.id == equal or self.id in equal


class ProviderFacts(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Everything about one provider's models."""

    fallbacks: tuple[str, ...] = ()
    forms: tuple[tuple[str, bool], ...] = ()
    families: tuple[Family, ...] = ()
    families_of: str = ""
    models: dict[str, msgspec.Raw] = {}


class Document(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The whole file, its parts still as bytes."""

    form: int
    sources: tuple[Source, ...]
    providers: dict[str, msgspec.Raw]
    aliases: dict[str, str] = {}


class Row(msgspec.Struct, frozen=True):
    """What is known about one model: fields of `Profile` by name, each one's source, and its prices."""

    fields: Mapping[str, Any] = {}
    sources: Mapping[str, Source] = {}
    prices: PriceList | None = None


_PIECES = msgspec.json.Decoder(dict[str, Piece])


def unpacked(raw: msgspec.Raw | bytes, sources: tuple[Source, ...], basis: Basis = "list") -> Row:
    """A line of the file as a row. Raises `msgspec.ValidationError`, `ValueError` or `LookupError` for a bad one."""
    fields: dict[str, Any] = {}
    told: dict[str, Source] = {}
    prices: PriceList | None = None
    for index, piece in _PIECES.decode(raw).items():
        source = sources[int(index)]
        before = len(fields)
        _take_fields(piece, fields)
        for name in list(fields)[before:]:
            told[name] = source
        if piece.prices is not None:
            prices = PriceList(
                tables=tuple(_table(table) for table in piece.prices),
                currency=piece.currency,
                source=source,
                basis=basis,
            )
    return Row(fields, told, prices)


def _take_fields(piece: Piece, fields: dict[str, Any]) -> None:
    for key, name in _PLAIN.items():
        value = getattr(piece, key)
        if value is not None:
            fields[name] = value
    for key, name in _WORDS.items():
        value = getattr(piece, key)
        if value is not None:
            fields[name] = tuple(value.split())
    for words, value in ((piece.can, True), (piece.cannot, False)):
        for word in words.split():
            if word == _TEMPERATURE:
                fields["sampling" if value else "refused"] = (_TEMPERATURE,)
            elif word == _CHAT and value:
                fields["mode"] = _CHAT
            elif word in _CAN:
                fields[_CAN[word]] = value
            else:
                raise ValueError(f"{word!r} is no capability; they are {', '.join(_CAN)}")
    think, cache = piece.think, piece.cache
    if think is not None:
        fields["reasoning_facts"] = ReasoningFacts(
            efforts=_words(think.efforts),
            least_budget_tokens=think.least,
            most_budget_tokens=think.most,
            form=think.form,
            optional=think.optional,
        )
    if cache is not None:
        kinds = cast("Any", _words(cache.kinds))
        fields["cache"] = CacheFacts(
            kinds=kinds, least_tokens=cache.least, most_marks=cache.marks, ttls=_words(cache.ttls)
        )


def _words(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(text.split())


def _table(told: _TableForm) -> PriceTable:
    condition: Condition | None = None
    prices: dict[str, Price] = {}
    for meter, value in told.items():
        if isinstance(value, dict):
            if meter != "when":
                raise ValueError(f"a price table has no member {meter!r} that is an object")
            condition = msgspec.convert(value, Condition)
        elif isinstance(value, list):
            first, *rest = value
            if isinstance(first, list) or not all(isinstance(step, list) and len(step) == 2 for step in rest):
                raise ValueError(f"{meter}: a price with steps is [amount, [above_tokens, amount], …]")
            steps = cast("list[list[Decimal]]", rest)
            prices[meter] = Price(
                _per_unit(meter, first), tuple(Step(int(above), _per_unit(meter, amount)) for above, amount in steps)
            )
        else:
            prices[meter] = Price(_per_unit(meter, value))
    return PriceTable(prices=prices, condition=condition)


def _per_unit(meter: str, amount: Decimal) -> Decimal:
    return amount.scaleb(-_MILLION) if priced_by_million(meter) else amount


# -- writing -----------------------------------------------------------------------------------------------------------


def packed(row: Row, index_of: Mapping[Source, int]) -> dict[str, dict[str, Any]]:
    """A row in the file's form, sources by index; what `unpacked` gives back is equal. Amounts stay decimals."""
    pieces: dict[int, dict[str, Any]] = {}
    for name in sorted(row.fields):
        piece = pieces.setdefault(index_of[row.sources[name]], {})
        _put_field(piece, name, row.fields[name])
    if row.prices is not None and row.prices.source is not None:
        piece = pieces.setdefault(index_of[row.prices.source], {})
        piece["prices"] = packed_prices(row.prices)
        if row.prices.currency != "USD":
            piece["currency"] = row.prices.currency
    return {str(index): pieces[index] for index in sorted(pieces)}


_SHORT = {name: key for key, name in (*_PLAIN.items(), *_WORDS.items())}


def _put_field(piece: dict[str, Any], name: str, value: Any) -> None:
    if name in FLAGS:
        _put_word(piece, "can" if value else "cannot", _CAN_SHORT[name])
    elif (name, value) == ("mode", _CHAT):
        _put_word(piece, "can", _CHAT)
    elif name in ("sampling", "refused") and value == (_TEMPERATURE,):
        _put_word(piece, "can" if name == "sampling" else "cannot", _TEMPERATURE)
    elif isinstance(value, ReasoningFacts):
        piece["think"] = _without_none(
            efforts=_joined(value.efforts),
            least=value.least_budget_tokens,
            most=value.most_budget_tokens,
            form=value.form,
            optional=value.optional,
        )
    elif isinstance(value, CacheFacts):
        piece["cache"] = _without_none(
            kinds=_joined(value.kinds), least=value.least_tokens, marks=value.most_marks, ttls=_joined(value.ttls)
        )
    elif isinstance(value, tuple):
        piece[_SHORT[name]] = " ".join(cast("tuple[str, ...]", value))
    else:
        piece[_SHORT[name]] = value


def _put_word(piece: dict[str, Any], key: str, word: str) -> None:
    piece[key] = f"{piece[key]} {word}" if key in piece else word


def _joined(words: tuple[str, ...] | None) -> str | None:
    return None if words is None else " ".join(words)


def _without_none(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def packed_prices(prices: PriceList) -> list[dict[str, Any]]:
    """Price tables in the file's form."""
    tables: list[dict[str, Any]] = []
    for table in prices.tables:
        told: dict[str, Any] = {}
        if table.condition is not None:
            told["when"] = msgspec.to_builtins(table.condition)
        for meter in sorted(table.prices):
            price = table.prices[meter]
            amount = _per_million(meter, price.amount)
            steps = [[step.above_tokens, _per_million(meter, step.amount)] for step in price.steps]
            told[meter] = [amount, *steps] if steps else amount
        tables.append(told)
    return tables


def _per_million(meter: str, amount: Decimal) -> Decimal:
    scaled = amount.scaleb(_MILLION) if priced_by_million(meter) else amount
    return _shortest(scaled)


def _shortest(amount: Decimal) -> Decimal:
    """The shortest way to write an amount, without an exponent."""
    text = f"{amount.normalize():f}"
    return Decimal(text)


def check_fields(told: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of `Profile` as a caller writes them, made definite; raises `ConfigError` for an unknown or wrong one."""
    try:
        made = msgspec.convert({"provider": "", "model": "", **told}, Profile)
    except msgspec.ValidationError as error:
        known = set(Profile.__struct_fields__) - {"provider", "model", "sources"}
        unknown = sorted(set(told) - known)
        if unknown:
            raise ConfigError(_unknown_field(unknown[0], sorted(known))) from None
        raise ConfigError(f"The facts given are not those of a Profile: {error}") from None
    return {name: getattr(made, name) for name in told}


def _unknown_field(name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, 1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; its fields are {', '.join(known)}"
    return f"A profile has no field {name!r}{hint}"
