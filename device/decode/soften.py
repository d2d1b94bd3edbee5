"""Takes a symbol's modules from the picture once more, as shades instead of black and white.

An engine asks of each module only whether its middle is dark. Where it fails, far more can be known:
the finders, timing and alignment patterns and most other modules are right already, so the picture
itself tells how this lens, this shake and this light smear a module over its neighbours. From that
follow a bent grid (the paper is not flat), a linear filter that undoes the smear (least squares over
the modules believed so far), and for each module how sure one may be. Measured on hard frames whose
version zxing-cpp knew but whose content it could not read: more than half become readable.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from device.decode.structure import fixed_modules, upright, version_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from device.decode.finding import Luma, Quad
    from device.decode.structure import Grid

Plane: TypeAlias = "npt.NDArray[np.float32]"

# Samples a module and direction: an odd number has one in the middle.
_SAMPLES = 3
# Modules looked at beyond the edge of the symbol: the filter reaches one.
_MARGIN = 2
# The filter sees this many samples to each side of a module's middle: the module and most of its neighbours.
_REACH = 4
# Light is compared within a neighbourhood of so many modules: several, so that it holds both colours.
_NEIGHBOURHOOD = 9
# Rounds of believing and filtering: 5 read a tenth more than 3 (measured)...
_ROUNDS = 5
# ...but when so small a share of the modules changes its colour in a round, the next would change none.
_SETTLED_SHARE = 0.002
# Weight of the modules whose colour the standard fixes, against those only believed.
_FIXED_WEIGHT = 4.0
# Keeps the least squares tame where there is nothing to learn from.
_RIDGE = 0.02
# Below, interpolation averages enough by itself.
_MAX_PIXELS_PER_SAMPLE = 1.7
# A sheet bends by no more than this many modules in one round.
_MAX_STEP_MODULES = 1.0
# Samples a side the bend is learnt from, and modules the filter is: more tell nothing new, only take time.
_BEND_SAMPLES = 60
_FILTER_MODULES = 2500
# Where more of the modules fixed by the standard come out wrong, and of all neither light nor dark (two of
# these count as one), there is no such symbol, or it lies otherwise than believed. In the first round, in the
# second, in those after it (measured: 182 that could be repaired had 0.19, 0.17 and 0.11 at most).
_HOPELESS = (0.2, 0.18, 0.12)
# Nearer to the middle than this a module is neither light nor dark.
_FAINT = 0.3
# Beyond its corners a symbol may bend outwards by this share of its size.
_BEND_ROOM = 0.15


@dataclass(frozen=True, slots=True, eq=False)
class Soft:
    """The modules of a symbol as shades.

    Attributes:
        values: about +1 where light, -1 where dark, 0 where nobody knows.
        trust: 0 to 1: how much contrast the picture has there, against the rest of the symbol.
    """

    values: Plane = field(repr=False)
    trust: Plane = field(repr=False)


@cache
def _places(side: int) -> Plane:
    """Module coordinates of every sample, margin included: across and down, one after the other."""
    count = (side + 2 * _MARGIN) * _SAMPLES
    along = (np.arange(count, dtype=np.float32) + 0.5) / _SAMPLES - _MARGIN
    return np.stack(np.meshgrid(along, along)).astype(np.float32)


@cache
def _bends(side: int) -> Plane:
    """The six ways a sheet may be displaced and bent: 1, x, y, x², xy, y² at every sample."""
    u, v = (place / side * 2 - 1 for place in _places(side))
    return np.stack([np.ones_like(u), u, v, u * u, u * v, v * v]).astype(np.float32)


class _Sheet:
    """The symbol's square of the picture, flattened, with the bend found so far."""

    def __init__(self, luma: Luma, corners: Quad, side: int) -> None:
        self._side = side
        square = np.array([(0, 0), (side, 0), (side, side), (0, side)], np.float32)
        target = np.array(corners, np.float32)
        pixels_per_sample = float(np.sqrt(max(cv2.contourArea(target), 1.0))) / side / _SAMPLES
        room = _BEND_ROOM * float(np.ptp(target, axis=0).max()) + 2 * _MARGIN * _SAMPLES * pixels_per_sample
        left, top = np.maximum(target.min(axis=0) - room, 0).astype(int).tolist()
        right, bottom = np.maximum(target.max(axis=0) + room, 1).astype(int).tolist()
        luma = luma[top:bottom, left:right]
        to_picture = cv2.getPerspectiveTransform(square, target - np.array((left, top), np.float32))
        self._to_picture = to_picture.astype(np.float32)
        # Large modules are averaged, or each sample would be one noisy pixel.
        averaged = pixels_per_sample > _MAX_PIXELS_PER_SAMPLE
        self._luma = cv2.GaussianBlur(luma, (0, 0), 0.35 * pixels_per_sample) if averaged else luma
        self._bend = np.zeros((6, 2), np.float32)

    def flattened(self) -> Plane:
        """Brightness at every sample."""
        places = _places(self._side)
        bent = places.reshape(2, -1) + self._bend.T @ _bends(self._side).reshape(6, -1)
        seen = self._to_picture[:, :2] @ bent + self._to_picture[:, 2:]
        x, y = (seen[:2] / seen[2] - np.float32(0.5)).reshape(places.shape)
        flat = cv2.remap(self._luma, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(flat, np.float32)

    def bend_towards(self, shades: Plane, believed: Grid) -> None:
        """One step of registration: bends the sheet so that it looks more like the modules believed."""
        drawn = np.where(np.pad(believed, _MARGIN), -1.0, 1.0).astype(np.float32)
        drawn = np.kron(drawn, np.ones((_SAMPLES, _SAMPLES), np.float32))
        wanted = cv2.GaussianBlur(drawn, (0, 0), 0.45 * _SAMPLES)
        seen = cv2.GaussianBlur(shades, (0, 0), 0.3 * _SAMPLES)
        # Negative for light on dark.
        contrast = float((wanted * seen).mean() / (wanted * wanted).mean())
        along = cv2.Sobel(seen, cv2.CV_32F, 1, 0) * (_SAMPLES / 8)
        across = cv2.Sobel(seen, cv2.CV_32F, 0, 1) * (_SAMPLES / 8)
        # Every second sample tells as much as all of them; of large symbols fewer will do.
        every = max(2, self._side * _SAMPLES // _BEND_SAMPLES)
        pick = (slice(_SAMPLES, -_SAMPLES, every), slice(_SAMPLES, -_SAMPLES, every))
        ways = _bends(self._side)[:, *pick].reshape(6, -1)
        moves = np.vstack([ways * along[pick].reshape(-1), ways * across[pick].reshape(-1)]).T
        gap = (contrast * wanted - seen)[pick].reshape(-1)
        step = _solve(moves, gap, 1e-3)
        limit = _MAX_STEP_MODULES
        self._bend += np.clip(step.reshape(2, 6).T, -limit, limit)


def _solve(samples: Plane, wanted: Plane, ridge: float) -> Plane:
    """Least squares with a ridge, as a share of the mean power."""
    square = samples.T @ samples
    square[np.diag_indices_from(square)] += ridge * np.trace(square) / len(square) + 1e-6
    solution: Plane = np.linalg.solve(square, samples.T @ wanted).astype(np.float32)
    return solution


def _shades(flat: Plane) -> tuple[Plane, Plane]:
    """Brightness against its neighbourhood, in units of its spread; and that spread against the usual one."""
    window = (_NEIGHBOURHOOD * _SAMPLES | 1,) * 2
    mean = cv2.blur(flat, window)
    spread = np.sqrt(np.maximum(cv2.blur(flat * flat, window) - mean * mean, 0))
    usual = max(float(np.median(spread)), 1e-3)
    shades = (flat - mean) / np.maximum(spread, max(1.0, 0.25 * usual))
    return shades.astype(np.float32), np.minimum(spread / usual, 1.0).astype(np.float32)


def _filtered(shades: Plane, believed: Grid, weight: Plane) -> Plane:
    """Modules after the filter that best turns the samples around them into what is believed."""
    side = believed.shape[0]
    middle = _MARGIN * _SAMPLES + _SAMPLES // 2
    windows = sliding_window_view(shades, (2 * _REACH + 1,) * 2)[middle - _REACH :, middle - _REACH :]
    learnt = np.arange(0, side * side, max(1, side * side // _FILTER_MODULES))
    rows, columns = np.divmod(learnt, side)
    samples = windows[rows * _SAMPLES, columns * _SAMPLES].reshape(len(learnt), -1)
    samples = np.hstack([samples, np.ones((len(learnt), 1), np.float32)])
    wanted = np.where(believed[rows, columns], np.float32(-1), np.float32(1))
    # The root on both sides: a matrix times itself is computed in half the time.
    root = np.sqrt(weight[rows, columns])
    factors = _solve(samples * root.reshape(-1, 1), wanted * root, _RIDGE)
    kernel = factors[:-1].reshape(2 * _REACH + 1, -1)
    whole = cv2.filter2D(shades, cv2.CV_32F, kernel, delta=float(factors[-1]))
    return np.ascontiguousarray(whole[middle::_SAMPLES, middle::_SAMPLES][:side, :side])


def _hopeless(done: int, wrong: float, faint: float) -> bool:
    return wrong + faint / 2 > _HOPELESS[min(done, len(_HOPELESS) - 1)]


def soften(luma: Luma, corners: Quad, grid: Grid, *, going: Callable[[], bool]) -> Soft | None:
    """The modules as shades; None where there is no such symbol after all.

    Args:
        luma: the picture.
        corners: of the symbol, pixels.
        grid: the modules as an engine took them; most must be right.
        going: asked before every round but the first; when it says no, what is known by then is all.
    """
    believed = upright(grid)
    if believed is not grid:
        top_left, top_right, bottom_right, bottom_left = corners
        corners = (top_left, bottom_left, bottom_right, top_right)
    side = believed.shape[0]
    rows, columns, dark = fixed_modules(version_of(side))
    weight = np.ones((side, side), np.float32)
    weight[rows, columns] = _FIXED_WEIGHT
    sheet = _Sheet(luma, corners, side)
    shades, spread = _shades(sheet.flattened())
    believed = believed.copy()
    believed[rows, columns] = dark
    values = np.zeros((side, side), np.float32)
    for done in range(_ROUNDS):
        if done and not going():
            break
        sheet.bend_towards(shades, believed)
        shades, spread = _shades(sheet.flattened())
        values = _filtered(shades, believed, weight)
        before, believed = believed, values < 0
        wrong = np.count_nonzero(believed[rows, columns] != dark) / len(dark)
        if _hopeless(done, wrong, np.count_nonzero(np.abs(values) < _FAINT) / values.size):
            return None
        believed[rows, columns] = dark
        if np.count_nonzero(before != believed) <= _SETTLED_SHARE * side * side:
            break
    middle = slice(_MARGIN * _SAMPLES + _SAMPLES // 2, -_MARGIN * _SAMPLES, _SAMPLES)
    return Soft(values=values, trust=spread[middle, middle])
