"""Whatever a body holds: an answer or a clear refusal, soon, and never the gateway's own failure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.gateway.agreeable_upstream import agree
from tests.gateway.fronts import PUBLIC_DIALECTS
from tests.gateway.recorded_upstream import running_upstream
from tests.gateway.running import running_gateway
from tests.gateway.upstream_bytes import ASKED, Sender, model_at, upstream_config
from tests.wire.mutating import mutations

if TYPE_CHECKING:
    from collections.abc import Generator

_FEW = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
_MANY = settings(_FEW, max_examples=4000, derandomize=False)

_PATHS: dict[str, tuple[str, ...]] = {
    "openai-chat": ("/v1/chat/completions", "/v1/embeddings"),
    "openai-responses": ("/v1/responses", "/v1/responses/input_tokens"),
    "anthropic": ("/v1/messages", "/v1/messages/count_tokens"),
    "gemini": (
        "/v1beta/models/{model}:generateContent",
        "/v1beta/models/{model}:streamGenerateContent",
        "/v1beta/models/{model}:streamGenerateContent?alt=sse",
        "/v1beta/models/{model}:countTokens",
        "/v1beta/models/{model}:embedContent",
        "/v1beta/models/{model}:batchEmbedContents",
    ),
}
_FRONTS = [
    pytest.param(client, target, id=f"{client}-to-{target}") for client in PUBLIC_DIALECTS for target in PUBLIC_DIALECTS
]


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Generator[Sender]:
    with running_upstream() as upstream:
        upstream.answers = agree
        with running_gateway(upstream_config(upstream.url), tmp_path_factory.mktemp("gateway")) as gateway:
            made = Sender(gateway, upstream)
            yield made
            made.close()


def _is_taken_or_refused(sender: Sender, path: str, body: bytes) -> int:
    status, said = sender.send(path, body)
    assert status != 500, (path, body, said)
    assert status == 200 or 400 <= status < 600, (path, body, status, said)
    if status >= 400:
        assert b"error" in said
    assert b"Traceback" not in said
    assert b"the gateway failed" not in said
    return status


# -- JSON that is none of the dialect's --------------------------------------------------------------------------------

_KNOWN: dict[str, list[str]] = {
    dialect: sorted(
        {name for exchange in ASKED if exchange.dialect == dialect for name in exchange.request.body}
        | {"model", "stream", "store", "input", "instances", "requests", "content", "taskType", "encoding_format"}
    )
    for dialect in PUBLIC_DIALECTS
}
_TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["user", "assistant", "tool", "text", "function", "auto", "required", "data:image/png;base64,aGk="]
    ),
)
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    _TEXTS,
)
_WORDS = st.sampled_from(
    "type role content text parts name id function arguments call_id tool_use_id input output image_url url data "
    "source media_type mime_type inlineData functionCall functionResponse args response format schema json_schema "
    "effort budget_tokens thinking signature summary encrypted_content cache_control file_id tools description".split()
)
_JSON: st.SearchStrategy[Any] = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.one_of(_WORDS, _TEXTS), inner, max_size=4)),
    max_leaves=24,
)


def _bodies(dialect: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(_KNOWN[dialect]), _JSON, max_size=6)


def _any_json(client: str, target: str, body: dict[str, Any], path: str, sender: Sender) -> None:
    named = body if client == "gemini" or not body.pop("model", True) else {**body, "model": model_at(target)}
    _is_taken_or_refused(sender, path.format(model=model_at(target)), msgspec.json.encode(named))


@pytest.mark.parametrize(("client", "target"), _FRONTS)
def test_any_json_in_known_members(client: str, target: str, sender: Sender) -> None:
    @_FEW
    @given(_bodies(client), st.sampled_from(_PATHS[client]))
    def check(body: dict[str, Any], path: str) -> None:
        _any_json(client, target, body, path, sender)

    check()


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("client", "target"), _FRONTS)
def test_much_json_in_known_members(client: str, target: str, sender: Sender) -> None:
    @_MANY
    @given(_bodies(client), st.sampled_from(_PATHS[client]))
    def check(body: dict[str, Any], path: str) -> None:
        _any_json(client, target, body, path, sender)

    check()


# -- recorded requests, damaged ----------------------------------------------------------------------------------------


def _damaged(client: str, target: str, sender: Sender, *, limit: int) -> int:
    taken = 0
    for number, exchange in enumerate(one for one in ASKED if one.dialect == client):
        body = exchange.request.body
        named = body if client == "gemini" else {**body, "model": model_at(target)}
        stream = number % 2 == 0
        for what, damaged in mutations(named, limit=limit, seed=number):
            method = "streamGenerateContent?alt=sse" if stream else "generateContent"
            path = f"/v1beta/models/{model_at(target)}:{method}" if client == "gemini" else _PATHS[client][0]
            status, said = sender.send(path, msgspec.json.encode(damaged))
            assert status == 200 or 400 <= status < 500, (exchange.id, what, status, said)
            assert b"the gateway failed" not in said, (exchange.id, what)
            taken += status == 200
    return taken


@pytest.mark.parametrize(("client", "target"), _FRONTS)
def test_a_recorded_request_with_one_place_damaged(client: str, target: str, sender: Sender) -> None:
    assert _damaged(client, target, sender, limit=3) > 0


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("client", "target"), _FRONTS)
def test_a_recorded_request_with_any_place_damaged(client: str, target: str, sender: Sender) -> None:
    assert _damaged(client, target, sender, limit=120) > 0


# -- bytes -------------------------------------------------------------------------------------------------------------

_DEEP = 200_000
_ODD = {
    "empty": b"",
    "no object": b"[1, 2]",
    "null": b"null",
    "a text": b'"model"',
    "cut off": b'{"model": "m", "messages": [{"role": "us',
    "twice the model": b'{"model": "%s", "model": "other", "messages": []}',
    "two spellings": b'{"model": "%s", "Model": "other", "messages": []}',
    "an escaped twin": b'{"model": "%s", "mod\\u0065l": "other", "messages": []}',
    "deep lists": b'{"model": "%s", "messages": ' + b"[" * _DEEP + b"]" * _DEEP + b"}",
    "deep objects": b'{"model": "%s", "messages": ' + b'{"a":' * _DEEP + b"1" + b"}" * _DEEP + b"}",
    "deep lists, no end": b'{"model": "%s", "messages": ' + b"[" * _DEEP,
    "deep enough": b'{"model": "%s", "messages": ' + b"[" * 300 + b"]" * 300 + b', "contents": [], "input": []}',
    "a lone surrogate": b'{"model": "%s", "messages": [{"role": "user", "content": "\\ud800"}]}',
    "a lone surrogate in a name": b'{"model": "%s", "\\ud800": 1, "messages": []}',
    "a lone surrogate as the model": b'{"model": "\\udfff", "messages": []}',
    "no UTF-8": b'{"model": "%s", "messages": [{"role": "user", "content": "\xff\xfe"}]}',
    "a byte order mark": b'\xef\xbb\xbf{"model": "%s", "messages": []}',
    "NaN": b'{"model": "%s", "messages": [], "temperature": NaN}',
    "infinity": b'{"model": "%s", "messages": [], "temperature": 1e999}',
    "a long number": b'{"model": "%s", "messages": [], "max_tokens": ' + b"9" * 5000 + b"}",
    "a precise number": b'{"model": "%s", "messages": [], "temperature": 0.' + b"1" * 5000 + b"}",
    "a negative zero": b'{"model": "%s", "messages": [], "seed": -0, "max_tokens": -0.0}',
    "a huge seed": b'{"model": "%s", "messages": [{"role": "user", "content": "Hi"}], "seed": 99999999999999999999}',
    "a long name": b'{"model": "' + b"m" * 100_000 + b'", "messages": []}',
    "a name with a line break": b'{"model": "a\\r\\nx-evil: 1", "messages": [{"role": "user", "content": "Hi"}]}',
    "a zero byte": b'{"model": "%s\\u0000", "messages": []}',
    "many members": b'{"model": "%s"' + b"".join(b', "m%d": %d' % (n, n) for n in range(20_000)) + b"}",
    "comments": b'{"model": "%s", /* hm */ "messages": []}',
    "two objects": b'{"model": "%s", "messages": []}{"model": "other"}',
}


@pytest.mark.parametrize("target", PUBLIC_DIALECTS)
@pytest.mark.parametrize("client", PUBLIC_DIALECTS)
@pytest.mark.parametrize("what", _ODD)
def test_odd_bytes(what: str, client: str, target: str, sender: Sender) -> None:
    for path in _PATHS[client]:
        body = _ODD[what].replace(b"%s", model_at(target).encode())
        status = _is_taken_or_refused(sender, path.format(model=model_at(target)), body)
        if what in ("cut off", "deep lists", "deep objects", "deep lists, no end", "no UTF-8", "comments", "NaN"):
            assert status == 400, what


_ODD_VALUES = {
    "a long number": b"9" * 5000,
    "a lone surrogate": b'"\\ud800"',
    "deep lists": b"[" * 5000 + b"]" * 5000,
    "rather deep lists": b"[" * 200 + b"]" * 200,
    "rather deep objects": b'{"type":' * 200 + b"1" + b"}" * 200,
    "a list of everything": b'[null, 1, -1.5, true, "x", [], {}, [[]], {"type": {}}, {"type": []}, {"type": null}]',
    "an object of everything": b'{"type": "x", "role": 1, "content": {"type": 2}, "include_usage": "yes", "name": []}',
}


@pytest.mark.parametrize("what", _ODD_VALUES)
@pytest.mark.parametrize(("client", "target"), _FRONTS)
def test_odd_values_in_every_member(client: str, target: str, what: str, sender: Sender) -> None:
    prompt = {"openai-responses": b'"input":"Hi"', "gemini": b'"contents":[{"parts":[{"text":"Hi"}]}]'}
    plain = prompt.get(client, b'"messages":[{"role":"user","content":"Hi"}],"max_tokens":9')
    for member in _KNOWN[client]:
        for stream in (b"", b',"stream":true'):
            named = b"" if client == "gemini" else b'"model":"%s",' % model_at(target).encode()
            value = b'"%s":%s' % (member.encode(), _ODD_VALUES[what])
            beside = (
                b"" if b'"%s"' % member.encode() in plain or member in ("model", "stream") else plain + stream + b","
            )
            if member == "model":
                named, beside = b"", plain + b","
            for path in _PATHS[client][:1] if client != "gemini" else (_PATHS[client][0], _PATHS[client][2]):
                _is_taken_or_refused(sender, path.format(model=model_at(target)), b"{" + named + beside + value + b"}")


@pytest.mark.parametrize(("client", "target"), _FRONTS)
def test_any_bytes(client: str, target: str, sender: Sender) -> None:
    pieces = st.sampled_from(
        [
            b'"model"',
            b'"messages"',
            b'"input"',
            b'"contents"',
            b'"stream"',
            *b'{ } [ ] : , true null 1 \\ud800 "'.split(),
        ]
    )
    named = f'"{model_at(target)}"'.encode()

    @_FEW
    @given(st.one_of(st.binary(max_size=40), st.lists(st.one_of(pieces, st.just(named)), max_size=20).map(b"".join)))
    def check(body: bytes) -> None:
        for path in _PATHS[client]:
            _is_taken_or_refused(sender, path.format(model=model_at(target)), body)

    check()


# -- schemas and arguments, which are read to their depth --------------------------------------------------------------


@pytest.mark.parametrize("target", PUBLIC_DIALECTS)
def test_any_schema(target: str, sender: Sender) -> None:
    words = "type properties items required anyOf $ref $defs enum const additionalProperties oneOf allOf format".split()
    schemas: st.SearchStrategy[Any] = st.recursive(
        st.one_of(_SCALARS, st.sampled_from(["object", "string", "array", "#/$defs/a", "#"])),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.sampled_from([*words, "a"]), inner, max_size=4)
        ),
        max_leaves=16,
    )

    @_FEW
    @given(schemas, st.booleans())
    def check(schema: Any, strict: bool) -> None:
        assume(isinstance(schema, dict))
        tool = {"type": "function", "function": {"name": "f", "parameters": schema, "strict": strict}}
        form = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema, "strict": strict}}
        for more in ({"tools": [tool]}, {"response_format": form}, {"tools": [tool], "response_format": form}):
            body = {"model": model_at(target), "messages": [{"role": "user", "content": "Hi"}], **more}
            _is_taken_or_refused(sender, "/v1/chat/completions", json.dumps(body).encode())

    check()
