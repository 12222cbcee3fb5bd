"""The official Python clients get through the gateway what they ask for, from deployments of every public dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from dragoman.testing import SlowHead
from tests.gateway.fronts import PUBLIC_DIALECTS, Front, model_of
from tests.gateway.official_asking import PythonClients
from tests.gateway.official_cases import CASES, ERROR_CASES, Case, wrong_with, wrong_with_error
from tests.gateway.running import KEY

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_was_asked_for_is_answered(case: Case, clients: PythonClients) -> None:
    assert wrong_with(case, clients.does(case)) == []


@pytest.mark.parametrize("case", ERROR_CASES, ids=lambda case: case.id)
def test_an_error_is_the_clients_own_class(case: Case, clients: PythonClients) -> None:
    assert wrong_with_error(case, clients.does(case), "python") == []


@pytest.mark.parametrize("client", PUBLIC_DIALECTS)
def test_models_are_listed_and_found_one_by_one(client: str, clients: PythonClients) -> None:
    assert clients.listed(client) == [model_of(dialect) for dialect in PUBLIC_DIALECTS]


@pytest.mark.parametrize("client", ["openai-chat", "openai-responses", "anthropic"])
def test_a_client_that_would_retry_is_told_not_to(client: str, front: Front) -> None:
    """The plan has tried what there is to try; more tries of the client's would multiply it."""
    clients = PythonClients(front.url, retries=2)
    try:
        for task in ("overloaded", "rate_limit", "server_fault"):
            before = len(front.fake.requests)
            outcome = clients.does(Case(client, client, task, streamed=False))
            assert "error" in outcome
            assert len(front.fake.requests) == before + 1
    finally:
        clients.close()


# -- keep-alives -------------------------------------------------------------------------------------------------------


@pytest.fixture
def slow_clients(slow_front: Front) -> Generator[PythonClients]:
    made = PythonClients(slow_front.url)
    yield made
    made.close()


@pytest.mark.parametrize("dialect", PUBLIC_DIALECTS)
@pytest.mark.parametrize("client", PUBLIC_DIALECTS)
def test_a_client_is_unharmed_by_keep_alives(
    client: str, dialect: str, slow_front: Front, slow_clients: PythonClients
) -> None:
    slow_front.fake.fail(SlowHead(0.2))
    case = Case(client, dialect, "chat", streamed=True)
    assert wrong_with(case, slow_clients.does(case)) == []


_MESSAGES: Any = [{"role": "user", "content": "Say: late but well"}]
_ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "openai-chat": ("/v1/chat/completions", {"messages": _MESSAGES, "stream": True}),
    "openai-responses": ("/v1/responses", {"input": _MESSAGES, "stream": True}),
    "anthropic": ("/v1/messages", {"messages": _MESSAGES, "max_tokens": 9, "stream": True}),
    "gemini": (
        "/v1beta/models/{model}:streamGenerateContent?alt=sse",
        {"contents": [{"role": "user", "parts": [{"text": "Say: late but well"}]}]},
    ),
}
_KEEP_ALIVE = {
    "openai-chat": b": keep-alive\n\n",
    "openai-responses": b": keep-alive\n\n",
    "anthropic": b'event: ping\ndata: {"type": "ping"}\n\n',
    "gemini": b"\n",
}


@pytest.mark.parametrize("dialect", PUBLIC_DIALECTS)
@pytest.mark.parametrize("client", PUBLIC_DIALECTS)
def test_a_slow_answer_is_announced_in_the_clients_dialect(client: str, dialect: str, slow_front: Front) -> None:
    slow_front.fake.fail(SlowHead(0.2))
    path, body = _ASKED[client]
    model = model_of(dialect)
    body = body if client == "gemini" else {**body, "model": model}
    with httpx2.stream(
        "POST",
        slow_front.url + path.replace("{model}", model),
        json=body,
        headers={"authorization": f"Bearer {KEY}"},
        trust_env=False,
    ) as answer:
        assert answer.status_code == 200
        said = b"".join(answer.iter_raw())
    # Two at the least: one with the head, and one more while the provider was silent.
    keep_alive = _KEEP_ALIVE[client]
    assert said.startswith(keep_alive * 2)
    assert keep_alive not in said.lstrip(b"\n").partition(b"well")[2] or client == "gemini"


@pytest.mark.parametrize("client", PUBLIC_DIALECTS)
def test_a_quick_answer_has_no_keep_alives(client: str, front: Front) -> None:
    path, body = _ASKED[client]
    body = body if client == "gemini" else {**body, "model": model_of(client)}
    said = httpx2.post(
        front.url + path.replace("{model}", model_of(client)),
        json=body,
        headers={"authorization": f"Bearer {KEY}"},
        trust_env=False,
    ).content
    assert b"well" in said
    assert not said.startswith(_KEEP_ALIVE[client])
