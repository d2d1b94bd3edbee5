"""Where in a frame a code may be: places dense with edges in both directions. Pure, about a millisecond."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from device.decode.finding import Luma, Quad

# Side of the squares edges are counted in, pixels: a few modules of a code held near, many of a far one.
_CELL_PX = 16
# The smallest code an engine reads is 21 modules of 1.5 pixels.
_MIN_SIDE_CELLS = 2
# Edges must stand out from the sensor's noise, in grey levels of mean difference between neighbours...
_FLOOR_LEVELS = 2.0
# ...and from the rest of the frame...
_OVER_MEDIAN = 1.6
# ...and be some share of the strongest there are: a code is the busiest thing a person holds up.
_OF_STRONGEST = 0.25
# A picture whose every part is as busy as this is full of something: a code held close, most likely.
_BUSY_ALL_OVER_LEVELS = 5.0
# A code is square: what tilt and a neighbour can make of its box.
_MAX_ASPECT = 4.0
# Margin around what was found, in cells: the quiet zone.
_MARGIN_CELLS = 2


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a frame, in pixels."""

    left: int
    top: int
    right: int
    bottom: int

    def of(self, luma: Luma) -> Luma:
        """That part of the picture, without copying."""
        return luma[self.top : self.bottom, self.left : self.right]

    def outward(self, corners: Quad, scale: float) -> Quad:
        """Corners found in a picture of this region, made `scale` times as large, in pixels of the frame."""
        a, b, c, d = ((x / scale + self.left, y / scale + self.top) for x, y in corners)
        return a, b, c, d


def whole(luma: Luma) -> Region:
    """The frame as one region."""
    height, width = luma.shape
    return Region(0, 0, width, height)


def busy_regions(luma: Luma, most: int) -> tuple[Region, ...]:
    """At most so many places where a code may be, the likeliest first. None in a calm scene."""
    height, width = luma.shape
    if min(height, width) < 2 * _CELL_PX:
        return (whole(luma),)
    # Whole cells only: averaging by a whole number is many times faster.
    cells = ((width - 1) // _CELL_PX, (height - 1) // _CELL_PX)
    right, bottom = cells[0] * _CELL_PX, cells[1] * _CELL_PX
    middle = luma[:bottom, :right]
    across = cv2.absdiff(luma[:bottom, 1 : right + 1], middle)
    down = cv2.absdiff(luma[1 : bottom + 1, :right], middle)
    across, down = (cv2.resize(edges, cells, interpolation=cv2.INTER_AREA) for edges in (across, down))
    edges = cv2.blur(np.minimum(across, down).astype(np.float32), (3, 3))
    usual, strongest = float(np.median(edges)), float(edges.max())
    bar = max(_FLOOR_LEVELS, _OVER_MEDIAN * usual, _OF_STRONGEST * strongest)
    count, _, boxes, _ = cv2.connectedComponentsWithStats((edges >= bar).astype(np.uint8))
    found: list[tuple[float, Region]] = []
    for left, top, wide, high, _area in boxes[1:count].tolist():
        if min(wide, high) < _MIN_SIDE_CELLS or max(wide, high) > _MAX_ASPECT * min(wide, high):
            continue
        strength = float(edges[top : top + high, left : left + wide].sum())
        found.append((strength, _grown(left, top, wide, high, luma)))
    found.sort(key=lambda pair: -pair[0])
    regions = tuple(region for _, region in found[:most])
    return regions if regions or usual < _BUSY_ALL_OVER_LEVELS else (whole(luma),)


def _grown(left: int, top: int, wide: int, high: int, luma: Luma) -> Region:
    height, width = luma.shape
    margin = _MARGIN_CELLS
    return Region(
        left=max(0, (left - margin) * _CELL_PX),
        top=max(0, (top - margin) * _CELL_PX),
        right=min(width, (left + wide + margin + 1) * _CELL_PX),
        bottom=min(height, (top + high + margin + 1) * _CELL_PX),
    )


def around(corners: Quad, luma: Luma) -> Region:
    """The region of a symbol with these corners, with its quiet zone and some more."""
    height, width = luma.shape
    xs, ys = zip(*corners, strict=True)
    margin = 0.25 * max(max(xs) - min(xs), max(ys) - min(ys))
    return Region(
        left=max(0, int(min(xs) - margin)),
        top=max(0, int(min(ys) - margin)),
        right=min(width, int(max(xs) + margin) + 1),
        bottom=min(height, int(max(ys) + margin) + 1),
    )
