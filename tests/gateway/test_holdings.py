"""Whose the objects of providers are: known to every process at once, bounded, and forgotten in the end."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from dragoman.accounts import OwnedState, Principal
from dragoman.gateway.holdings import Holdings, may_have
from dragoman.gateway.server.refusals import RequestRefused
from dragoman.storage import StateStore, open_database

ANNA = Principal("anna", team="red")
BERT = Principal("bert")


def _url(folder: Path) -> str:
    return f"sqlite:///{folder}/ledger.db"


def _state(name: str, *, expires_in: float = 100.0, key: str = "anna") -> OwnedState:
    return OwnedState(name=name, account="a", key=key, team="", expires_at=time.time() + expires_in)


def test_what_one_process_records_another_one_knows(tmp_path: Path) -> None:
    here, there = Holdings(_url(tmp_path)), Holdings(_url(tmp_path))

    async def run() -> None:
        assert await there.find(["files/1"]) == {}
        await here.record(ANNA, "openai", ["files/1"])
        (state,) = (await there.find(["files/1"]))["files/1"]
        assert (state.account, state.key, state.team) == ("openai", "anna", "red")

    asyncio.run(run())
    here.close()
    there.close()


def test_many_at_once_are_all_recorded(tmp_path: Path) -> None:
    holdings = Holdings(_url(tmp_path))
    names = [f"responses/{number}" for number in range(300)]

    async def run() -> None:
        await asyncio.gather(*(holdings.record(ANNA, "openai", [name]) for name in names))
        assert set(await holdings.find(names)) == set(names)

    asyncio.run(run())
    holdings.close()


def test_whoever_made_an_object_first_stays_its_owner(tmp_path: Path) -> None:
    holdings = Holdings(_url(tmp_path))

    async def run() -> None:
        await holdings.record(ANNA, "openai", ["files/1"])
        await holdings.record(BERT, "openai", ["files/1"])
        await holdings.record(BERT, "azure", ["files/1"])
        states = (await holdings.find(["files/1"]))["files/1"]
        assert {state.account: may_have(BERT, state) for state in states} == {"openai": False, "azure": True}
        await holdings.forget("files/1", "openai")
        assert [state.account for state in (await holdings.find(["files/1"]))["files/1"]] == ["azure"]

    asyncio.run(run())
    holdings.close()


def test_objects_expire_and_their_number_is_bounded(tmp_path: Path) -> None:
    store = StateStore(open_database(_url(tmp_path)), most=3)
    store.add(
        [_state("files/gone", expires_in=-1.0), *(_state(f"files/{at}", expires_in=50.0 + at) for at in range(5))]
    )
    assert [state.name for state in store.find(["files/gone", "files/0"])] == ["files/0"]
    store.prune()
    assert sorted(state.name for state in store.find(f"files/{at}" for at in range(5))) == [
        "files/2",
        "files/3",
        "files/4",
    ]
    store.close()


def test_a_store_that_fails_loses_no_answer_and_lends_no_object(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"this is no database" * 100)
    holdings = Holdings(_url(tmp_path))

    async def run() -> None:
        await holdings.record(ANNA, "openai", ["files/1"])
        with pytest.raises(RequestRefused, match="store") as caught:
            await holdings.find(["files/1"])
        assert caught.value.status == 503

    asyncio.run(run())
    holdings.close()
