from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.decode.blurred import MOST, blurred_places
from device.model import Cause
from device.scenery import centre_of, side_of
from tests.support.codes import Held, empty, shown
from tests.support.lens import out_of_focus

CARD = "046090123456|191234567|Trần Văn Mẫu|05061990|Nam|Tổ 3, Phường Thử Nghiệm, Thành phố Ví Dụ|12072021"


@pytest.mark.parametrize("module_px", [2.7, 4.0])
@pytest.mark.parametrize("blur_modules", [2.0, 2.5, 3.0, 3.5])
def test_a_code_too_blurred_for_any_engine_is_a_place_to_look_at(
    module_px: float, blur_modules: float
) -> None:
    luma = out_of_focus(shown(CARD, Held(module_px=module_px, noise=3)), blur_modules * module_px)
    (place,) = blurred_places(luma)
    x, y = centre_of(place.corners)
    assert abs(x - 640) < 32
    assert abs(y - 360) < 32
    assert place.cause is Cause.BLURRED
    assert side_of(place.corners) > 30 * module_px


def test_a_sharp_code_is_none() -> None:
    assert blurred_places(shown(CARD, Held(noise=3))) == ()


def test_an_empty_scene_has_none() -> None:
    assert blurred_places(empty()) == ()
    assert blurred_places(np.full((720, 1280), 128, np.uint8)) == ()


@given(
    height=st.integers(1, 90), width=st.integers(1, 90), levels=st.integers(1, 255), seed=st.integers(0, 99)
)
def test_any_picture_has_an_answer_inside_it(height: int, width: int, levels: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    places = blurred_places(random.integers(0, levels + 1, (height, width), dtype=np.uint8))
    assert len(places) <= MOST
    for place in places:
        assert all(0 <= x < width and 0 <= y < height for x, y in place.corners)
