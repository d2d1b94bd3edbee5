from __future__ import annotations

import numpy as np
import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from device.decode.climb import Pace
from device.decode.evidence import Evidence
from device.decode.repair import clean_picture, repaired
from device.decode.soften import Soft, soften
from device.decode.zxing import Zxing
from tests.support.grids import grid_of
from tests.support.shades import sampled, smeared

CARD = "046090123456|191234567|Trần Văn Mẫu|05061990|Nam|Tổ 3, Phường Thử Nghiệm, Thành phố Ví Dụ|12072021"


def _always() -> bool:
    return True


def _soft(content: bytes | str, error: str = "m") -> Soft:
    values = np.where(grid_of(content, error=error), -1, 1).astype(np.float32)
    return Soft(values=values, trust=np.ones_like(values))


def _read(soft: Soft) -> list[bytes | None]:
    grid = repaired(soft, going=_always)
    return [] if grid is None else [f.content for f in Zxing().read(clean_picture(grid))]


@settings(max_examples=30)
@given(st.binary(min_size=1, max_size=300), st.sampled_from("lmqh"))
def test_a_flawless_symbol_reads_as_it_was_written(content: bytes, error: str) -> None:
    assert _read(_soft(content, error)) == [content]


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_noise_is_never_a_code(seed: int) -> None:
    rng = np.random.default_rng(seed)
    side = int(17 + 4 * rng.integers(1, 12))
    values = rng.normal(0, 1, (side, side)).astype(np.float32)
    trust = rng.random((side, side)).astype(np.float32)
    assert repaired(Soft(values, trust), going=_always) is None


def test_what_glare_burnt_out_is_given_up() -> None:
    soft = _soft(CARD)
    side = soft.values.shape[0]
    burnt = slice(side // 3, side // 3 + side * 2 // 5), slice(side // 2, side // 2 + side * 2 // 5)
    soft.values[burnt] = 1.0
    assert _read(soft) == []
    soft.trust[burnt] = 0.05
    assert _read(soft) == [CARD.encode()]


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 0.35))
def test_a_spoilt_symbol_reads_rightly_or_not_at_all(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    soft = _soft(CARD)
    hit = rng.random(soft.values.shape) < share
    soft.values[hit] = rng.normal(0, 1, int(hit.sum()))
    assert _read(soft) in ([], [CARD.encode()])


def test_a_part_of_a_text_spread_over_symbols_is_refused() -> None:
    symbol = segno.make_sequence("a text spread over symbols " * 6, symbol_count=3)[0]
    dark = np.array([[bool(dark) for dark in row] for row in symbol.matrix], np.bool_)
    values = np.where(dark, -1, 1).astype(np.float32)
    assert repaired(Soft(values=values, trust=np.ones_like(values)), going=_always) is None


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_smear_wider_than_a_module_is_undone(*, mirrored: bool) -> None:
    luma, corners, truth = smeared(CARD.encode(), smear_px=9)
    grid = sampled(luma, corners, truth.shape[0])
    assert all(finding.content is None for finding in Zxing().read(luma))
    assert np.count_nonzero(grid != truth) > 500
    if mirrored:
        top_left, top_right, bottom_right, bottom_left = corners
        corners, grid = (top_left, bottom_left, bottom_right, top_right), np.ascontiguousarray(grid.T)
    soft = soften(luma, corners, grid, going=_always)
    assert soft is not None
    assert np.count_nonzero((soft.values < 0) != truth) < 50
    assert _read(soft) == [CARD.encode()]


def test_light_on_dark_is_softened_too() -> None:
    luma, corners, truth = smeared(CARD.encode(), smear_px=3)
    soft = soften(255 - luma, corners, truth, going=_always)
    assert soft is not None
    assert _read(soft) == [CARD.encode()]


def test_looks_that_are_unreadable_one_by_one_are_readable_together() -> None:
    rng = np.random.default_rng(5)
    evidence = Evidence()
    true = _soft(CARD)
    total: Soft | None = None
    for look in range(1, 13):
        noisy = Soft(true.values * 0.5 + rng.normal(0, 0.6, true.values.shape).astype(np.float32), true.trust)
        assert _read(noisy) == []
        evidence.next_look()
        total = evidence.add(noisy)
        assert (total is None) == (look == 1)
    assert total is not None
    assert _read(total) == [CARD.encode()]


def test_two_symbols_of_one_size_are_not_mixed() -> None:
    evidence = Evidence()
    one, other = (
        _soft(b"a code of some length, the first of two"),
        _soft(b"another one, as long as the first of two"),
    )
    assert one.values.shape == other.values.shape
    assert evidence.add(one) is None
    assert evidence.add(other) is None
    assert evidence.add(one) is not None


def test_a_symbol_taken_away_is_forgotten() -> None:
    evidence = Evidence()
    evidence.add(_soft(CARD))
    for _ in range(31):
        evidence.next_look()
    assert evidence.add(_soft(CARD)) is None


def test_where_there_is_no_such_symbol_nothing_is_softened() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (300, 300), dtype=np.uint8)
    corners = ((20.0, 20.0), (280.0, 20.0), (280.0, 280.0), (20.0, 280.0))
    assert soften(noise, corners, grid_of(CARD, error="m"), going=_always) is None


def test_without_time_there_is_one_round_and_no_correction() -> None:
    luma, corners, truth = smeared(CARD.encode(), smear_px=9)
    grid = sampled(luma, corners, truth.shape[0])
    asked: list[bool] = []

    def _never() -> bool:
        asked.append(True)
        return False

    soft = soften(luma, corners, grid, going=_never)
    assert soft is not None
    assert len(asked) == 1
    assert repaired(soft, going=_never) is None


def test_what_repairs_cost_is_learnt_by_the_module() -> None:
    pace = Pace()
    assert pace.expected_ms(1000) == 0
    pace.note(1000, 20.0)
    assert pace.expected_ms(2000) == pytest.approx(40.0)
    pace.note(1000, 1.0)
    assert pace.expected_ms(1000) == pytest.approx(18.0)
