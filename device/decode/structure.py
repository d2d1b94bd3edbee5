"""How a QR code of model 2 is laid out (ISO/IEC 18004). Pure; tables are made once and kept.

A *grid* is a square array of modules, True where dark, the symbol's top left at [0, 0].
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

Grid: TypeAlias = "npt.NDArray[np.bool_]"

LEVELS = "LMQH"

# Table 9 of the standard, by level and version: error correction codewords a block, and blocks.
_CHECKS_PER_BLOCK = {
    "L": "7 10 15 20 26 18 20 24 30 18 20 24 26 30 22 24 28 30 28 28 "
    "28 28 30 30 26 28 30 30 30 30 30 30 30 30 30 30 30 30 30 30",
    "M": "10 16 26 18 24 16 18 22 22 26 30 22 22 24 24 28 28 26 26 26 "
    "26 28 28 28 28 28 28 28 28 28 28 28 28 28 28 28 28 28 28 28",
    "Q": "13 22 18 26 18 24 18 22 20 24 28 26 24 20 30 24 28 28 26 30 "
    "28 30 30 30 30 28 30 30 30 30 30 30 30 30 30 30 30 30 30 30",
    "H": "17 28 22 16 22 28 26 26 24 28 24 28 22 24 24 30 28 28 26 28 "
    "30 24 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30",
}
_BLOCKS = {
    "L": "1 1 1 1 1 2 2 2 2 4 4 4 4 4 6 6 6 6 7 8 8 9 9 10 12 12 12 13 14 15 16 17 18 19 19 20 21 22 24 25",
    "M": "1 1 1 2 2 4 4 4 5 5 5 8 9 9 10 10 11 13 14 16 "
    "17 17 18 20 21 23 25 26 28 29 31 33 35 37 38 40 43 45 47 49",
    "Q": "1 1 2 2 4 4 6 6 8 8 8 10 12 16 12 17 16 18 21 20 "
    "23 23 25 27 29 34 34 35 38 40 43 45 48 51 53 56 59 62 65 68",
    "H": "1 1 2 4 4 4 5 6 8 8 11 11 16 16 18 16 19 21 25 25 "
    "25 34 30 32 35 37 40 42 45 48 51 54 57 60 63 66 70 74 77 81",
}

# Level and mask are written twice, as 15 bits: 5 of data, 10 of BCH, xor this (7.9.1 of the standard).
_FORMAT_XOR = 0b101010000010010
_FORMAT_GENERATOR = 0b10100110111
# The two bits of a level in that word.
_LEVEL_BITS = {"M": 0, "L": 1, "H": 2, "Q": 3}

# From this version on a symbol tells its version, twice, in 18 bits with this generator (7.10).
_TELLS_VERSION = 7
_VERSION_GENERATOR = 0b1111100100101

# First four bits of the data of one part of a text spread over several symbols (8.4.2).
STRUCTURED_APPEND = 0b0011


@dataclass(frozen=True, slots=True)
class Block:
    """One block of error correction: where its codewords stand in the sequence of the symbol.

    Attributes:
        data: positions of the data codewords.
        checks: positions of the error correction codewords.
    """

    data: tuple[int, ...]
    checks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Format:
    """What the format word says: level, mask, and how many of its 30 bits disagree."""

    level: str
    mask: int
    distance: int


def side_of(version: int) -> int:
    """Modules a side."""
    return 17 + 4 * version


def version_of(side: int) -> int:
    """Version, 1 to 40, of a symbol so many modules a side.

    Raises:
        ValueError: no version has that side.
    """
    version, rest = divmod(side - 17, 4)
    if rest or not 1 <= version <= 40:  # noqa: PLR2004 - the standard's range
        raise ValueError(f"no QR code has {side} modules a side")
    return version


@cache
def alignment_centres(version: int) -> tuple[int, ...]:
    """Rows (and columns) on which alignment patterns are centred (annex E)."""
    if version == 1:
        return ()
    count = version // 7 + 2
    last = side_of(version) - 7
    step = 26 if version == 32 else -(-(last - 6) // (2 * count - 2)) * 2  # noqa: PLR2004 - the standard's one exception
    return (6, *reversed([last - i * step for i in range(count - 1)]))


@cache
def function_modules(version: int) -> Grid:
    """Modules that carry no data: finders, timing, alignment, format, version."""
    side = side_of(version)
    taken = np.zeros((side, side), np.bool_)
    taken[:9, :9] = taken[:9, -8:] = taken[-8:, :9] = True
    taken[6, :] = taken[:, 6] = True
    centres = alignment_centres(version)
    for row in centres:
        for column in centres:
            if not _meets_finder(row, column, side):
                taken[row - 2 : row + 3, column - 2 : column + 3] = True
    if version >= _TELLS_VERSION:
        taken[:6, -11:-8] = taken[-11:-8, :6] = True
    taken.setflags(write=False)
    return taken


def _meets_finder(row: int, column: int, side: int) -> bool:
    return (row, column) in {(6, 6), (6, side - 7), (side - 7, 6)}


@cache
def fixed_modules(version: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Grid]:
    """Modules whose colour every symbol of this version shares: rows, columns, whether dark.

    Finders with their white border, timing, alignment patterns.
    """
    side = side_of(version)
    value = np.full((side, side), -1, np.int8)
    run = np.arange(side) % 2 == 0
    value[6, :] = value[:, 6] = run
    rings = np.maximum(*np.abs(np.mgrid[-4:5, -4:5]))
    finder = ((rings != 2) & (rings != 4)).astype(np.int8)  # noqa: PLR2004 - rings two and four are light
    value[:8, :8] = finder[1:, 1:]
    value[:8, -8:] = finder[1:, :-1]
    value[-8:, :8] = finder[:-1, 1:]
    for row in alignment_centres(version):
        for column in alignment_centres(version):
            if not _meets_finder(row, column, side):
                value[row - 2 : row + 3, column - 2 : column + 3] = rings[2:7, 2:7] != 1
    rows, columns = np.nonzero(value >= 0)
    return rows, columns, value[rows, columns] == 1


def fixed_share(grid: Grid) -> float:
    """Share of the modules whose colour is fixed that have it; mirrored or not is the same."""
    rows, columns, dark = fixed_modules(version_of(grid.shape[0]))
    return float((grid[rows, columns] == dark).mean())


@cache
def data_modules(version: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows and columns of the data modules in the order of their bits, remainder bits left out."""
    side = side_of(version)
    taken = function_modules(version)
    # Pairs of columns from the right, upwards and downwards in turn; the timing column is left out.
    pairs = np.array([*range(side - 1, 6, -2), 5, 3, 1])
    rows = np.repeat(np.arange(side), 2)
    rows = np.concatenate([rows[::-1] if i % 2 == 0 else rows for i in range(len(pairs))])
    columns = np.repeat(pairs, 2 * side) - np.tile((0, 1), side * len(pairs))
    free = ~taken[rows, columns]
    bits = np.count_nonzero(free) // 8 * 8
    return rows[free][:bits], columns[free][:bits]


@cache
def mask_of(version: int, mask: int) -> Grid:
    """Modules that mask number `mask`, 0 to 7, turns over."""
    i, j = np.mgrid[: side_of(version), : side_of(version)]
    rules = (
        (i + j) % 2,
        i % 2,
        j % 3,
        (i + j) % 3,
        (i // 2 + j // 3) % 2,
        (i * j) % 2 + (i * j) % 3,
        ((i * j) % 2 + (i * j) % 3) % 2,
        ((i + j) % 2 + (i * j) % 3) % 2,
    )
    turned: Grid = rules[mask] == 0
    turned.setflags(write=False)
    return turned


@cache
def blocks(version: int, level: str) -> tuple[Block, ...]:
    """The blocks of a symbol, as positions in its sequence of codewords."""
    total = len(data_modules(version)[0]) // 8
    count = int(_BLOCKS[level].split()[version - 1])
    checks = int(_CHECKS_PER_BLOCK[level].split()[version - 1])
    short = total // count - checks
    longer = total % count  # so many of the last blocks have one data codeword more
    data: list[list[int]] = [[] for _ in range(count)]
    position = 0
    for row in range(short + 1):
        for index in range(count):
            if row < short or index >= count - longer:
                data[index].append(position)
                position += 1
    return tuple(
        Block(tuple(data[i]), tuple(position + i + k * count for k in range(checks))) for i in range(count)
    )


def codewords(grid: Grid, mask: int) -> npt.NDArray[np.uint8]:
    """The symbol's codewords in their sequence, mask undone."""
    version = version_of(grid.shape[0])
    rows, columns = data_modules(version)
    bits = grid[rows, columns] ^ mask_of(version, mask)[rows, columns]
    return np.packbits(bits)


@cache
def format_words() -> tuple[tuple[str, int, int], ...]:
    """Every level and mask with its word of 15 bits, highest first."""
    words = []
    for level, bits in _LEVEL_BITS.items():
        for mask in range(8):
            data = bits << 3 | mask
            rest = data << 10
            for shift in range(4, -1, -1):
                if rest >> (10 + shift) & 1:
                    rest ^= _FORMAT_GENERATOR << shift
            words.append((level, mask, (data << 10 | rest) ^ _FORMAT_XOR))
    return tuple(words)


def format_places(side: int) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    """Row and column of each bit of both copies of the format word."""
    corner = (
        *((8, c) for c in range(6)),
        (8, 7),
        (8, 8),
        (7, 8),
        *((r, 8) for r in range(5, -1, -1)),
    )
    split = (*((side - 1 - i, 8) for i in range(7)), *((8, side - 8 + i) for i in range(8)))
    return corner, split


def drawn(words: npt.NDArray[np.uint8], version: int, form: Format) -> Grid:
    """The symbol that holds these codewords: what `codewords` is taken from."""
    side = side_of(version)
    grid = np.zeros((side, side), np.bool_)
    rows, columns, dark = fixed_modules(version)
    grid[rows, columns] = dark
    rows, columns = data_modules(version)
    grid[rows, columns] = np.unpackbits(words).astype(np.bool_) ^ mask_of(version, form.mask)[rows, columns]
    word = next(w for level, mask, w in format_words() if (level, mask) == (form.level, form.mask))
    for copy in format_places(side):
        for i, place in enumerate(copy):
            grid[place] = word >> (14 - i) & 1
    grid[side - 8, 8] = True
    if version >= _TELLS_VERSION:
        _draw_version(grid, version)
    return grid


def _draw_version(grid: Grid, version: int) -> None:
    side = grid.shape[0]
    rest = version << 12
    for shift in range(5, -1, -1):
        if rest >> (12 + shift) & 1:
            rest ^= _VERSION_GENERATOR << shift
    word = version << 12 | rest
    for i in range(18):
        row, column = i // 3, side - 11 + i % 3
        grid[row, column] = grid[column, row] = bool(word >> i & 1)


def format_of(grid: Grid) -> Format:
    """The most likely format of a symbol, from both copies of its format word."""
    read = [
        sum(int(grid[place]) << (14 - i) for i, place in enumerate(copy))
        for copy in format_places(grid.shape[0])
    ]
    distances = (
        (sum((word ^ seen).bit_count() for seen in read), level, mask) for level, mask, word in format_words()
    )
    distance, level, mask = min(distances)
    return Format(level, mask, distance)


def upright(grid: Grid) -> Grid:
    """The grid as it was drawn: one seen in a mirror is turned over, as its format word tells."""
    mirrored = np.ascontiguousarray(grid.T)
    return mirrored if format_of(mirrored).distance < format_of(grid).distance else grid
