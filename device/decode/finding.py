"""What engines and the ladder say about a picture. Frozen, free of any library's types."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from device.decode.structure import Grid
    from device.model import Cause, Corners, Symbol

Luma: TypeAlias = "npt.NDArray[np.uint8]"
Point: TypeAlias = tuple[float, float]
# Top left, top right, bottom right, bottom left of the symbol as it is meant to be looked at.
Quad: TypeAlias = tuple[Point, Point, Point, Point]

SYMBOLOGY = "QRCode"


@dataclass(frozen=True, slots=True)
class Finding:
    """What an engine found at one place of the picture it was given.

    Attributes:
        corners: in pixels of that picture.
        content: the bytes carried; None when a symbol is there and could not be read.
        margin: share of the error correction left unused, 0 to 1; None when the engine does not tell.
        side: modules a side, 21 to 177; None when the engine does not tell.
        grid: the modules as the engine took them, of a symbol it could not read; None when it does not tell.
        hint: only parts of what may be a code: worth looking at more closely, too little to tell anybody.
    """

    corners: Quad
    content: bytes | None = field(repr=False)
    margin: float | None = None
    side: int | None = None
    grid: Grid | None = field(default=None, repr=False, compare=False)
    hint: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What one frame gave.

    Attributes:
        symbols: codes read.
        unread: corners of what is a code and was not read, pixels of the frame.
        causes: why not, one for each of `unread`; told of picture files only, nothing otherwise.
        failures: exceptions of engines met on the way.
        spent_ms: time the ladder took.
        behind_s: how much older than this frame the one is that some of the symbols were read in.
    """

    symbols: tuple[Symbol, ...] = ()
    unread: tuple[Corners, ...] = ()
    causes: tuple[Cause, ...] = ()
    failures: int = 0
    spent_ms: float = 0.0
    behind_s: float = 0.0
