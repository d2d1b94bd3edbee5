"""The three square eyes of a QR code, found one by one. Pure.

The engines ask for the whole eye: dark, light, dark, light, dark as 1:1:3:1:1. Where the quiet zone is
missing and the surround is dark or busy, the outermost ring melts into it. What is always there is the
light ring with the dark square inside: that is looked for, across, down and along rays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from device.decode.finding import Luma

    _Ints: TypeAlias = npt.NDArray[np.intp]
    _Floats: TypeAlias = npt.NDArray[np.float32]

RAYS = 16
"""Directions an eye is measured in, evenly around, the first to the right, then clockwise."""

# Dark is what is darker than its surroundings of so many pixels: ten modules of a code at arm's length...
_WINDOW_PX = 41
# ...by so many grey levels: less is noise.
_DARKER_LEVELS = 4
# Of larger regions only every second row and column is read: an eye has at least four.
_EVERY_ROW_UP_TO_PIXELS = 250_000
# How far the runs may be from 1:3:1, in modules, beside the pixel a run may be longer or shorter.
_LIGHT_OFF = 0.55
_DARK_OFF = 0.9
# Modules of dark there must be on either side of the light ring.
_RIM = 0.45
# A module of an eye seen from the side is so many times as wide as high, at most.
_ASPECT = 3.5
# Crossings fewer pixels apart belong to one eye.
_CELL_PX = 4
# Cells looked at: bounds what a texture can cost.
_MOST_CELLS = 300
# Crossings examined along rays, and eyes told of; the more rays agree, the earlier.
_MOST_PROBED = 60
_MOST_EYES = 12
# Share of the rays that must meet light, then dark at a plausible distance: an eye has a scratch or two.
_ENOUGH_RAYS = 0.6
# Where a ray is sampled, in modules from the middle: beyond the light ring of an eye seen at a slant.
_ALONG = np.arange(0.0, 6.2, 0.15, dtype=np.float32)
# The ring's outer edge is 5/3 as far out as its inner one: what blur and thresholds make of that.
_NEAREST, _FURTHEST = 1.25, 2.4
# The inner edge is 1.5 modules out, 1.06 at the least with half a module of blur.
_INNERMOST = 0.6

_ANGLES = np.arange(RAYS) * (2 * np.pi / RAYS)
_RIGHT = np.cos(_ANGLES).astype(np.float32)
_DOWN = np.sin(_ANGLES).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Eyes:
    """Finder patterns, the surest first.

    Attributes:
        middles: x and y of each, pixels.
        inner: from the middle to the inner edge of the light ring along each ray, 1.5 modules; NaN where
            it was not made out.
        outer: the same to its outer edge, 2.5 modules.
        sure: share of the rays that made out both.
    """

    middles: _Floats
    inner: _Floats
    outer: _Floats
    sure: _Floats

    def __len__(self) -> int:
        return len(self.middles)


_NONE = Eyes(*(np.zeros(shape, np.float32) for shape in ((0, 2), (0, RAYS), (0, RAYS), (0,))))


def eyes(luma: Luma) -> Eyes:
    """The finder patterns in a region, some false ones among them. Blocks for some milliseconds."""
    smooth = cv2.GaussianBlur(luma, (3, 3), 0.8)
    usual = cv2.blur(smooth, (_WINDOW_PX, _WINDOW_PX))
    dark = (cv2.subtract(usual, smooth) >= _DARKER_LEVELS).view(np.uint8)
    step = 1 if dark.size <= _EVERY_ROW_UP_TO_PIXELS else 2
    y, x, module = _runs(dark, step)
    x2, y2, module2 = _runs(np.ascontiguousarray(dark.T), step)
    if not len(x) or not len(x2):
        return _NONE
    # Module sizes met downwards, in quarters of a pixel, spread to the neighbouring rows and columns.
    met = np.zeros(dark.shape, np.uint8)
    met[y2, x2] = np.minimum(module2 * 4, 255)
    there = cv2.dilate(met, np.ones((2 * step + 1,) * 2, np.uint8))[y, x] / np.float32(4)
    alike = (there * _ASPECT > module) & (there < module * _ASPECT)
    if not alike.any():
        return _NONE
    return _probed(dark, *_gathered(y[alike], x[alike], (module[alike] + there[alike]) / 2))


def _runs(dark: Luma, step: int) -> tuple[_Ints, _Ints, _Floats]:
    """Rows, columns and module size of the middles of light, dark, light as 1:3:1 with dark on both sides."""
    rows = dark[step // 2 :: step]
    width = rows.shape[1]
    y, x = np.divmod(np.flatnonzero(rows[:, 1:] != rows[:, :-1]), width - 1)
    if len(x) < 6:  # noqa: PLR2004 - the changes a pattern and its neighbours have
        return np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0, np.float32)
    run, same_row = np.diff(x), np.diff(y) == 0
    light, middle, light2 = run[1:-3], run[2:-2], run[3:-1]
    five = light + middle + light2
    # All in fifths of a pixel, and three of these more for what a threshold adds or takes.
    fits = np.abs(5 * light - five) < _LIGHT_OFF * five + 3
    fits &= np.abs(5 * light2 - five) < _LIGHT_OFF * five + 3
    fits &= np.abs(5 * middle - 3 * five) < _DARK_OFF * five + 4
    fits &= same_row[1:-3] & same_row[2:-2] & same_row[3:-1]
    i = np.flatnonzero(fits) + 1
    i = i[rows[y[i], x[i]] == 1]
    module = five[i - 1] / 5
    before = np.where(same_row[i - 1], run[i - 1], x[i] + 1)
    after = np.where(same_row[i + 3], run[i + 3], width - 1 - x[i + 3])
    rimmed = (before >= _RIM * module) & (after >= _RIM * module)
    i = i[rimmed]
    return y[i] * step + step // 2, (x[i + 1] + x[i + 2] + 1) // 2, module[rimmed].astype(np.float32)


def _gathered(y: _Ints, x: _Ints, module: _Floats) -> tuple[_Floats, _Floats]:
    """Middles and module sizes of crossings that lie together, those met most often for their size first."""
    _, cell, times = np.unique(y // _CELL_PX << 16 | x // _CELL_PX, return_inverse=True, return_counts=True)
    sums = np.stack([times, *(np.bincount(cell, weights) for weights in (x, y, module))], axis=1)
    sums = sums[np.argsort(-times, kind="stable")[:_MOST_CELLS]].astype(np.float32)
    x_mean, y_mean, reach = (sums[:, i] / sums[:, 0] for i in (1, 2, 3))
    # What lies within a module of each, and whether it is the fullest there.
    near = (np.abs(x_mean - x_mean[:, None]) < reach[:, None]) & (
        np.abs(y_mean - y_mean[:, None]) < reach[:, None]
    )
    fullest = np.argmax(near, axis=1) == np.arange(len(sums))
    total = near[fullest].astype(np.float32) @ sums
    means = total[:, 1:] / total[:, :1]
    best = np.argsort(-total[:, 0] / means[:, 2], kind="stable")[:_MOST_PROBED]
    return means[best, :2], means[best, 2]


def _probed(dark: Luma, middles: _Floats, module: _Floats) -> Eyes:
    """What rays from the middles meet, of those where it is dark, light, dark."""
    # Every second ray tells of most that they are none.
    _, _, good = _met(dark, middles, module, slice(None, None, 2))
    likely = good.mean(axis=1) >= _ENOUGH_RAYS - 2 / RAYS
    middles, module = middles[likely], module[likely]
    inner, outer, good = _met(dark, middles, module, slice(None))
    sure = good.mean(axis=1).astype(np.float32)
    best = [int(i) for i in np.argsort(-sure, kind="stable") if sure[i] >= _ENOUGH_RAYS]
    kept = _apart(best, middles, module)
    nowhere = np.float32(np.nan)
    inner, outer = (np.where(good, edge * module[:, None], nowhere)[kept] for edge in (inner, outer))
    return _centred(middles[kept], inner, outer, sure[kept])


def _met(
    dark: Luma, middles: _Floats, module: _Floats, rays: slice
) -> tuple[_Floats, _Floats, npt.NDArray[np.bool_]]:
    """Of these rays: inner and outer edge of the light ring in modules, and whether that is plausible."""
    height, width = dark.shape
    out = (_ALONG * module[:, None])[:, None, :]
    x = (middles[:, 0, None, None] + np.float32(0.5) + out * _RIGHT[rays, None]).astype(np.int32)
    y = (middles[:, 1, None, None] + np.float32(0.5) + out * _DOWN[rays, None]).astype(np.int32)
    places = np.clip(y, 0, height - 1) * np.int32(width) + np.clip(x, 0, width - 1)
    met = dark.reshape(-1).take(places).view(np.bool_)
    light = np.argmin(met, axis=2)
    later = np.arange(len(_ALONG)) > light[:, :, None]
    again = np.argmax(met & later, axis=2)
    # An edge is between the last sample before it and the first behind.
    inner, outer = (_ALONG[i] - (_ALONG[1] - _ALONG[0]) / 2 for i in (light, again))
    good = met[:, :, 0] & (light > 0) & (again > 0) & (inner > _INNERMOST)
    good &= (outer > _NEAREST * inner) & (outer < _FURTHEST * inner)
    return inner, outer, good


def _centred(middles: _Floats, inner: _Floats, outer: _Floats, sure: _Floats) -> Eyes:
    """The same, with what the rays tell of the middle: those of an eye are as long forth as back."""
    shift = np.zeros_like(middles)
    for edge in (inner, outer):
        there = np.nan_to_num(edge - np.roll(edge, RAYS // 2, axis=1))
        shift += there @ np.stack([_RIGHT, _DOWN], axis=1) / (2 * RAYS)
    inner, outer = (_both_ways(edge) for edge in (inner, outer))
    return Eyes(middles + shift, inner, outer, sure)


def _both_ways(edge: _Floats) -> _Floats:
    back = np.roll(edge, RAYS // 2, axis=1)
    forth = np.where(np.isnan(edge), back, edge)
    return np.asarray((forth + np.where(np.isnan(back), forth, back)) / 2, np.float32)


def _apart(order: list[int], middles: _Floats, module: _Floats) -> list[int]:
    """Of those that lie upon each other the first."""
    kept: list[int] = []
    for i in order:
        near = np.abs(middles[kept] - middles[i]).max(axis=1, initial=0) < 2 * module[i] if kept else []
        if not np.any(near):
            kept.append(i)
        if len(kept) == _MOST_EYES:
            break
    return kept
