"""References in texts: variables and files, and what they never do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateway.configs import config, problems


def headers(text: str, folder: Path | None = None, **environ: str) -> str:
    """What a header's text came to: a text that is of no use but to be looked at."""
    found = config(
        f"providers: {{a: {{dialect: openai-chat, base_url: 'http://a', headers: {{x: {text!r}}}}}}}", folder, **environ
    )
    return dict(found.providers["a"].access("m").headers())["x"]


def test_a_variable_is_filled_in() -> None:
    assert headers("a-${NAME}-b", NAME="x") == "a-x-b"


def test_a_default_stands_for_a_variable_that_is_absent_or_empty() -> None:
    assert headers("${NAME:-there}") == headers("${NAME:-there}", NAME="") == "there"
    assert headers("a${NAME:-}b") == "ab"
    assert headers("${NAME:-there}", NAME="set") == "set"


def test_what_a_variable_holds_is_not_read_again() -> None:
    assert headers("${NAME}", NAME="${OTHER}") == "${OTHER}"


def test_two_dollars_stand_for_one() -> None:
    assert headers("$${NAME} $1 $") == "${NAME} $1 $"


def test_a_file_gives_its_text_without_the_line_break_at_its_end(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret\n")
    assert headers("${file:key}", tmp_path) == headers(f"${{file:{tmp_path}/key}}") == "secret"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("${NAME}", "the environment variable NAME is not set; set it, or write ${NAME:-default}"),
        ("${EMPTY}", "the environment variable EMPTY is empty; set it, or write ${EMPTY:-default}"),
        ("${1A}", "'${1A}' is no reference: write ${NAME}, ${NAME:-default} or ${file:path}"),
        ("${}", "'${}' is no reference: write ${NAME}, ${NAME:-default} or ${file:path}"),
        ("a ${NAME", "a '${' is not closed; write '$${' for the two characters themselves"),
        ("${file:}", "'${file:}' names no file"),
        ("${file:absent}", "the file 'absent' cannot be read: No such file or directory"),
        ("${file:.}", "the file '.' cannot be read: Is a directory"),
        ("${file:empty}", "the file 'empty' is empty"),
        ("${file:binary}", "the file 'binary' is not UTF-8 text"),
        ("${file:large}", "the file 'large' cannot be used: it is larger than 64 KiB"),
    ],
)
def test_what_cannot_be_filled_in_is_told_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "large").write_bytes(b"x" * 70_000)
    told = problems(f"log:\n  requests: {text!r}\n", tmp_path, EMPTY="")
    assert told == [f"dragoman.yaml:2: log.requests: {said}"]


def test_every_reference_of_a_text_is_told() -> None:
    told = problems("log: {requests: '${A}/${B}'}")
    assert [line.split()[5] for line in told] == ["A", "B"]


def test_names_of_members_hold_no_references() -> None:
    assert list(config("models: {'${X}': [openai/gpt-4o]}").models) == ["${X}"]


def test_files_count_in_the_digest(tmp_path: Path) -> None:
    text = "keys: [{name: a, key: '${file:key}'}]\nmodels: {m: [openai/gpt-4o]}"
    (tmp_path / "key").write_text("one")
    first = config(text, tmp_path)
    (tmp_path / "key").write_text("two")
    second = config(text, tmp_path)
    assert first.digest != second.digest
    assert first.text_digest == second.text_digest
    assert [included.path.name for included in first.included] == ["key"]
