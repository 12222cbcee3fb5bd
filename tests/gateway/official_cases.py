"""What official clients of any language are asked to do through the gateway, and what must come of it: rows of data."""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tests.gateway.fronts import PUBLIC_DIALECTS, model_of

__all__ = [
    "CASES",
    "ERROR_CASES",
    "IMAGE",
    "PARAMETERS",
    "RESULT",
    "SCHEMA",
    "WORDS",
    "Case",
    "wrong_with",
    "wrong_with_error",
]

Task = Literal["chat", "tools", "schema", "vision"]
TASKS: tuple[Task, ...] = ("chat", "tools", "schema", "vision")
Failure = Literal["no_model", "wrong_key", "bad_request", "rate_limit", "server_fault", "overloaded", "mid_stream"]
FAILURES: tuple[Failure, ...] = (
    "no_model",
    "wrong_key",
    "bad_request",
    "rate_limit",
    "server_fault",
    "overloaded",
    "mid_stream",
)


@dataclass(frozen=True)
class Case:
    """A client of one dialect does one thing at a deployment that is reached in a dialect."""

    client: str
    dialect: str
    task: str
    streamed: bool

    @property
    def id(self) -> str:
        return f"{self.client}-to-{self.dialect}-{self.task}-{'streamed' if self.streamed else 'whole'}"

    def told(self) -> dict[str, Any]:
        """The case for a program in another language."""
        model = "no-such-model" if self.task == "no_model" else model_of(self.dialect)
        return {**asdict(self), "id": self.id, "model": model, "words": WORDS.get(self.task, "")}


CASES = tuple(
    Case(client, dialect, task, streamed)
    for client in PUBLIC_DIALECTS
    for dialect in PUBLIC_DIALECTS
    for task in TASKS
    for streamed in (False, True)
)
ERROR_CASES = tuple(
    Case(client, dialect, failure, streamed)
    for client in PUBLIC_DIALECTS
    for dialect in PUBLIC_DIALECTS
    for failure in FAILURES
    for streamed in (False, True)
    if streamed or failure != "mid_stream"
)


def _png() -> bytes:
    """One red pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0\xff\0\0")
    note = chunk(b"tEXt", b"bytes\0" + bytes(range(128, 256)))  # of which base64 writes every one of its letters
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + note + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


IMAGE = base64.b64encode(_png()).decode()

WORDS = {
    "chat": "Say: good morning, it is 7 o'clock — “really”",
    "tools": 'Call weather with {"city": "Paris"}',
    "schema": "Who is it?",
    "vision": "What is this?",
    "no_model": "Say: nothing",
    "wrong_key": "Say: nothing",
    "bad_request": "Fail: bad_request",
    "rate_limit": "Fail: rate_limit",
    "server_fault": "Fail: server_fault",
    "overloaded": "Fail: overloaded",
    "mid_stream": "Break after: half of an",
}
"""What the user says, by task."""

RESULT = "21 degrees"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}

_STOPPED = {"openai-chat": "stop", "openai-responses": "completed", "anthropic": "end_turn", "gemini": "STOP"}
_CALLED = {"openai-chat": "tool_calls", "openai-responses": "completed", "anthropic": "tool_use", "gemini": "STOP"}


def wrong_with(case: Case, outcome: dict[str, Any]) -> list[str]:
    """What of an outcome (`text`, `finish`, `input`, `output`, and for tools `calls`, `called_finish`) is wrong."""
    if "error" in outcome:
        return [f"raised {outcome['error']}"]
    wrong: list[str] = []

    def owe(name: str, value: object) -> None:
        if outcome.get(name) != value:
            wrong.append(f"{name} is {outcome.get(name)!r:.300} and should be {value!r}")

    owe("finish", _STOPPED[case.client])
    if case.task == "chat":
        owe("text", WORDS["chat"].removeprefix("Say: "))
    elif case.task == "vision":
        owe("text", f"I see image image/png {zlib.crc32(base64.b64decode(IMAGE)):08x}")
    elif case.task == "schema":
        parsed = outcome.get("parsed")
        if not (isinstance(parsed, dict) and sorted(parsed) == ["age", "name"]):  # pyright: ignore[reportUnknownArgumentType]
            wrong.append(f"{outcome.get('text')!r} is not of the schema")
    else:
        owe("calls", [["weather", {"city": "Paris"}]])
        owe("called_finish", _CALLED[case.client])
        if RESULT not in str(outcome.get("text")):
            wrong.append(f"the result did not arrive: {outcome.get('text')!r}")
    wrong += [f"{name} tokens: {outcome.get(name)!r}" for name in ("input", "output") if not outcome.get(name)]
    return wrong


_STATUS = {"no_model": 404, "wrong_key": 401, "bad_request": 400, "rate_limit": 429}
"""Others are errors of the server's side: any status of 500 or more, but in mid-stream, where each has its own way."""

_SAYS = {
    "no_model": "no-such-model",
    "wrong_key": "key",
    "bad_request": "the seed must be even",
    "rate_limit": "slow down, please",
    "server_fault": "something broke here",
    "overloaded": "too busy at the moment",
    "mid_stream": "the provider gave up in mid-stream",
}
_BY_STATUS = {
    "no_model": {"NotFoundError"},
    "wrong_key": {"AuthenticationError"},
    "bad_request": {"BadRequestError"},
    "rate_limit": {"RateLimitError"},
    "server_fault": {"InternalServerError"},
    "overloaded": {"InternalServerError"},
}
_OF_GOOGLE = {name: {"ClientError" if name in _STATUS else "ServerError"} for name in _SAYS}
_KINDS: dict[tuple[str, str], dict[str, set[str]]] = {
    ("python", "openai"): {**_BY_STATUS, "mid_stream": {"APIError"}},
    ("python", "anthropic"): {
        **_BY_STATUS,
        "server_fault": {"InternalServerError", "OverloadedError"},
        "overloaded": {"OverloadedError", "ServiceUnavailableError"},
        "mid_stream": {"APIStatusError", "OverloadedError"},
    },
    ("python", "gemini"): _OF_GOOGLE,
    ("javascript", "openai"): {**_BY_STATUS, "mid_stream": {"APIError"}},
    ("javascript", "anthropic"): {
        **_BY_STATUS,
        "server_fault": {"InternalServerError", "OverloadedError"},
        "overloaded": {"OverloadedError", "ServiceUnavailableError"},
        "mid_stream": {"APIError", "OverloadedError"},
    },
    ("javascript", "gemini"): {name: {"ApiError"} for name in _SAYS},
}


def wrong_with_error(case: Case, outcome: dict[str, Any], language: str) -> list[str]:
    """What is wrong with an outcome that must be an error: `kind` is the name of its class in the client."""
    error = outcome.get("error")
    if error is None:
        return [f"no error was raised: {outcome!r:.300}"]
    wrong: list[str] = []
    kinds = _KINDS[language, case.client.partition("-")[0]][case.task]
    if error["kind"] not in kinds:
        wrong.append(f"it is {error['kind']} and should be {sorted(kinds)}")
    if _SAYS[case.task] not in error["says"]:
        wrong.append(f"it does not say {_SAYS[case.task]!r}: {error['says']!r:.300}")
    if case.task == "mid_stream":
        return wrong
    status = error["status"]
    if status != _STATUS[case.task] if case.task in _STATUS else not 500 <= status < 600:
        wrong.append(f"its status is {status}")
    if (language, case.client) == ("javascript", "gemini"):
        return wrong  # whose errors hold no headers
    if case.task == "rate_limit" and error["retry_after"] != "7":
        wrong.append(f"retry-after is {error['retry_after']!r}")
    if case.task not in ("no_model", "wrong_key") and error["should_retry"] != "false":
        wrong.append("it does not tell the client that all was tried")
    return wrong
