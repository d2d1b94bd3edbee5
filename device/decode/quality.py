"""How good a picture is for reading codes, in figures a person can act on. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from device.decode.cause import BURNT, DARK_WHITE, steepest

if TYPE_CHECKING:
    from device.decode.finding import Luma
    from device.model import Corners

MUCH_BURNT: Final = 0.05
"""Of the picture: a lamp or a window looks straight into the camera."""

# Measuring a quarter of the pixels tells the same.
_EVERY: Final = 2


@dataclass(frozen=True, slots=True)
class Exposure:
    """How light the picture is.

    Attributes:
        white: grey level of its lightest parts, 0 to 255, what is burnt out left aside.
        burnt_share: of its pixels that tell nothing any more.
    """

    white: int
    burnt_share: float

    @property
    def too_dark(self) -> bool:
        """Whether noise is likely to be larger than the contrast of print."""
        return self.white < DARK_WHITE

    @property
    def too_light(self) -> bool:
        """Whether a large part is burnt out."""
        return self.burnt_share > MUCH_BURNT


def exposure_of(luma: Luma) -> Exposure:
    """Blocks for a fraction of a millisecond."""
    some = np.ascontiguousarray(luma[::_EVERY, ::_EVERY])
    counts = cv2.calcHist([some], [0], None, [256], [0, 256]).ravel()
    burnt = float(counts[BURNT:].sum())
    rest = counts[:BURNT].cumsum()
    white = int(np.searchsorted(rest, rest[-1] * 0.99)) if rest[-1] else BURNT
    return Exposure(white, burnt / some.size)


def sharpness_of(luma: Luma, corners: Corners) -> float:
    """Of a code in the picture: its steepest step from pixel to pixel as a share of its contrast, 0 to 1.

    Below `cause.SOFT_EDGE` it counts as blurred.
    """
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    crop = luma[max(min(ys), 0) : max(ys) + 1, max(min(xs), 0) : max(xs) + 1]
    if min(crop.shape, default=0) < 2:  # noqa: PLR2004 - a step needs two pixels
        return 0.0
    black, white = (float(level) for level in np.percentile(crop, (5, 95)))
    return min(steepest(crop) / max(white - black, 1.0), 1.0)
