from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from device.landmark import LandmarkDecoder
from device.model import Corners, Frame, Symbol
from tests.support.clock import ManualClock

CORNERS: Corners = ((0, 0), (9, 0), (9, 9), (0, 9))
FRAME = Frame(np.zeros((4, 4), np.uint8), 1, 0.0)


@dataclass
class Scene:
    symbols: tuple[Symbol, ...] = ()
    unread: tuple[Corners, ...] = (CORNERS,)
    behind_s: float = 0.0

    def look(self, frame: Frame) -> Scene:
        del frame
        return self


def symbol(content: bytes) -> Symbol:
    return Symbol(content, "QRCode", "zxing", CORNERS)


def test_the_fixed_code_is_nobodys_and_others_are_passed_on() -> None:
    person = symbol(b"anna")
    decoder = LandmarkDecoder(decoder=Scene((symbol(b"mark"), person)), content=b"mark", clock=ManualClock())
    look = decoder.look(FRAME)
    assert look.symbols == (person,)
    assert look.unread == (CORNERS,)


def test_a_covered_camera_is_known_by_the_time_since_the_fixed_code_was_read() -> None:
    clock, scene = ManualClock(), Scene((symbol(b"mark"),))
    decoder = LandmarkDecoder(decoder=scene, content=b"mark", clock=clock)
    clock.advance(100)
    decoder.look(FRAME)
    assert decoder.unseen_s() == 0
    scene.symbols = (symbol(b"anna"),)
    clock.advance(3600)
    decoder.look(FRAME)
    assert decoder.unseen_s() == 3600
