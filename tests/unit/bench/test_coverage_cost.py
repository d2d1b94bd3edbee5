"""The coverage ledger's price. Bytes are the same on every machine, so a test may hold us to them."""

from __future__ import annotations

from dataclasses import replace

from bench.coverage import DAYS, OPEN_FROM_S, cost_of

HOURS = OPEN_FROM_S + 3 * 3600
BYTES_A_MINUTE = 300
BUSY_SHARE = 0.05


def test_an_idle_minute_costs_less_than_300_bytes() -> None:
    assert cost_of(replace(DAYS[0], seconds=3 * 3600)).bytes_a_minute < BYTES_A_MINUTE


def test_on_a_busy_day_the_ledger_is_less_than_a_twentieth_of_the_journal() -> None:
    busy = cost_of(replace(DAYS[1], seconds=HOURS))
    assert busy.scans > 2000
    assert busy.share < BUSY_SHARE


def test_a_camera_that_comes_and_goes_all_day_costs_no_more_either() -> None:
    wavering = cost_of(replace(DAYS[-1], seconds=3 * 3600))
    assert wavering.bytes_a_minute < BYTES_A_MINUTE
