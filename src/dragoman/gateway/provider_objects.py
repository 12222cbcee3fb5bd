"""Objects of providers as they are named on the wire: in paths, in the bodies that make them, in those that use them.

An object's name here is `collection/id`, in every dialect: `files/file-1`, `responses/resp_1`, `cachedContents/abc`.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dragoman.values import JsonObject

__all__ = [
    "COLLECTIONS",
    "Named",
    "created_by",
    "hides_letters",
    "listed_in",
    "named_in_body",
    "named_in_path",
    "results_in",
]

COLLECTIONS: Final = frozenset(
    "assistants batches cachedContents completions containers conversations corpora evals fileSearchStores files"
    " jobs ragStores responses sessions skills threads tunedModels uploads vector_stores videos".split()
)
"""Last words of paths whose members belong to whoever made them."""

_VERBS: Final = frozenset("input_tokens compact search estimate".split())
"""Words that follow a collection in a path and are no ids."""

_REFERRING: Final[Mapping[str, str]] = {
    "previous_response_id": "responses",
    "response_id": "responses",
    "conversation": "conversations",
    "conversation_id": "conversations",
    "file_id": "files",
    "file_ids": "files",
    "input_file_id": "files",
    "image_file_id": "files",
    "training_file": "files",
    "validation_file": "files",
    "vector_store_id": "vector_stores",
    "vector_store_ids": "vector_stores",
    "container": "containers",
    "container_id": "containers",
    "batch_id": "batches",
    "thread_id": "threads",
    "assistant_id": "assistants",
    "upload_id": "uploads",
    "cachedContent": "",
    "cached_content": "",
    "fileUri": "",
    "file_uri": "",
    "fileName": "",
    "file_name": "",
    "fileSearchStoreNames": "",
    "file_search_store_names": "",
}
"""Members that name objects, and of which collection; those of "" hold the collection's name in their value."""

_OPAQUE: Final = frozenset("arguments args parameters schema input_schema metadata response".split())
"""Members that hold a caller's own data, whatever names are in them; an `input` that is an object is one too."""

_WRITTEN_IN_FULL: Final = re.compile(
    r"(?:https?://[^?#]*/)?((?:files|cachedContents|batches|fileSearchStores|corpora|tunedModels)/[A-Za-z0-9._-]+)"
    r"(?:[/:?#].*)?"
)
_ESCAPED_LETTER: Final = re.compile(rb"\\u00[2-7]")
_RESULTS: Final = frozenset("output_file_id error_file_id responsesFile responses_file".split())
_DEEPEST: Final = 64


class Named(NamedTuple):
    """An object that a request names, and the member (or `path`) that does."""

    name: str
    member: str


def named_in_path(path: str) -> list[Named]:
    """The objects that a path goes through, outermost first."""
    steps = path.strip("/").split("/")
    found: list[Named] = []
    for step, following in pairwise(steps):
        if step in COLLECTIONS and following not in _VERBS and following not in COLLECTIONS:
            found.append(Named(f"{step}/{following.partition(':')[0]}", "path"))
    return found


def hides_letters(body: bytes) -> bool:
    """Whether letters are written as escapes, which would hide a member's name from a search for bytes."""
    # A search for one byte is twenty times as quick as one for several, and says enough of most bodies.
    return 0x5C in body and body.find(b"\\u00") >= 0 and _ESCAPED_LETTER.search(body) is not None


def named_in_body(body: Any) -> list[Named]:
    """The objects that a parsed body names, each once."""
    found: dict[str, Named] = {}
    for member, value in _members(body, 0):
        collection = _REFERRING.get(member)
        if collection is None:
            continue
        for word in _words(value):
            name = _full_name(word) if not collection else f"{collection}/{word}"
            if name is not None:
                found.setdefault(name, Named(name, member))
    return list(found.values())


def _full_name(text: str) -> str | None:
    match = _WRITTEN_IN_FULL.fullmatch(text)
    return None if match is None else match[1]


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if value and value != "auto":
            yield value
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            if isinstance(item, str):
                yield item
    elif isinstance(value, dict):
        inner: Any = cast("JsonObject", value).get("id")
        if isinstance(inner, str):
            yield inner


def _members(value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for name, inner in cast("JsonObject", value).items():
            yield name, inner
            if isinstance(inner, list) or (isinstance(inner, dict) and name not in _OPAQUE and name != "input"):
                yield from _members(inner, depth + 1)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            if isinstance(inner, (dict, list)):
                yield from _members(inner, depth + 1)


# -- what answers tell -------------------------------------------------------------------------------------------------


def created_by(path: str, body: Any) -> list[str]:
    """The objects that an answer to a POST tells of as made, or that grew out of one (the files of a batch)."""
    if not isinstance(body, dict):
        return []
    told = cast("JsonObject", body)
    found: list[str] = []
    collection = path.rstrip("/").rpartition("/")[2].partition(":")[0]
    if collection in COLLECTIONS:
        found += _name_of(told, collection)
    elif isinstance(name := told.get("name"), str) and _full_name(name) == name:
        found.append(name)
    inner: Any = told.get("file")
    if isinstance(inner, dict):
        found += _name_of(cast("JsonObject", inner), "files")
    found += results_in(told)
    return list(dict.fromkeys(found))


def results_in(body: Any) -> list[str]:
    """The files that a batch has come to."""
    found: list[str] = []
    for member, value in _members(body, 0):
        if member in _RESULTS and isinstance(value, str) and value:
            found.append(_full_name(value) or f"files/{value}")
    return found


def _name_of(told: JsonObject, collection: str) -> list[str]:
    name, given = told.get("name"), told.get("id")
    if isinstance(name, str) and _full_name(name) == name:
        return [name]
    return [f"{collection}/{given}"] if isinstance(given, str) and given else []


def listed_in(collection: str, body: Any) -> tuple[str, list[tuple[str, Any]]] | None:
    """The member of a listing that holds its objects, and these with their names; None for what is no listing."""
    if not isinstance(body, dict):
        return None
    told = cast("JsonObject", body)
    for member in ("data", collection, "operations"):
        items: Any = told.get(member)
        if isinstance(items, list):
            found: list[tuple[str, Any]] = []
            for item in cast("list[object]", items):
                names = _name_of(cast("JsonObject", item), collection) if isinstance(item, dict) else []
                found.append((names[0] if names else "", cast("Any", item)))
            return member, found
    return None
