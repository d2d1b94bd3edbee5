"""Symbols made to break decoders, through the real child: not one may cost more than its own frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from device.decode.repair import clean_picture
from device.decode.wire import MAX_BYTES, MAX_CONTENT_BYTES
from device.errors import DecoderDied
from device.model import Frame
from tests.support.codes import code, shown, structured_append
from tests.support.hostile import bits, capacity, symbol_of, with_version_bits
from tests.support.pools import decoder_pool

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from device.decode.pool import DecoderPool
    from device.decode.structure import Grid

    Luma = npt.NDArray[np.uint8]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def started() -> Iterator[DecoderPool]:
    # Patience enough for a machine that does much else: what is looked for here are crashes.
    pool = decoder_pool(deadline_ms=20_000, capacity=MAX_BYTES)
    pool.start()
    yield pool
    pool.close()


@pytest.fixture
def pool(started: DecoderPool) -> Iterator[DecoderPool]:
    """After every poison the gate still reads."""
    yield started
    started.children[0].await_ready(20)
    assert _read(started, shown("gate")) == [b"gate"]


def _read(pool: DecoderPool, luma: Luma) -> list[bytes]:
    """What is read; every text within bounds."""
    contents = [s.content for s in pool.decode(Frame(luma=luma, sequence=1, captured_at=0.0))]
    assert all(0 < len(content) <= MAX_CONTENT_BYTES for content in contents)
    return contents


def _show(pool: DecoderPool, grid: Grid) -> list[bytes]:
    """The symbol in the middle of a frame's worth of paper."""
    picture = clean_picture(grid)
    margin = max(0, (720 - picture.shape[0]) // 2)
    return _read(pool, np.pad(picture, margin, constant_values=255))


@pytest.mark.parametrize("version", [1, 2, 6, 7, 14, 40])
def test_symbols_made_here_are_what_an_engine_reads(pool: DecoderPool, version: int) -> None:
    """Or all that follows would be harmless for the wrong reason."""
    length = 8 if version < 10 else 16
    told = bits((0b0100, 4), (4, length), *((b, 8) for b in b"gate"), (0, 4))
    assert _show(pool, symbol_of(told, version=version, mask=3)) == [b"gate"]


def test_any_words_at_all_with_their_correction_in_order_kill_nobody(pool: DecoderPool) -> None:
    lost = pool.stats.lost
    rng = np.random.default_rng(1)
    for number in range(60):
        # Large ones take long to make; all paths are in the small ones.
        version, level = (40 if number == 0 else int(rng.integers(1, 11))), str(rng.choice(list("LMQH")))
        data = rng.integers(0, 256, capacity(version, level), dtype=np.uint8).tobytes()
        _show(pool, symbol_of(data, version=version, level=level, mask=int(rng.integers(8))))
    assert pool.stats.lost == lost


@pytest.mark.parametrize("mode", range(16))
def test_every_mode_with_a_length_far_beyond_the_symbol_kills_nobody(pool: DecoderPool, mode: int) -> None:
    lost = pool.stats.lost
    for version in (1, 7, 10):
        for rest in (0, 2**32 - 1):
            _show(pool, symbol_of(bits((mode, 4), (2**16 - 1, 16), (rest, 32)), version=version))
    assert pool.stats.lost == lost


@pytest.mark.parametrize("designator", [0, 3, 26, 899, 900, 16_383, 2**21 - 1])
def test_a_character_set_that_does_not_exist_kills_nobody(pool: DecoderPool, designator: int) -> None:
    lost = pool.stats.lost
    text = b"gate"
    told = bits(
        (0b0111, 4), (0b110, 3), (designator, 21), (0b0100, 4), (len(text), 8), *((b, 8) for b in text)
    )
    _show(pool, symbol_of(told, version=3))
    _show(pool, symbol_of(bits(*[(0b0111, 4), (0b110, 3), (designator, 21)] * 3), version=3))
    assert pool.stats.lost == lost


def test_versions_that_contradict_the_symbols_size_kill_nobody(pool: DecoderPool) -> None:
    lost = pool.stats.lost
    rng = np.random.default_rng(2)
    for version in (7, 12):
        grid = symbol_of(bits((0b0100, 4), (4 if version < 10 else 0, 8), (0, 8)), version=version)
        for word in (0, 2**18 - 1, *rng.integers(0, 2**18, 6).tolist()):
            _show(pool, with_version_bits(grid, int(word)))
    assert pool.stats.lost == lost


@pytest.mark.parametrize("modules", [-20, -3, -1, 1, 3, 40])
def test_symbols_of_a_size_no_version_has_kill_nobody(pool: DecoderPool, modules: int) -> None:
    lost = pool.stats.lost
    for version in (1, 7, 40):
        grid = symbol_of(b"gate", version=version)
        side = max(9, grid.shape[0] + modules)
        places = np.arange(side) * grid.shape[0] // side
        _show(pool, np.ascontiguousarray(grid[np.ix_(places, places)]))
    assert pool.stats.lost == lost


def test_parts_of_a_text_that_say_they_are_more_or_the_same_part_are_no_codes(pool: DecoderPool) -> None:
    for index, total in ((0, 0), (0, 15), (15, 15), (15, 0), (9, 3)):
        header = ((0b0011, 4), (index, 4), (total, 4), (0x55, 8))
        text = ((0b0100, 4), (4, 8), *((b, 8) for b in b"part"))
        assert _show(pool, symbol_of(bits(*header, *text), version=2)) == []
        assert _show(pool, symbol_of(bits(*header, *header, *header, *text), version=3)) == []
    sixteen = structured_append("part of a long text " * 40, 16)
    size = max(part.shape[0] for part in sixteen)
    sheet = [np.pad(part, (0, size - part.shape[0]), constant_values=255) for part in sixteen]
    assert _read(pool, np.vstack([np.hstack(sheet[row : row + 4]) for row in range(0, 16, 4)])) == []


@pytest.mark.parametrize(
    "shape",
    [(1, 1), (2, 2), (1, 1280), (720, 1), (3, 8_000_000), (8_000_000, 3), (6000, 4000)],
    ids=lambda shape: "x".join(map(str, shape)),
)
@pytest.mark.parametrize("content", ["black", "noise"])
def test_a_frame_of_any_shape_kills_nobody(pool: DecoderPool, shape: tuple[int, int], content: str) -> None:
    if content == "black":
        luma = np.zeros(shape, np.uint8)
    else:
        luma = np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)
    try:
        assert _read(pool, luma) == []
    except DecoderDied:  # too slow for its deadline: its own frame, and no more
        assert luma.size == MAX_BYTES


@pytest.mark.parametrize("module_px", [1, 2, 3])
def test_thousands_of_finder_patterns_cost_at_most_their_frame(pool: DecoderPool, module_px: int) -> None:
    finder = np.pad(
        code("x", scale=module_px, border=0)[: 8 * module_px, : 8 * module_px], 1, constant_values=255
    )
    rows, columns = 720 // finder.shape[0], 1280 // finder.shape[1]
    assert rows * columns > (1000 if module_px == 3 else 2000)
    try:
        assert _read(pool, np.tile(finder, (rows, columns))) == []
    except DecoderDied:
        assert pool.stats.lost


def test_a_hundred_codes_in_one_frame_are_told_as_far_as_there_is_room(pool: DecoderPool) -> None:
    sheet = np.hstack(
        [np.vstack([code(f"{row:02}{column:02}", scale=2) for row in range(11)]) for column in range(20)]
    )
    contents = _read(pool, sheet)
    assert len(contents) == len(set(contents))
    assert len(contents) >= 8
