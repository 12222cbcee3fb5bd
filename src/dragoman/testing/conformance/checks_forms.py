"""Checks of an answer's form, of media and vectors, and of what must be refused."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from dragoman.errors import AuthenticationFailed, BadRequest, NotFound, PermissionDenied, ProviderError
from dragoman.testing.conformance.findings import Wrong
from dragoman.testing.conformance.subject import Subject, check
from dragoman.values import Media, Response, user

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "bridges": {"type": "integer"},
        "open": {"type": "boolean"},
        "colour": {"type": "string", "enum": ["red", "blue"]},
    },
    "required": ["bridges", "open", "colour"],
    "additionalProperties": False,
}
# One red pixel.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8Dwn4EIwDiqEAAA//8DAC0EAwHh3XJ4AAAAAElFTkSuQmCC"


@check("JSON object")
def json_object(subject: Subject) -> None:
    """An answer that shall be JSON is a JSON object."""
    response = subject.ask("Say something as a JSON object.", "output", response_format={"type": "json_object"})
    if not isinstance(_parsed(response), dict):
        raise Wrong(f"the answer is JSON and no object: {response.content[:80]!r}")


@check("schema")
def schema(subject: Subject) -> None:
    """An answer that shall have a schema has it."""
    form = {"type": "json_schema", "json_schema": {"name": "town", "schema": SCHEMA, "strict": True}}
    response = subject.ask("Describe a town as JSON: bridges, open, colour.", "output", response_format=form)
    held = _parsed(response)
    if not isinstance(held, dict):
        raise Wrong(f"the answer is JSON and no object: {response.content[:80]!r}")
    town = cast("dict[str, Any]", held)
    right = (
        set(town) == set(SCHEMA["required"])
        and isinstance(town["bridges"], int)
        and isinstance(town["open"], bool)
        and town["colour"] in ("red", "blue")
    )
    if not right:
        raise Wrong(f"the answer has not the schema: {response.content[:120]!r}")


@check("image")
def image(subject: Subject) -> None:
    """A picture is taken."""
    picture = Media(kind="image", data=PIXEL, media_type="image/png")
    response = subject.ask([user("Say: what colour is this", picture)], "messages")
    if not response.content.strip() and not response.reasoning.strip():
        raise Wrong("there is no text in the answer")


@check("embeddings")
def embeddings(subject: Subject) -> None:
    """Each text has its vector, all of one length, another text another vector."""
    model = subject.make(model=subject.given("embedding_model"))
    answer = model.embed(["the old bridge", "a new road", "the sea"])
    lengths = {len(vector) for vector in answer.vectors}
    if len(answer.vectors) != 3 or len(lengths) != 1 or not lengths.pop():
        raise Wrong(f"3 texts became vectors of the lengths {[len(vector) for vector in answer.vectors]}")
    if len(set(answer.vectors)) != 3:
        raise Wrong("three texts have the same vector")


@check("a wrong key")
def wrong_key(subject: Subject) -> None:
    """A wrong key is refused as one."""
    model = subject.make(api_key=subject.given("wrong_key"))
    try:
        response = model.chat("Hi", **subject.brief)
    except (AuthenticationFailed, PermissionDenied):
        return
    except ProviderError as error:
        raise Wrong(f"it refused a wrong key with {type(error).__name__}: {error.provider_message[:120]}") from None
    raise Wrong(f"it answered to a wrong key: {response.content[:80]!r}")


@check("an unknown model")
def unknown_model(subject: Subject) -> None:
    """A model that is not there is refused as such."""
    model = subject.make(model=subject.given("unknown_model"))
    try:
        response = model.chat("Hi", **subject.brief)
    except (NotFound, BadRequest, PermissionDenied):
        return
    raise Wrong(f"it answered for a model that is not there: {response.content[:80]!r}")


def _parsed(response: Response) -> Any:
    try:
        return msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        raise Wrong(
            f"the answer is no JSON: {response.content[:80]!r}, finished with {response.finish_reason}"
        ) from None
