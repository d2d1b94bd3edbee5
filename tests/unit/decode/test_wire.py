from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.decode.finding import SYMBOLOGY, Look
from device.decode.wire import (
    MAX_CONTENT_BYTES,
    MAX_REPLY_BYTES,
    MAX_SYMBOLS,
    MAX_UNREAD,
    NOT_A_PICTURE,
    FrameRequest,
    Garbled,
    PictureRequest,
    pack_reply,
    pack_request,
    unpack_reply,
    unpack_request,
)
from device.model import Cause, Corners, Symbol

WIDTH, HEIGHT = 1280, 720
REQUEST = FrameRequest(sequence=7, width=WIDTH, height=HEIGHT, budget_ms=40.0)
FILE_REQUEST = PictureRequest(sequence=7, length=9, frames=1, budget_ms=40.0)
SQUARE: Corners = ((1, 2), (3, 4), (5, 6), (7, 8))

points = st.tuples(st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1))
corners = st.tuples(points, points, points, points)
symbols = st.builds(
    Symbol,
    content=st.binary(min_size=1, max_size=60),
    symbology=st.just(SYMBOLOGY),
    engine=st.sampled_from(["zxing", "zbar", "zxing/second-look"]),
    corners=corners,
)
looks = st.builds(
    Look,
    symbols=st.lists(symbols, max_size=MAX_SYMBOLS).map(tuple),
    unread=st.lists(corners, max_size=MAX_UNREAD).map(tuple),
    failures=st.integers(0, 99),
    spent_ms=st.floats(0, 1000, width=32),
)
looks_at_files = looks.flatmap(
    lambda look: st.lists(st.sampled_from(Cause), min_size=len(look.unread), max_size=len(look.unread)).map(
        lambda causes: replace(look, causes=tuple(causes))
    )
)


def _reply(look: Look) -> bytes:
    return pack_reply(REQUEST.sequence, (WIDTH, HEIGHT), look)


def _symbol(content: bytes) -> Symbol:
    return Symbol(content, SYMBOLOGY, "zxing", SQUARE)


@given(st.integers(0, 2**64 - 1), st.integers(1, 4000), st.integers(1, 4000), st.floats(0, 1e6, width=32))
def test_a_frame_request_comes_back_as_it_was(sequence: int, width: int, height: int, budget: float) -> None:
    request = FrameRequest(sequence, width, height, budget)
    assert unpack_request(pack_request(request)) == request


@given(st.integers(0, 2**64 - 1), st.integers(1, 10**6), st.integers(1, 1000))
def test_a_picture_request_comes_back_as_it_was(sequence: int, length: int, frames: int) -> None:
    request = PictureRequest(sequence, length, frames, 40.0)
    assert unpack_request(pack_request(request)) == request


@given(st.binary(max_size=60))
def test_any_other_message_is_no_request(message: bytes) -> None:
    with pytest.raises(Garbled):
        unpack_request(message)


@given(looks)
def test_a_reply_comes_back_as_it_was(look: Look) -> None:
    assert unpack_reply(_reply(look), REQUEST) == look


@given(looks_at_files)
def test_a_reply_about_a_file_tells_why_codes_were_not_read(look: Look) -> None:
    assert unpack_reply(_reply(look), FILE_REQUEST) == look


@given(looks_at_files)
def test_causes_are_told_of_files_and_never_by_half(look: Look) -> None:
    half = replace(look, causes=look.causes[1:])
    for said, request in ((look, REQUEST), (half, FILE_REQUEST)):
        if look.unread:
            with pytest.raises(Garbled):
                unpack_reply(_reply(said), request)


@given(looks, st.data())
def test_a_reply_from_a_subverted_child_is_refused_or_within_bounds(look: Look, data: st.DataObject) -> None:
    message = bytearray(_reply(look))
    for _ in range(data.draw(st.integers(1, 8))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    try:
        seen = unpack_reply(bytes(message), REQUEST)
    except Garbled:
        return
    assert seen is not None
    assert len(seen.symbols) <= MAX_SYMBOLS
    for symbol in seen.symbols:
        assert 0 < len(symbol.content) <= MAX_CONTENT_BYTES
        assert symbol.engine.isprintable()
        assert all(0 <= x < WIDTH and 0 <= y < HEIGHT for x, y in symbol.corners)
    assert all(0 <= x < WIDTH and 0 <= y < HEIGHT for quad in seen.unread for x, y in quad)


@given(looks, st.integers(1, 200))
def test_a_reply_cut_short_or_lengthened_is_refused(look: Look, count: int) -> None:
    message = _reply(look)
    for wrong in (message[: max(0, len(message) - count)], message + bytes(count)):
        with pytest.raises(Garbled):
            unpack_reply(wrong, REQUEST)


@given(st.binary(max_size=300))
def test_noise_is_no_reply(message: bytes) -> None:
    with pytest.raises(Garbled):
        unpack_reply(message, REQUEST)


def test_a_reply_to_another_request_is_refused() -> None:
    message = _reply(Look())
    for other in (FrameRequest(8, WIDTH, HEIGHT, 40.0), FrameRequest(7, WIDTH, HEIGHT - 1, 40.0)):
        with pytest.raises(Garbled):
            unpack_reply(message, other)


def test_what_exceeds_the_bounds_is_left_out() -> None:
    many = (_symbol(b"x" * (MAX_CONTENT_BYTES + 1)), *[_symbol(b"x" * MAX_CONTENT_BYTES)] * 20)
    message = _reply(Look(symbols=many, unread=(SQUARE,) * 40))
    seen = unpack_reply(message, REQUEST)
    assert len(message) <= MAX_REPLY_BYTES
    assert seen is not None
    assert (len(seen.symbols), len(seen.unread)) == (MAX_SYMBOLS, MAX_UNREAD)


def test_a_file_that_is_no_picture_is_told() -> None:
    request = PictureRequest(sequence=3, length=10, frames=1, budget_ms=40.0)
    assert unpack_reply(pack_reply(3, NOT_A_PICTURE, Look()), request) is None
