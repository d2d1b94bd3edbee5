"""Places that may hold a code too blurred for any engine to see that it is one. Pure, some milliseconds.

An engine finds a code by its three finder patterns; out of focus by more than about two modules these melt
into the rest. What is left is a square patch of strong contrast without a sharp edge in it. Many a thing
looks like that: good enough to try another focus, too little to tell a person anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from device.decode.cause import cause_of
from device.decode.regions import Region, busy_regions
from device.model import Cause, Unread

if TYPE_CHECKING:
    from device.decode.finding import Luma
    from device.model import Corners

MOST = 2
"""Places examined in a frame: each costs as much as two or three quick looks at the whole."""

CONTRAST = 60
"""Grey levels between the ink and the paper of a blurred code: less is a shadow or a crease."""

MAX_ASPECT = 4 / 3
"""A code is square, a line of text and a face are not."""

# Of a busy region of usual size, at each side.
_MARGIN_SHARE = 1 / 8
# Every second pixel tells the contrast as well.
_STRIDE = 2


def blurred_places(luma: Luma) -> tuple[Unread, ...]:
    """Where a blurred code may be, the likeliest first."""
    inner = (_inner(region) for region in busy_regions(luma, MOST) if _square(region))
    corners = (_corners(region) for region in inner if _contrast(region.of(luma)) >= CONTRAST)
    return tuple(Unread(c, Cause.BLURRED) for c in corners if cause_of(luma, c) is Cause.BLURRED)


def _square(region: Region) -> bool:
    wide, high = region.right - region.left, region.bottom - region.top
    return max(wide, high) <= MAX_ASPECT * min(wide, high)


def _inner(region: Region) -> Region:
    """Without most of the margin: less to measure, and what is measured is the code."""
    across = int((region.right - region.left) * _MARGIN_SHARE)
    down = int((region.bottom - region.top) * _MARGIN_SHARE)
    return Region(region.left + across, region.top + down, region.right - across, region.bottom - down)


def _contrast(crop: Luma) -> float:
    black, white = np.percentile(crop[::_STRIDE, ::_STRIDE], (5, 95))
    return float(white - black)


def _corners(region: Region) -> Corners:
    left, top, right, bottom = region.left, region.top, region.right - 1, region.bottom - 1
    return (left, top), (right, top), (right, bottom), (left, bottom)
