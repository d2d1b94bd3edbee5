"""The only door to zxing-cpp."""

from __future__ import annotations

import math
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import zxingcpp

from device.decode.finding import Finding
from device.decode.reedsolomon import correct
from device.decode.structure import (
    STRUCTURED_APPEND,
    blocks,
    codewords,
    format_of,
    side_of,
    upright,
    version_of,
)

if TYPE_CHECKING:
    from device.decode.finding import Luma, Quad
    from device.decode.structure import Grid


_QR_CODE = zxingcpp.BarcodeFormat.QRCode
# Half a pixel a module: nothing in a picture that is smaller was ever a code.
_SMALLEST_PX = 10.0
# A card held so much aslant is not read either.
_MAX_ASPECT = 4.0


class Binariser(Enum):
    """How grey becomes black and white."""

    LOCAL = zxingcpp.Binarizer.LocalAverage
    GLOBAL = zxingcpp.Binarizer.GlobalHistogram


class Zxing:
    """Reads QR codes with zxing-cpp; tells of codes it saw and could not read. Safe from any thread.

    Only QR codes, model 1 included: Micro QR and rMQR, which the library finds as well, are not taken for
    codes; looking for all formats costs eleven times as much (measured). Text mode Plain: the default
    alters some texts (measured); content is taken as bytes in any case. The library releases the GIL
    while it works.

    Args:
        binariser: LOCAL is best on uneven light, GLOBAL on very small or very blurred modules.
        thorough: look for light-on-dark and very large codes too; without, half the cost.
        unread: report codes that were seen and not read.
    """

    name = "zxing"

    def __init__(
        self, *, binariser: Binariser = Binariser.LOCAL, thorough: bool = True, unread: bool = True
    ) -> None:
        self._options = {
            "formats": _QR_CODE,
            "text_mode": zxingcpp.TextMode.Plain,
            "binarizer": binariser.value,
            "try_rotate": False,  # makes no difference for QR codes (measured)
            "try_invert": thorough,
            "try_downscale": thorough,
            "return_errors": unread,
        }

    def read(self, luma: Luma) -> tuple[Finding, ...]:
        barcodes = zxingcpp.read_barcodes(luma, **self._options)
        findings = (_finding(b) for b in barcodes if b.format == _QR_CODE and not _is_part(b))
        return tuple(f for f in findings if f.content is not None or _is_square_enough(f.corners))


def _finding(barcode: zxingcpp.Barcode) -> Finding:
    extra = barcode.extra or {}  # None for what failed before its version was known
    # What it could not read may be a Micro QR code all the same: M1 to M4.
    known = str(extra.get("Version", "")).isdecimal()
    return Finding(
        corners=_corners(barcode.position),
        content=barcode.bytes if barcode.valid and barcode.bytes else None,
        margin=float(extra["UEC"]) if barcode.valid and "UEC" in extra else None,
        side=side_of(int(extra["Version"])) if known else None,
        grid=_modules(barcode) if known and not barcode.valid else None,
    )


def _is_square_enough(quad: Quad) -> bool:
    """Whether this can be a code at all, seen from wherever.

    Of what it could not read the library tells no place at all at times, or finders of several codes as one.
    """
    around = (*quad, *quad[:2])
    sides = [math.dist(a, b) for a, b in pairwise(around[:5])]
    turns = [
        (bx - ax) * (cy - by) - (by - ay) * (cx - bx)
        for (ax, ay), (bx, by), (cx, cy) in zip(around, around[1:], around[2:], strict=False)
    ]
    convex = min(turns) > 0 or max(turns) < 0
    return convex and min(sides) >= _SMALLEST_PX and max(sides) <= _MAX_ASPECT * min(sides)


def _corners(position: zxingcpp.Position) -> Quad:
    points = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    top_left, top_right, bottom_right, bottom_left = ((float(p.x), float(p.y)) for p in points)
    return top_left, top_right, bottom_right, bottom_left


def _modules(barcode: zxingcpp.Barcode) -> Grid:
    """The modules as the library sampled them, before any correction; mirrored, if the symbol is."""
    dark: Grid = np.array(barcode.to_image(scale=1, add_quiet_zones=False)) == 0
    return dark


def _is_part(barcode: zxingcpp.Barcode) -> bool:
    """Whether it is one part of a text spread over several symbols, which the library does not tell."""
    if not barcode.valid:
        return False
    grid = upright(_modules(barcode))
    form = format_of(grid)
    words = codewords(grid, form.mask)
    block = blocks(version_of(grid.shape[0]), form.level)[0]
    corrected = correct([int(words[i]) for i in (*block.data, *block.checks)], len(block.checks))
    # What the library read and we cannot correct is of model 1, which is laid out otherwise.
    return corrected is not None and corrected[0] >> 4 == STRUCTURED_APPEND
