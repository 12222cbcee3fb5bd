"""What the published description allows, and what it does not, is answered as it says, and never by a failure."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dragoman.gateway.openapi import document
from tests.gateway.agreeable_upstream import agree
from tests.gateway.fronts import PUBLIC_DIALECTS
from tests.gateway.recorded_upstream import running_upstream
from tests.gateway.running import KEY, RunningGateway, running_gateway
from tests.gateway.upstream_bytes import model_at, upstream_config

if TYPE_CHECKING:
    from collections.abc import Generator

_SCHEMATHESIS: Any = schemathesis  # its types are known in part
_JUDGES: Any = import_module("schemathesis.checks")
_JUDGES.load_all_checks()
_CHECKS: list[Any] = _JUDGES.CHECKS.get_by_names(
    ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]
)


_SCHEMA: Any = _SCHEMATHESIS.openapi.from_dict(document())
_OPERATIONS: dict[str, Any] = {found.ok().label: found.ok() for found in _SCHEMA.get_all_operations()}
_FEW = settings(
    max_examples=10,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
_MANY = settings(_FEW, max_examples=800, derandomize=False)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningGateway]:
    with running_upstream() as upstream:
        upstream.answers = agree
        with running_gateway(upstream_config(upstream.url), tmp_path_factory.mktemp("gateway")) as running:
            yield running


def _call(case: Any, model: str, url: str) -> None:
    body = case.body
    if isinstance(body, dict) and "model" in body:
        cast("dict[str, Any]", body)["model"] = model
    if case.path_parameters and "model" in case.path_parameters:
        case.path_parameters["model"] = model
    case.call_and_validate(base_url=url, headers={"authorization": f"Bearer {KEY}"}, checks=_CHECKS, timeout=20)


_MODELS = st.sampled_from([*map(model_at, PUBLIC_DIALECTS), "no-such-model"])
"""Mostly ones that there are: of a request for another nothing but the name would be looked at."""


@pytest.mark.parametrize("operation", _OPERATIONS)
def test_few_calls_of_every_operation(operation: str, gateway: RunningGateway) -> None:
    @_FEW
    @given(_OPERATIONS[operation].as_strategy(), _MODELS)
    def check(case: Any, model: str) -> None:
        _call(case, model, gateway.url)

    check()


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("operation", _OPERATIONS)
def test_many_calls_of_every_operation(operation: str, gateway: RunningGateway) -> None:
    @_MANY
    @given(_OPERATIONS[operation].as_strategy(), _MODELS)
    def check(case: Any, model: str) -> None:
        _call(case, model, gateway.url)

    check()
