"""Active probes of a running gateway: off unless asked for, lists of models alone, and switched by a reload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.testing import FakeProvider, Status
from tests.gateway.test_routing import Fleet, config_of, fleet
from tests.servers.process import wait_until

if TYPE_CHECKING:
    from pathlib import Path

DEADLINE_SECONDS = 20.0
MODELS = "  fast: {deployments: [{model: a/m, name: A}, {model: b/m, name: B}], max_retries: 0}"
PROBED = "probe_seconds: 1"


def health(more: str, *, cooldown: float = 1) -> str:
    return f"health: {{failures_in_a_row: 2, cooldown_seconds: {cooldown}, {more}}}"


def lists(fake: FakeProvider) -> int:
    """How often it was asked for its models; nothing else but a call for an answer may have come."""
    assert {(each.method, each.path) for each in fake.requests} <= {
        ("GET", "/v1/models"),
        ("POST", "/v1/chat/completions"),
    }
    return sum(each.method == "GET" for each in fake.requests)


def calls(fake: FakeProvider) -> int:
    return len(fake.requests) - lists(fake)


def open_first(served: Fleet) -> None:
    served.fail("a", Status(500), Status(500))
    while calls(served.fakes["a"]) < 2:
        assert served.who() == "B"


def becomes(served: Fleet, name: str, state: str) -> None:
    wait_until(lambda: served.health().get(name) == state, DEADLINE_SECONDS, f"{name} {state}")


def test_nobody_is_asked_unless_the_configuration_says_so(tmp_path: Path) -> None:
    with fleet(tmp_path, MODELS, health("slow_start_seconds: 0", cooldown=0.2)) as served:
        open_first(served)
        becomes(served, "A", "half-open")
        assert served.who() == "A"  # by a call of a client's
        assert [lists(fake) for fake in served.fakes.values()] == [0, 0, 0]


def test_a_list_closes_the_breaker_of_a_deployment_that_is_back(tmp_path: Path) -> None:
    with fleet(tmp_path, MODELS, health(PROBED)) as served:
        open_first(served)
        becomes(served, "A", "closed")
        assert calls(served.fakes["a"]) == 2, "no call was spent on it"
        assert lists(served.fakes["a"]) >= 1


def test_a_deployment_that_goes_is_noticed_before_a_call_meets_it(tmp_path: Path) -> None:
    with fleet(tmp_path, MODELS, health(PROBED, cooldown=600)) as served:
        assert served.who() == "A"
        served.fail("a", Status(503), Status(500), Status(502))
        becomes(served, "A", "open")
        assert calls(served.fakes["a"]) == 1
        assert served.who() == "B"


def test_a_reload_switches_probes_on_and_off(tmp_path: Path) -> None:
    with fleet(tmp_path, MODELS, health("slow_start_seconds: 0")) as served:

        def reload(more: str) -> None:
            served.gateway.rewrite(config_of(served.fakes, MODELS, health(more)))
            served.admin("POST", "reload")

        reload(PROBED)
        wait_until(lambda: lists(served.fakes["b"]) >= 2, DEADLINE_SECONDS, "lists of B's")
        reload("slow_start_seconds: 0")
        asked = lists(served.fakes["b"])
        reload(PROBED)
        wait_until(lambda: lists(served.fakes["b"]) > asked, DEADLINE_SECONDS, "lists of B's again")
        assert lists(served.fakes["c"]) == 0, "a provider that no model leads to"
