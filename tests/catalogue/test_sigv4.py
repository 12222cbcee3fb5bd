"""Signature Version 4 against Amazon's published vectors, and against Amazon's own client."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.catalogue.secret import Secret
from dragoman.catalogue.sigv4 import AwsCredentials, canonical_request, signed_headers

EXAMPLE = AwsCredentials("AKIDEXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
THEN = datetime(2015, 8, 30, 12, 36, 0, tzinfo=UTC)
HOST = "https://example.amazonaws.com"
VANILLA = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
FORM = ("content-type", "application/x-www-form-urlencoded")


class Vector(NamedTuple):
    name: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    signature: str


VECTORS = [
    Vector("get-vanilla", "GET", "/", (), b"", VANILLA),
    Vector("post-vanilla", "POST", "/", (), b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    Vector(
        "get-vanilla-query-order-key-case",
        "GET",
        "/?Param2=value2&Param1=value1",
        (),
        b"",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    Vector(
        "post-x-www-form-urlencoded",
        "POST",
        "/",
        (FORM,),
        b"Param1=value1",
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ),
    Vector(
        "post-header-key-sort",
        "POST",
        "/",
        (("My-Header1", "value1"),),
        b"",
        "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
    ),
    # The same canonical request as get-vanilla: normalised paths.
    Vector(
        "get-relative",
        "GET",
        "/example/..",
        (),
        b"",
        VANILLA,
    ),
    Vector("get-slash", "GET", "//", (), b"", VANILLA),
    Vector("get-slash-dot-slash", "GET", "/./", (), b"", VANILLA),
]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_published_vectors(vector: Vector) -> None:
    found = dict(
        signed_headers(
            vector.method,
            HOST + vector.path,
            vector.headers,
            vector.body,
            credentials=EXAMPLE,
            region="us-east-1",
            service="service",
            now=THEN,
        )
    )
    assert found["x-amz-date"] == "20150830T123600Z"
    names = ";".join(sorted({"host", "x-amz-date", *(name.lower() for name, _ in vector.headers)}))
    assert found["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders={names}, Signature={vector.signature}"
    )


def test_the_documented_example_of_iam() -> None:
    """docs.aws.amazon.com, "Signature Version 4 signing process": ListUsers."""
    found = signed_headers(
        "GET",
        "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
        [("content-type", "application/x-www-form-urlencoded; charset=utf-8")],
        b"",
        credentials=EXAMPLE,
        region="us-east-1",
        service="iam",
        now=THEN,
    )
    assert dict(found)["authorization"].endswith("5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7")


def test_a_path_is_encoded_once_more_than_it_was_sent() -> None:
    url = "https://bedrock-runtime.us-east-1.amazonaws.com/model/a.b-v1%3A0/converse"
    _, text = canonical_request("POST", url, [], b"{}")
    assert text.split("\n")[1] == "/model/a.b-v1%253A0/converse"


def botocore_signature(
    method: str, url: str, headers: dict[str, str], body: bytes, token: str | None, now: datetime
) -> dict[str, str]:
    """What Amazon's own client signs."""
    auth: Any = import_module("botocore.auth")
    request_module: Any = import_module("botocore.awsrequest")
    credentials: Any = import_module("botocore.credentials").Credentials(
        "AKIDEXAMPLE", EXAMPLE.secret_access_key.reveal(), token
    )
    request = request_module.AWSRequest(method=method, url=url, headers=dict(headers), data=body)
    signer = auth.SigV4Auth(credentials, "bedrock", "eu-central-1")
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    request.context["timestamp"] = stamp
    signer._modify_request_before_signing(request)
    request.headers.replace_header("X-Amz-Date", stamp)
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    return {"canonical": canonical, "signature": signature}


SEGMENT = st.text(alphabet="abcXYZ019-_.~:%3A", min_size=1, max_size=12).filter(
    lambda text: "%" not in text.replace("%3A", "") and text not in (".", "..")
)
VALUE = st.text(alphabet="abcXYZ019-_. /+=,", max_size=20).map(lambda text: " ".join(text.split()))


@given(
    segments=st.lists(SEGMENT, max_size=4),
    header=VALUE,
    body=st.binary(max_size=64),
    token=st.sampled_from([None, "IQoJb3JpZ2luX2VjE/+=="]),
)
def test_amazons_own_client_signs_the_same(segments: list[str], header: str, body: bytes, token: str | None) -> None:
    url = "https://bedrock-runtime.eu-central-1.amazonaws.com/" + "/".join(segments)
    headers = {"content-type": "application/json", "x-amz-test": header or "none"}
    now = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    expected = botocore_signature("POST", url, headers, body, token, now)
    own = AwsCredentials(EXAMPLE.access_key_id, EXAMPLE.secret_access_key, Secret(token) if token else None)
    found = dict(
        signed_headers(
            "POST", url, headers.items(), body, credentials=own, region="eu-central-1", service="bedrock", now=now
        )
    )
    added = [(name, value) for name, value in found.items() if name != "authorization"]
    assert canonical_request("POST", url, [*headers.items(), *added], body)[1] == expected["canonical"]
    assert found["authorization"].endswith(f"Signature={expected['signature']}")
    assert found.get("x-amz-security-token") == token
