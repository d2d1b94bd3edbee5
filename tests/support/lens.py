"""A camera with a lens: what it shows depends on the focus it was asked for, some frames ago."""

from __future__ import annotations

import math
from collections import deque
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from device.model import Controls, Frame
from tests.support.codes import Held, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.clock import ManualClock
    from tests.support.codes import Luma

WIDTH, HEIGHT = 640, 360
PERIOD_S = 1 / 30

BLUR_PX_A_DIOPTRE = 2.6
"""Camera Module 3 at 1280 pixels across 66 degrees: 4.74 mm, f/1.8."""

LATE_FRAMES = 5
"""From asking to the first frame that shows it, as on a busy Pi."""


def out_of_focus(luma: Luma, diameter_px: float) -> Luma:
    """What a round aperture makes of a point, for every point: a disc of this diameter, at least a pixel."""
    size = math.ceil(diameter_px) + 3
    fine = 8  # times finer than pixels: the disc's edge is smooth
    axis = (np.arange(size * fine) + 0.5) / fine - size / 2
    inside = (axis[:, None] ** 2 + axis[None, :] ** 2 <= (max(diameter_px, 1.0) / 2) ** 2).astype(np.float32)
    disc = inside.reshape(size, fine, size, fine).mean((1, 3))
    blurred: Luma = cv2.filter2D(luma, -1, disc / disc.sum())
    return blurred


@cache
def card_at(text: str, module_px: float, blur_px: float) -> Luma:
    """A card in the hand, so far out of focus."""
    sharp = shown(text, Held(module_px=module_px, turn_deg=7), width=WIDTH, height=HEIGHT)
    return out_of_focus(sharp, blur_px)


class Lens:
    """A `FrameSource` on a scene in which one card is held up, with a hand's shake and a sensor's noise.

    Args:
        clock: advances with every frame.
        focus_dioptres: as configured.
        before_frame: called before each frame is taken.
    """

    name = "camera 0"

    def __init__(
        self, *, clock: ManualClock, focus_dioptres: float, before_frame: Callable[[], None]
    ) -> None:
        self._clock = clock
        self._configured = focus_dioptres
        self._before_frame = before_frame
        self._on_the_way: deque[float] = deque([focus_dioptres] * LATE_FRAMES)
        self._asked = focus_dioptres
        self._random = np.random.default_rng(7)
        self.sequence = 0
        self.card: tuple[str, float, float] | None = None
        self.asked: list[Controls] = []

    def hold(self, text: str, *, dioptres: float, module_px: float) -> None:
        """Holds a card up at this distance (1/metre)."""
        self.card = (text, dioptres, module_px)

    def open(self) -> None:
        self._asked = self._configured

    def close(self) -> None:
        pass

    def steer(self, controls: Controls) -> bool:
        self.asked.append(controls)
        focus = controls.focus_dioptres
        self._asked = self._configured if focus is None else focus
        return True

    def read(self, timeout_s: float) -> Frame | None:
        self._before_frame()
        self._on_the_way.append(self._asked)
        focus = self._on_the_way.popleft()
        self._clock.advance(PERIOD_S)
        self.sequence += 1
        return Frame(self._picture(focus), self.sequence, self._clock.monotonic())

    def _picture(self, focus: float) -> Luma:
        if self.card is None:
            luma = np.full((HEIGHT, WIDTH), 110, np.uint8)
        else:
            text, dioptres, module_px = self.card
            luma = card_at(text, module_px, BLUR_PX_A_DIOPTRE * abs(dioptres - focus))
        shaken = np.roll(luma, tuple(self._random.integers(-6, 7, 2)), axis=(0, 1))
        noise = self._random.normal(0, 3, luma.shape)
        return np.clip(shaken + noise + 0.5, 0, 255).astype(np.uint8)
