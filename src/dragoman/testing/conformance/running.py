"""Running checks, and what becomes of the errors that they end with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.errors import (
    AllAttemptsFailed,
    BadRequest,
    ConfigError,
    DragomanError,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    RequestTooLarge,
    UnknownName,
    Unsupported,
)
from dragoman.testing.conformance.findings import Finding, NotAsked, Refused, Report, Wrong
from dragoman.testing.conformance.subject import CHECKS, Subject

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dragoman.testing.conformance.subject import Check, ModelFactory

__all__ = ["run_check", "run_conformance"]

_NOT_IMPLEMENTED = 501
_REFUSING = (BadRequest, NotFound, PermissionDenied, RequestTooLarge, Unsupported, InvalidRequest, ConfigError)


def run_conformance(
    make: ModelFactory,
    *,
    options: Mapping[str, Any] | None = None,
    embedding_model: str | None = None,
    wrong_key: str | None = "sk-this-key-is-wrong",
    unknown_model: str | None = "no-such-model",
    only: Collection[str] = (),
    skip: Collection[str] = (),
) -> Report:
    """Runs the checks and reports; no finding is raised.

    `make(**changes)` makes the model; `changes` are `api_key` and `model` where a check needs another one. `options` go
    with every call (`max_tokens`, `extra_body` …). A setting of None means that its check is not asked. `only` and
    `skip` name checks. Raises `UnknownName` for a name that is none.
    """
    for name in (*only, *skip):
        if name not in CHECKS:
            raise UnknownName(f"there is no check {name!r}; there are {', '.join(CHECKS)}")
    subject = Subject(make, options or {}, embedding_model, wrong_key, unknown_model)
    wanted = [each for each in CHECKS.values() if (not only or each.name in only) and each.name not in skip]
    return Report(subject.model.model_id, tuple(run_check(each, subject) for each in wanted))


def run_check(check: Check, subject: Subject) -> Finding:
    """One check's finding. An error of ours is part of it; any other is a fault of the check, and is raised."""
    try:
        check.run(subject)
    except Refused as found:
        return Finding(check.name, "refused", str(found))
    except Wrong as found:
        return Finding(check.name, "wrong", str(found))
    except NotAsked as found:
        return Finding(check.name, "not asked", str(found))
    except AllAttemptsFailed as error:
        return _of_error(check.name, error.errors[-1] if error.errors else error)
    except DragomanError as error:
        return _of_error(check.name, error)
    return Finding(check.name, "works")


def _of_error(name: str, error: DragomanError) -> Finding:
    detail = f"{type(error).__name__}: {error.message}"
    refused = isinstance(error, _REFUSING) or getattr(error, "status", None) == _NOT_IMPLEMENTED
    return Finding(name, "refused" if refused else "wrong", detail[:300])
