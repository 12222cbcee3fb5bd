"""News of breakers: what one process tells, and what another makes of it."""

from __future__ import annotations

import pytest

from dragoman.errors import AuthenticationFailed, DragomanError, RateLimited, ServerFault
from dragoman.routing import Health
from dragoman.routing.news import StandingNews, news_of
from dragoman.routing.standing import Standing
from tests.routing.virtual import candidate

DOWN = ServerFault("down", status=500)
SLOW = RateLimited("slow", status=429)


class Process:
    """A health of its own; `told` is what it would tell the others."""

    def __init__(self) -> None:
        self.health = Health()
        self.told: list[Standing] = []
        self.health.share(_Open(), self.told.append)

    def standing(self, name: str = "a") -> Standing:
        return self.health.standing(candidate(name).deployment)

    def fail(self, error: DragomanError = DOWN, times: int = 1, now: float = 0.0, name: str = "a") -> None:
        for _ in range(times):
            self.health.failed(self.standing(name), error, now)

    def news(self, now: float = 0.0) -> list[StandingNews]:
        told, self.told[:] = list(self.told), []
        return [news_of(each, now) for each in told]

    def hear(self, news: list[StandingNews], now: float = 0.0) -> None:
        for each in news:
            self.health.hear(each, now)


class _Open:
    """A gate that lets everybody through."""

    def begin(self, key: str, now: float) -> bool:
        return True

    def end(self, key: str, *, recovered: bool, now: float) -> None: ...


def test_who_hears_that_a_breaker_opened_opens_its_own_and_tells_nobody() -> None:
    here, there = Process(), Process()
    here.fail(times=5)
    (news,) = here.news(2.0)
    there.hear([news], 102.0)  # its clock shows another time
    told = there.standing()
    assert (told.state(109.9), told.state(110.0), told.why) == ("open", "half-open", "ServerFault, 5 in a row")
    assert there.told == []


def test_the_pause_goes_on_doubling_whoever_made_the_probe() -> None:
    here, there = Process(), Process()
    here.fail(times=5)
    there.hear(here.news())
    there.fail(now=10.0)
    here.hear(there.news(10.0), 10.0)
    assert here.standing().shut_until == 30.0
    here.fail(now=30.0)
    assert here.standing().shut_until == 70.0


def test_who_hears_of_a_recovery_closes_its_own_and_starts_slowly() -> None:
    here, there = Process(), Process()
    here.fail(times=5)
    there.hear(here.news())
    here.health.answered(here.standing(), 12.0)
    there.hear(here.news(12.0), 12.0)
    assert there.standing().state(12.0) == "closed"
    assert there.health.warmth(there.standing(), 12.0) < 0.5


def test_a_wait_that_a_provider_asked_for_is_told_once_for_a_burst() -> None:
    here, there = Process(), Process()
    for burst in range(10):
        here.fail(RateLimited("slow", status=429, retry_after=3.0), now=burst / 100)
    news = here.news(0.1)
    assert len(news) == 1
    there.hear(news, 0.1)
    assert (there.standing().state(3.0), there.standing().certain) == ("cooling", True)
    assert there.standing().state(3.1) == "closed"


@pytest.mark.parametrize("error", [SLOW, DOWN])
def test_what_is_inferred_from_one_refusal_or_fault_is_not_told(error: DragomanError) -> None:
    here = Process()
    here.fail(error)
    assert here.told == []


def test_a_dead_credential_is_dead_everywhere_and_lives_again_everywhere() -> None:
    here, there = Process(), Process()
    here.standing("a")
    here.fail(AuthenticationFailed("no", status=401))
    there.hear(here.news())
    assert there.standing().dead
    there.health.answered(there.standing(), 301.0)
    here.hear(there.news(301.0), 301.0)
    assert here.standing().state(301.0) == "closed"
    assert not here.standing().dead


def test_old_news_shortens_nothing_and_a_probe_under_way_decides_for_itself() -> None:
    here, there = Process(), Process()
    here.fail(times=5)
    (early,) = here.news()
    here.fail(now=10.0)
    (late,) = here.news(10.0)
    there.hear([late], 10.0)
    there.hear([early], 10.0)
    assert there.standing().shut_until == 30.0
    assert there.health.may_probe(there.standing(), 30.0)
    there.hear([late], 30.0)
    there.health.answered(there.standing(), 31.0)
    assert there.standing().state(31.0) == "closed"


def test_a_process_that_begins_hears_of_all_that_is_shut_and_of_nothing_else() -> None:
    here, there = Process(), Process()
    here.fail(times=5)
    here.fail(RateLimited("slow", status=429, retry_after=30.0), name="b")
    here.health.answered(here.standing("c"), 0.0)
    there.hear(here.health.news(15.0), 15.0)
    assert [(view.name.rpartition("/")[2], view.state) for view in there.health.view(15.0)] == [
        ("a", "half-open"),
        ("b", "cooling"),
    ]
