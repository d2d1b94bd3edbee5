"""Each cause, measured in a picture that was spoilt in that way and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.decode.cause import cause_of
from device.model import Cause
from tests.support.codes import Held, code, scene

if TYPE_CHECKING:
    from device.model import Corners
    from tests.support.codes import Luma

CARD = "046090123456|191234567|Trần Văn Mẫu|05061990|Nam|Tổ 3, Phường Thử Nghiệm, Thành phố Ví Dụ|12072021"


def _held(
    held: Held, *, at: tuple[int, int] = (640, 360), symbol: Luma | None = None
) -> tuple[Luma, Corners, int]:
    """A frame with a card's code, its corners without margin, its modules a side."""
    symbol = code(CARD) if symbol is None else symbol
    side = symbol.shape[0] // 4 - 8
    half = side * held.module_px / 2
    left, right = (min(max(round(at[0] + way * half), 0), 1279) for way in (-1, 1))
    top, bottom = (min(max(round(at[1] + way * half), 0), 719) for way in (-1, 1))
    return scene((symbol, at, held)), ((left, top), (right, top), (right, bottom), (left, bottom)), side


def _damaged() -> Luma:
    symbol = code(CARD)
    symbol[60:, 60:] = 255 - symbol[60:, 60:]
    return symbol


@pytest.mark.parametrize(
    ("held", "cause"),
    [
        (Held(module_px=1.4), Cause.TOO_SMALL),
        (Held(module_px=1.4, blur_px=1.5), Cause.TOO_SMALL),
        (Held(light=0.2, noise=3), Cause.DARK),
        (Held(blur_px=4.0), Cause.BLURRED),
        (Held(module_px=8.0, blur_px=7.0, noise=2), Cause.BLURRED),
        (Held(), Cause.DAMAGED),
        (Held(turn_deg=1, noise=6), Cause.DAMAGED),
        (Held(module_px=9.0), Cause.DAMAGED),
        (Held(module_px=9.0, blur_px=1.8), Cause.DAMAGED),
    ],
)
def test_the_cause_is_what_was_done_to_the_picture(held: Held, cause: Cause) -> None:
    luma, corners, side = _held(held, symbol=_damaged())
    assert cause_of(luma, corners, side) is cause


@pytest.mark.parametrize("at", [(10, 360), (1270, 360), (640, 10), (640, 715)])
def test_a_code_that_goes_on_outside_the_frame_is_cut_off(at: tuple[int, int]) -> None:
    luma, corners, side = _held(Held(), at=at)
    assert cause_of(luma, corners, side) is Cause.CUT_OFF


def test_a_reflection_is_glare_and_white_paper_is_not() -> None:
    luma, corners, side = _held(Held(module_px=6))
    burnt = luma.copy()
    cv2.ellipse(burnt, (640, 360), (90, 40), 30.0, 0, 360, 255, -1)
    assert cause_of(burnt, corners, side) is Cause.GLARE
    bright = np.where(luma > 128, 255, luma).astype(np.uint8)
    assert cause_of(bright, corners, side) is not Cause.GLARE


def test_a_hand_that_moves_one_way_blurs_too() -> None:
    luma, corners, side = _held(Held())
    smeared = np.asarray(cv2.blur(luma, (15, 1)), np.uint8)
    assert cause_of(smeared, corners, side) is Cause.BLURRED


def test_without_its_version_a_code_is_taken_for_a_cards() -> None:
    luma, corners, side = _held(Held(module_px=3), symbol=code("short"))
    assert side == 21
    assert cause_of(luma, corners, side) is Cause.DAMAGED
    assert cause_of(luma, corners) is Cause.TOO_SMALL


points = st.tuples(st.integers(0, 63), st.integers(0, 63))


@given(st.integers(0, 2**32), st.tuples(points, points, points, points))
def test_every_place_in_every_picture_has_a_cause(seed: int, corners: Corners) -> None:
    luma = np.random.default_rng(seed).integers(0, 256, (64, 64), dtype=np.uint8)
    assert isinstance(cause_of(luma, corners), Cause)
