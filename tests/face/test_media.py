"""Media for messages, from bytes, files, addresses and ids; and media of answers, whole and streamed."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from dragoman import Audio, Document, Image, InvalidRequest, Media, Video
from dragoman.values import MediaDelta, from_json, to_json, user
from tests.face.dialect_wire import model_of, said, streamed, whole

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 16
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + b"\x00" * 16
MP4 = b"\x00\x00\x00\x18ftypisom" + b"\x00" * 16
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
_ZIP_ENTRY = b"PK\x03\x04" + b"\x00" * 30 + b"PK\x01\x02" + b"\x00" * 42

CONSTRUCTORS = {"image": Image, "audio": Audio, "video": Video, "document": Document}
SAMPLES = {
    "image": (PNG, "image/png", "dot.png"),
    "audio": (WAV, "audio/wav", "call.wav"),
    "video": (MP4, "video/mp4", "tour.mp4"),
    "document": (PDF, "application/pdf", "report.pdf"),
}


# -- in: one shape for four kinds --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CONSTRUCTORS)
@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_bytes_tell_their_type(kind: str, wrap: Any) -> None:
    data, media_type, _ = SAMPLES[kind]
    part = CONSTRUCTORS[kind](wrap(data))
    assert (part.kind, part.media_type, part.name) == (kind, media_type, None)
    assert part.bytes() == data


@pytest.mark.parametrize("kind", CONSTRUCTORS)
@pytest.mark.parametrize("shown", [str, Path])
def test_a_path_is_read(kind: str, shown: Any, tmp_path: Path) -> None:
    data, media_type, name = SAMPLES[kind]
    (tmp_path / name).write_bytes(data)
    part = CONSTRUCTORS[kind](shown(tmp_path / name))
    assert (part.kind, part.media_type, part.bytes()) == (kind, media_type, data)
    assert part.name == (name if kind == "document" else None)


@pytest.mark.parametrize("kind", CONSTRUCTORS)
@pytest.mark.parametrize("address", ["https://e.org/a", "HTTP://e.org/a?b=c", "gs://bucket/a", "s3://bucket/a"])
def test_an_address_stays_one(kind: str, address: str) -> None:
    make = CONSTRUCTORS[kind]
    assert make(address) == make(url=address) == Media(kind=make(address).kind, url=address)
    assert make(address, issuer="google").issuer == "google"


@pytest.mark.parametrize("kind", CONSTRUCTORS)
def test_a_file_id_may_say_whose_it_is(kind: str) -> None:
    part = CONSTRUCTORS[kind](file_id="file-1", issuer="openai", media_type=SAMPLES[kind][1])
    assert (part.kind, part.file_id, part.issuer, part.media_type) == (kind, "file-1", "openai", SAMPLES[kind][1])
    assert CONSTRUCTORS[kind](file_id="file-1").issuer is None


@pytest.mark.parametrize("kind", CONSTRUCTORS)
def test_a_data_address_is_its_content(kind: str) -> None:
    data, media_type, _ = SAMPLES[kind]
    text = base64.b64encode(data).decode()
    part = CONSTRUCTORS[kind](f"data:{media_type};base64,{text}")
    assert part == CONSTRUCTORS[kind](data)
    assert CONSTRUCTORS[kind](url=f"data:;base64,{text.replace('=', '%3D')}") == part


@pytest.mark.parametrize("kind", CONSTRUCTORS)
def test_media_survive_their_own_json_form(kind: str) -> None:
    message = user("Look:", CONSTRUCTORS[kind](SAMPLES[kind][0]), CONSTRUCTORS[kind](file_id="f", issuer="openai"))
    assert from_json(to_json(message)) == message


def test_what_only_some_have() -> None:
    assert Image(PNG, detail="low").detail == "low"
    assert Document(text="Words.") == Media(kind="document", text="Words.", media_type="text/plain")
    assert Document(PDF, name="The report").name == "The report"


def test_a_file_name_is_a_documents_unless_it_shall_have_none(tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(PDF)
    assert Document(tmp_path / "report.pdf", name="Q3").name == "Q3"
    assert Document(tmp_path / "report.pdf", name="").name is None


@pytest.mark.parametrize(
    ("data", "kind", "media_type"),
    [
        (b"\xff\xd8\xff\xe0", "image", "image/jpeg"),
        (b"GIF89a\x01", "image", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image", "image/webp"),
        (b"II*\x00\x08", "image", "image/tiff"),
        (b"\x00\x00\x00\x18ftypheic\x00", "image", "image/heic"),
        (b"\x00\x00\x00\x18ftypavif\x00", "image", "image/avif"),
        (b"ID3\x04\x00", "audio", "audio/mpeg"),
        (b"\xff\xfb\x90\x00", "audio", "audio/mpeg"),
        (b"\xff\xf1P\x80", "audio", "audio/aac"),
        (b"fLaC\x00\x00", "audio", "audio/flac"),
        (b"OggS\x00\x02", "audio", "audio/ogg"),
        (b"OggS\x00\x02", "video", "video/ogg"),
        (b"FORM\x00\x00\x00\x04AIFF", "audio", "audio/aiff"),
        (b"\x00\x00\x00\x18ftypM4A \x00", "audio", "audio/mp4"),
        (b"\x00\x00\x00\x18ftypisom\x00", "audio", "audio/mp4"),
        (b"\x00\x00\x00\x18ftypqt  \x00", "video", "video/quicktime"),
        (b"\x00\x00\x00\x183gp4\x00", "video", None),
        (b"\x00\x00\x00\x18ftyp3gp4\x00", "video", "video/3gpp"),
        (b"\x1aE\xdf\xa3\x01\x00B\x82\x84webm", "video", "video/webm"),
        (b"\x1aE\xdf\xa3\x01\x00B\x82\x84webm", "audio", "audio/webm"),
        (b"\x1aE\xdf\xa3\x01\x00B\x82\x88matroska", "video", "video/x-matroska"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "video", "video/x-msvideo"),
        (b"{\\rtf1}", "document", "application/rtf"),
        (b"ID3 is how a song begins", "document", "text/plain"),
        (_ZIP_ENTRY + b"word/document.xml", "document", "wordprocessingml.document"),
        (_ZIP_ENTRY + b"xl/workbook.xml", "document", "spreadsheetml.sheet"),
        (_ZIP_ENTRY + b"ppt/presentation.xml", "document", "presentationml.presentation"),
        (_ZIP_ENTRY + b"other/xl/", "document", None),
    ],
)
def test_signatures(data: bytes, kind: str, media_type: str | None) -> None:
    if media_type is None:
        with pytest.raises(InvalidRequest, match="of a known kind; give media_type="):
            CONSTRUCTORS[kind](data)
    else:
        assert (CONSTRUCTORS[kind](data).media_type or "").endswith(media_type)


@pytest.mark.parametrize(
    ("name", "data", "kind", "media_type"),
    [
        ("a.HEIC", b"\xfe\xfe", "image", "image/heic"),
        ("a.svg", b"<svg/>", "image", "image/svg+xml"),
        ("a.jpg", PNG, "image", "image/png"),  # what it is, whatever it is called
        ("a.opus", b"\xfe\xfe", "audio", "audio/opus"),
        ("a.mpg", b"\xfe\xfe", "video", "video/mpeg"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "document", "application/msword"),
        ("a.epub", b"PK\x03\x04\x00", "document", "application/epub+zip"),
    ],
)
def test_a_file_name_tells_what_the_bytes_do_not(
    name: str, data: bytes, kind: str, media_type: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    assert CONSTRUCTORS[kind](tmp_path / name).media_type == media_type


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.txt", "text/plain"),
        ("a.md", "text/markdown"),
        ("a.csv", "text/csv"),
        ("a.json", "application/json"),
        ("notes", "text/plain"),
    ],
)
def test_documents_of_text_are_given_as_text(name: str, media_type: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"\xef\xbb\xbfW\xc3\xb6rter")
    part = Document(tmp_path / name)
    assert part == Media(kind="document", text="Wörter", media_type=media_type, name=name)
    assert part.bytes() == "Wörter".encode()


# -- in: what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CONSTRUCTORS)
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "has exactly one source"),
        ({"source": "a", "url": "https://e.org"}, "has exactly one source"),
        ({"url": "https://e.org", "file_id": "f"}, "has exactly one source"),
        ({"source": 7}, "and not by int"),
        ({"source": b""}, "is empty"),
        ({"source": "/nowhere/a.bin"}, "cannot be read: No such file"),
        ({"source": "/"}, "cannot be read: Is a directory"),
        ({"source": "a\x00b"}, "cannot be read: embedded null"),
        ({"source": "iVBORw0KGgo" * 999}, "if it is base64 and no path, decode it first"),
        ({"source": "ftp://e.org/a"}, "an address begins with one of http://"),
        ({"url": "e.org/a"}, "an address begins with one of http://"),
        ({"source": "data:base64"}, "has no comma"),
        ({"source": "data:;base64,###"}, "are not base64"),
        ({"source": b"\x00\x01\x02", "media_type": "pdf"}, "a media type looks like"),
        ({"source": b"\x00\x01\x02", "issuer": "openai"}, "sent inline is nobody's"),
        ({"source": b"\x00\x01\x02"}, "of a known kind; give media_type="),
    ],
)
def test_what_cannot_be_is_refused_by_name(kind: str, given: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        CONSTRUCTORS[kind](**given)
    assert words in refused.value.message
    assert len(refused.value.message) < 600
    assert refused.value.path == kind


@pytest.mark.parametrize("kind", CONSTRUCTORS)
@pytest.mark.parametrize("found", SAMPLES)
def test_another_kind_is_sent_to_its_own_constructor(kind: str, found: str) -> None:
    data, media_type, _ = SAMPLES[found]
    if kind == found or (kind, found) == ("audio", "video"):  # a container of film may hold sound alone
        assert CONSTRUCTORS[kind](data).kind == kind
        return
    with pytest.raises(InvalidRequest, match=rf"this is {media_type}, and not .*; use {found.capitalize()}\("):
        CONSTRUCTORS[kind](data)


def test_a_media_type_of_another_kind_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"audio/wav is no media type of an image; use Audio\("):
        Image(PNG, media_type="audio/wav")
    assert Image(b"\x00\x01", media_type="image/x-own").media_type == "image/x-own"


def test_words_are_no_image_whatever_their_name(tmp_path: Path) -> None:
    (tmp_path / "dot.png").write_text("<html>Not found</html>")
    with pytest.raises(InvalidRequest, match="these bytes are no image of a known kind"):
        Image(tmp_path / "dot.png")


@pytest.mark.parametrize("kind", CONSTRUCTORS)
def test_the_size_is_bounded(kind: str, tmp_path: Path) -> None:
    data, media_type, name = SAMPLES[kind]
    (tmp_path / name).write_bytes(data)
    address = f"data:{media_type};base64,{base64.b64encode(data).decode()}"
    for source in (data, tmp_path / name, address):
        with pytest.raises(InvalidRequest, match=r"more than 10 bytes.*file_id=.*raise max_bytes"):
            CONSTRUCTORS[kind](source, max_bytes=10)
        assert CONSTRUCTORS[kind](source, max_bytes=len(data)).media_type == media_type


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="a file without an end is needed")
def test_a_file_without_end_is_read_no_further_than_its_bound() -> None:
    with pytest.raises(InvalidRequest, match="holds more than 1,000 bytes"):
        Audio("/dev/zero", max_bytes=1000)


# -- out ---------------------------------------------------------------------------------------------------------------

PICTURE = Media(kind="image", data=base64.b64encode(PNG * 20).decode(), media_type="image/png")
SOUND = Media(kind="audio", data=base64.b64encode(WAV * 20).decode(), transcript="Hello.")

ANSWERS = [
    ("openai-chat", PICTURE),
    ("openai-chat", SOUND),
    ("openai-responses", PICTURE),
    ("gemini", PICTURE),
]


@pytest.mark.parametrize(("dialect", "given"), ANSWERS)
def test_generated_media_come_whole(dialect: str, given: Media, tmp_path: Path) -> None:
    model, _ = model_of(dialect, [whole(dialect, said("Here:", given))])
    answer = model.chat("Draw or say it")
    (part,) = answer.media
    assert (part.kind, part.bytes(), part.transcript) == (given.kind, given.bytes(), given.transcript)
    assert answer.content == "Here:"
    part.save(tmp_path / "made")
    assert (tmp_path / "made").read_bytes() == given.bytes()


@pytest.mark.parametrize(("dialect", "given"), ANSWERS)
def test_generated_media_come_streamed(dialect: str, given: Media) -> None:
    model, _ = model_of(dialect, [streamed(dialect, said("Here:", given))])
    with model.stream("Draw or say it") as stream:
        pieces = [chunk.event.data for chunk in stream if isinstance(chunk.event, MediaDelta)]
    (part,) = stream.response.media
    assert (part.kind, part.bytes(), part.transcript) == (given.kind, given.bytes(), given.transcript)
    assert "".join(pieces) in ("", part.data)


def test_an_answer_without_media_has_none() -> None:
    model, _ = model_of("anthropic", [whole("anthropic", said("Words."))])
    assert model.chat("Hi").media == ()


def test_what_was_drawn_while_thinking_is_no_answer() -> None:
    draft = Media(kind="image", data="AAAA", media_type="image/png", channel="commentary")
    answer = said(draft, PICTURE)
    assert answer.media == (PICTURE,)


def test_pieces_that_are_padded_each_are_decoded_each() -> None:
    joined = "".join(base64.b64encode(piece).decode() for piece in (b"a", b"bc", b"def", b"g"))
    assert Media(kind="audio", data=joined).bytes() == b"abcdefg"


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (Media(kind="image", url="https://e.org/a.png"), "fetch it from its url, https://e.org/a.png"),
        (Media(kind="file", file_id="file-1", issuer="openai"), "openai keeps it as file file-1"),
        (Media(kind="file", file_id="file-1"), "its provider keeps it as file file-1"),
        (Media(kind="image"), "it is empty"),
        (Media(kind="image", data="a=b="), "are not base64"),
        (Media(kind="image", data="?"), "are not base64"),
    ],
)
def test_what_is_elsewhere_cannot_be_saved(part: Media, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        part.save(tmp_path / "made")
    assert not (tmp_path / "made").exists()
