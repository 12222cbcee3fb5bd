"""What fails in one dialect does not hide what fails in another."""

from __future__ import annotations

import pytest

from tests.wire.each_dialect import in_each


def test_every_dialect_is_checked_and_every_failure_is_named() -> None:
    checked: list[str] = []

    def check(dialect: str) -> None:
        checked.append(dialect)
        assert dialect == "gemini", f"no {dialect}"

    with pytest.raises(AssertionError, match="no bedrock") as raised:
        in_each(["gemini", "bedrock", "cohere"], check)
    assert checked == ["gemini", "bedrock", "cohere"]
    first, second = raised.value.__notes__
    assert first == "in bedrock"
    assert second.startswith("and in cohere: AssertionError: no cohere")
    in_each(["gemini"], check)
