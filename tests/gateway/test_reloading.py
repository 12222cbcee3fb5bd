"""Noticing that a configuration changed: once for each change, and never for what is the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dragoman.gateway.config import Config, InvalidConfig, load
from dragoman.gateway.reloading import Reloader, needs_restart
from tests.gateway.configs import KEYS, config

TEXT = "models: {a: [openai/gpt-4o]}\nkeys: [{name: ci, key: '${file:key}'}]\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "key").write_text("secret-1")
    file = tmp_path / "dragoman.yaml"
    file.write_text(TEXT)
    return file


def reloader(path: Path) -> Reloader:
    def read() -> Config:
        return load(path, KEYS)

    return Reloader(read(), read)


def test_nothing_is_told_while_nothing_changes(path: Path) -> None:
    found = reloader(path)
    assert [found.check() for _ in range(3)] == [None, None, None]


def test_a_touched_file_is_no_change(path: Path) -> None:
    found = reloader(path)
    found.check()
    os.utime(path, (1, 1))
    assert found.check() is None


def test_a_change_is_told_once(path: Path) -> None:
    found = reloader(path)
    path.write_text(TEXT.replace("{a:", "{b:"))
    changed = found.check()
    assert changed is not None
    assert list(changed.models) == ["b"]
    assert found.check() is None


def test_a_change_between_the_reading_and_the_first_look_is_seen(path: Path) -> None:
    before = load(path, KEYS)
    path.write_text(TEXT.replace("{a:", "{b:"))
    changed = Reloader(before, lambda: load(path, KEYS)).check()
    assert changed is not None
    assert changed.digest != before.digest


def test_a_changed_secret_file_is_a_change(path: Path) -> None:
    found = reloader(path)
    path.with_name("key").write_text("secret-2")
    changed = found.check()
    assert changed is not None
    assert changed.keys[0].key is not None
    assert changed.keys[0].key.reveal() == "secret-2"


def test_files_that_a_new_text_names_are_watched_from_then_on(path: Path) -> None:
    found = reloader(path)
    path.with_name("other").write_text("secret-3")
    path.write_text(TEXT.replace("file:key", "file:other"))
    assert found.check() is not None
    path.with_name("key").write_text("of no use now")
    assert found.check() is None
    path.with_name("other").write_text("secret-4")
    assert found.check() is not None


def test_a_change_that_cannot_be_used_is_told_once_and_its_repair_is_a_change(path: Path) -> None:
    found = reloader(path)
    path.write_text("models: {a: [openia/gpt-4o]}")
    with pytest.raises(InvalidConfig, match="Did you mean 'openai'"):
        found.check()
    assert found.check() is None
    path.write_text(TEXT)
    assert found.check() is not None


def test_a_file_that_is_being_replaced_is_no_change(path: Path) -> None:
    found = reloader(path)
    path.rename(path.with_name("away"))
    assert found.check() is None
    path.with_name("new").write_text(TEXT.replace("{a:", "{b:"))
    path.with_name("new").rename(path)
    assert found.check() is not None


def test_a_signal_gives_the_configuration_whether_it_changed_or_not(path: Path) -> None:
    found = reloader(path)
    assert found.force().digest == found.force().digest


def test_a_byte_order_mark_is_no_endless_change(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    found = reloader(path)
    assert found.check() is None


def test_what_needs_a_restart_is_named() -> None:
    before = config("models: {a: [openai/a]}")
    after = config(
        """
        server: {port: 5000, hold_seconds: 3, master_key: k, direct_models: true}
        spool: {sync: group}
        models: {b: [openai/b]}
        """
    )
    assert needs_restart(before, before) == ()
    assert needs_restart(before, after) == ("server.port", "server.hold_seconds", "spool")
