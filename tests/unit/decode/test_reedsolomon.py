from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from device.decode.reedsolomon import correct, syndromes
from device.decode.structure import blocks, codewords, format_of
from tests.support.grids import grid_of


def _block() -> tuple[list[int], int]:
    """A true block, from a symbol drawn by another library."""
    grid = grid_of("A gate pass of some length, so that a block fills", version=5, error="q")
    form = format_of(grid)
    words = codewords(grid, form.mask)
    block = blocks(5, form.level)[0]
    return [int(words[i]) for i in (*block.data, *block.checks)], len(block.checks)


BLOCK, CHECKS = _block()


def test_a_whole_block_has_no_syndromes() -> None:
    assert not any(syndromes(BLOCK, CHECKS))


@given(data=st.data(), erasures=st.integers(0, CHECKS))
def test_errors_and_erasures_within_the_bound_are_corrected(data: st.DataObject, erasures: int) -> None:
    errors = data.draw(st.integers(0, (CHECKS - erasures) // 2))
    places = data.draw(
        st.lists(
            st.integers(0, len(BLOCK) - 1),
            min_size=errors + erasures,
            max_size=errors + erasures,
            unique=True,
        )
    )
    spoilt = list(BLOCK)
    for place in places:
        spoilt[place] = data.draw(st.integers(0, 255))
    assert correct(spoilt, CHECKS, places[:erasures]) == BLOCK


@given(st.lists(st.integers(0, 255), min_size=len(BLOCK), max_size=len(BLOCK)))
def test_whatever_comes_back_is_a_codeword(block: list[int]) -> None:
    out = correct(block, CHECKS)
    assert out is None or not any(syndromes(out, CHECKS))


def test_more_erasures_than_checks_are_refused() -> None:
    assert correct(BLOCK, CHECKS, range(CHECKS + 1)) is None
