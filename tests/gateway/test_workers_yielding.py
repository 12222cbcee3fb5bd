"""A thread yields to all others as long as it gets somewhere that way."""

from __future__ import annotations

import os
import threading

import pytest

from dragoman.gateway.workers.yielding import ORDINARY_SECONDS, Times, Yielding, may_yield


class Thread:
    """What the kernel knows of a thread, as the test tells it; `policies` are those that it was given."""

    def __init__(self) -> None:
        self.ran = self.waited = 0.0
        self.policies: list[bool] = []
        self.yielding = Yielding(7, times=self.times, set_policy=self.set_policy)

    def times(self, thread: int) -> Times:
        assert thread == 7
        return Times(self.ran, self.waited)

    def set_policy(self, thread: int, yields: bool) -> None:
        assert thread == 7
        self.policies.append(yields)

    def fares(self, now: float, *, ran: float, waited: float, at_work: bool = True) -> bool:
        """So it fared since the last look; whether it yields now."""
        self.ran += ran
        self.waited += waited
        self.yielding.look(now, at_work=at_work)
        return self.yielding.yields


@pytest.fixture
def thread() -> Thread:
    return Thread()


def test_it_yields_from_the_beginning_and_while_it_gets_a_part(thread: Thread) -> None:
    assert thread.policies == [True]
    assert all(thread.fares(second / 10, ran=0.02, waited=0.08, at_work=second % 10 > 0) for second in range(50))
    assert thread.policies == [True]


def test_starved_it_has_its_ordinary_share_for_a_while(thread: Thread) -> None:
    assert not thread.fares(1.0, ran=0.001, waited=0.099)
    assert not thread.fares(1.0 + ORDINARY_SECONDS - 0.1, ran=0.05, waited=0.05)
    assert thread.fares(1.0 + ORDINARY_SECONDS, ran=0.05, waited=0.05)
    assert thread.policies == [True, False, True]


def test_at_work_without_an_end_it_does_not_keep_up(thread: Thread) -> None:
    looks = [thread.fares(second / 10, ran=0.05, waited=0.05) for second in range(60)]
    assert looks.index(False) == 31
    assert thread.fares(3.1 + ORDINARY_SECONDS, ran=0.05, waited=0.05)
    assert thread.fares(3.2 + ORDINARY_SECONDS, ran=0.05, waited=0.05), "it has as long as before to keep up"


def test_waiting_for_nothing_is_no_starving(thread: Thread) -> None:
    assert thread.fares(1.0, ran=0.0, waited=0.0, at_work=False)
    assert thread.fares(2.0, ran=0.0, waited=0.04)


def test_who_is_waited_for_yields_no_more(thread: Thread) -> None:
    thread.yielding.end()
    assert thread.policies == [True, False]


@pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="another system's scheduler")
def test_the_policy_is_the_kernels() -> None:
    if not may_yield():
        with pytest.raises(OSError, match="not permitted"):
            _policies()
        return
    assert _policies() == [os.SCHED_IDLE, os.SCHED_OTHER]


def _policies() -> list[int]:
    """Of a thread that yields, and does not any more."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    try:
        assert thread.native_id is not None
        yielding = Yielding(thread.native_id)
        policies = [os.sched_getscheduler(thread.native_id)]
        yielding.end()
        return [*policies, os.sched_getscheduler(thread.native_id)]
    finally:
        over.set()
        thread.join()
