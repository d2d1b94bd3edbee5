"""Tells an unchanged scene from one worth looking at. Pure but for what it remembers.

It compares with the picture of the last look, not with the last frame, so that what changes slowly is
noticed too. Whoever steps before the camera changes some part of the picture by far more than the bar:
their first frame is looked at like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from device.decode.finding import Luma

    _Blocks: TypeAlias = npt.NDArray[np.float32]

# The picture is compared in so many blocks across and down: noise averages out, a hand does not.
_BLOCKS = (40, 22)
# A block has changed when its mean moves by so many grey levels more than the whole picture's.
_CHANGED_LEVELS = 2.0
# So many frames of an unchanged scene are still looked at: the ladder gets to its end meanwhile.
_SETTLING_FRAMES = 12
# After that one in so many: twice a second at 30 frames a second.
_ONE_IN = 15


class MotionGate:
    """Decides which frames are worth looking at. Used from one thread."""

    def __init__(self) -> None:
        self._reference: _Blocks | None = None
        self._unchanged = 0

    def worth_looking(self, plane: Luma) -> bool:
        """Whether this picture must be looked at; one that need not be shows what the last look saw."""
        blocks = cv2.resize(plane, _BLOCKS, interpolation=cv2.INTER_AREA).astype(np.float32)
        if self._reference is None or _differ(blocks, self._reference):
            self._reference = blocks
            self._unchanged = 0
            return True
        self._unchanged += 1
        return self._unchanged <= _SETTLING_FRAMES or self._unchanged % _ONE_IN == 0

    def forget(self) -> None:
        """The next picture is worth looking at, whatever it is."""
        self._reference = None


def _differ(blocks: _Blocks, reference: _Blocks) -> bool:
    change = blocks - reference
    # A lamp's flicker or the camera's gain moves all blocks alike: that is no motion.
    return bool(np.abs(change - np.median(change)).max() > _CHANGED_LEVELS)
