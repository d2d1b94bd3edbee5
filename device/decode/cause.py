"""Why a code that is in view was not read: measured in the picture, so that a missing scan is explainable.

Pure. The causes are tried in the order in which a person can do something about them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from device.model import Cause
from device.scenery import side_of

if TYPE_CHECKING:
    from device.decode.finding import Luma
    from device.model import Corners

EDGE_PX = 2
"""A corner this near to the frame's edge belongs to a code that goes on outside."""

SMALLEST_MODULE_PX = 2.0
"""Below this no engine reads one frame (measured on rendered frames)."""

TYPICAL_SIDE = 41
"""Modules of an ID card's code; what is assumed while the version is unknown."""

DARK_WHITE = 100
"""Grey level of the paper below which noise is larger than the print's contrast."""

BURNT = 250
"""Grey level from which the sensor tells nothing any more."""

GLARE_SHARE = 0.03
"""Of the symbol burnt out in one piece, where error correction begins to fail."""

GLARE_MODULES = 4
"""A burnt piece wider than this many modules is a reflection, not white paper."""

SOFT_EDGE = 0.28
"""Steepest step from pixel to pixel, as a share of the contrast: below it edges are 4 pixels wide or more."""

SOFT_MODULES = 0.7
"""And so many modules: large ones bear wide edges (photographs: damaged up to 0.6, blurred from 0.95)."""


def cause_of(luma: Luma, corners: Corners, side: int | None = None) -> Cause:
    """The most useful explanation. Blocks for a fraction of a millisecond.

    Args:
        luma: the frame.
        corners: of the unread code.
        side: its modules a side, where that much was made out.
    """
    height, width = luma.shape
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    left, right, top, bottom = min(xs), max(xs) + 1, min(ys), max(ys) + 1
    if left < EDGE_PX or top < EDGE_PX or right > width - EDGE_PX or bottom > height - EDGE_PX:
        return Cause.CUT_OFF
    crop = luma[top:bottom, left:right]
    black, white = (float(level) for level in np.percentile(crop, (5, 95)))
    if white < DARK_WHITE:
        return Cause.DARK
    module_px = side_of(corners) / (side or TYPICAL_SIDE)
    if module_px < SMALLEST_MODULE_PX:
        return Cause.TOO_SMALL
    if _glares(crop, module_px):
        return Cause.GLARE
    edge = steepest(crop) / max(white - black, 1.0)
    if edge < min(SOFT_EDGE, 1 / (SOFT_MODULES * module_px)):
        return Cause.BLURRED
    return Cause.DAMAGED


def _glares(crop: Luma, module_px: float) -> bool:
    """Whether a piece too wide to be print or margin is burnt out, beside paper that is not."""
    burnt = (crop >= BURNT).astype(np.uint8)
    wide = max(3, round(GLARE_MODULES * module_px))
    pieces = cv2.erode(burnt, np.ones((wide, wide), np.uint8))
    core = int(np.count_nonzero(pieces))
    return core > 0 and int(np.count_nonzero(burnt)) / burnt.size > GLARE_SHARE


def steepest(crop: Luma) -> float:
    """A robust maximum of the step between neighbouring pixels, in the direction in which it is least.

    A moving hand smears one direction and leaves the other sharp.
    """
    grey = crop.astype(np.int16)
    across = (
        np.diff(grey, axis=0),
        np.diff(grey, axis=1),
        grey[1:, 1:] - grey[:-1, :-1],
        grey[1:, :-1] - grey[:-1, 1:],
    )
    return min(float(np.percentile(np.abs(steps), 98)) for steps in across)
