from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.decode.finders import eyes
from device.decode.ladder import Ladder
from device.decode.located import Located
from device.decode.regions import around
from device.decode.steps import first_step, further_steps
from device.decode.zxing import Zxing
from tests.support.clock import ManualClock
from tests.support.codes import Held, code, empty, scene

if TYPE_CHECKING:
    from device.decode.finding import Luma

CARD = "046090123456|191234567|Trần Văn Mẫu|05061990|Nam|Tổ 3, Phường Thử Nghiệm, Thành phố Ví Dụ|12072021"


def _in_the_dark(held: Held, *, border: int = 0) -> Luma:
    """A code without a margin on something as dark as its own modules."""
    frame = scene((code(CARD, border=border), (640, 360), held), background=0)
    return np.maximum(frame, 12)


def test_the_eyes_of_a_plain_symbol_are_where_they_are() -> None:
    symbol = code(CARD, scale=4, border=4)
    side = symbol.shape[0]
    near, far = 4 * (4 + 3.5), side - 4 * (4 + 3.5)
    found = eyes(symbol)
    assert (found.sure[:3] == 1).all()
    expected = np.array([(near, near), (far, near), (near, far)], np.float32)
    for middle in expected:
        assert np.abs(found.middles[:3] - middle).max(axis=1).min() < 1


@pytest.mark.parametrize("turn_deg", [0, 17, 45, 100, 200, 290])
def test_a_code_in_a_dark_surround_without_a_margin_is_located(turn_deg: float) -> None:
    frame = _in_the_dark(Held(turn_deg=turn_deg))
    assert Zxing().read(frame) == ()
    (finding,) = Located().read(frame)
    assert finding.content is None
    assert finding.side == 45
    drawn = code(CARD, scale=1, border=0) == 0
    assert finding.grid is not None
    assert float((finding.grid == drawn).mean()) > 0.99


@pytest.mark.parametrize("tilt_deg", [0, 25, 45])
def test_a_code_in_a_dark_surround_is_read(tilt_deg: float) -> None:
    engines = ("zxing", "zbar")
    ladder = Ladder(
        first=first_step(engines), further=further_steps(engines), reader=Zxing(), clock=ManualClock()
    )
    frame = _in_the_dark(Held(turn_deg=10, tilt_deg=tilt_deg, noise=2))
    (symbol,) = ladder.look(frame, budget_ms=1000).symbols
    assert symbol.content == CARD.encode()
    assert symbol.engine == "repaired"


def test_the_corners_of_what_is_located_surround_the_symbol() -> None:
    frame = _in_the_dark(Held(turn_deg=30))
    (finding,) = Located().read(frame)
    region = around(finding.corners, frame)
    assert abs((region.left + region.right) / 2 - 640) < 4
    assert abs((region.top + region.bottom) / 2 - 360) < 4


def test_nothing_is_located_where_there_is_none() -> None:
    assert Located().read(empty()) == ()
    texture = np.random.default_rng(1).integers(0, 2, (90, 160), dtype=np.uint8) * 200
    large = cv2.resize(texture, None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    assert all(finding.hint for finding in Located().read(np.asarray(large, np.uint8)))


@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 2**32 - 1), st.sampled_from([2, 4, 256]))
def test_any_picture_is_looked_at_without_complaint(wide: int, high: int, seed: int, levels: int) -> None:
    picture = np.random.default_rng(seed).integers(0, levels, (high, wide)) * (255 // (levels - 1))
    for finding in Located().read(picture.astype(np.uint8)):
        assert finding.content is None


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_picture_has_no_eyes(level: int) -> None:
    assert len(eyes(np.full((120, 160), level, np.uint8))) == 0


def test_a_wall_full_of_eyes_costs_no_more_than_the_likeliest() -> None:
    ring = np.pad(np.pad(np.zeros((12, 12), np.uint8), 4, constant_values=255), 4)
    wall = np.tile(np.pad(ring, 4, constant_values=255), (16, 24))
    assert len(eyes(wall)) <= 12
    assert len(Located().read(wall)) <= 3
