"""Symbols as grids of modules, drawn by segno: what the decoder's own reading is checked against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import segno

if TYPE_CHECKING:
    from device.decode.structure import Grid


def grid_of(
    content: str | bytes, *, version: int | None = None, error: str = "m", mask: int | None = None
) -> Grid:
    """The modules of a symbol, True where dark."""
    # Left to itself, segno takes some bytes for kanji.
    mode = "byte" if isinstance(content, bytes) else None
    symbol = segno.make_qr(content, version=version, error=error, boost_error=False, mask=mask, mode=mode)
    return np.array([[bool(dark) for dark in row] for row in symbol.matrix], np.bool_)
