"""Nodes: a YAML document as scalars, lists and blocks that know their lines, read without running or building anything.

Built from the parser's events, for the bounds (`MOST_…`) have to hold before memory is spent, and a key that is given
twice has to be seen. Tags and merge keys are refused. Plain scalars mean what YAML 1.2's core schema says: `yes`, `on`
and `12:30` are texts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from dragoman.errors import MissingExtra
from dragoman.gateway.config.problems import InvalidConfig, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Entry", "ListNode", "MapNode", "Node", "ScalarNode", "plain", "read_nodes"]

MOST_BYTES: Final = 1024 * 1024
MOST_DEPTH: Final = 32
MOST_ALIASES: Final = 256
MOST_NODES: Final = 100_000
"""Counted with what aliases stand for, so that a few lines cannot stand for millions."""

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE: Final = frozenset({"true", "True", "TRUE"})
_FALSE: Final = frozenset({"false", "False", "FALSE"})
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?")


class ScalarNode(msgspec.Struct, frozen=True):
    """A text, number, truth value or null; `text` is what the file holds, which numbers' own form would lose."""

    value: str | int | float | bool | None
    text: str
    line: int


class ListNode(msgspec.Struct, frozen=True):
    """A sequence. `size` counts the nodes in it."""

    items: list[Node]
    line: int
    size: int = 1


class Entry(msgspec.Struct, frozen=True):
    """A key's line, and its value."""

    line: int
    value: Node


class MapNode(msgspec.Struct, frozen=True):
    """A mapping with texts as keys, in the file's order."""

    entries: dict[str, Entry]
    line: int
    size: int = 1


Node = ScalarNode | ListNode | MapNode


def plain(node: Node) -> Any:
    """The node as JSON would have it."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return {key: plain(entry.value) for key, entry in node.entries.items()}


def read_nodes(text: str, file: str, problems: list[Problem]) -> MapNode:
    """Read a document. Duplicate keys, tags and their like are added to `problems`, and left out.

    Raises `InvalidConfig` where nothing can be read: for the first error of syntax, or a bound that was passed.
    """
    yaml = _load_yaml()
    if len(text.encode()) > MOST_BYTES:
        raise InvalidConfig([Problem(file, 1, "", f"the file is larger than {MOST_BYTES // 1024} KiB")])
    try:
        reader = _Reader(yaml.parse(text, Loader=yaml.SafeLoader), file, yaml, problems)
        root = reader.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        told = ", ".join(piece for piece in (error.context, error.problem) if piece)
        raise InvalidConfig([Problem(file, mark.line + 1 if mark else 1, "", f"not valid YAML: {told}")]) from None
    except yaml.YAMLError as error:
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        reason = getattr(error, "reason", "it cannot be read")
        raise InvalidConfig([Problem(file, line, "", f"not valid YAML: {reason}")]) from None
    if isinstance(root, ScalarNode) and root.value is None:
        return MapNode({}, 1)
    if not isinstance(root, MapNode):
        raise InvalidConfig([Problem(file, root.line, "", "a configuration is a block of members, as in 'models:'")])
    return root


def _load_yaml() -> Any:
    try:
        import yaml
    except ImportError:
        raise MissingExtra(
            'A configuration is read by a package that is not installed: pip install "dragoman[gateway]"'
        ) from None
    return yaml


class _Reader:
    """Nodes from events. Only a bound that was passed ends the reading at once."""

    def __init__(self, events: Iterator[Any], file: str, yaml: Any, problems: list[Problem]) -> None:
        self._events = events
        self._file = file
        self._yaml = yaml
        self._anchors: dict[str, Node] = {}
        self._aliases = 0
        self._nodes = 0
        self._problems = problems

    def document(self) -> Node:
        """The one document of the stream."""
        yaml = self._yaml
        root: Node = ScalarNode(None, "", 1)
        seen = False
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if seen:
                    self._say(event, "a second document begins here; a configuration is one document")
                    break
                seen = True
                root = self._node(next(self._events), 0)
        return root

    def _node(self, event: Any, depth: int) -> Node:
        yaml = self._yaml
        line: int = event.start_mark.line + 1
        if depth > MOST_DEPTH:
            raise InvalidConfig([Problem(self._file, line, "", f"nested more than {MOST_DEPTH} deep")])
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, line)
        self._count(1, line)
        if event.tag is not None and event.tag != "!":
            self._say(event, f"the tag {event.tag!r} is not taken: a configuration holds texts, numbers and blocks")
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            text: str = event.value
            node = ScalarNode(_meaning(text) if event.style is None else text, text, line)
        elif isinstance(event, yaml.SequenceStartEvent):
            items: list[Node] = []
            while not isinstance(inner := next(self._events), yaml.SequenceEndEvent):
                items.append(self._node(inner, depth + 1))
            node = ListNode(items, line, 1 + sum(map(_size, items)))
        else:
            node = self._mapping(line, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _mapping(self, line: int, depth: int) -> MapNode:
        yaml = self._yaml
        entries: dict[str, Entry] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key_line = event.start_mark.line + 1
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if not isinstance(key, ScalarNode):
                self._problems.append(Problem(self._file, key_line, "", "a member's name has to be a text"))
            elif key.text == "<<":
                self._problems.append(
                    Problem(self._file, key_line, "", "merge keys ('<<') are not taken: write the members out")
                )
            elif key.text in entries:
                first = entries[key.text].line
                told = f"{key.text!r} is given twice in this block; the first is in line {first}"
                self._problems.append(Problem(self._file, key_line, "", told))
            else:
                entries[key.text] = Entry(key_line, value)
        return MapNode(entries, line, 1 + sum(_size(entry.value) for entry in entries.values()))

    def _alias(self, event: Any, line: int) -> Node:
        self._aliases += 1
        if self._aliases > MOST_ALIASES:
            raise InvalidConfig([Problem(self._file, line, "", f"more than {MOST_ALIASES} aliases ('*name')")])
        node = self._anchors.get(event.anchor)
        if node is None:
            # Also an alias inside of what it names: that has no end.
            self._say(event, f"the alias '*{event.anchor}' names nothing that ended before it")
            return ScalarNode(None, "", line)
        self._count(_size(node), line)
        return node

    def _count(self, nodes: int, line: int) -> None:
        self._nodes += nodes
        if self._nodes > MOST_NODES:
            raise InvalidConfig([Problem(self._file, line, "", f"more than {MOST_NODES:,} members and values")])

    def _say(self, event: Any, message: str) -> None:
        self._problems.append(Problem(self._file, event.start_mark.line + 1, "", message))


def _size(node: Node) -> int:
    return 1 if isinstance(node, ScalarNode) else node.size


def _meaning(text: str) -> str | int | float | bool | None:
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        value = float(text)
        return text if value in (float("inf"), float("-inf")) else value
    return text
