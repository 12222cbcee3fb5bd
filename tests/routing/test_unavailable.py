"""`Unavailable` is told to clients of each public dialect as too many requests, with the time to wait."""

from __future__ import annotations

import pytest

from dragoman.dialects import load
from dragoman.errors import Unavailable


@pytest.mark.parametrize("dialect", ["openai-chat", "openai-responses", "anthropic", "gemini"])
def test_clients_are_told_how_long_to_wait(dialect: str) -> None:
    error = Unavailable("No deployment of the route can be asked now", retry_after=20.4)
    told = load(dialect).encode_error(error)
    assert told.status == 429
    headers = dict(told.headers)
    assert headers["retry-after"] == "21"


def test_it_survives_pickling_and_prints_one_sentence() -> None:
    import pickle

    data = pickle.dumps(Unavailable("Nobody is there", retry_after=3.0))
    error = pickle.loads(data)  # noqa: S301
    assert (str(error), error.retry_after, error.status) == ("Nobody is there. Retry after 3 s.", 3.0, 429)
