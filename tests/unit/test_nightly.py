from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from device.nightly import HOUR, Nightly
from tests.support.clock import ManualClock

THERE = ZoneInfo("Asia/Ho_Chi_Minh")


def hours_due(clock: ManualClock, hours: int) -> list[int]:
    """After how many hours it was due, asked every minute."""
    nightly, due = Nightly(clock=clock, timezone=THERE), []
    for minute in range(hours * 60):
        if nightly.due():
            due.append(minute // 60)
        clock.advance(60)
    return due


def test_it_is_once_a_night_by_the_clock_of_the_place() -> None:
    noon = ManualClock(wall=datetime(2026, 3, 2, 12, 0, tzinfo=THERE).astimezone(UTC))
    assert hours_due(noon, 72) == [12 + HOUR, 36 + HOUR, 60 + HOUR]


def test_a_gate_whose_clock_is_not_set_looks_once_a_day() -> None:
    unset = ManualClock(wall=datetime(1970, 1, 1, tzinfo=UTC), trusted=False)
    assert hours_due(unset, 72) == [24, 48]


def test_a_clock_put_back_does_not_make_it_look_again_and_again() -> None:
    clock = ManualClock(wall=datetime(2026, 3, 2, HOUR, 0, tzinfo=THERE).astimezone(UTC))
    nightly = Nightly(clock=clock, timezone=THERE)
    assert nightly.due()
    for _ in range(100):
        clock.advance(600)
        clock.set_wall(datetime(2026, 3, 2, HOUR, 5, tzinfo=THERE).astimezone(UTC))
        assert not nightly.due()
