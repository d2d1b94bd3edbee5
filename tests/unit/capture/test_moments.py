from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from device.capture.moments import captured_at

TIMES = st.floats(0, 1e9)


def test_a_stamp_of_the_last_moments_is_believed() -> None:
    assert captured_at(99.95, now=100.0) == 99.95


def test_a_stamp_a_little_ahead_is_taken_for_now() -> None:
    assert captured_at(100.02, now=100.0) == 100.0


def test_a_stamp_of_another_clock_is_not_believed() -> None:
    assert captured_at(0.0, now=100.0) == 100.0
    assert captured_at(1_700_000_000.0, now=100.0) == 100.0
    assert captured_at(None, now=100.0) == 100.0


@given(stamp=st.one_of(st.none(), TIMES, st.just(float("nan"))), now=TIMES)
def test_a_frame_is_never_dated_later_than_now_nor_long_ago(stamp: float | None, now: float) -> None:
    assert now - 2.001 <= captured_at(stamp, now) <= now
