"""Symbols no printer makes: flawless to every check of an engine, with anything at all for content."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from device.decode.reedsolomon import correct
from device.decode.structure import Format, blocks, data_modules, drawn

if TYPE_CHECKING:
    import numpy.typing as npt

    from device.decode.structure import Grid

PADDING = b"\xec\x11"


def capacity(version: int, level: str) -> int:
    """Data codewords of such a symbol."""
    return sum(len(block.data) for block in blocks(version, level))


def symbol_of(data: bytes, *, version: int, level: str = "L", mask: int = 0) -> Grid:
    """The symbol with these data codewords, cut or padded to what it takes, its correction in order."""
    room = capacity(version, level)
    data = (data + PADDING * room)[:room]
    words = np.zeros(len(data_modules(version)[0]) // 8, np.uint8)
    at = 0
    for block in blocks(version, level):
        own = data[at : at + len(block.data)]
        at += len(block.data)
        checks = len(block.checks)
        # To give up all check words and have them corrected is to compute them.
        whole = correct([*own, *[0] * checks], checks, range(len(own), len(own) + checks))
        assert whole is not None
        words[np.array((*block.data, *block.checks))] = whole
    return drawn(words, version, Format(level, mask, 0))


def bits(*fields: tuple[int, int]) -> bytes:
    """Values and how many bits each takes, one after the other, as bytes."""
    text = "".join(format(value, f"0{count}b") for value, count in fields)
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big") if text else b""


def with_version_bits(grid: Grid, word: int) -> Grid:
    """A symbol of version 7 or more whose two version fields say something else."""
    changed: npt.NDArray[np.bool_] = grid.copy()
    side = changed.shape[0]
    for i in range(18):
        bit = bool(word >> i & 1)
        changed[i // 3, side - 11 + i % 3] = bit
        changed[side - 11 + i % 3, i // 3] = bit
    return changed
