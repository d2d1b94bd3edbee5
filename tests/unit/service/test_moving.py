from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from device.errors import GateError
from device.service.moving import moving
from device.service.passes import EACH_CODE_MS, draw_moving
from tests.support.codes import code

TEXTS = ["FIRST" * 20, "SECOND" * 20, "THIRD"]


def test_several_codes_are_shown_one_after_another_in_one_picture(tmp_path: Path) -> None:
    path = tmp_path / "card.png"
    assert "3 codes in turn" in draw_moving(TEXTS, path)
    good, animation = cv2.imreadanimation(str(path))
    assert good
    assert [int(ms) for ms in animation.durations] == [EACH_CODE_MS] * 3
    reader = cv2.QRCodeDetector()
    assert [reader.detectAndDecode(frame)[0] for frame in animation.frames] == TEXTS


def test_pictures_of_several_sizes_do_not_move() -> None:
    pictures = [cv2.imencode(".png", code(text))[1].tobytes() for text in ("A", "A" * 200)]
    with pytest.raises(ValueError, match="one size"):
        moving(pictures, each_ms=100)


def test_a_moving_picture_is_a_png_and_is_written_where_it_may(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="png"):
        draw_moving(TEXTS, tmp_path / "card.svg")
    with pytest.raises(GateError, match="No such"):
        draw_moving(TEXTS, tmp_path / "absent" / "card.png")
