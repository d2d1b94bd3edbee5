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
        name: for diagnosis: `zxing/lights`.
        prepare: makes the picture the engine gets, larger or smaller as it likes; None: not worth a look.
        engine: looks at it.
        doubtful: whether short contents it reads must be confirmed by a second look.
        wide: looks at the whole frame.
        blind: looks even where nothing yet has told that there may be a code; if wide, only there.
        closer: looks at what was seen and not read before that is repaired.
    """

    name: str
    prepare: Callable[[Luma], Luma | None]
    engine: Engine
    doubtful: bool = True
    wide: bool = False
    blind: bool = False
    closer: bool = False


# Light is evened out over so many pixels of a picture of half size: seven modules at arm's length.
_EVEN_OUT_PX = 15
# Grey levels of spread below which there is only noise to be amplified (measured: 6 reads half as many).
_NOISE_LEVELS = 10.0
# Standard deviation by mean deviation, which is computed in bytes.
_SPREAD = 1.25
# Larger regions are not enlarged: their modules are large enough.
_ENLARGE_UP_TO_PIXELS = 160_000
# Larger ones are made smaller first where a step's cost grows with the picture: it has to have a bound.
_MOST_PIXELS = 250_000
_MOST_PIXELS_FOR_EYES = 1_000_000


def _as_is(luma: Luma) -> Luma:
    return np.ascontiguousarray(luma)


def _at_most(pixels: int) -> Callable[[Luma], Luma]:
    """As it is, or as many times half as large as it takes."""

    def smaller(luma: Luma) -> Luma:
        while luma.size > pixels:
            luma = _halved(luma)
        return _as_is(luma)

    return smaller


def _halved_relief(luma: Luma) -> Luma:
    """Half as large, and brightness against its neighbourhood: shadows and faint print lose their terror."""
    half, window = _halved(luma), (_EVEN_OUT_PX, _EVEN_OUT_PX)
    mean = cv2.blur(half, window)
    spread = cv2.blur(cv2.absdiff(half, mean), window)
    reach = cv2.addWeighted(spread, _SPREAD, spread, 0, _NOISE_LEVELS, dtype=cv2.CV_32F)
    evened = cv2.divide(cv2.subtract(half, mean, dtype=cv2.CV_32F), reach, scale=60)
    return np.asarray(cv2.GaussianBlur(cv2.add(evened, 128.0, dtype=cv2.CV_8U), (3, 3), 0.4), np.uint8)


def _enlarged(luma: Luma) -> Luma | None:
    """Twice as large: modules below two pixels."""
    if luma.size > _ENLARGE_UP_TO_PIXELS:
        return None
    return np.asarray(cv2.resize(luma, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)


def _halved(luma: Luma) -> Luma:
    """Half as large: codes held so near that dust and print dots matter."""
    return np.asarray(cv2.resize(luma, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)


def _gamma(exponent: float) -> Callable[[Luma], Luma]:
    """Spreads the lights (above 1) or the darks (below 1)."""
    table = (255 * (np.arange(256) / 255) ** exponent).astype(np.uint8)
    return lambda luma: np.asarray(cv2.LUT(np.ascontiguousarray(luma), table), np.uint8)


def first_step(engines: Sequence[str]) -> Step:
    """What looks at every frame, whole."""
    if engines[0] == "zbar":
        return Step("zbar", _as_is, Zbar(), doubtful=True)
    return Step("zxing", _as_is, Zxing(), doubtful=False)


def further_steps(engines: Sequence[str]) -> tuple[Step, ...]:
    """What looks at places that may hold a code, by what each adds to those before and costs (measured)."""
    steps: list[Step] = []
    if "zxing" in engines:
        local = Zxing()
        overall = Zxing(binariser=Binariser.GLOBAL, unread=False)
        located = Located()
        steps += [
            Step("zxing/half-relief", _halved_relief, Zxing(thorough=False), wide=True, blind=True),
            Step("eyes", _at_most(_MOST_PIXELS_FOR_EYES), located, blind=True),
            Step("zxing/darks", _gamma(0.4), local, blind=True),
            Step("zxing/half", _halved, Zxing(binariser=Binariser.GLOBAL), closer=True),
            Step("zxing/lights", _gamma(2.5), local, closer=True),
            Step("zxing/enlarged", _enlarged, local, blind=True, closer=True),
            Step("zxing/overall", _as_is, overall, wide=True),
            Step("eyes/enlarged", _enlarged, located),
        ]
    if "zbar" in engines:
        steps.append(Step("zbar", _at_most(_MOST_PIXELS), Zbar()))
    return tuple(steps)
