"""A provider over real HTTP that answers chat in five dialects, and embeddings, with words that tests know.

Its address may be followed by any path, so that one server plays all providers: a request to `<url>/groq/v1/…` counts
as groq's. Requests that offer tools are answered with a call of the first one until its result is there, requests that
ask for JSON with `JSON_TEXT`, all others with `TEXT`.
"""

from __future__ import annotations

import json
import re
import select
import threading
from collections import deque
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.servers.fake_answers import FRAMES, INPUT_TOKENS, WHOLE, Answer, JsonObject, error_body

PIECES = ("A dragoman ", "stands between ", "two courts.")
TEXT = "".join(PIECES)
JSON_TEXT = '{"city": "Istanbul", "bridges": 3}'
TOOL_ARGUMENTS = '{"expression": "6 * 7"}'
COST = 0.00021
VECTOR = [0.25, -0.5, 1.0]
HOLD_SECONDS = 30.0

_DIALECTS = (
    (re.compile(r"/chat/completions\Z"), "openai-chat"),
    (re.compile(r"/responses\Z"), "openai-responses"),
    (re.compile(r"/messages\Z"), "anthropic"),
    (re.compile(r"/models/[^/]+:(?:generateContent|streamGenerateContent)\Z"), "gemini"),
    (re.compile(r"/api/chat\Z"), "ollama"),
    (re.compile(r"/embeddings\Z"), "embeddings"),
)


@dataclass(frozen=True)
class Seen:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: Any

    @property
    def provider(self) -> str:
        """The first segment of the path, which the address that was handed out gives."""
        return self.path.split("/")[1]

    @property
    def dialect(self) -> str:
        path = self.path.partition("?")[0]
        return next((name for pattern, name in _DIALECTS if pattern.search(path)), "")


@dataclass(frozen=True)
class Failure:
    """An answer that is an error, or (status 200) a stream that is cut after its first piece."""

    status: int
    message: str = "not today"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class FakeProvider:
    """The server as a test holds it.

    `failures` are used up first, one for each request. With `holds` set, a stream stands still after its first piece,
    and a whole answer before it, until the caller has gone, which sets `caller_left`. `reasoning` and `finish` are put
    into chat answers.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[Seen] = []
        self.failures: deque[Failure] = deque()
        self.pieces: tuple[str, ...] = PIECES
        self.tool_arguments = TOOL_ARGUMENTS
        self.holds = threading.Event()
        self.holding = threading.Event()
        self.caller_left = threading.Event()
        self.reasoning = ""
        self.finish = ""

    @property
    def last(self) -> Seen:
        return self.requests[-1]

    def answer(self, seen: Seen) -> Answer:
        model = seen.body.get("model") or seen.path.rpartition("/")[2].partition(":")[0]
        cost = COST if seen.provider == "openrouter" else None
        tool = _first_tool(seen.body)
        if tool and not _has_result(seen.body):
            return Answer(model, tool=tool, arguments=self.tool_arguments, cost=cost)
        return Answer(model, pieces=(JSON_TEXT,) if _wants_json(seen.body) else self.pieces, cost=cost)


def _first_tool(body: JsonObject) -> str:
    tools: list[JsonObject] = body.get("tools") or []
    if not tools:
        return ""
    declared: list[JsonObject] = tools[0].get("functionDeclarations") or [tools[0].get("function", tools[0])]
    return declared[0]["name"]


def _has_result(body: JsonObject) -> bool:
    text = json.dumps(body)
    return any(mark in text for mark in ('"role": "tool"', "function_call_output", '"tool_result"', "functionResponse"))


def _wants_json(body: JsonObject) -> bool:
    text = json.dumps(body)
    return any(mark in text for mark in ('"json_object"', '"json_schema"', "application/json"))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, fake: FakeProvider, *args: Any) -> None:
        self.fake = fake
        super().__init__(*args)

    def log_message(self, format: str, *args: object) -> None: ...

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        seen = Seen(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        self.fake.requests.append(seen)
        failure = self.fake.failures.popleft() if self.fake.failures else None
        if failure is not None and failure.status != 200:
            self._send(error_body(seen.dialect, failure.status, failure.message), failure.status, failure.headers)
        elif not seen.dialect:
            self._send({"error": {"message": f"no such path: {seen.path}"}}, 404)
        elif seen.dialect == "embeddings":
            self._send(_vectors(body))
        elif body.get("stream", seen.dialect == "ollama") or "streamGenerateContent" in seen.path:
            self._stream(seen, cut=failure is not None)
        else:
            if not self.fake.holds.is_set() or not self._wait_for_caller_to_leave():
                self._send(self._marked(WHOLE[seen.dialect](self.fake.answer(seen))))

    def _marked(self, body: JsonObject) -> JsonObject:
        if body.get("choices"):
            choice = body["choices"][0]
            if self.fake.finish and choice.get("finish_reason"):
                choice["finish_reason"] = self.fake.finish
            if self.fake.reasoning:
                held = choice.get("message") or choice["delta"]
                held.update({"reasoning_content": self.fake.reasoning} if held.get("role") else {})
        return body

    def _send(self, body: JsonObject, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, seen: Seen, *, cut: bool) -> None:
        self.send_response(200)
        kind = "application/x-ndjson" if seen.dialect == "ollama" else "text/event-stream"
        self.send_header("content-type", kind)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        held = not self.fake.holds.is_set()
        for frame in FRAMES[seen.dialect](self.fake.answer(seen)):
            if isinstance(frame.data, dict):
                self._marked(frame.data)
            self._chunk(frame.encode())
            if frame.shows and cut:
                break
            if frame.shows and not held:
                held = True
                if self._wait_for_caller_to_leave():
                    return
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.flush()

    def _wait_for_caller_to_leave(self) -> bool:
        self.fake.holding.set()
        readable, _, _ = select.select([self.connection], [], [], HOLD_SECONDS)
        try:
            left = bool(readable) and not self.connection.recv(1)
        except ConnectionError:
            left = True
        self.close_connection = True
        if left:
            self.fake.caller_left.set()
        return left


def _vectors(body: JsonObject) -> JsonObject:
    texts: list[str] = [body["input"]] if isinstance(body["input"], str) else body["input"]
    return {
        "object": "list",
        "model": body["model"],
        "data": [{"object": "embedding", "index": index, "embedding": VECTOR} for index in range(len(texts))],
        "usage": {"prompt_tokens": INPUT_TOKENS, "total_tokens": INPUT_TOKENS},
    }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None: ...  # callers that leave are what is tested


@contextmanager
def running_fake_provider() -> Generator[FakeProvider]:
    """Serve on a free port of the loopback for the length of the block."""
    fake = FakeProvider("")
    server = _Server(("127.0.0.1", 0), partial(_Handler, fake))
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
