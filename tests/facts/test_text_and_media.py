"""What the estimate stands on: tokens of texts, sizes and tokens of media."""

from __future__ import annotations

import base64
import struct
import zlib

import pytest

from dragoman.facts.measuring import measure
from dragoman.facts.media_sizes import MediaSize, image_pixels, media_size
from dragoman.facts.media_tokens import media_estimate, media_most
from dragoman.facts.text_tokens import text_tokens
from dragoman.values import (
    Media,
    Opaque,
    OutputFormat,
    Reasoning,
    Request,
    ToolCall,
    ToolDefinition,
    assistant,
    tool_result,
    user,
)

# Counts of cl100k_base, a public tokenizer of 100,000 entries.
COUNTED = [
    ("The quick brown fox jumps over the lazy dog.", 10),
    ("Explain channels in Go, and when a buffered one is the right choice.", 15),
    (
        "人工智能是计算机科学的一个分支，它企图了解智能的实质，并生产出一种新的能以人类智能相似的方式做出反应的智能机器。",
        61,
    ),
    ("Искусственный интеллект — свойство искусственных интеллектуальных систем выполнять творческие функции.", 50),
    ("def add(first: int, second: int) -> int:\n    return first + second\n", 19),
    ("550e8400-e29b-41d4-a716-446655440000", 20),
]


@pytest.mark.parametrize(("text", "tokens"), COUNTED)
def test_a_text_is_near_what_a_tokenizer_counts(text: str, tokens: int) -> None:
    assert text_tokens(text) == pytest.approx(tokens, rel=0.35)


@pytest.mark.parametrize("text", ["", " ", "a", "\n", "🤖", "é", "\ud800", "x" * 100, "()" * 50, "\x00"])
def test_a_text_is_never_more_tokens_than_bytes(text: str) -> None:
    assert 0 <= text_tokens(text) <= len(text.encode("utf-8", "surrogatepass"))


def test_a_long_text_is_judged_by_slices() -> None:
    page = "A page of words, of which there are many, and 12 numbers.\n"
    assert text_tokens(page * 3000) == pytest.approx(3000 * text_tokens(page), rel=0.05)


def _png(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))


def _jpeg(width: int, height: int) -> bytes:
    preview = b"\xff\xe1" + struct.pack(">H", 2 + 5000) + b"\xff\xd8\xff\xc0" + bytes(4996)
    return b"\xff\xd8" + preview + b"\xff\xc2" + struct.pack(">HBHH", 17, 8, height, width) + bytes(10)


def _webp(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + bytes(4) + b"WEBPVP8X" + bytes(8) + size


@pytest.mark.parametrize(
    "data",
    [
        _png(640, 480),
        _jpeg(640, 480),
        _webp(640, 480),
        b"GIF89a" + struct.pack("<HH", 640, 480),
        b"BM" + bytes(16) + struct.pack("<ii", 640, -480),
        b"RIFF" + bytes(4) + b"WEBPVP8 " + bytes(10) + struct.pack("<HH", 640, 480),
        b"RIFF" + bytes(4) + b"WEBPVP8L" + bytes(4) + b"\x2f" + struct.pack("<I", 639 | 479 << 14),
    ],
)
def test_the_size_of_a_picture_stands_in_its_head(data: bytes) -> None:
    assert image_pixels(data) == (640, 480)
    for end in range(len(data)):
        image_pixels(data[:end])  # a cut one is no fault


def test_what_is_no_picture_has_no_size() -> None:
    assert image_pixels(b"") is None
    assert image_pixels(b"\xff\xd8\xff") is None
    assert media_size(Media(kind="image", data="TRIMMED[base64 4 chars]")).width is None


def _image(width: int, height: int, detail: str | None = None) -> MediaSize:
    return MediaSize("image", "image/png", detail, 1000, width, height)


@pytest.mark.parametrize(
    ("model", "size", "tokens"),
    [
        # The vendors' own examples.
        ("gpt-4o", _image(1024, 1024), 765),
        ("gpt-4o", _image(2048, 4096), 1105),
        ("gpt-4o", _image(4096, 8192, "low"), 85),
        ("claude-sonnet-4-5", _image(200, 200), 53),
        ("claude-sonnet-4-5", _image(1000, 1000), 1333),
        ("claude-sonnet-4-5", _image(1092, 1092), 1590),
        ("gemini-2.5-flash", _image(384, 384), 258),
        ("gemini-2.0-flash", MediaSize("audio", "audio/wav", None, 1, seconds=60.0), 1920),
        ("gemini-2.5-flash", MediaSize("document", "application/pdf", None, 1, pages=10), 2580),
        ("gpt-4.1-mini", _image(1024, 1024), 1659),
    ],
)
def test_media_by_the_vendors_examples(model: str, size: MediaSize, tokens: int) -> None:
    assert media_estimate(size, model) == pytest.approx(tokens, abs=1)
    most = media_most(size, model)
    assert most is not None
    assert most >= tokens


MODELS = [
    "gpt-4o",
    "gpt-4o-mini",
    "gpt-5-mini",
    "gpt-5.6",
    "o3",
    "claude-opus-4-8",
    "gemini-2.5-pro",
    "gemini-3-pro",
    "x",
]


@pytest.mark.parametrize("model", MODELS)
def test_the_estimate_of_a_picture_is_within_its_bound(model: str) -> None:
    for width in (1, 100, 768, 2000, 9000):
        for height in (1, 90, 1024, 5000):
            size = _image(width, height)
            most = media_most(size, model)
            assert most is not None
            assert media_estimate(size, model) <= most


def test_a_recording_lasts_what_its_head_says() -> None:
    head = b"RIFF" + bytes(4) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    sound = head + bytes(32_000 - len(head))
    size = media_size(Media(kind="audio", data=base64.b64encode(sound).decode(), media_type="audio/wav"))
    assert size.seconds == pytest.approx(2.0, rel=0.01)


def test_pages_that_stand_in_the_open_are_counted() -> None:
    plain = b"%PDF-1.4 /Type /Pages /Type /Page /x /Type/Page>>"
    packed = plain + b"/ObjStm"
    sizes = [
        media_size(Media(kind="document", data=base64.b64encode(data).decode(), media_type="application/pdf"))
        for data in (plain, packed)
    ]
    assert [size.pages for size in sizes] == [2, None]


def test_a_request_is_measured_whole() -> None:
    call = ToolCall(id="1", name="weather", arguments_text='{"city": "Izmir"}')
    request = Request(
        model="m",
        messages=(user("What is the weather?"), assistant(call), tool_result(call, "sunny")),
        tools=(ToolDefinition(name="weather", input_schema={"type": "object"}),),
        output=OutputFormat(type="json_schema", schema={"type": "object"}),
    )
    size = measure(request)
    assert (size.turns, size.tools, size.calls, size.has_schema) == (3, 1, 2, True)
    assert size.text_bytes >= len('What is the weather?weather{"city": "Izmir"}sunnyweather{"type":"object"}')
    assert not size.elsewhere


def test_only_the_thoughts_of_the_turn_that_goes_on_are_read_again() -> None:
    thought = Reasoning(text="A long and winding thought about many things.")
    older = Request(model="m", messages=(user("a"), assistant(thought, "b"), user("c")))
    current = Request(model="m", messages=(user("a"), assistant(thought, "b")))
    assert measure(older).text < measure(current).text
    assert measure(older).text_bytes == measure(current).text_bytes + 1  # a bound counts them all the same


def test_what_stands_elsewhere_is_named() -> None:
    search = Opaque(dialect="anthropic", kind="web_search_20250305", data={"type": "web_search_20250305"})
    request = Request(model="m", messages=(user("a"),), tools=(search,), previous_response_id="resp_1")
    assert [(each.setting, each.rounds) for each in measure(request).elsewhere] == [
        ("tools", None),
        ("previous_response_id", 0),
    ]
