"""What each dialect takes: kind of media × how it is given → what becomes of it. Every cell is listed.

yes        it is sent as it is
named      it is sent; the wire wants a name or a detail that was not given, and has a default (recorded)
text       its words are sent in another place or form (recorded)
no         it is left out (recorded), and an error where adapting is refused
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dragoman import catalogue, dialects
from dragoman.engine.fit import enforce
from dragoman.errors import Unsupported
from dragoman.values import (
    Adaptation,
    Media,
    Request,
    Target,
    ToolCall,
    ToolDefinition,
    assistant,
    tool_result,
    user,
)

BYTES = {
    "image": ("iVBORw0KGgo=", "image/png"),
    "audio": ("UklGRiQAAABXQVZF", "audio/wav"),
    "video": ("AAAAGGZ0eXBpc29t", "video/mp4"),
    "document": ("JVBERi0xLjQK", "application/pdf"),
}
URL = "https://example.org/made.bin"
FILE_ID = "files/own-file-1"

PROVIDERS = {
    "openai-chat": ("openai", "openai-chat"),
    "mistral": ("mistral", "openai-chat"),
    "openai-responses": ("openai", "openai-responses"),
    "anthropic": ("anthropic", "anthropic"),
    "gemini": ("google", "gemini"),
    "bedrock": ("bedrock", "bedrock"),
    "cohere": ("cohere", "cohere"),
    "ollama": ("ollama", "ollama"),
}
"""Each row of the matrix: the provider it is asked of, and the dialect."""

SOURCES = ("bytes", "url", "own id", "any id", "foreign id", "foreign url", "words")
TAKES: dict[str, dict[str, tuple[str, ...]]] = {
    #                    bytes    url    own id   any id   foreign id, foreign url, words
    "openai-chat": {
        "image": ("yes", "yes", "yes", "yes", "no", "no"),
        "audio": ("yes", "no", "yes", "yes", "no", "no"),
        "video": ("no", "no", "yes", "yes", "no", "no"),
        "document": ("named", "no", "yes", "yes", "no", "no", "text"),
    },
    "mistral": {
        "image": ("yes", "yes", "yes", "yes", "no", "no"),
        "audio": ("yes", "yes", "yes", "yes", "no", "no"),
        "video": ("no", "no", "yes", "yes", "no", "no"),
        "document": ("yes", "yes", "yes", "yes", "no", "no", "text"),
    },
    "openai-responses": {
        "image": ("named", "named", "named", "named", "no", "no"),
        "audio": ("no", "no", "no", "no", "no", "no"),
        "video": ("no", "no", "no", "no", "no", "no"),
        "document": ("named", "yes", "yes", "yes", "no", "no", "text"),
    },
    "anthropic": {
        "image": ("yes", "yes", "yes", "yes", "no", "no"),
        "audio": ("no", "no", "no", "no", "no", "no"),
        "video": ("no", "no", "no", "no", "no", "no"),
        "document": ("yes", "yes", "yes", "yes", "no", "no", "yes"),
    },
    "gemini": {
        "image": ("yes", "yes", "yes", "yes", "no", "no"),
        "audio": ("yes", "yes", "yes", "yes", "no", "no"),
        "video": ("yes", "yes", "yes", "yes", "no", "no"),
        "document": ("yes", "yes", "yes", "yes", "no", "no", "text"),
    },
    "bedrock": {
        "image": ("yes", "no", "no", "no", "no", "no"),
        "audio": ("yes", "no", "no", "no", "no", "no"),
        "video": ("yes", "no", "no", "no", "no", "no"),
        "document": ("named", "no", "no", "no", "no", "no", "named"),
    },
    "cohere": {
        "image": ("yes", "yes", "no", "no", "no", "no"),
        "audio": ("no", "no", "no", "no", "no", "no"),
        "video": ("no", "no", "no", "no", "no", "no"),
        "document": ("no", "no", "no", "no", "no", "no", "text"),
    },
    "ollama": {
        "image": ("yes", "no", "no", "no", "no", "no"),
        "audio": ("no", "no", "no", "no", "no", "no"),
        "video": ("no", "no", "no", "no", "no", "no"),
        "document": ("no", "no", "no", "no", "no", "no", "text"),
    },
}
CELLS = [
    pytest.param(row, kind, source, outcome, id=f"{row}-{kind}-{source}-{outcome}")
    for row, kinds in TAKES.items()
    for kind, outcomes in kinds.items()
    for source, outcome in zip(SOURCES, outcomes, strict=False)
]


def test_no_cell_is_missing() -> None:
    assert {dialect for _, dialect in PROVIDERS.values()} == set(dialects.names())
    assert TAKES.keys() == PROVIDERS.keys()
    for kinds in TAKES.values():
        assert kinds.keys() == BYTES.keys()
        for kind, outcomes in kinds.items():
            assert len(outcomes) == (7 if kind == "document" else 6)


def _target(row: str) -> Target:
    found = catalogue.find(PROVIDERS[row][0])
    return Target(provider=found.name, issuer=found.issuer, model="m", quirks=found.quirks)


def _media(kind: Any, source: str, issuer: str) -> Media:
    data, media_type = BYTES[kind]
    fields: dict[str, dict[str, Any]] = {
        "bytes": {"data": data, "media_type": media_type},
        "url": {"url": URL, "media_type": media_type},
        "own id": {"file_id": FILE_ID, "issuer": issuer},
        "any id": {"file_id": FILE_ID},
        "foreign id": {"file_id": FILE_ID, "issuer": "another"},
        "foreign url": {"url": URL, "issuer": "another"},
        "words": {"text": "Plain words.", "media_type": "text/plain"},
    }
    return Media(kind=kind, **fields[source])


def _encode(row: str, request: Request) -> tuple[str, tuple[Adaptation, ...]]:
    encoded = dialects.load(PROVIDERS[row][1]).encode_request(request, _target(row))
    return msgspec.json.encode(encoded.body).decode(), encoded.adaptations


@pytest.mark.parametrize(("row", "kind", "source", "outcome"), CELLS)
def test_a_cell(row: str, kind: str, source: str, outcome: str) -> None:
    part = _media(kind, source, _target(row).issuer)
    said, adaptations = _encode(row, Request(model="m", messages=(user("What is this?", part),)))
    held = next(value for value in (part.data, part.url, part.file_id, part.text) if value)
    assert (held in said) == (outcome != "no")
    told = [entry for entry in adaptations if entry.path.startswith("messages[0].parts[1]")]
    assert told or outcome == "yes"
    actions = {entry.action for entry in told}
    expected: dict[str, tuple[set[frozenset[str]], bool]] = {
        "yes": ({frozenset()}, False),
        "named": ({frozenset({"defaulted"})}, False),
        "text": ({frozenset({"substituted"}), frozenset({"emulated"})}, True),
        "no": ({frozenset({"dropped"})}, True),
    }
    allowed, refusable = expected[outcome]
    assert actions in allowed
    if not refusable:
        assert enforce(adaptations, "refuse", _target(row)) == adaptations
        return
    with pytest.raises(Unsupported) as refused:
        enforce(adaptations, "refuse", _target(row))
    assert refused.value.path.startswith("messages[0].parts[1]")


@pytest.mark.parametrize("row", TAKES)
@pytest.mark.parametrize("kind", BYTES)
def test_a_foreign_file_reaches_nobody_in_a_tools_result_either(row: str, kind: str) -> None:
    call = ToolCall(id="call_1", name="look", arguments_text="{}")
    request = Request(
        model="m",
        messages=(user("Look"), assistant(call), tool_result(call, ["See:", _media(kind, "foreign id", "")])),
        tools=(ToolDefinition(name="look", input_schema={"type": "object"}),),
    )
    said, adaptations = _encode(row, request)
    assert FILE_ID not in said
    assert any(
        entry.action == "dropped" and entry.path.startswith("messages[2].parts[0].content[1]") for entry in adaptations
    )


@pytest.mark.parametrize("row", TAKES)
def test_what_else_a_foreign_file_holds_is_sent(row: str) -> None:
    part = Media(kind="image", data=BYTES["image"][0], media_type="image/png", file_id=FILE_ID, issuer="another")
    said, adaptations = _encode(row, Request(model="m", messages=(user(part),)))
    assert BYTES["image"][0] in said
    assert FILE_ID not in said
    assert [entry.path for entry in adaptations if entry.action == "dropped"] == ["messages[0].parts[0].file_id"]


@pytest.mark.parametrize("row", ["openai-chat", "mistral", "openai-responses", "anthropic"])
def test_a_file_id_that_was_read_is_its_issuers(row: str) -> None:
    target, dialect = _target(row), dialects.load(PROVIDERS[row][1])
    body = dialect.encode_request(
        Request(model="m", messages=(user("Look", Media(kind="document", file_id=FILE_ID)),)), target
    ).body
    (part,) = [part for part in dialect.decode_request(body, target).messages[0].parts if isinstance(part, Media)]
    assert (part.file_id, part.issuer) == (FILE_ID, target.issuer)
    assert dialect.encode_request(dialect.decode_request(body, target), target).body == body
    (nobodys,) = [part for part in dialect.decode_request(body, Target()).messages[0].parts if isinstance(part, Media)]
    assert nobodys.issuer is None


def test_an_uploaded_file_of_gemini_is_its_issuers() -> None:
    address = "https://generativelanguage.googleapis.com/v1beta/files/abc"
    wire = {"role": "user", "parts": [{"fileData": {"fileUri": address, "mimeType": "image/png"}}]}
    gemini = dialects.load("gemini")
    request = gemini.decode_request({"contents": [wire]}, _target("gemini"), path="/models/m:generateContent")
    (part,) = request.messages[0].parts
    assert isinstance(part, Media)
    assert (part.url, part.issuer) == (address, "google")
    assert gemini.encode_request(request, _target("gemini")).body["contents"] == [wire]
    said, adaptations = _encode("openai-responses", request)
    assert address not in said
    assert any(entry.asked == address for entry in adaptations)


def test_an_image_drawn_while_thinking_is_told_apart() -> None:
    picture = {"inlineData": {"mimeType": "image/png", "data": BYTES["image"][0]}}
    content = {"role": "model", "parts": [{**picture, "thought": True}, picture]}
    body = {"candidates": [{"content": content, "finishReason": "STOP", "index": 0}]}
    answer = dialects.load("gemini").decode_response(body, _target("gemini"))
    assert [part.channel for part in answer.message.parts if isinstance(part, Media)] == ["commentary", "answer"]
    assert len(answer.media) == 1
    assert (
        dialects.load("gemini").encode_response(answer, _target("gemini")).body["candidates"][0]["content"] == content
    )
