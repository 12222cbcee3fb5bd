"""Keys: where they are shown, whose they are, and what their owners may do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.accounts import (
    Grant,
    KeyRing,
    NamePatterns,
    PathPattern,
    Presented,
    Principal,
    digest_of,
    presented_in,
)


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ([(b"authorization", b"Bearer k-1")], Presented(b"k-1", "authorization")),
        ([(b"authorization", b"bearer  k-1 ")], Presented(b"k-1", "authorization")),
        ([(b"x-api-key", b"k-2")], Presented(b"k-2", "x-api-key")),
        ([(b"x-goog-api-key", b"k-3")], Presented(b"k-3", "x-goog-api-key")),
        ([(b"x-api-key", b"k-2"), (b"authorization", b"Bearer k-1")], Presented(b"k-1", "authorization")),
        ([(b"authorization", b"Basic abc"), (b"x-api-key", b"k-2")], Presented(b"k-2", "x-api-key")),
        ([(b"authorization", b"Bearer "), (b"x-goog-api-key", b"k-3")], Presented(b"k-3", "x-goog-api-key")),
        ([(b"x-api-key", b""), (b"content-type", b"k")], None),
        ([], None),
    ],
)
def test_a_key_is_found_where_official_clients_show_it(
    headers: list[tuple[bytes, bytes]], shown: Presented | None
) -> None:
    assert presented_in(dict(headers)) == shown


def test_a_key_in_the_address_counts_only_where_it_is_looked_for() -> None:
    assert presented_in({}, "alt=sse&key=k%2B4") is None
    assert presented_in({}, "alt=sse&key=k%2B4", in_query=True) == Presented(b"k+4", "query")
    assert presented_in({b"x-goog-api-key": b"k-3"}, "key=k-4", in_query=True) == Presented(b"k-3", "x-goog-api-key")
    assert presented_in({}, "monkey=k", in_query=True) is None


def test_a_secret_leads_to_its_owner_alone() -> None:
    ci, research = Principal("ci"), Principal("research")
    ring = KeyRing({digest_of("k-1"): ci, digest_of(b"k-2"): research})
    assert ring.find("k-1") is ring.find(b"k-1") is ci
    assert ring.find(b"k-2") is research
    assert ring.find("k-3") is ring.find("") is ring.find(None) is None
    assert ring.find(b"\xff\x00") is None
    assert ring.find("\udcff") is None
    assert [principal.name for principal in ring.principals()] == ["ci", "research"]


def test_nothing_that_is_kept_or_shown_holds_a_secret() -> None:
    ring = KeyRing({digest_of("k-secret"): Principal("ci", team="t")})
    assert "secret" not in repr(ring) + repr(list(ring.principals()))


def test_names_are_allowed_exactly_or_by_pattern() -> None:
    allowed = NamePatterns(["fast", "claude-*", "*-mini", "a*z"])
    assert all(name in allowed for name in ("fast", "claude-", "claude-x", "o-mini", "az", "abz"))
    assert not any(name in allowed for name in ("fas", "fast2", "Fast", "xclaude-", "mini", "a", "z", ""))
    assert "anything" in NamePatterns(["*"])
    assert "anything" not in NamePatterns([])


def test_a_pattern_is_not_met_by_letters_used_twice() -> None:
    assert "aba" not in NamePatterns(["ab*ba"])
    assert "abba" in NamePatterns(["ab*ba"])


@given(st.text("ab*", max_size=6), st.text("ab", max_size=6))
def test_patterns_match_as_their_plain_meaning(pattern: str, name: str) -> None:
    import re

    if pattern.count("*") > 1:
        return
    expected = re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) is not None
    assert (name in NamePatterns([pattern])) == expected


@pytest.mark.parametrize(
    ("pattern", "path", "met"),
    [
        ("/files", "/files", True),
        ("/files", "/files/", False),
        ("/files", "/files/f-1", False),
        ("/files/*", "/files/f-1", True),
        ("/files/*", "/files", False),
        ("/files/*", "/files/f-1/content", False),
        ("/files/*/content", "/files/f-1/content", True),
        ("/files/**", "/files/f-1/content", True),
        ("/files/**", "/files", False),
        ("/**", "/anything/at/all", True),
        ("/files/**", "/files/../keys", False),
        ("/files/**", "/files/%2e%2e/keys", False),
        ("/files/*", "/files/a%2Fb", False),
        ("/files/**", "/files//keys", False),
        ("/files/**", "/files/./keys", False),
        ("/files/**", "/files\\..\\keys", False),
        ("/files/**", "/files/a?x=1", False),
        ("/files/**", "/files/a\n", False),
        ("/models/*", "/models/m:generate", True),
    ],
)
def test_paths_are_met_segment_by_segment_and_never_in_disguise(pattern: str, path: str, met: bool) -> None:
    assert PathPattern(pattern).matches(path) is met


@pytest.mark.parametrize("pattern", ["files", "", "/", "/a//b", "/a*", "/**/a", "/a/../b", "/%2e", "/a b", "/a\n"])
def test_a_pattern_that_could_be_read_in_two_ways_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"a path|'\*' stands"):
        PathPattern(pattern)


def test_a_grant_is_for_a_provider_its_methods_and_its_paths() -> None:
    grants = (Grant("openai", frozenset({"GET"}), (PathPattern("/files/*"), PathPattern("/batches"))),)
    ci = Principal("ci", grants=grants)
    assert ci.may_pass("openai", "GET", "/files/f-1")
    assert ci.may_pass("openai", "GET", "/batches")
    assert not ci.may_pass("openai", "DELETE", "/files/f-1")
    assert not ci.may_pass("anthropic", "GET", "/files/f-1")
    assert not ci.may_pass("openai", "GET", "/fine_tuning")
    assert not Principal("other").may_pass("openai", "GET", "/files/f-1")


def test_routes_are_allowed_by_their_names() -> None:
    ci = Principal("ci", models=NamePatterns(["fast"]))
    assert ci.may_use("fast")
    assert not ci.may_use("slow")
    assert Principal("all").may_use("slow")
