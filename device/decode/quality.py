"""How good a picture is for reading codes, in figures a person can act on. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from device.decode.cause import BURNT, DARK_WHITE, steepest

if TYPE_CHECKING:
    import numpy.typing as npt

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


# A code upright and as large as this is looked at to count its modules.
_UPRIGHT_PX: Final = 400
# Of the upright code: above it the finder patterns' outer ring is met in every version up to 20.
_RING_PX: Final = 2
# A finder pattern is seven modules wide.
_FINDER: Final = 7
_SIDES: Final = range(21, 181, 4)


def modules_of(luma: Luma, corners: Corners) -> int:
    """How many modules a side a code has, by the width of its finder patterns; 21 to 177.

    An estimate: a version off by one, for a code that is blurred or bent.
    """
    here = np.asarray(corners, np.float32)
    edge = float(_UPRIGHT_PX - 1)
    upright = np.asarray([(0, 0), (edge, 0), (edge, edge), (0, edge)], np.float32)
    flat = cv2.warpPerspective(luma, cv2.getPerspectiveTransform(here, upright), (_UPRIGHT_PX, _UPRIGHT_PX))
    middle = (int(flat.max()) + int(flat.min())) / 2
    # Top edge from either end, left edge from either end: the ring's dark side, seven modules long.
    lines = (flat[_RING_PX], flat[_RING_PX, ::-1], flat[:, _RING_PX], flat[::-1, _RING_PX])
    widths = sorted(_first_run(line < middle) for line in lines)
    width = (widths[1] + widths[2]) / 2
    estimate = _FINDER * _UPRIGHT_PX / max(width, 1.0)
    return min(_SIDES, key=lambda side: abs(side - estimate))


def _first_run(dark: npt.NDArray[np.bool_]) -> int:
    """How long the dark lasts from where it begins."""
    begin = int(np.argmax(dark))
    light = ~dark[begin:]
    return int(np.argmax(light)) if light.any() else dark.size - begin


def detail_of(luma: Luma) -> float:
    """How much fine detail a picture has, 0 to 1: what is in focus has more. Only good for comparing."""
    some = cv2.GaussianBlur(luma, (3, 3), 0)
    return min(float(cv2.Laplacian(some, cv2.CV_32F).std()) / 255, 1.0)


def jpeg_of(luma: Luma, width_px: int) -> bytes:
    """The picture as a JPEG for a screen, no wider than told."""
    height, width = luma.shape
    if width > width_px:
        size = (width_px, max(round(height * width_px / width), 1))
        luma = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)
    _, file = cv2.imencode(".jpg", luma, [cv2.IMWRITE_JPEG_QUALITY, 70])
    return bytes(file)
