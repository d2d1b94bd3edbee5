"""What every engine must do, on the real libraries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.decode.steps import Engine
from device.decode.zbar import Zbar
from device.decode.zxing import Binariser, Zxing
from tests.support.codes import Held, code, empty, micro_code, scene, shown, structured_append

CARD = "046090123456|191234567|Trần Văn Mẫu|05061990|Nam|Tổ 3, Phường Thử Nghiệm, Thành phố Ví Dụ|12072021"

ENGINES: dict[str, Engine] = {
    "zxing": Zxing(),
    "zxing global": Zxing(binariser=Binariser.GLOBAL),
    "zbar": Zbar(),
}


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> Engine:
    name: str = request.param
    return ENGINES[name]


def _contents(engine: Engine, luma: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> list[bytes]:
    return [f.content for f in engine.read(luma) if f.content is not None]


def test_vietnamese_text_comes_through_byte_for_byte(engine: Engine) -> None:
    assert _contents(engine, shown(CARD)) == [CARD.encode()]


def test_bytes_that_are_no_text_come_through(engine: Engine) -> None:
    content = bytes(range(256))
    assert _contents(engine, code(content, error="l")) == [content]


@given(content=st.binary(min_size=1, max_size=80))
@settings(max_examples=25)
@pytest.mark.parametrize("name", sorted(ENGINES))
def test_any_bytes_come_through(name: str, content: bytes) -> None:
    assert _contents(ENGINES[name], code(content)) == [content]


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_corners_follow_the_turn_of_the_symbol(engine: Engine, turn: int) -> None:
    frame = shown(CARD, Held(turn_deg=turn))
    (finding,) = [f for f in engine.read(frame) if f.content is not None]
    centre = np.array([640.0, 360.0])
    angle = np.radians(turn - 135)
    towards = np.array([np.cos(angle), np.sin(angle)])
    offset = np.array(finding.corners[0]) - centre
    assert offset @ towards / np.linalg.norm(offset) > 0.99


def test_two_codes_in_one_frame_are_both_read(engine: Engine) -> None:
    frame = scene((code("left"), (340, 360), Held()), (code("right"), (940, 360), Held()))
    assert sorted(_contents(engine, frame)) == [b"left", b"right"]


def test_a_part_of_a_text_spread_over_symbols_is_not_taken_for_a_code(engine: Engine) -> None:
    parts = structured_append("a text too long for one small symbol " * 4, 3)
    for part in parts:
        assert _contents(engine, part) == []
    assert _contents(engine, np.hstack(parts)) == []


def test_a_micro_code_is_not_taken_for_a_code(engine: Engine) -> None:
    assert _contents(engine, micro_code("12345")) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 2000), (2000, 1), (3, 3)])
def test_pictures_of_odd_shapes_hold_nothing(engine: Engine, shape: tuple[int, int]) -> None:
    assert _contents(engine, np.zeros(shape, np.uint8)) == []


def test_an_empty_scene_holds_nothing(engine: Engine) -> None:
    assert _contents(engine, empty()) == []


def test_light_on_dark_is_read_by_zxing() -> None:
    assert _contents(Zxing(), shown(CARD, Held(inverted=True))) == [CARD.encode()]


def test_zxing_tells_of_a_code_it_cannot_read() -> None:
    symbol = code(CARD)
    symbol[60:150, 90:160] = 0
    (finding,) = Zxing().read(symbol)
    assert finding.content is None


def test_a_spoilt_part_of_a_text_spread_over_symbols_is_still_refused() -> None:
    part = structured_append("a text too long for one small symbol " * 4, 3)[0]
    side = part.shape[0]
    part[side - 24 : side - 16, side - 24 : side - 16] ^= 255  # the four modules that say what it is
    assert _contents(Zxing(), part) == []
