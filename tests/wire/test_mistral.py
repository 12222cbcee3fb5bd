"""Mistral is asked in the chat dialect with its row's quirks: what we say is what its own description knows."""

from __future__ import annotations

from typing import Any, cast

import pytest

from dragoman import dialects
from dragoman.catalogue import find
from dragoman.values import Request, Target
from tests.wire.losses import objects_in, silent_losses
from tests.wire.specs import mistral_spec, require_specs
from tests.wire.test_fitting import HAND_MADE

require_specs()

_TARGET = Target(provider="mistral", issuer="mistral", model="m", quirks=find("mistral").quirks)


def _body(request: Request) -> dict[str, Any]:
    return dialects.load("openai-chat").encode_request(request, _TARGET).body


@pytest.mark.parametrize("request_", HAND_MADE.values(), ids=HAND_MADE.keys())
def test_a_hand_made_request_is_valid_for_mistral(request_: Request) -> None:
    problems = mistral_spec().problems("ChatCompletionRequest", _body(request_))
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("request_", HAND_MADE.values(), ids=HAND_MADE.keys())
def test_nothing_is_lost_in_silence_at_mistral(request_: Request) -> None:
    encoded = dialects.load("openai-chat").encode_request(request_, _TARGET)
    lost = silent_losses(request_, "openai-chat", encoded.body, encoded.adaptations)
    assert not lost, "\n".join(lost)


def test_documents_stand_in_parts_of_mistrals_own() -> None:
    parts: Any = [part for part in objects_in(_body(HAND_MADE["documents"])) if "type" in part]
    told = [cast("dict[str, Any]", part) for part in parts]
    assert {"type": "document_url", "document_url": "https://example.org/notes.pdf"} in told
    assert {"type": "file", "file_id": "file-document-1"} in told
    named = {"type": "document_url", "document_url": "data:application/pdf;base64,JVBERi0xLjQK"}
    assert {**named, "document_name": "notes.pdf"} in told
