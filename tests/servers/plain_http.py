"""The standard library's HTTP client, for tests that look at a server without the code under test between."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ANSWER_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """Status and body of an answer, whatever the status."""

    status: int
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def data_lines(self) -> list[str]:
        """The payloads of the `data:` lines, where the body is an event stream."""
        return [line.removeprefix("data:").strip() for line in self.text.splitlines() if line.startswith("data:")]

    @property
    def events(self) -> list[Any]:
        """Those payloads as JSON, without the closing `[DONE]`."""
        return [json.loads(line) for line in self.data_lines if line != "[DONE]"]


def post(url: str, body: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Answer:
    """POST `body` as JSON."""
    request = urllib.request.Request(
        url, data=json.dumps(body).encode(), headers={"content-type": "application/json", **(headers or {})}
    )
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
            return Answer(answer.status, answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read().decode())
