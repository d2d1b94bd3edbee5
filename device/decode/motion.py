"""Tells an unchanged scene from one worth looking at. Pure but for what it remembers.

It compares with the picture of the last look, not with the last frame, so that what changes slowly is
noticed too. Whoever steps before the camera changes some part of the picture by far more than the bar:
their first frame is looked at like any other.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from device.decode.finding import Luma

    _Blocks: TypeAlias = npt.NDArray[np.float32]

# The picture is compared in so many blocks across and down: noise averages out, a hand does not. Both
# divide the usual sizes (1280x720, 640x480, 320x240): averaging by a whole number is many times faster.
_BLOCKS = (40, 24)
# Rows of a block that are averaged, at least: noise of 4 grey levels becomes 0.3, and most of a large picture
# need not be fetched from memory.
_ROWS_A_BLOCK = 5
# A block has changed when its mean moves by so many grey levels more than the whole picture's.
_CHANGED_LEVELS = 2.0
# So many frames of an unchanged scene are still climbed for: the ladder gets to its end meanwhile.
_CLIMBED_FRAMES = 4
# Where something is seen and not read the ladder goes on: no hand holds still for as long as this, some 5 s,
# and every step has had its turn several times. What is left is a poster too far away.
_CLIMBED_FRAMES_UNREAD = 150
# After that a glance at one in so many: six a second at 30 frames a second.
_GLANCE_ONE_IN = 5


class Effort(Enum):
    """What a frame is worth."""

    NONE = auto()  # it shows what the last look saw
    GLANCE = auto()  # the cheapest look
    CLIMB = auto()  # whatever the budget allows


class MotionGate:
    """Decides how much each frame is worth. Used from one thread."""

    def __init__(self) -> None:
        self._reference: _Blocks | None = None
        self._unchanged = 0

    def effort(self, plane: Luma, *, unread: bool = False) -> Effort:
        """What this picture is worth, after a look that has, or has not, left something unread."""
        blocks = _blocks(plane)
        if self._reference is None or _differ(blocks, self._reference):
            self._reference = blocks
            self._unchanged = 0
            return Effort.CLIMB
        self._unchanged += 1
        if self._unchanged < (_CLIMBED_FRAMES_UNREAD if unread else _CLIMBED_FRAMES):
            return Effort.CLIMB
        return Effort.NONE if self._unchanged % _GLANCE_ONE_IN else Effort.GLANCE

    def forget(self) -> None:
        """The next picture is worth climbing for, whatever it is."""
        self._reference = None


def _blocks(plane: Luma) -> _Blocks:
    """Mean brightness of each block, from some of its rows."""
    rows = plane.shape[0] // _BLOCKS[1]
    # A divisor of a block's rows: each block is a whole number of rows then too.
    stride = next((s for s in range(rows // _ROWS_A_BLOCK, 1, -1) if rows % s == 0), 1)
    means = cv2.resize(plane[::stride], _BLOCKS, interpolation=cv2.INTER_AREA)
    return np.asarray(means, np.float32)


def _differ(blocks: _Blocks, reference: _Blocks) -> bool:
    change = blocks - reference
    # A lamp's flicker or the camera's gain moves all blocks alike: that is no motion.
    return bool(np.abs(change - np.median(change)).max() > _CHANGED_LEVELS)
