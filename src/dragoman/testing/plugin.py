"""The pytest plugin: fixtures and options of `dragoman.testing`. Everything is imported when it is used.

Fixtures: `no_network` (nothing connects beyond this machine during the test), `fake_provider` (a `FakeProvider` for the
length of the test) and `dragoman_check`, which runs a test once for each check of the conformance pack:

    def test_my_provider(dragoman_check):
        dragoman_check(lambda **changes: get_provider("mine", **{"model": "m", **changes}))

`pytest --dragoman-conformance provider/model` runs the pack as tests of its own, without any file. A check that the
provider refuses is skipped with its words; one that is found wrong fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from dragoman.testing.conformance import Finding, Subject
    from dragoman.testing.fakes import FakeProvider


@pytest.fixture
def no_network() -> Generator[None]:
    """Any connection beyond this machine raises `dragoman.testing.NetworkForbidden`."""
    from dragoman.testing.network import no_network

    with no_network():
        yield


@pytest.fixture
def fake_provider() -> Generator[FakeProvider]:
    """A provider over real HTTP that speaks every dialect."""
    from dragoman.testing.fakes import FakeProvider

    with FakeProvider() as fake:
        yield fake


@pytest.fixture
def dragoman_check(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Runs one check of the conformance pack: `dragoman_check(make, **settings)`, as `run_conformance` takes them."""
    from dragoman.testing.conformance import CHECKS, Subject, run_check

    name: str = request.param

    def run(make: Callable[..., Any], **settings: Any) -> None:
        _judge(run_check(CHECKS[name], Subject(make, **settings)))

    return run


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each check."""
    if "dragoman_check" in metafunc.fixturenames:
        from dragoman.testing.conformance import CHECKS

        metafunc.parametrize("dragoman_check", list(CHECKS), indirect=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options that point the pack at a provider."""
    group = parser.getgroup("dragoman", "conformance of a language-model provider")
    group.addoption("--dragoman-conformance", metavar="PROVIDER/MODEL", help="run the conformance pack on this model")
    group.addoption("--dragoman-base-url", metavar="URL", help="its address, if it is not the provider's own")
    group.addoption("--dragoman-key-variable", metavar="NAME", help="the variable that holds the key for that address")
    group.addoption("--dragoman-dialect", metavar="NAME", help="the dialect to speak, if not the preferred one")
    group.addoption("--dragoman-embedding-model", metavar="MODEL", help="a model of the same provider, for vectors")
    group.addoption("--dragoman-skip", metavar="CHECK", action="append", default=[], help="a check to leave out")


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Adds the pack's checks to the tests that were found, or runs them alone."""
    wanted: str | None = config.getoption("--dragoman-conformance")
    if wanted:
        from dragoman.testing.conformance import CHECKS

        subject = _subject(config, wanted)
        left_out: list[str] = config.getoption("--dragoman-skip") or []
        items.extend(
            _CheckItem.from_parent(  # pyright: ignore[reportUnknownMemberType]
                session, name=f"conformance[{name}]", check=name, subject=subject
            )
            for name in CHECKS
            if name not in left_out
        )


def _subject(config: pytest.Config, wanted: str) -> Subject:
    import os

    from dragoman import ProviderRegistry, catalogue
    from dragoman.testing.conformance import Subject

    provider, model = catalogue.split(wanted)
    given = {"base_url": config.getoption("--dragoman-base-url"), "dialect": config.getoption("--dragoman-dialect")}
    variable: str | None = config.getoption("--dragoman-key-variable")
    if variable:
        if not os.environ.get(variable):
            raise pytest.UsageError(f"--dragoman-key-variable: {variable} is not set")
        given["api_key"] = os.environ[variable]
    given = {name: value for name, value in given.items() if value}

    def make(**changes: Any) -> Any:
        settings: dict[str, Any] = {"model": model, **given, **changes}
        return ProviderRegistry.get_provider(provider, **settings)

    return Subject(make, embedding_model=config.getoption("--dragoman-embedding-model"))


class _CheckItem(pytest.Item):
    """One check as a test."""

    def __init__(self, *, check: str, subject: Subject, **arguments: Any) -> None:
        super().__init__(**arguments)  # pyright: ignore[reportUnknownMemberType]
        self._check = check
        self._subject = subject

    def runtest(self) -> None:
        from dragoman.testing.conformance import CHECKS, run_check

        _judge(run_check(CHECKS[self._check], self._subject))

    def reportinfo(self) -> tuple[str, int, str]:
        return "dragoman", 0, self.name


def _judge(finding: Finding) -> None:
    if finding.verdict == "wrong":
        pytest.fail(finding.detail, pytrace=False)
    if finding.verdict != "works":
        pytest.skip(f"{finding.verdict}: {finding.detail}")
