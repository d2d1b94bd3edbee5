"""What every decoder must do, on the real pool of child processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from device.errors import DecoderDied
from device.model import Frame
from tests.support.codes import Held, code, empty, scene, shown
from tests.support.pools import decoder_pool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.decode.pool import DecoderPool

pytestmark = pytest.mark.slow

CARD = "046090123456|191234567|Trần Văn Mẫu|05061990|Nam|Tổ 3, Phường Thử Nghiệm|12072021"


@pytest.fixture(scope="module")
def decoder() -> Iterator[DecoderPool]:
    pool = decoder_pool()
    pool.start()
    yield pool
    pool.close()


def _frame(luma: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], sequence: int = 1) -> Frame:
    return Frame(luma=luma, sequence=sequence, captured_at=0.0)


def test_a_code_is_read_byte_for_byte_with_its_place(decoder: DecoderPool) -> None:
    (symbol,) = decoder.decode(_frame(shown(CARD, Held(turn_deg=20, tilt_deg=20))))
    assert symbol.content == CARD.encode()
    assert symbol.symbology == "QRCode"
    xs, ys = zip(*symbol.corners, strict=True)
    assert 480 < min(xs) < 640 < max(xs) < 800
    assert 200 < min(ys) < 360 < max(ys) < 520


def test_all_codes_of_a_frame_are_read(decoder: DecoderPool) -> None:
    frame = scene((code("left"), (340, 360), Held()), (code("right"), (940, 360), Held()))
    assert {s.content for s in decoder.decode(_frame(frame))} == {b"left", b"right"}


def test_an_empty_scene_gives_nothing(decoder: DecoderPool) -> None:
    assert decoder.decode(_frame(empty())) == ()


def test_frames_of_different_sizes_follow_each_other(decoder: DecoderPool) -> None:
    for width, height in ((1280, 720), (640, 480), (1280, 720), (321, 243)):
        (symbol,) = decoder.decode(_frame(shown("gate", width=width, height=height)))
        assert symbol.content == b"gate"


def test_a_frame_larger_than_agreed_is_our_own_mistake(decoder: DecoderPool) -> None:
    with pytest.raises(ValueError, match="larger than the shared memory"):
        decoder.decode(_frame(empty(width=1400, height=900)))
    assert decoder.decode(_frame(empty())) == ()


def test_closing_twice_is_allowed_and_decoding_afterwards_says_so() -> None:
    pool = decoder_pool(engines=("zxing",))
    pool.start()
    pool.close()
    pool.close()
    with pytest.raises(DecoderDied, match="closed"):
        pool.decode(_frame(empty()))
