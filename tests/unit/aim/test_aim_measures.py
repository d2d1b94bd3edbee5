from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.aim.measures import Advice, Measures, measure
from device.aim.sight import SeenCode, Sight
from device.aim.sweep import EXPOSURES_US, FOCUS_DIOPTRES, Best, Setting, Sweep
from device.decode.finding import Luma
from device.decode.quality import exposure_of, jpeg_of, modules_of, sharpness_of
from device.model import Cause, Controls, Corners
from tests.support.codes import code, empty

MARGIN = 4


def on_wall(
    content: str, scale: int, *, blur_px: float = 0.0, size: tuple[int, int] = (720, 1280)
) -> tuple[Luma, Corners, int]:
    """A frame with an upright code, its corners and its modules a side."""
    symbol = code(content, scale=scale)
    frame = np.full(size, 120, np.uint8)
    side = symbol.shape[0]
    frame[60 : 60 + side, 100 : 100 + side] = symbol
    if blur_px:
        frame = np.asarray(cv2.GaussianBlur(frame, (0, 0), blur_px), np.uint8)
    first, last = MARGIN * scale, side - MARGIN * scale - 1
    left, top, right, bottom = 100 + first, 60 + first, 100 + last, 60 + last
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return frame, corners, side // scale - 2 * MARGIN


def sight_of(frame: Luma, *codes: SeenCode) -> Sight:
    return Sight(frame, 1, 0.0, codes, steerable=True)


def read_at(corners: Corners) -> SeenCode:
    return SeenCode(corners, "vn.cccd", "granted", "ok")


@given(st.integers(1, 300), st.integers(2, 6))
def test_the_modules_of_an_upright_code_are_counted(length: int, scale: int) -> None:
    frame, corners, side = on_wall("A1B2C3" * (length // 6) + "x" * (length % 6), scale)
    assert abs(modules_of(frame, corners) - side) <= max(4, side // 10)


@given(st.lists(st.tuples(st.integers(-50, 1400), st.integers(-50, 800)), min_size=4, max_size=4))
def test_whatever_the_corners_are_measuring_gives_figures(points: list[tuple[int, int]]) -> None:
    a, b, c, d = points
    frame = empty()
    assert 21 <= modules_of(frame, (a, b, c, d)) <= 177
    assert 0 <= sharpness_of(frame, (a, b, c, d)) <= 1


def test_a_black_a_white_and_a_usual_picture_are_told_apart() -> None:
    black, white = np.zeros((90, 160), np.uint8), np.full((90, 160), 255, np.uint8)
    assert exposure_of(black).too_dark
    assert exposure_of(white).too_light
    assert not exposure_of(empty()).too_dark
    assert not exposure_of(empty()).too_light


def test_a_code_that_is_read_large_and_sharp_is_good() -> None:
    frame, corners, _ = on_wall("hello", 6)
    assert measure(sight_of(frame, read_at(corners))).advice == (Advice.GOOD,)


def test_nothing_in_view_asks_for_a_code() -> None:
    assert measure(sight_of(empty())).advice == (Advice.HOLD_UP,)


def test_a_small_code_asks_for_less_distance() -> None:
    frame, corners, _ = on_wall("A" * 100, 1)
    assert measure(sight_of(frame, read_at(corners))).advice[0] is Advice.CLOSER


def test_a_blurred_code_asks_for_focus_even_while_it_is_read() -> None:
    frame, corners, _ = on_wall("hello", 8, blur_px=5)
    assert Advice.FOCUS in measure(sight_of(frame, read_at(corners))).advice


@pytest.mark.parametrize("cause", sorted(Cause))
def test_every_cause_of_not_reading_has_an_advice(cause: Cause) -> None:
    frame, corners, _ = on_wall("hello", 6)
    advice = measure(sight_of(frame, SeenCode(corners, "", "", cause.value))).advice
    assert advice
    assert advice[0] is not Advice.GOOD


def test_of_several_codes_the_largest_is_measured() -> None:
    frame, corners, _ = on_wall("hello", 6)
    small: Corners = ((0, 0), (20, 0), (20, 20), (0, 20))
    found = measure(sight_of(frame, replace(read_at(small), kind=""), read_at(corners)))
    assert found.read
    assert found.side_px > 100


def test_a_picture_for_the_page_is_no_wider_than_asked() -> None:
    small = cv2.imdecode(np.frombuffer(jpeg_of(empty(), 320), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert small is not None
    assert small.shape == (180, 320)


# -- sweep ------------------------------------------------------------------------------------------


@cache
def off_by(off: float) -> tuple[Sight, Measures]:
    """What a setting shows that is so far from the best one."""
    frame, corners, _ = on_wall("hello", 6, blur_px=0.5 + min(off, 4), size=(260, 300))
    seen = sight_of(frame, read_at(corners) if off < 1 else SeenCode(corners, "", "", "blurred"))
    return seen, measure(seen)


def swept(setting: Setting, best: float, *, late: int = 5) -> tuple[Best, int]:
    """A camera whose picture gets better towards `best`, and shows a change so many sights late."""
    sweep, sights = Sweep(setting), 0
    first = sweep.begin()
    asked: list[Controls] = [first] * (late + 1)
    while True:
        now = asked[max(len(asked) - 1 - late, 0)]
        value = now.focus_dioptres if setting is Setting.FOCUS else now.exposure_us
        assert value is not None
        off = abs(value - best) if setting is Setting.FOCUS else abs(value - best) / 1000
        answer = sweep.take(*off_by(off))
        sights += 1
        if isinstance(answer, Best):
            return answer, sights
        asked.append(answer or asked[-1])


@pytest.mark.parametrize("best", [0.0, 2.5, 5.5, 12.0])
def test_the_sharpest_focus_is_found_though_the_lens_is_late(best: float) -> None:
    assert swept(Setting.FOCUS, best)[0] == Best(Setting.FOCUS, best, read=True)


def test_of_exposures_that_read_none_is_longer_than_needed() -> None:
    found, _ = swept(Setting.EXPOSURE, 3000)
    assert found.read
    assert found.value <= 5000


@pytest.mark.parametrize(
    ("setting", "values"), [(Setting.FOCUS, FOCUS_DIOPTRES), (Setting.EXPOSURE, EXPOSURES_US)]
)
def test_a_sweep_ends(setting: Setting, values: tuple[float, ...]) -> None:
    _, sights = swept(setting, values[0])
    assert sights <= len(values) * 12


def test_the_result_of_a_sweep_is_what_the_camera_is_left_with() -> None:
    sweep = Sweep(Setting.FOCUS)
    assert sweep.controls_for(Best(Setting.FOCUS, 5.5, read=True)) == Controls(focus_dioptres=5.5)
