from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from segno import consts

from device.decode import structure
from tests.support.grids import grid_of

LEVELS = {
    "L": consts.ERROR_LEVEL_L,
    "M": consts.ERROR_LEVEL_M,
    "Q": consts.ERROR_LEVEL_Q,
    "H": consts.ERROR_LEVEL_H,
}

versions = st.integers(1, 40)
levels = st.sampled_from(sorted(LEVELS))
masks = st.integers(0, 7)


@given(versions, levels)
def test_blocks_agree_with_an_independent_table(version: int, level: str) -> None:
    ours = [(len(b.data), len(b.checks)) for b in structure.blocks(version, level)]
    theirs = [
        (info.num_data, info.num_total - info.num_data)
        for info in consts.ECC[version][LEVELS[level]]
        for _ in range(info.num_blocks)
    ]
    assert ours == theirs


@given(versions, levels)
def test_blocks_share_out_every_codeword_once(version: int, level: str) -> None:
    places = [i for b in structure.blocks(version, level) for i in (*b.data, *b.checks)]
    assert sorted(places) == list(range(len(structure.data_modules(version)[0]) // 8))


@given(versions, levels, masks)
def test_the_format_of_a_drawn_symbol_is_read(version: int, level: str, mask: int) -> None:
    grid = grid_of("gate", version=version, error=level, mask=mask)
    assert structure.format_of(grid) == structure.Format(level, mask, 0)


@given(versions)
def test_fixed_modules_look_as_every_symbol_does(version: int) -> None:
    grid = grid_of("gate", version=version)
    rows, columns, dark = structure.fixed_modules(version)
    assert (grid[rows, columns] == dark).all()


@given(versions, masks)
def test_a_mirrored_symbol_is_turned_over(version: int, mask: int) -> None:
    grid = grid_of("gate", version=version, mask=mask)
    assert (structure.upright(np.ascontiguousarray(grid.T)) == grid).all()
    assert (structure.upright(grid) == grid).all()


def test_the_first_codeword_holds_the_mode() -> None:
    grid = grid_of(b"gate", version=3)
    assert structure.codewords(grid, structure.format_of(grid).mask)[0] >> 4 == 0b0100


@given(versions)
def test_a_side_tells_the_version(version: int) -> None:
    assert structure.version_of(structure.side_of(version)) == version


@given(st.integers(-50, 400).filter(lambda side: side not in {17 + 4 * v for v in range(1, 41)}))
def test_other_sides_have_no_version(side: int) -> None:
    with pytest.raises(ValueError, match="no QR code has"):
        structure.version_of(side)
