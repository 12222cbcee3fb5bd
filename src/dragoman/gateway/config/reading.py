"""Reading: nodes into the structs of a configuration, by the structs' own types, with every problem noted.

What cannot be read is noted and stands as an empty value of its type, so that everything else is still read, each in
its place, and checked too. Empty texts that are left are therefore no news to later checks.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeGuard, cast

from msgspec import NODEFAULT, inspect

from dragoman.catalogue import Secret
from dragoman.gateway.config.interpolation import Interpolation, refers
from dragoman.gateway.config.nodes import ListNode, MapNode, Node, ScalarNode
from dragoman.gateway.config.problems import Problem, near_name
from dragoman.gateway.config.structs import ConfigBlock, ProviderBlock

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OPEN_BLOCKS", "Path", "Reader", "path_text"]

Path = tuple[str | int, ...]

OPEN_BLOCKS: Final[dict[type, str]] = {ProviderBlock: "options"}
"""Blocks that take members of other names, and the field that these become."""

_WORD: Final = re.compile(r"[A-Za-z0-9_-]+")
_SHOWN_LETTERS: Final = 60


def path_text(path: Path) -> str:
    """The path as people write it: `models.fast.deployments[0]`, `models['claude-*']`."""
    told = ""
    for step in path:
        if isinstance(step, int):
            told += f"[{step}]"
        elif _WORD.fullmatch(step):
            told += f".{step}" if told else step
        else:
            told += f"[{step!r}]"
    return told


class Reader:
    """One reading. What is wrong is added to `problems`; `lines` say where each member of the file stands."""

    def __init__(self, file: str, interpolation: Interpolation, problems: list[Problem]) -> None:
        self.file = file
        self.problems = problems
        self.lines: dict[Path, int] = {}
        self._interpolation = interpolation

    def config(self, root: MapNode) -> ConfigBlock:
        """The whole configuration, as far as it can be read."""
        self.lines[()] = root.line
        return self._read(root, _info(ConfigBlock), ())

    def complain(self, path: Path, message: str) -> None:
        """Notes a problem with a member, or with one that is not there but would stand in it."""
        place = path
        while place not in self.lines:
            place = place[:-1]
        self.problems.append(Problem(self.file, self.lines[place], path_text(path), message))

    def _read(self, node: Node, kind: inspect.Type, path: Path) -> Any:
        self.lines.setdefault(path, node.line)
        match kind:
            case inspect.Metadata():
                return self._read(node, kind.type, path)
            case inspect.UnionType():
                return self._union(node, kind, path)
            case inspect.StructType():
                return self._struct(node, kind, path)
            case inspect.DictType():
                return self._dict(node, kind, path)
            case inspect.VarTupleType():
                return self._list(node, kind, path)
            case inspect.AnyType():
                return self._anything(node, path)
            case _:
                return self._scalar(node, kind, path)

    def _union(self, node: Node, kind: inspect.UnionType, path: Path) -> Any:
        if isinstance(node, ScalarNode) and node.value is None and kind.includes_none:
            return None
        wanted = [each for each in map(_bare, kind.types) if not isinstance(each, inspect.NoneType)]
        fitting = [each for each in wanted if _takes(each, node)]
        if len(wanted) == 1 or fitting:
            return self._read(node, (fitting or wanted)[0], path)
        return self._wrong(node, kind, path)

    def _struct(self, node: Node, kind: inspect.StructType, path: Path) -> Any:
        if not isinstance(node, MapNode):
            return self._wrong(node, kind, path)
        open_field = OPEN_BLOCKS.get(kind.cls)
        fields = {field.encode_name: field for field in kind.fields if field.encode_name != open_field}
        values: dict[str, Any] = {}
        others: dict[str, Any] = {}
        for name, entry in node.entries.items():
            inner = (*path, name)
            self.lines[inner] = entry.line
            field = fields.get(name)
            if field is not None:
                values[field.name] = self._read(entry.value, field.type, inner)
            elif open_field is not None:
                others[name] = self._anything(entry.value, inner)
            else:
                near = near_name(name, fields) or f" There are {', '.join(fields)}."
                self.complain(inner, f"there is no such member.{near}")
        for name, field in fields.items():
            if field.required and name not in node.entries:
                self.complain(path, f"{name!r} is missing")
                values[field.name] = _empty(field.type)
        if open_field is not None:
            values[open_field] = others
        return kind.cls(**values)

    def _dict(self, node: Node, kind: inspect.DictType, path: Path) -> Any:
        if not isinstance(node, MapNode):
            return self._wrong(node, kind, path)
        found: dict[str, Any] = {}
        for name, entry in node.entries.items():
            inner = (*path, name)
            self.lines[inner] = entry.line
            found[name] = self._read(entry.value, kind.value_type, inner)
        return found

    def _list(self, node: Node, kind: inspect.VarTupleType, path: Path) -> Any:
        if not isinstance(node, ListNode):
            return self._wrong(node, kind, path)
        if kind.min_length and len(node.items) < kind.min_length:
            self.complain(path, "the list is empty")
        return tuple(self._read(item, kind.item_type, (*path, at)) for at, item in enumerate(node.items))

    def _scalar(self, node: Node, kind: inspect.Type, path: Path) -> Any:
        if not isinstance(node, ScalarNode):
            return self._wrong(node, kind, path)
        value = node.value
        match kind:
            case inspect.StrType() if isinstance(value, str):
                return self._text(value, bool(kind.min_length), path)
            case inspect.CustomType() if kind.cls is Secret and isinstance(value, str):
                return Secret(self._text(value, True, path))
            case inspect.LiteralType() if isinstance(value, str):
                if value in kind.values:
                    return value
                near = near_name(value, map(str, kind.values)) or f" There are {', '.join(map(str, kind.values))}."
                self.complain(path, f"{_quoted(value)} is not among what may stand here.{near}")
                return _empty(kind)
            case inspect.NoneType() if value is None:
                return None
            case inspect.BoolType() if isinstance(value, bool):
                return value
            case inspect.IntType() if _is_number(value) and float(value).is_integer():
                return self._within(int(value), kind, path)
            case inspect.FloatType() if _is_number(value):
                return self._within(float(value), kind, path)
            case _:
                return self._wrong(node, kind, path)

    def _text(self, written: str, needed: bool, path: Path) -> str:
        filled = self._interpolation.fill(written, lambda message: self.complain(path, message))
        if filled is None:
            return ""
        if needed and not filled:
            self.complain(path, "the text is empty")
        return filled

    def _within(self, number: float, kind: inspect.IntType | inspect.FloatType, path: Path) -> float:
        bounds = (
            (kind.ge, number.__ge__, "at least"),
            (kind.gt, number.__gt__, "more than"),
            (kind.le, number.__le__, "at most"),
            (kind.lt, number.__lt__, "less than"),
        )
        for bound, holds, words in bounds:
            if bound is not None and not holds(type(number)(bound)):
                self.complain(path, f"{number:g} is out of range: it has to be {words} {bound:,}")
        return number

    def _anything(self, node: Node, path: Path) -> Any:
        self.lines.setdefault(path, node.line)
        if isinstance(node, ScalarNode):
            return self._text(node.value, False, path) if isinstance(node.value, str) else node.value
        if isinstance(node, ListNode):
            return [self._anything(item, (*path, at)) for at, item in enumerate(node.items)]
        return {name: self._anything(entry.value, (*path, name)) for name, entry in node.entries.items()}

    def _wrong(self, node: Node, kind: inspect.Type, path: Path) -> Any:
        secret = any(isinstance(each, inspect.CustomType) for each in _alternatives(kind))
        if isinstance(node, ScalarNode) and node.value is None:
            self.complain(path, f"{_wanted(kind)} is wanted here, and nothing is given")
            return _empty(kind)
        found = _found(node, shown=not secret)
        text = any(isinstance(each, inspect.StrType | inspect.CustomType) for each in _alternatives(kind))
        hint = ""
        if isinstance(node, ScalarNode):
            if text and isinstance(node.value, int | float):
                hint = "; put it in quotes"
            elif isinstance(node.value, str) and refers(node.value):
                hint = ": a reference always gives a text"
        self.complain(path, f"{_wanted(kind)} is wanted here, and not {found}{hint}")
        return _empty(kind)


@cache
def _info(cls: type) -> inspect.Type:
    return inspect.type_info(cls)


def _bare(kind: inspect.Type) -> inspect.Type:
    return _bare(kind.type) if isinstance(kind, inspect.Metadata) else kind


def _alternatives(kind: inspect.Type) -> list[inspect.Type]:
    kind = _bare(kind)
    return [_bare(each) for each in kind.types] if isinstance(kind, inspect.UnionType) else [kind]


def _takes(kind: inspect.Type, node: Node) -> bool:
    if isinstance(kind, inspect.StructType | inspect.DictType):
        return isinstance(node, MapNode)
    if isinstance(kind, inspect.VarTupleType):
        return isinstance(node, ListNode)
    return isinstance(node, ScalarNode)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_LETTERS else text[:_SHOWN_LETTERS] + "…")


def _found(node: Node, *, shown: bool) -> str:
    if isinstance(node, ListNode):
        return "a list"
    if isinstance(node, MapNode):
        return "a block"
    match node.value:
        case bool():
            return node.text
        case str():
            return f"the text {_quoted(node.text)}" if shown else "this text"
        case _:
            return f"the number {node.text}" if shown else "a number"


_WORDS: Final[tuple[tuple[type[inspect.Type], str], ...]] = (
    (inspect.StructType, "a block of members"),
    (inspect.DictType, "a block of members"),
    (inspect.VarTupleType, "a list"),
    (inspect.StrType, "a text"),
    (inspect.CustomType, "a text"),
    (inspect.IntType, "a whole number"),
    (inspect.FloatType, "a number"),
    (inspect.BoolType, "true or false"),
    (inspect.NoneType, "null"),
)


def _wanted(kind: inspect.Type) -> str:
    words: list[str] = []
    for each in _alternatives(kind):
        if isinstance(each, inspect.LiteralType):
            word = "one of " + ", ".join(map(str, each.values))
        else:
            word = next(word for kind_of, word in _WORDS if isinstance(each, kind_of))
        if word not in words:
            words.append(word)
    return " or ".join(words)


_EMPTY: Final = cast(
    "tuple[tuple[type[inspect.Type], Callable[[], Any]], ...]",
    (
        (inspect.StrType, str),
        (inspect.VarTupleType, tuple),
        (inspect.DictType, dict),
        (inspect.IntType, int),
        (inspect.FloatType, float),
        (inspect.BoolType, bool),
        (inspect.CustomType, lambda: Secret("")),
    ),
)


def _empty(kind: inspect.Type) -> Any:
    kind = _alternatives(kind)[0]
    if isinstance(kind, inspect.LiteralType):
        return kind.values[0]
    if isinstance(kind, inspect.StructType):
        needed = {field.name: _empty(field.type) for field in kind.fields if field.default is NODEFAULT}
        optional = {field.name for field in kind.fields if field.default_factory is not NODEFAULT}
        return kind.cls(**{name: value for name, value in needed.items() if name not in optional})
    return next((make() for kind_of, make in _EMPTY if isinstance(kind, kind_of)), None)
