from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from device.decode.finding import Finding, Quad
from device.decode.ladder import Ladder
from device.decode.picture import look_at
from device.decode.steps import Step
from device.decode.zxing import Zxing
from device.model import Cause
from tests.support.clock import ManualClock
from tests.support.codes import empty, shown

if TYPE_CHECKING:
    from device.decode.finding import Luma

SMALL = empty(width=640, height=360)


@dataclass
class Sees:
    """An engine that sees the same in every picture, as shares of it, and reads it in the Nth or never."""

    quads: tuple[Quad, ...] = ()
    reads_in: int = 0
    asked: int = 0
    name: str = "sees"

    def read(self, luma: Luma) -> tuple[Finding, ...]:
        self.asked += 1
        height, width = luma.shape
        content = b"gate" if self.asked == self.reads_in else None
        found = []
        for quad in self.quads:
            a, b, c, d = ((x * width, y * height) for x, y in quad)
            found.append(Finding((a, b, c, d), content))
        return tuple(found)


def _ladder(engine: Sees) -> Ladder:
    step = Step("sees", lambda luma: luma, engine, doubtful=False)
    return Ladder(first=step, further=(), reader=Zxing(), clock=ManualClock())


def _square(left: float, top: float, side: float = 0.2) -> Quad:
    return (left, top), (left + side, top), (left + side, top + side), (left, top + side)


@pytest.mark.parametrize("frames", [1, 7])
def test_a_picture_without_a_code_is_held_up_to_the_end(frames: int) -> None:
    engine = Sees()
    look_at(SMALL, _ladder(engine), frames=frames, budget_ms=10)
    assert engine.asked == frames


def test_a_picture_is_taken_down_when_it_is_read() -> None:
    engine = Sees((_square(0.1, 0.1),), reads_in=3)
    look = look_at(SMALL, _ladder(engine), frames=7, budget_ms=10)
    assert [symbol.content for symbol in look.symbols] == [b"gate"]
    assert engine.asked == 3


def test_what_several_steps_saw_in_one_place_is_one_code_with_one_cause() -> None:
    quads = (_square(0.1, 0.1), _square(0.12, 0.1), _square(0.6, 0.5))
    look = look_at(SMALL, _ladder(Sees(quads)), frames=1, budget_ms=10)
    assert len(look.unread) == len(look.causes) == 2


def test_a_large_picture_is_looked_at_as_a_frame_and_then_in_full() -> None:
    engine = Sees((_square(0.25, 0.25),), reads_in=2)
    look = look_at(np.zeros((2160, 3840), np.uint8), _ladder(engine), frames=1, budget_ms=10)
    assert engine.asked == 2
    assert look.symbols[0].corners[0] == (960, 540)


def test_why_a_code_in_a_large_picture_is_not_read_is_told_of_the_frame_a_gate_sees() -> None:
    large = np.kron(shown("gate"), np.ones((3, 3), np.uint8))
    look = look_at(large, _ladder(Sees((_square(0.45, 0.45, 0.05),))), frames=1, budget_ms=10)
    # 64 pixels of a frame are 1.6 for each of 41 modules; in full they would be three times as many.
    assert look.causes == (Cause.TOO_SMALL,)
    assert look.unread[0][0] == pytest.approx((0.45 * 3840, 0.45 * 2160), abs=2)
