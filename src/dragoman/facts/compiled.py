"""Compiled: a data file that was read, and the rows of its models; each provider is decoded when it is asked for."""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec.structs import replace

from dragoman.errors import ConfigError
from dragoman.facts.families import FamilyIndex, check_clause, clause_holds, compiled_pattern
from dragoman.facts.form import FORM, Document, Family, ProviderFacts, Row, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dragoman.facts.price_lists import PriceList
    from dragoman.values.profile import Source

__all__ = ["OWN_FILE", "Compiled", "Found"]

OWN_FILE = os.path.join(os.path.dirname(__file__), "data", "models.json")
"""A text: importing pathlib would be the larger part of loading the facts."""

_DOCUMENT = msgspec.json.Decoder(Document)
_PROVIDER = msgspec.json.Decoder(ProviderFacts)


class Found(NamedTuple):
    """A model's row, and the listed name or family that it was taken from (None: the name itself is listed)."""

    row: Row
    family: str | None = None


class _Party:
    """One provider's models, families and ways of writing."""

    def __init__(self, facts: ProviderFacts, families: FamilyIndex | None = None) -> None:
        self.facts = facts
        self.families = families or FamilyIndex(facts.families)
        self.forms = [(compiled_pattern(pattern), priced) for pattern, priced in facts.forms]
        if not all(pattern.groups for pattern, _ in self.forms):
            raise ValueError("a form has no group for the listed name")

    def written_otherwise(self, name: str) -> Iterator[tuple[str, bool]]:
        """The names that may be meant, each with whether it has the same price."""
        for pattern, priced in self.forms:
            match = pattern.fullmatch(name)
            meant = None if match is None else match.group(1)
            if meant is not None and len(meant) < len(name):  # so that following forms comes to an end
                yield meant, priced


class Compiled:
    """One data file. Safe to read from several threads: what is decoded twice is decoded alike."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._parties: dict[str, _Party] = {}

    @classmethod
    def decode(cls, data: bytes) -> Compiled:
        """A file's content; raises `ConfigError` where it is not of our form. Models are not looked at yet."""
        try:
            document = _DOCUMENT.decode(data)
        except msgspec.DecodeError as error:
            raise ConfigError(f"This is no file of model facts: {error}") from None
        if document.form != FORM:
            raise ConfigError(
                f"This file of model facts has the form {document.form}; this version reads the form {FORM}."
            )
        return cls(document)

    @classmethod
    def own(cls) -> Compiled:
        """The file that is part of the package."""
        with open(OWN_FILE, "rb") as file:
            return cls.decode(file.read())

    @property
    def sources(self) -> tuple[Source, ...]:
        return self._document.sources

    def provider_name(self, provider: str) -> str:
        """The name under which a provider's facts stand: its own, or that which it is an alias of."""
        return self._document.aliases.get(provider, provider)

    def providers(self) -> tuple[str, ...]:
        """The providers of which something is known, aliases left out."""
        return tuple(self._document.providers)

    def models(self, provider: str) -> tuple[str, ...]:
        """The names of models that are listed for a provider: those with facts, and families that are one model."""
        party = self._party(provider)
        if party is None:
            return ()
        return tuple({**party.facts.models, **{family.id: None for family in party.facts.families if family.named}})

    def family_name(self, provider: str, model: str) -> str | None:
        """The family of a provider that a name belongs to by its pattern, listed or not."""
        party = self._party(provider)
        family = None if party is None else party.families.first(model)
        return None if family is None else family.id

    def family_names(self, provider: str) -> tuple[str, ...]:
        """The ids of a provider's families, in their order."""
        party = self._party(provider)
        return () if party is None else party.families.ids

    def check(self) -> int:
        """Decodes everything, and counts models and families; raises `ConfigError` for the first that is wrong."""
        count = 0
        for provider in self._document.providers:
            where = provider
            try:
                party = self._party(provider)
                assert party is not None
                for family in party.facts.families:
                    where = f"{provider}, family {family.id}"
                    check_clause(family.clause)
                    self._family_row(family)
                    count += 1
                for name, raw in party.facts.models.items():
                    where = f"{provider}/{name}"
                    unpacked(raw, self.sources)
                    count += 1
            except (msgspec.DecodeError, ValueError, LookupError, TypeError, ArithmeticError, RecursionError) as error:
                raise ConfigError(f"The model facts are wrong at {where}: {error}.") from None
        return count

    # -- facts -------------------------------------------------------------------------------------------------------

    def find(self, provider: str, model: str) -> Found | None:
        """The facts of a model, prices apart: listed, written otherwise, of a family, or a fallback provider's."""
        party = self._party(provider)
        if party is None:
            return None
        found = self._find_own(party, model)
        if found is not None:
            return found
        for other in party.facts.fallbacks:
            fallback = self._party(other)
            found = None if fallback is None else self._find_own(fallback, model)
            if found is not None:
                return Found(found.row, f"{other}/{found.family or model}")
        return None

    def _find_own(self, party: _Party, model: str) -> Found | None:
        raw = party.facts.models.get(model)
        if raw is not None:
            return Found(self._over_family(unpacked(raw, self.sources), party.families.named(model)))
        for name, _ in party.written_otherwise(model):
            found = self._find_own(party, name)
            if found is not None:
                return Found(found.row, found.family or name)
        family = party.families.first(model)
        return None if family is None else Found(self._agreed(party, family), family.id)

    def _over_family(self, row: Row, family: Family | None) -> Row:
        """A listed model's row, with what the family that lists it says where the row says nothing."""
        if family is None:
            return row
        under = self._family_row(family)
        return Row({**under.fields, **row.fields}, {**under.sources, **row.sources}, row.prices)

    def _agreed(self, party: _Party, family: Family) -> Row:
        """What all listed models of a family have in common, and what the family itself says."""
        own = self._family_row(family)
        members = [
            unpacked(raw, self.sources)
            for name, raw in party.facts.models.items()
            if clause_holds(family.clause, name.lower())
        ]
        if not members:
            return Row(own.fields, own.sources, None)
        first, *others = members
        fields: dict[str, Any] = dict(own.fields)
        sources = dict(own.sources)
        for name, value in first.fields.items():
            if name not in _OF_ONE_MODEL and all(other.fields.get(name) == value for other in others):
                fields[name] = value
                sources[name] = first.sources[name]
        return Row(fields, sources, None)

    def _family_row(self, family: Family) -> Row:
        return unpacked(family.of, self.sources)

    # -- prices ------------------------------------------------------------------------------------------------------

    def prices(self, provider: str, model: str) -> PriceList | None:
        """The prices of a model: of the listed name, of its family, or those of a provider whose models are served."""
        party = self._party(provider)
        if party is None:
            return None
        found = self._own_prices(party, model)
        if found is not None:
            return found
        for place in filter(None, map(self._party, party.facts.fallbacks)):
            found = self._own_prices(place, model)
            if found is not None:
                return _without_tiers(found)
        return None

    def _own_prices(self, party: _Party, model: str) -> PriceList | None:
        raw = party.facts.models.get(model)
        if raw is not None:
            listed = unpacked(raw, self.sources).prices
            if listed is not None:
                return listed
        family = party.families.first(model)
        if family is not None:
            told = self._family_row(family).prices
            if told is not None:
                return told
        for name, priced in party.written_otherwise(model):
            if priced:
                return self._own_prices(party, name)
        return None

    def _party(self, provider: str) -> _Party | None:
        party = self._parties.get(provider)
        if party is None:
            raw = self._document.providers.get(self.provider_name(provider))
            if raw is None:
                return None
            facts = _PROVIDER.decode(raw)
            other = self._party(facts.families_of) if facts.families_of else None
            party = self._parties[provider] = _Party(facts, other.families if other is not None else None)
        return party


_OF_ONE_MODEL = frozenset({"name", "released", "deprecated", "retired", "status", "weights"})
"""What is true of a listed version says nothing about another version of its family."""


def _without_tiers(prices: PriceList) -> PriceList:
    """The standard prices: what another provider charges for a tier of its own service is not this one's price."""
    tables = tuple(table for table in prices.tables if table.condition is None or table.condition.tier is None)
    return prices if len(tables) == len(prices.tables) else replace(prices, tables=tables)
