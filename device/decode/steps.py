"""The rungs of the ladder as data: how a region is prepared, and which engine looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from device.decode.located import Located
from device.decode.zbar import Zbar
from device.decode.zxing import Binariser, Zxing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from device.decode.finding import Finding, Luma


class Engine(Protocol):
    """A library that finds QR codes in a picture."""

    @property
    def name(self) -> str:
        """Which library, in a word."""
        ...

    def read(self, luma: Luma) -> tuple[Finding, ...]:
        """What is in the picture. Blocks while it looks; may raise anything."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """One way to look at a region.

    Attributes:
        name: for diagnosis: `zxing/relief`.
        prepare: makes the picture the engine gets.
        engine: looks at it.
        scale: how many times as large as the region the prepared picture is.
        doubtful: whether short contents it reads must be confirmed by a second look.
        wide: looks at the whole frame: for codes too faint to stand out as regions.
    """

    name: str
    prepare: Callable[[Luma], Luma]
    engine: Engine
    scale: float = 1.0
    doubtful: bool = True
    wide: bool = False


# Light is evened out over so many pixels: a dozen modules of a code at arm's length.
_EVEN_OUT_PX = 61
# Grey levels of spread below which there is only noise to be amplified.
_NOISE_LEVELS = 6.0
# The same at half size, where noise is less but so is a code's contrast (measured: 3 reads none, 20 half).
_HALVED_NOISE_LEVELS = 10.0
# Larger regions are not enlarged: their modules are large enough.
_ENLARGE_UP_TO_PIXELS = 500_000


def _as_is(luma: Luma) -> Luma:
    return np.ascontiguousarray(luma)


def _evened(luma: Luma, window_px: int = _EVEN_OUT_PX, noise_levels: float = _NOISE_LEVELS) -> Luma:
    """Brightness against its neighbourhood: shadows, screens and faint print lose their terror."""
    window = (window_px, window_px)
    plane = luma.astype(np.float32)
    mean = cv2.blur(plane, window)
    variance = cv2.subtract(cv2.blur(cv2.multiply(plane, plane), window), cv2.multiply(mean, mean))
    spread = cv2.sqrt(cv2.max(variance, 0.0))
    evened = cv2.divide(cv2.subtract(plane, mean), cv2.add(spread, noise_levels), scale=60)
    return np.asarray(cv2.add(evened, 128.0, dtype=cv2.CV_8U), np.uint8)


def _relief(luma: Luma) -> Luma:
    """Evened out and sharpened: blurred, shaded and half-burnt codes."""
    evened = _evened(luma)
    return np.asarray(cv2.addWeighted(evened, 2.5, cv2.GaussianBlur(evened, (0, 0), 2), -1.5, 0), np.uint8)


def _soft_relief(luma: Luma) -> Luma:
    """Evened out and smoothed: noisy, faint and moire-ridden codes."""
    return np.asarray(cv2.GaussianBlur(_evened(luma), (0, 0), 1.2), np.uint8)


def _halved_relief(luma: Luma) -> Luma:
    """Half as large, evened out: nearly all the faint codes that full size reads, at a fifth of its price."""
    evened = _evened(_halved(luma), _EVEN_OUT_PX // 2 | 1, _HALVED_NOISE_LEVELS)
    return np.asarray(cv2.GaussianBlur(evened, (0, 0), 0.55), np.uint8)


def _enlarged(luma: Luma) -> Luma:
    """Twice as large: modules below two pixels."""
    if luma.size > _ENLARGE_UP_TO_PIXELS:
        return _as_is(luma)
    return np.asarray(cv2.resize(luma, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)


def _halved(luma: Luma) -> Luma:
    """Half as large: codes held so near that dust and print dots matter."""
    return np.asarray(cv2.resize(luma, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)


def _gamma(exponent: float) -> Callable[[Luma], Luma]:
    """Spreads the lights (above 1) or the darks (below 1)."""
    table = (255 * (np.arange(256) / 255) ** exponent).astype(np.uint8)
    return lambda luma: np.asarray(cv2.LUT(np.ascontiguousarray(luma), table), np.uint8)


def _thresholded(luma: Luma) -> Luma:
    """Black and white by a small neighbourhood: faint print."""
    smooth = cv2.GaussianBlur(luma, (0, 0), 1)
    mode, kind = cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY
    return np.asarray(cv2.adaptiveThreshold(smooth, 255, mode, kind, 31, 2), np.uint8)


def first_step(engines: Sequence[str]) -> Step:
    """What looks at every frame, whole."""
    if engines[0] == "zbar":
        return Step("zbar", _as_is, Zbar(), doubtful=True)
    return Step("zxing", _as_is, Zxing(), doubtful=False)


def further_steps(engines: Sequence[str]) -> tuple[Step, ...]:
    """What looks at places that may hold a code, by what each adds to those before (measured)."""
    steps: list[Step] = []
    if "zxing" in engines:
        local = Zxing()
        overall = Zxing(binariser=Binariser.GLOBAL, unread=False)
        steps += [
            Step("zxing/overall", _as_is, overall, wide=True),
            Step("eyes", _as_is, Located()),
            Step("zxing/enlarged", _enlarged, local, scale=2.0),
            Step("zxing/relief", _relief, local),
            Step("zxing/soft-relief", _soft_relief, local),
            Step("zxing/wide-half-relief", _halved_relief, local, scale=0.5, wide=True),
            Step("zxing/lights", _gamma(2.5), local),
            Step("zxing/half", _halved, overall, scale=0.5),
            Step("zxing/darks", _gamma(0.4), local),
            Step("zxing/thresholded", _thresholded, local),
        ]
    if "zbar" in engines:
        steps.append(Step("zbar", _as_is, Zbar()))
    return tuple(steps)
