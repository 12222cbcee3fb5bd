"""Servers on this machine: found by what they answer, and by nothing that merely answers."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from dragoman.gateway.config import Discovered, discover

NOWHERE = {
    "OLLAMA_BASE_URL": "http://127.0.0.1:1/v1",
    "LLAMA_CPP_BASE_URL": "http://127.0.0.1:1/v1",
    "VLLM_BASE_URL": "http://127.0.0.1:1/v1",
    "LMSTUDIO_BASE_URL": "http://127.0.0.1:1/v1",
}
LISTED = {"object": "list", "data": [{"id": "m-1", "object": "model", "owned_by": "me"}, {"id": "m-2"}, {"no": "id"}]}
ANSWERS: dict[str, dict[str, Any]] = {
    "OLLAMA_BASE_URL": {
        "/api/version": {"version": "0.12.3"},
        "/api/tags": {"models": [{"name": "llama3.2:3b", "size": 1}, {"name": "qwen3:4b"}]},
    },
    "LLAMA_CPP_BASE_URL": {
        "/props": {"default_generation_settings": {"n_ctx": 4096}, "total_slots": 1},
        "/v1/models": LISTED,
    },
    "VLLM_BASE_URL": {
        "/version": {"version": "0.11.0"},
        "/v1/models": {"object": "list", "data": [{"id": "Qwen/Qwen3-4B", "owned_by": "vllm"}]},
    },
    "LMSTUDIO_BASE_URL": {
        "/api/v0/models": {"object": "list", "data": [{"id": "granite", "type": "llm", "state": "not-loaded"}]},
    },
}
FOUND = {
    "OLLAMA_BASE_URL": ("ollama", ("llama3.2:3b", "qwen3:4b")),
    "LLAMA_CPP_BASE_URL": ("llama_cpp", ("m-1", "m-2")),
    "VLLM_BASE_URL": ("vllm", ("Qwen/Qwen3-4B",)),
    "LMSTUDIO_BASE_URL": ("lmstudio", ("granite",)),
}


class Server:
    """Answers these paths with JSON, all others with 404; `release` lets go of requests for `HELD`."""

    HELD = b"held"

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.seen: list[tuple[str, Mapping[str, str]]] = []
        self.release = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None: ...

            def do_GET(self) -> None:
                outer.seen.append((self.path, dict(self.headers.items())))
                answer = answers.get(self.path)
                if answer == outer.HELD:
                    outer.release.wait(30)
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(404 if answer is None else 200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except ConnectionError:
                    pass  # whoever asked no longer waits

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.release.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@contextmanager
def running(answers: Mapping[str, Any]) -> Generator[Server]:
    server = Server(answers)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def found(environ: Mapping[str, str], seconds: float = 5.0) -> list[Discovered]:
    return asyncio.run(discover({**NOWHERE, **environ}, seconds=seconds))


@pytest.mark.parametrize("variable", list(ANSWERS))
def test_a_server_is_known_by_its_own_answers(variable: str) -> None:
    with running(ANSWERS[variable]) as server:
        name, models = FOUND[variable]
        assert found({variable: f"{server.url}/v1"}) == [Discovered(name, f"{server.url}/v1", models)]


@pytest.mark.parametrize("variable", list(ANSWERS))
@pytest.mark.parametrize("other", list(ANSWERS))
def test_a_server_is_not_taken_for_one_of_another_kind(variable: str, other: str) -> None:
    if variable == other:
        return
    with running(ANSWERS[other]) as server:
        assert found({variable: f"{server.url}/v1"}) == []


def test_all_are_asked_and_told_in_one_order() -> None:
    everything = {path: answer for answers in ANSWERS.values() for path, answer in answers.items()}
    with running(everything) as server:
        names = [each.provider for each in found(dict.fromkeys(NOWHERE, f"{server.url}/v1"))]
    # The models that the last one's /v1/models lists are those of vLLM, so each of them has signs of its own.
    assert names == ["ollama", "llama_cpp", "vllm", "lmstudio"]


def test_no_credential_is_sent() -> None:
    with running(ANSWERS["VLLM_BASE_URL"]) as server:
        found({"VLLM_BASE_URL": f"{server.url}/v1", "VLLM_API_KEY": "secret"})
        assert server.seen
        assert "secret" not in str(server.seen)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"[" * 100_000,
        {"version": 3},
        [],
        None,
        b"\xff",
        {"default_generation_settings": []},
        {"data": 3},
    ],
)
def test_whatever_else_answers_is_left_alone(answer: Any) -> None:
    paths = {path for answers in ANSWERS.values() for path in answers}
    with running(dict.fromkeys(paths, answer)) as server:
        assert found(dict.fromkeys(NOWHERE, f"{server.url}/v1")) == []


def test_a_server_that_does_not_answer_is_not_waited_for() -> None:
    with running({"/api/version": Server.HELD}) as server:
        begun = time.monotonic()
        assert found({"OLLAMA_BASE_URL": f"{server.url}/v1"}, seconds=0.2) == []
        assert time.monotonic() - begun < 10  # the server would hold it for 30 s


def test_names_that_no_client_could_ask_for_are_left_out() -> None:
    listed = {
        "models": [{"name": ""}, {"name": "a\nb"}, {"name": "x" * 300}, {"name": 3}, {"name": "ok"}, {"name": "ok"}]
    }
    with running({"/api/version": {"version": "1"}, "/api/tags": listed}) as server:
        assert found({"OLLAMA_BASE_URL": f"{server.url}/v1"})[0].models == ("ok",)


def test_an_address_that_is_none_is_passed_over() -> None:
    assert found({"OLLAMA_BASE_URL": "not an address"}) == []
