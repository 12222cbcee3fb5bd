"""`dragoman serve` with workers under load: told to stop, told to reload, and with a ledger that has no room."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.kill_run import until
from tests.gateway.ledger_audit import audit
from tests.gateway.raw_load import Answer, Load, ask, leaves, model_of, shape_of
from tests.gateway.running import KEY
from tests.gateway.served import DEADLINE_SECONDS, Served, config_text
from tests.gateway.witness import Witness, fails_first, is_cut

STREAMS = [(path, route) for path in ("chat", "messages") for route in ("chat", "ant")]
LOADED = [("--workers", "1"), ("--workers", "2")]
GAUGES = (
    "dragoman_spool_open_attempts dragoman_spools_full dragoman_spool_segments dragoman_ledger_drains "
    "dragoman_ledger_store_failing dragoman_ledger_rows_total"
).split()


def get(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_SECONDS)
    with closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def metric(port: int, name: str) -> float:
    lines = get(port, "/metrics")[1].splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ") or f"{name}{{" in line)


async def begin(served: Served, *arguments: str) -> None:
    served.start(*arguments)

    def serves() -> bool:
        assert served.process is not None
        assert served.process.poll() is None, served.log.read_text()
        return served.said("dragoman serves")

    await until(serves, "a gateway that serves")


async def ended(served: Served) -> None:
    """It has ended in peace, with all its processes."""
    await until(lambda: served.process is not None and served.process.poll() is not None, "the end")
    assert served.ended() == 0, served.log.read_text()
    await until(served.all_gone, "the end of all workers")
    assert "Traceback" not in served.log.read_text(), served.log.read_text()


def held_number(start: int, *, failing: bool) -> int:
    """A number from here on whose answers are of one kind: whole, or failing first."""
    return next(
        number
        for number in range(start, start + 1000)
        if fails_first(f"-{number}") == failing and not is_cut(f"-{number}")
    )


# -- stopping ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", LOADED, ids=["alone", "two"])
def test_stopped_under_load_it_answers_what_it_can_and_tells_the_rest(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    server = "drain_delay_seconds: 1.5, drain_seconds: 0.7"
    with Witness() as witness, Served(tmp_path, config_text(tmp_path, witness.url, server=server)) as served:
        load, held, whole = asyncio.run(_stopped(served, witness, arguments))
        seen = witness.seen
    found = audit(tmp_path, seen, load.delivered)
    assert found.outcomes["cancelled"] >= len(held) + 1
    assert "unknown" not in found.outcomes
    assert set(load.statuses) <= {200}  # those whose provider broke off
    for (path, _), answer in zip(STREAMS, held, strict=True):
        assert answer.status == 200
        assert b"and so on" in answer.body
        assert_told_in_band(path, answer.body)
    assert whole.status == 503
    assert whole.headers["retry-after"] == "1"
    assert whole.headers["connection"] == "close"
    assert json.loads(whole.body)["error"]["code"] == "stopping"


async def _stopped(served: Served, witness: Witness, arguments: tuple[str, ...]) -> tuple[Load, list[Answer], Answer]:
    await begin(served, *arguments)
    load = Load(8)
    load.start(served.port)
    models = [f"{route}-hold-{held_number(1000 * at, failing=False)}" for at, (_, route) in enumerate(STREAMS)]
    asking = [
        asyncio.create_task(ask(served.port, model, path, stream=True))
        for (path, _), model in zip(STREAMS, models, strict=True)
    ]
    waiting = asyncio.create_task(ask(served.port, f"chat-hold-{held_number(9000, failing=False)}"))
    await until(lambda: sum("-hold-" in model for model in list(witness.seen)) == 5, "the held requests")
    await until(lambda: len(load.delivered) > 50, "load")
    served.workers()
    served.tell(signal.SIGTERM)
    await until(lambda: get(served.port, "/readyz")[0] == 503, "readiness to say so")
    told = len(load.delivered)
    await until(lambda: len(load.delivered) > told, "answers after readiness said no")
    held = await asyncio.gather(*asking)
    whole = await waiting
    await load.stop()
    await ended(served)
    return load, held, whole


def assert_told_in_band(path: str, body: bytes) -> None:
    """The stream's last event is the error, in the client's dialect."""
    last = body.rstrip().rpartition(b"\n\n")[2].decode()
    if path == "messages":
        event, _, data = last.partition("\n")
        assert event == "event: error"
        assert json.loads(data.removeprefix("data: "))["error"]["type"] == "overloaded_error"
    else:
        assert json.loads(last.removeprefix("data: "))["error"]["code"] == "stopping"
    assert b"[DONE]" not in body
    assert b"message_stop" not in body


# -- reloading ---------------------------------------------------------------------------------------------------------


def test_reloaded_under_load_nothing_is_dropped_and_requests_keep_their_generation(tmp_path: Path) -> None:
    with Witness() as witness:
        text = config_text(tmp_path, witness.url, log=f"{tmp_path}/requests.log")
        with Served(tmp_path, text) as served:
            load, models, held = asyncio.run(_reloaded(served, witness, text))
        seen, keys = witness.seen, witness.keys
    audit(tmp_path, seen, load.delivered | set(models))
    assert load.broken == 0
    assert set(load.statuses) <= {200}
    for number in range(load.asked):
        shape = shape_of(number)
        if not leaves(number) and not (shape.stream and is_cut(model_of(number))):
            assert model_of(number) in load.delivered
    assert {key for used in keys.values() for key in used} == {"key-1", "key-2", "key-3"}
    assert all(len(set(used)) == 1 for used in keys.values()), "a retry is made with what its request began with"
    for model, answer in zip(models, held, strict=True):
        assert answer.status == 200
        assert f"answer to {model}".encode() in answer.body
        assert set(keys[model]) == {"key-1"}
    assert len(keys[models[-1]]) == 2  # it had failed before the reload, and was tried again after it


def keyed(text: str, number: int) -> str:
    return text.replace("key-of-the-witness", f"key-{number}")


async def _reloaded(served: Served, witness: Witness, text: str) -> tuple[Load, list[str], list[Answer]]:
    served.config.write_text(keyed(text, 1))
    await begin(served, "--workers", "2")
    load = Load(8)
    load.start(served.port)
    models = [f"{route}-hold-{held_number(1000 * at, failing=False)}" for at, (_, route) in enumerate(STREAMS)]
    asked = [(model, path, True) for (path, _), model in zip(STREAMS, models, strict=True)]
    models.append(f"chat-hold-{held_number(9000, failing=True)}")
    asking = [
        asyncio.create_task(ask(served.port, model, path, stream=stream))
        for model, path, stream in [*asked, (models[-1], "chat", False)]
    ]
    await until(lambda: sum("-hold-" in model for model in list(witness.seen)) == len(models), "the held requests")
    await until(lambda: len(load.delivered) > 30, "load")

    served.config.write_text(keyed(text, 2))  # noticed by itself
    await _taken(served, witness, 2)
    witness.released.set()
    held = await asyncio.gather(*asking)

    log = served.folder / "requests.log"
    log.rename(served.folder / "requests.log.1")
    served.config.write_text(keyed(text, 3))
    served.tell(signal.SIGHUP)
    await _taken(served, witness, 3)
    await until(lambda: log.exists() and bool(log.read_bytes()), "lines in a new file")
    assert all(json.loads(line)["outcome"] for line in log.read_text().splitlines(keepends=True) if line.endswith("\n"))

    told = get(served.port, "/metrics")[1]
    assert [name for name in GAUGES if f"\n{name}" not in told] == []
    await until(lambda: metric(served.port, "dragoman_ledger_drains") == 1, "a writer that is elected")
    await load.stop()
    served.workers()
    served.tell(signal.SIGTERM)
    await ended(served)
    return load, models, held


async def _taken(served: Served, witness: Witness, number: int) -> None:
    def taken() -> bool:
        return served.log.read_text().count("is in service") == number - 1

    await until(taken, f"configuration {number} in service: {served.log.read_text()[-2000:]}")
    await until(lambda: any(used == [f"key-{number}"] for used in list(witness.keys.values())), "requests under it")


# -- no room -----------------------------------------------------------------------------------------------------------

REFUSED_IN_A_ROW = 25
LONG = "chat-" + 9 * "1"
"""It takes more room than any name that filled the ledger."""

BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "hi"}]},
    "/v1/responses": {"input": "hi"},
    "/v1/messages": {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 5},
    f"/v1beta/models/{LONG}:generateContent": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
}


def post(port: int, path: str, model: str) -> Answer:
    body = BODIES[path] if "v1beta" in path else {"model": model, **BODIES[path]}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_SECONDS)
    with closing(connection):
        headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


def error_kind(path: str, body: bytes) -> str:
    error = json.loads(body)["error"]
    return error["status"] if "v1beta" in path else error["type"] if path.endswith("/messages") else error["code"]


@pytest.mark.parametrize("arguments", LOADED, ids=["alone", "two"])
def test_a_ledger_without_room_is_told_with_a_wait_and_recovers(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    spool = "segment_bytes: 65536, max_bytes: 131072"
    with Witness(pause_seconds=0) as witness, Served(tmp_path, config_text(tmp_path, witness.url, spool=spool)) as it:
        delivered = asyncio.run(_filled(it, arguments))
        seen = witness.seen
    found = audit(tmp_path, seen, delivered)
    assert found.outcomes == {"ok": len(delivered)}


async def _filled(served: Served, arguments: tuple[str, ...]) -> set[str]:
    await begin(served, *arguments)
    numbers = iter(number for number in range(1_000_000) if not fails_first(f"-{number}"))
    delivered: set[str] = set()

    async def asked() -> int:
        model = f"chat-{next(numbers)}"
        answer = await ask(served.port, model)
        if answer.status == 200:
            delivered.add(model)
        return answer.status

    assert await asked() == 200
    with closing(sqlite3.connect(served.folder / "ledger.db", isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")  # nobody else can write: the drain stands still
        deadline = time.monotonic() + DEADLINE_SECONDS
        refused = 0
        while refused < REFUSED_IN_A_ROW:  # by all workers, for a request alone as for many
            assert time.monotonic() < deadline
            together = 1 if refused else 20
            told = set(await asyncio.gather(*(asked() for _ in range(together))))
            assert told <= {200, 503}
            refused = refused + 1 if told == {503} else 0
        assert metric(served.port, "dragoman_spools_full") == int(arguments[1])
        status, body = get(served.port, "/readyz")
        assert (status, json.loads(body)["status"]) == (503, "refusing")
        assert json.loads(body)["reason"].startswith("the ledger has no room: 2 segments wait to be drained")
        for path in BODIES:
            answer = await asyncio.to_thread(post, served.port, path, LONG)
            assert answer.status == (529 if path.endswith("/messages") else 503)  # Anthropic's word for overloaded
            assert answer.headers["retry-after"] == "1"
            assert answer.headers.get("x-should-retry") != "false"
            expected = {"/v1/messages": "overloaded_error"}.get(
                path, "UNAVAILABLE" if "v1beta" in path else "overloaded"
            )
            assert error_kind(path, answer.body) == expected, answer.body
        database.execute("ROLLBACK")
    full = len(delivered)
    await until(lambda: metric(served.port, "dragoman_spools_full") == 0, "room")
    assert get(served.port, "/readyz") == (200, '{"status":"ready"}')
    assert await asked() == 200
    assert len(delivered) == full + 1
    served.workers()
    served.tell(signal.SIGTERM)
    await ended(served)
    return delivered
