"""What comes from the camera, and what is found in it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture.

    Attributes:
        luma: brightness plane, shape (height, width), uint8, C-contiguous, owned by the frame.
        sequence: counts up by one for every frame the camera delivered, lost ones included.
        captured_at: `Clock.monotonic()` seconds at the end of exposure (or at delivery, where the
            driver gives no time).
        lores: a small brightness plane of the same moment for the motion gate, when the camera gives one.
    """

    luma: npt.NDArray[np.uint8]
    sequence: int
    captured_at: float
    lores: npt.NDArray[np.uint8] | None = None


Corners: TypeAlias = tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Symbol:
    """A code found in a frame.

    Attributes:
        content: the bytes the symbol carries, unchanged. Identity and parsing start here.
        symbology: `QRCode`; nothing else is taken for a code.
        engine: which library and preparation read it, for diagnosis: `zxing`, `zbar`.
        corners: in pixels of the frame: top left, top right, bottom right, bottom left of the symbol.
    """

    content: bytes
    symbology: str
    engine: str
    corners: Corners


class Cause(StrEnum):
    """Why a code in view was not read, as far as the picture tells."""

    CUT_OFF = "cut_off"
    DARK = "dark"
    TOO_SMALL = "too_small"
    GLARE = "glare"
    BLURRED = "blurred"
    DAMAGED = "damaged"  # none of the others: dirt, scratches, a bend


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that is a code and was not read.

    Attributes:
        corners: in pixels of the frame, as in `Symbol`.
        cause: as far as the picture tells.
    """

    corners: Corners
    cause: Cause


@dataclass(frozen=True, slots=True)
class Controls:
    """What a camera is asked for on the way, to read a code that it sees and cannot read.

    Attributes:
        focus_dioptres: lens position, 1/metre; None for as configured.
        exposure_us: exposure time, microseconds, at an unchanged gain; None for as configured.
    """

    focus_dioptres: float | None = None
    exposure_us: int | None = None
