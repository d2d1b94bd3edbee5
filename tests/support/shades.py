"""Pictures of symbols spoilt as an engine cannot bear, with the truth beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from tests.support.grids import grid_of

if TYPE_CHECKING:
    from device.decode.finding import Luma, Quad
    from device.decode.structure import Grid


def smeared(
    content: bytes, *, smear_px: int, module_px: int = 4, error: str = "m"
) -> tuple[Luma, Quad, Grid]:
    """A symbol smeared sideways by a shaking hand, its corners, and its true modules."""
    grid = grid_of(content)
    margin = 8 * module_px
    light = np.where(grid, 30, 210).astype(np.uint8)
    luma = np.pad(np.kron(light, np.ones((module_px, module_px), np.uint8)), margin, constant_values=210)
    kernel = np.full((1, smear_px), 1 / smear_px, np.float32)
    last = margin + grid.shape[0] * module_px
    corners = ((margin, margin), (last, margin), (last, last), (margin, last))
    return np.asarray(cv2.filter2D(luma, -1, kernel), np.uint8), corners, grid


def sampled(luma: Luma, corners: Quad, side: int) -> Grid:
    """The modules as an engine takes them: dark where the middle is darker than the mean."""
    left, top = corners[0]
    step = (corners[1][0] - left) / side
    middles = (np.arange(side) + 0.5) * step
    values = luma[np.ix_((top + middles).astype(int), (left + middles).astype(int))]
    dark: Grid = values < values.mean()
    return dark
