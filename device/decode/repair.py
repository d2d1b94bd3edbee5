"""From shades to content: format, codewords with their doubts, correction that may give up the doubtful.

The engines' own correction treats all codewords alike. Here the least trusted ones of a block are
declared erased, first none, then more and more (generalised minimum distance): what glare has burnt
out then costs half of the correction it would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from device.decode.reedsolomon import correct
from device.decode.structure import (
    STRUCTURED_APPEND,
    Format,
    blocks,
    data_modules,
    drawn,
    format_places,
    format_words,
    mask_of,
    version_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from device.decode.soften import Soft
    from device.decode.structure import Block, Grid

# Check codewords that must be left unused over the whole symbol: a random word then passes for a code
# once in 256^6 tries, some 10^14.
_RESERVE = 6
# And in every single block.
_RESERVE_A_BLOCK = 2
# How much of what may be given up is given up, in turn.
_ERASED_SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def _format(soft: Soft) -> Format:
    """The format whose word fits the shades best."""
    values = np.clip(soft.values, -1, 1)
    copies = [np.array([values[place] for place in copy]) for copy in format_places(values.shape[0])]
    both = copies[0] + copies[1]
    shifts = np.arange(14, -1, -1)
    fits = (
        (float(both @ (1.0 - 2.0 * (word >> shifts & 1))), level, mask)
        for level, mask, word in format_words()
    )
    _, level, mask = max(fits)
    return Format(level, mask, 0)


def _corrected(
    words: npt.NDArray[np.uint8], doubts: npt.NDArray[np.float32], block: Block, reserve: int
) -> list[int] | None:
    places = np.array((*block.data, *block.checks))
    values = words[places].tolist()
    doubtful = np.argsort(doubts[places]).tolist()
    room = len(block.checks) - reserve
    for share in _ERASED_SHARES:
        erased = doubtful[: int(share * room)]
        fixed = correct(values, len(block.checks), erased)
        if fixed is None:
            continue
        given_up = set(erased)
        errors = sum(a != b and i not in given_up for i, (a, b) in enumerate(zip(values, fixed, strict=True)))
        if 2 * errors + len(erased) <= room:
            return fixed
    return None


def repaired(soft: Soft, *, going: Callable[[], bool]) -> Grid | None:
    """The symbol as it was printed; None when it cannot be told, or is but a part of a text.

    Before every block `going` is asked; when it says no, the symbol cannot be told.
    """
    version = version_of(soft.values.shape[0])
    form = _format(soft)
    rows, columns = data_modules(version)
    bits = (soft.values[rows, columns] < 0) ^ mask_of(version, form.mask)[rows, columns]
    words = np.packbits(bits)
    sure = np.minimum(np.abs(soft.values), 1) * soft.trust
    doubts = sure[rows, columns].reshape(-1, 8).min(axis=1)
    layout = blocks(version, form.level)
    reserve = max(_RESERVE_A_BLOCK, -(-_RESERVE // len(layout)))
    for block in layout:
        fixed = _corrected(words, doubts, block, reserve) if going() else None
        if fixed is None:
            return None
        words[np.array((*block.data, *block.checks))] = fixed
    if words[0] >> 4 == STRUCTURED_APPEND:
        return None
    return drawn(words, version, form)


def clean_picture(grid: Grid) -> npt.NDArray[np.uint8]:
    """The symbol drawn without a flaw, for an engine to read its content."""
    light = np.pad(~grid, 4, constant_values=True).astype(np.uint8)
    return np.kron(light, np.full((4, 4), 255, np.uint8))
