"""A grey picture as text: two pixels a character cell, or shades of ink where there are few colours."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from rich.color import Color
from rich.style import Style
from rich.text import Text

if TYPE_CHECKING:
    import numpy.typing as npt

    Plane = npt.NDArray[np.uint8]

UPPER_HALF = "\u2580"
INK = " .:-=+*#%@"
"""Dark to light, for terminals without many colours."""

GREY_STEP = 6
"""Neighbouring greys look alike and share a style: 43 of them, 1,849 pairs."""


def half_blocks(picture: Plane, columns: int, rows: int) -> Text:
    """The picture in so many character cells, two pixels above each other in a cell."""
    pixels = shrink(picture, columns, rows * 2) // GREY_STEP * GREY_STEP
    text = Text(no_wrap=True)
    for row in range(rows):
        upper, lower = pixels[2 * row], pixels[2 * row + 1]
        for top, bottom in zip(upper.tolist(), lower.tolist(), strict=True):
            text.append(UPPER_HALF, _pair(top, bottom))
        text.append("\n" if row < rows - 1 else "")
    return text


def inked(picture: Plane, columns: int, rows: int) -> Text:
    """The picture as characters of more and less ink, one pixel a cell."""
    shades = shrink(picture, columns, rows).astype(int) * (len(INK) - 1) // 255
    return Text("\n".join("".join(INK[shade] for shade in line) for line in shades.tolist()), no_wrap=True)


def shrink(picture: Plane, columns: int, rows: int) -> Plane:
    """The mean of each field of a grid over the picture; a grid finer than the picture repeats pixels."""
    ys, down = _fields(picture.shape[0], rows)
    xs, across = _fields(picture.shape[1], columns)
    sums = np.add.reduceat(np.add.reduceat(picture.astype(np.int64), ys, axis=0), xs, axis=1)
    return np.asarray(sums // (down[:, np.newaxis] * across), np.uint8)


def _fields(size: int, parts: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where each part begins, and how many pixels reduceat adds up from there."""
    starts = np.arange(parts) * size // parts
    ends = np.append(starts[1:], size)
    return starts, np.maximum(ends - starts, 1)


@lru_cache(maxsize=2048)
def _pair(top: int, bottom: int) -> Style:
    return Style(color=Color.from_rgb(top, top, top), bgcolor=Color.from_rgb(bottom, bottom, bottom))
