"""A writer that dies after any byte leaves all frames that it finished, and nothing of the one it was at."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dragoman.ledger.frames import (
    HEAD_BYTES,
    SEAL_BYTES,
    Ended,
    after_damage,
    frame_size,
    head,
    is_segment,
    put_frame,
    put_seal,
    take_frames,
)

SIZE = 16 * 1024
payloads_strategy = st.lists(st.binary(min_size=1, max_size=300), max_size=20)


class Stores:
    """Remembers every store, in order, so that a death between any two bytes can be played."""

    def __init__(self) -> None:
        self.made: list[tuple[int, bytes]] = []

    def __setitem__(self, where: slice, data: bytes) -> None:
        assert where.stop - where.start == len(data)
        self.made.append((where.start, data))

    def after(self, copied: int) -> bytes:
        """The segment when this many bytes had been copied."""
        segment = bytearray(SIZE)
        segment[:HEAD_BYTES] = head(1)
        for at, data in self.made:
            part = data[:copied]
            segment[at : at + len(part)] = part
            copied -= len(part)
            if copied <= 0:
                break
        return bytes(segment)


def write(payloads: list[bytes], *, sealed: bool = False) -> tuple[Stores, list[int]]:
    """Write frames; return the stores and how many bytes had been copied when each frame was finished."""
    stores, at, finished = Stores(), HEAD_BYTES, list[int]()
    for payload in payloads:
        put_frame(stores, at, payload)
        at += frame_size(payload)
        finished.append(sum(len(data) for _, data in stores.made))
    if sealed:
        put_seal(stores, at)
    return stores, finished


@given(payloads=payloads_strategy, data=st.data())
def test_death_after_any_byte_leaves_whole_frames(payloads: list[bytes], data: st.DataObject) -> None:
    stores, finished = write(payloads)
    total = finished[-1] if finished else 0
    copied = data.draw(st.integers(0, total))
    taken = take_frames(stores.after(copied), HEAD_BYTES, 1000)
    whole = sum(end <= copied for end in finished)
    assert taken.payloads[:whole] == payloads[:whole]
    # One more only if all of its bytes that differ from zero are there.
    assert taken.payloads == payloads[: len(taken.payloads)]
    assert len(taken.payloads) <= whole + 1


def test_every_byte_of_three_frames() -> None:
    payloads = [b"first", b"second" * 20, b"\x00" * 9]
    stores, finished = write(payloads)
    for copied in range(finished[-1] + 1):
        taken = take_frames(stores.after(copied), HEAD_BYTES, 1000)
        assert taken.payloads == payloads[: len(taken.payloads)]
        assert len(taken.payloads) >= sum(end <= copied for end in finished)


@given(payloads=payloads_strategy, cut=st.integers(HEAD_BYTES, SIZE))
def test_a_segment_cut_anywhere_reads_up_to_the_cut(payloads: list[bytes], cut: int) -> None:
    """What a power failure may leave: zeros, or nothing at all, after some place."""
    stores, finished = write(payloads, sealed=True)
    whole = stores.after(finished[-1] + 4 if finished else 4)
    for torn in (whole[:cut], whole[:cut] + bytes(SIZE - cut)):
        assert take_frames(torn, HEAD_BYTES, 1000).payloads == payloads[: len(take_frames(torn, HEAD_BYTES, 1000)[0])]


@given(payloads=st.lists(st.binary(min_size=1, max_size=80), min_size=3, max_size=9), data=st.data())
def test_a_changed_byte_is_noticed_and_the_next_frame_found(payloads: list[bytes], data: st.DataObject) -> None:
    stores, finished = write(payloads)
    segment = bytearray(stores.after(finished[-1]))
    hit = data.draw(st.integers(0, len(payloads) - 2))
    at = HEAD_BYTES + sum(map(frame_size, payloads[:hit]))
    segment[at + 8 + data.draw(st.integers(0, len(payloads[hit]) - 1))] ^= data.draw(st.integers(1, 255))
    taken = take_frames(bytes(segment), HEAD_BYTES, 1000)
    assert (taken.payloads, taken.at, taken.ended) == (payloads[:hit], at, Ended.DAMAGED)
    following = after_damage(bytes(segment), at)
    assert following is not None
    assert take_frames(bytes(segment), following, 1000).payloads == payloads[hit + 1 :]


def test_a_seal_ends_a_segment() -> None:
    stores, finished = write([b"one"], sealed=True)
    assert take_frames(stores.after(finished[-1] + 4), HEAD_BYTES, 1000).ended is Ended.SEALED
    assert take_frames(stores.after(finished[-1]), HEAD_BYTES, 1000).ended is Ended.NOTHING_YET


def test_a_full_segment_ends_where_the_seal_stands() -> None:
    stores, at = Stores(), HEAD_BYTES
    payload = b"x" * 248
    while at + frame_size(payload) <= SIZE - SEAL_BYTES:
        put_frame(stores, at, payload)
        at += frame_size(payload)
    put_seal(stores, at)
    taken = take_frames(stores.after(10**9), HEAD_BYTES, 10**6)
    assert taken.ended is Ended.SEALED
    assert len(taken.payloads) == (SIZE - SEAL_BYTES - HEAD_BYTES) // 256


def test_a_file_that_is_not_a_segment_is_told() -> None:
    assert is_segment(head(3) + bytes(100))
    assert not is_segment(bytes(200))
    assert not is_segment(head(3))
    assert not is_segment(b"")


@given(st.binary(max_size=400))
def test_rubbish_ends_the_reading(rubbish: bytes) -> None:
    segment = head(1) + rubbish + bytes(64)
    at = HEAD_BYTES
    for _ in range(len(segment)):
        taken = take_frames(segment, at, 1000)
        assert taken.at <= len(segment)
        following = after_damage(segment, taken.at) if taken.ended is Ended.DAMAGED else None
        if following is None:
            return
        assert following > at
        at = following
    raise AssertionError("reading does not end")
