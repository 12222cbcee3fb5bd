"""A secret does not leak by accident: not in print, logs, errors, pickles, copies or JSON."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import pprint
import traceback
from io import StringIO
from typing import Any

import msgspec
import pytest

from dragoman.catalogue import Access, Secret, resolve
from dragoman.errors import ConfigError

KEY = "sk-very-secret-0123456789"


@dataclasses.dataclass
class Holder:
    secret: Secret


def access() -> Access:
    return resolve("openai", model="gpt-4o", api_key=KEY, environ={})


def holders() -> list[Any]:
    return [Secret(KEY), access(), access().credential, Holder(Secret(KEY)), {"key": Secret(KEY)}, [access()]]


@pytest.mark.parametrize("index", range(6))
def test_no_way_of_printing_shows_it(index: int) -> None:
    holder = holders()[index]
    shown = [repr(holder), str(holder), f"{holder}", f"{holder!r}", f"{holder!s}", "%s %r" % (holder, holder)]  # noqa: UP031
    shown += [pprint.pformat(holder), ascii(holder)]
    assert not any(KEY in text for text in shown)


def test_format_width_is_of_the_mask() -> None:
    assert f"{Secret(KEY):>5}" == "  ***"
    assert f"{Secret(KEY)}" == "***"


def test_logging_does_not_show_it() -> None:
    written = StringIO()
    logger = logging.Logger("test")
    logger.addHandler(logging.StreamHandler(written))
    logger.warning("calling with %r and %s at %s", Secret(KEY), Secret(KEY), access())
    assert KEY not in written.getvalue()
    assert "***" in written.getvalue()


def test_exceptions_do_not_show_it() -> None:
    try:
        raise ConfigError(f"bad {Secret(KEY)}") from ValueError(Secret(KEY))
    except ConfigError:
        assert KEY not in traceback.format_exc()


@pytest.mark.parametrize("index", range(6))
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_is_not_pickled(index: int, protocol: int) -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(holders()[index], protocol)


@pytest.mark.parametrize("index", range(6))
def test_it_is_not_made_json(index: int) -> None:
    holder = holders()[index]
    with pytest.raises(TypeError):
        msgspec.json.encode(holder)
    with pytest.raises(TypeError):
        msgspec.msgpack.encode(holder)
    with pytest.raises(TypeError):
        msgspec.to_builtins(holder)
    with pytest.raises(TypeError):
        json.dumps(
            {"holder": holder} if not dataclasses.is_dataclass(holder) else dataclasses.asdict(Holder(Secret(KEY)))
        )


@pytest.mark.parametrize("held", [Secret(KEY), access()], ids=["secret", "access"])
def test_it_has_no_dictionary_and_no_state(held: Secret | Access) -> None:
    assert not hasattr(held, "__dict__")
    with pytest.raises(TypeError, match="not serialised"):
        held.__getstate__()


@pytest.mark.parametrize("held", [Secret(KEY), access()], ids=["secret", "access"])
def test_a_copy_is_the_thing_itself(held: Secret | Access) -> None:
    assert copy.copy(held) is held
    assert copy.deepcopy([held])[0] is held


def test_equality_and_hash_are_of_the_value() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("ä") == Secret("ä")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert Secret("a").reveal() == "a"


@pytest.mark.parametrize(
    "bad",
    [f"{KEY}\r\nx-evil: 1", f"{KEY}\n1", f"Bearer {KEY}", f"{KEY}é", f"“{KEY}”", f"{KEY}\x00", f"{KEY}\t2"],
)
def test_a_key_that_no_header_can_hold_is_refused_without_being_shown(bad: str) -> None:
    with pytest.raises(ConfigError, match="bare key") as caught:
        resolve("openai", model="m", api_key=bad, environ={})
    assert "very-secret" not in "".join(traceback.format_exception(caught.value))
    with pytest.raises(ConfigError, match="OPENAI_API_KEY") as caught:
        resolve("openai", model="m", environ={"OPENAI_API_KEY": bad})
    assert "very-secret" not in str(caught.value)


def test_white_space_around_a_key_is_not_part_of_it() -> None:
    assert ("authorization", "Bearer k") in resolve("openai", model="m", api_key=" k\n", environ={}).headers()
    assert ("authorization", "Bearer k") in resolve("openai", model="m", environ={"OPENAI_API_KEY": "k\r\n"}).headers()
