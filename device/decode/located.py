"""Codes found by their eyes where the engines find none: three finder patterns that fit each other.

From the eyes follows how the sheet lies, from the timing patterns between them how many modules it has,
from the alignment pattern in the fourth corner how far it leans. Then the modules are taken as they are
and handed on, for `soften` and `repair` to make sense of.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from device.decode.finders import RAYS, eyes
from device.decode.finding import Finding
from device.decode.structure import alignment_centres, fixed_share, side_of, version_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from device.decode.finders import Eyes
    from device.decode.finding import Luma
    from device.decode.structure import Grid

    _Floats: TypeAlias = npt.NDArray[np.float32]
    _Matrix: TypeAlias = npt.NDArray[np.float64]

# Triples tried in one region, and versions of each: bounds what a texture full of squares can cost.
_MOST_TRIPLES = 3
_MOST_VERSIONS = 3
# Modules between the middles of two eyes: versions 1 to 40, and what the measure may be wrong by.
_FEWEST, _MOST = 12.0, 180.0
# Factor by which the three sides of a triple may disagree about that number.
_SIDES_DISAGREE = 1.45
# Cosine of the sharpest corner a sheet is seen with, 18 degrees.
_SHARPEST = 0.95
# How much a missing ray weighs against sides that disagree (chosen on rendered frames).
_RAYS_WEIGH = 0.6
# What belongs together disagrees less than this (measured).
_DEAREST = 0.9
# So many eyes that so many rays agree about are no accident (measured: one picture without a code in ten has
# them, of those with one that cheap steps don't read, and others do, half).
_SURE = 0.8
_HINTS = 2
# How well timing patterns alternate at the least (measured: 97 of 100 codes do, a fifth of what is none).
_ALTERNATING = 0.3
# Share of the rays that must agree, over the three eyes (measured: 99 of 100 codes have 0.85).
_SURE_TOGETHER = 0.84
# Samples a module and direction.
_SAMPLES = 4
# The middle of an eye, in modules from both edges.
_MIDDLE = 3.5
# Modules the alignment pattern may lie away from where the eyes alone put it.
_ASTRAY = 4.0
# Correlation from which something is an alignment pattern.
_ALIGNED = 0.6
# Share of the modules fixed by the standard that must be right; by chance it is a half.
_RIGHT = 0.75
# Light is compared within a neighbourhood of so many modules.
_NEIGHBOURHOOD = 9
# The four ways from the middle of an eye to its sides, and where the edges of its ring are.
_WAYS = np.array([(1, 0), (0, 1), (-1, 0), (0, -1)], np.float32)
_INNER, _OUTER = 1.5, 2.5
_ALIGNMENT = 5
# Where a module is sampled for the timing patterns, from its middle.
_SPOT = np.array([(i, j) for i in (-0.25, 0, 0.25) for j in (-0.25, 0, 0.25)])


@dataclass(frozen=True, slots=True, eq=False)
class _Triple:
    """Eyes at the top left, top right and bottom left, and the modules from one to the next."""

    corners: tuple[int, int, int]
    across: float


class Located:
    """Finds codes by their eyes; reads none, but tells their modules. Safe from any thread."""

    name = "eyes"

    def read(self, luma: Luma) -> tuple[Finding, ...]:
        """The codes there may be, the likeliest first. Blocks for some milliseconds."""
        luma = np.ascontiguousarray(luma)
        seen = eyes(luma)
        found: list[Finding] = []
        taken: set[int] = set()
        for triple in _triples(seen):
            if taken.isdisjoint(triple.corners):
                finding = _found(luma, seen, triple)
                if finding is not None:
                    found.append(finding)
                    taken.update(triple.corners)
        return tuple(found) or _hint(seen)


def _hint(seen: Eyes) -> tuple[Finding, ...]:
    """Where two eyes are made out and no symbol: scratched, bent, or seen from too far."""
    sure = seen.middles[seen.sure >= _SURE]
    if len(sure) < _HINTS:
        return ()
    left, top = (float(v) for v in sure.min(axis=0))
    right, bottom = (float(v) for v in sure.max(axis=0))
    return (Finding(((left, top), (right, top), (right, bottom), (left, bottom)), content=None, hint=True),)


def _modules_px(seen: Eyes) -> _Floats:
    """Pixels a module along every ray, by each eye; along a diagonal, its diagonal."""
    both = np.stack([seen.inner / np.float32(_INNER), seen.outer / np.float32(_OUTER)])
    known = ~np.isnan(both)
    total = np.where(known, both, 0).sum(axis=0)
    return np.asarray(np.where(total > 0, total / np.maximum(known.sum(axis=0), 1), np.nan), np.float32)


def _towards(reach: _Floats, ways: _Floats) -> _Floats:
    """How far it is from each eye along its ways, between the rays measured; NaN where neither tells.

    Along a straight edge the inverse changes evenly, or nearly.
    """
    turn = np.arctan2(ways[..., 1], ways[..., 0]) * (RAYS / (2 * np.pi))
    before = np.floor(turn)
    share = (turn - before).astype(np.float32)
    rays = before.astype(np.intp) % RAYS
    one = 1 / np.take_along_axis(reach, rays, axis=1)
    other = 1 / np.take_along_axis(reach, (rays + 1) % RAYS, axis=1)
    one, other = np.where(np.isnan(one), other, one), np.where(np.isnan(other), one, other)
    return np.asarray(1 / (one * (1 - share) + other * share), np.float32)


def _triples(seen: Eyes) -> list[_Triple]:
    """Eyes that may belong together, the likeliest first."""
    sides = seen.middles[None] - seen.middles[:, None]
    lengths = np.hypot(sides[..., 0], sides[..., 1])
    px = _modules_px(seen)
    here = _towards(px, sides)
    across = np.nan_to_num(lengths / np.sqrt(here * here.T))
    ranked: list[tuple[float, _Triple]] = []
    for three in combinations(range(len(seen)), 3):
        a, b, c = three
        # A diagonal has as many diagonals of modules: all three sides tell the same number.
        counts = (across[a, b], across[b, c], across[c, a])
        most, fewest = max(counts), min(counts)
        if fewest < _FEWEST or most > _MOST or most > _SIDES_DISAGREE * fewest:
            continue
        missing = 3 - float(seen.sure[list(three)].sum())
        if missing > 3 * (1 - _SURE_TOGETHER):
            continue
        for corners, cosine in _turned(seen, three):
            number = float(np.sqrt(across[corners[0], corners[1]] * across[corners[0], corners[2]]))
            cost = float(np.log(most / fewest)) + _RAYS_WEIGH * missing + 0.3 * cosine
            if cost <= _DEAREST:
                ranked.append((cost, _Triple(corners, number)))
    ranked.sort(key=lambda pair: pair[0])
    return [triple for _, triple in ranked[:_MOST_TRIPLES]]


def _turned(seen: Eyes, three: tuple[int, int, int]) -> list[tuple[tuple[int, int, int], float]]:
    """The ways three eyes may be those of a sheet seen from its front, and the cosine of its corner."""
    out = []
    for i in range(3):
        corner, right, below = three[i], three[(i + 1) % 3], three[(i + 2) % 3]
        u, v = seen.middles[right] - seen.middles[corner], seen.middles[below] - seen.middles[corner]
        turn = float(u[0] * v[1] - u[1] * v[0])
        cosine = abs(float(u @ v)) / max(float(np.hypot(*u) * np.hypot(*v)), 1e-6)
        if cosine <= _SHARPEST:
            out.append(((corner, right, below) if turn > 0 else (corner, below, right), cosine))
    return out


def _found(luma: Luma, seen: Eyes, triple: _Triple) -> Finding | None:
    """The symbol these eyes belong to; None when there is none."""
    nearest = (triple.across + 2 * _MIDDLE - 17) / 4
    versions = sorted((v for v in range(1, 41)), key=lambda v: abs(v - nearest))[:_MOST_VERSIONS]
    guess = side_of(versions[0])
    lie = _lie(seen, triple.corners, guess)
    sides = [side_of(version) for version in versions]
    fits = [_alternates(luma, _counted(lie, guess, side), side) for side in sides]
    side = sides[int(np.argmax(fits))]
    if max(fits) < _ALTERNATING:
        return None
    lie = _leaning(luma, seen, triple.corners, _lie(seen, triple.corners, side), side)
    grid = _taken(luma, lie, side)
    if fixed_share(grid) < _RIGHT:
        return None
    square = np.array([[(0, 0), (side, 0), (side, side), (0, side)]], np.float32)
    a, b, c, d = ((float(x), float(y)) for x, y in cv2.perspectiveTransform(square, lie)[0])
    return Finding(corners=(a, b, c, d), content=None, side=side, grid=grid)


def _middles(side: int) -> _Floats:
    far = side - _MIDDLE
    return np.array([(_MIDDLE, _MIDDLE), (far, _MIDDLE), (_MIDDLE, far)], np.float32)


def _lie(seen: Eyes, corners: tuple[int, int, int], side: int) -> _Matrix:
    """From modules to pixels, by the middles of the eyes and the edges of their rings."""
    there = list(corners)
    modules, pixels = _middles(side), seen.middles[there]
    lie = np.vstack([cv2.getAffineTransform(modules, pixels), [(0, 0, 1)]])
    sides = modules[:, None] + _WAYS * np.float32(_OUTER)
    for _ in range(2):
        ends = cv2.perspectiveTransform(sides.reshape(1, -1, 2), lie).reshape(sides.shape)
        ways = ends - pixels[:, None]
        ways /= np.maximum(np.linalg.norm(ways, axis=2, keepdims=True), 1e-6)
        source, target = [modules], [pixels]
        for edges, out in ((seen.inner, _INNER), (seen.outer, _OUTER)):
            reach = _towards(edges[there], ways)
            known = ~np.isnan(reach)
            source.append((modules[:, None] + _WAYS * np.float32(out))[known])
            target.append((pixels[:, None] + ways * reach[..., None])[known])
        lie = _through(np.concatenate(source), np.concatenate(target))
    return np.asarray(lie, np.float64)


def _counted(lie: _Matrix, side: int, other: int) -> _Matrix:
    """The same eyes with another number of modules between them."""
    factor = (side - 2 * _MIDDLE) / (other - 2 * _MIDDLE)
    shift = _MIDDLE * (1 - factor)
    return np.asarray(lie @ np.array([[factor, 0, shift], [0, factor, shift], [0, 0, 1]]), np.float64)


def _through(modules: _Floats, pixels: _Floats) -> _Matrix:
    """The projection that takes one to the other, by least squares."""
    x, y = modules.T.astype(np.float64)
    u, v = pixels.T.astype(np.float64)
    one, none = np.ones_like(x), np.zeros_like(x)
    rows = [(x, y, one, none, none, none, -u * x, -u * y), (none, none, none, x, y, one, -v * x, -v * y)]
    system = np.concatenate([np.array(row).T for row in rows])
    solution = np.linalg.solve(system.T @ system, system.T @ np.concatenate([u, v]))
    return np.append(solution, 1.0).reshape(3, 3)


def _flat(luma: Luma, lie: _Matrix, start: float, side: int) -> _Floats:
    """So many modules across and down from `start` on, flattened, `_SAMPLES` samples each."""
    towards = lie @ np.array([[1 / _SAMPLES, 0, start], [0, 1 / _SAMPLES, start], [0, 0, 1]])
    size = (side * _SAMPLES,) * 2
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    flat = cv2.warpPerspective(luma, towards, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(flat, np.float32)


def _alternates(luma: Luma, lie: _Matrix, side: int) -> float:
    """How well both timing patterns alternate, -1 to 1."""
    along = np.arange(7.5, side - 7)
    there = np.stack([np.repeat(along, len(_SPOT)), np.tile(_SPOT[:, 0] + 6.5, len(along))])
    there[0] += np.tile(_SPOT[:, 1], len(along))
    places = np.concatenate([there, there[::-1]], axis=1)
    seen = lie[:, :2] @ places + lie[:, 2:]
    x, y = np.rint(seen[:2] / seen[2] - 0.5).astype(np.intp)
    height, width = luma.shape
    shades = luma[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
    lines = shades.reshape(2, len(along), len(_SPOT)).mean(axis=2)
    rise = lines[:, 1:-1] - (lines[:, :-2] + lines[:, 2:]) / 2
    # The first inside the eyes' white border is dark.
    alternating = rise[:, 1::2].sum(axis=1) - rise[:, ::2].sum(axis=1)
    scale = np.sqrt((rise * rise).sum(axis=1) * rise.shape[1])
    return float((alternating / np.maximum(scale, 1e-6)).mean())


def _alignment_pattern() -> Luma:
    rings = np.maximum(*np.abs(np.mgrid[-2:3, -2:3]))
    light = np.where(rings == 1, np.uint8(255), np.uint8(0)).astype(np.uint8)
    large = cv2.resize(light, None, fx=_SAMPLES, fy=_SAMPLES, interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.GaussianBlur(large, (0, 0), 0.8), np.uint8)


_PATTERN = _alignment_pattern().astype(np.float32)


def _leaning(luma: Luma, seen: Eyes, corners: tuple[int, int, int], lie: _Matrix, side: int) -> _Matrix:
    """The same, made exact in the fourth corner by its alignment pattern, where it is made out."""
    centres = alignment_centres(version_of(side))
    if not centres:
        return lie
    middle = centres[-1] + 0.5
    edge = middle - _ASTRAY - _ALIGNMENT / 2
    patch = int(2 * _ASTRAY) + _ALIGNMENT
    likeness = cv2.matchTemplate(_flat(luma, lie, edge, patch), _PATTERN, cv2.TM_CCOEFF_NORMED)
    _, best, _, at = cv2.minMaxLoc(likeness)
    if best < _ALIGNED:
        return lie
    found = np.array(at, np.float32) / _SAMPLES + (edge + _ALIGNMENT / 2)
    pixel = cv2.perspectiveTransform(found.reshape(1, 1, 2), lie)[0]
    modules = np.vstack([_middles(side), np.full((1, 2), middle, np.float32)])
    pixels = np.vstack([seen.middles[list(corners)], pixel])
    return np.asarray(cv2.getPerspectiveTransform(modules, pixels), np.float64)


def _taken(luma: Luma, lie: _Matrix, side: int) -> Grid:
    """The modules, dark or light against their neighbourhood."""
    flat = _flat(luma, lie, 0, side)
    window = (_NEIGHBOURHOOD * _SAMPLES | 1,) * 2
    against = flat - cv2.blur(flat, window)
    middles = against.reshape(side, _SAMPLES, side, _SAMPLES)[:, 1:-1, :, 1:-1].mean(axis=(1, 3))
    dark: Grid = middles < 0
    return dark
