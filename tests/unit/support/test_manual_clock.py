from __future__ import annotations

from datetime import UTC, datetime

import pytest

from device.runtime import Clock, SystemClock
from tests.support.clock import ManualClock


def test_it_stands_still_until_it_is_moved() -> None:
    clock = ManualClock(monotonic=5.0)
    before = clock.reading()
    assert clock.reading() == before
    clock.advance(1.25)
    assert clock.monotonic() == 6.25
    assert clock.reading().uptime_ms == before.uptime_ms + 1250
    assert clock.reading().wall == "2026-03-02T08:00:01.250Z"


def test_setting_the_wall_clock_leaves_durations_alone() -> None:
    clock = ManualClock(monotonic=5.0, wall=datetime(1970, 1, 1, tzinfo=UTC), trusted=False)
    assert not clock.trusted()
    clock.set_wall(datetime(2026, 3, 2, tzinfo=UTC))
    assert clock.trusted()
    assert clock.utc() == datetime(2026, 3, 2, tzinfo=UTC)
    assert clock.monotonic() == 5.0


def test_a_reboot_begins_a_new_monotonic_time() -> None:
    clock = ManualClock()
    clock.reboot("another")
    assert clock.reading().boot == "another"
    assert clock.reading().uptime_ms == 0


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="backwards"):
        ManualClock().advance(-0.1)


@pytest.mark.parametrize("clock", [ManualClock(), SystemClock()], ids=["manual", "system"])
def test_both_clocks_keep_the_same_contract(clock: Clock) -> None:
    first, second = clock.reading(), clock.reading()
    assert first.boot == second.boot
    assert second.uptime_ms >= first.uptime_ms
    assert first.wall.endswith("Z")
    assert clock.utc().tzinfo is UTC
