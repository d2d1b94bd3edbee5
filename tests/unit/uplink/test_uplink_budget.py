"""The daily data budget: counted over restarts, renewed at the gate's midnight, and nothing is lost by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.uplink.budget import MESSAGE_BYTES, Budget, Pace, Spent, carried_on, cost_bytes
from device.uplink.wire import Message, parse_events
from tests.support.backlog import MemoryBacklog
from tests.support.clock import ManualClock
from tests.support.sessions import MemoryBroker
from tests.support.uplinks import ADDRESS, Uplink

if TYPE_CHECKING:
    from collections.abc import Callable

# Seven hours ahead of UTC: 08:00 UTC is 15:00 at the gate.
HANOI = timezone(timedelta(hours=7))
DAY_S = 86_400


def budget(path: Path, clock: ManualClock, daily_bytes: int | None = 10_000) -> Budget:
    return Budget(daily_bytes=daily_bytes, clock=clock, timezone=HANOI, path=path / "day.json")


def of(count: int) -> Message:
    """A message that costs so many bytes."""
    return Message("t", b"x" * (count - MESSAGE_BYTES - 1))


def seqs(messages: list[Message]) -> list[int]:
    return [e.seq for m in messages if m.topic == ADDRESS.event for e in parse_events(m.payload)]


# -- counting -------------------------------------------------------------------------------------


def test_four_fifths_make_it_sparing_and_the_whole_makes_it_spent(tmp_path: Path) -> None:
    counted = budget(tmp_path, ManualClock())
    counted.spend(of(7999))
    assert counted.look() is Pace.FREE
    counted.spend(of(1000))
    assert counted.look() is Pace.SPARING
    counted.spend(of(1001))
    assert (counted.look(), counted.sent_bytes) == (Pace.SPENT, 10_000)


def test_without_a_bound_nothing_is_counted_and_nothing_written(tmp_path: Path) -> None:
    counted = budget(tmp_path, ManualClock(), None)
    counted.spend(of(1 << 20))
    counted.save()
    assert (counted.look(), counted.limited, counted.sent_bytes) == (Pace.FREE, False, 0)
    assert list(tmp_path.iterdir()) == []


def test_it_begins_anew_at_the_gates_midnight(tmp_path: Path) -> None:
    clock = ManualClock()
    counted = budget(tmp_path, clock)
    counted.spend(of(10_000))
    clock.advance(9 * 3600 - 1)  # 23:59:59 at the gate
    assert counted.look() is Pace.SPENT
    clock.advance(1)
    assert (counted.look(), counted.sent_bytes) == (Pace.FREE, 0)


def test_it_survives_a_restart_the_same_day_and_not_the_next(tmp_path: Path) -> None:
    clock = ManualClock()
    counted = budget(tmp_path, clock)
    counted.spend(of(9000))
    counted.save()
    clock.reboot("another")
    assert budget(tmp_path, clock).pace is Pace.SPARING
    clock.advance(10 * 3600)
    assert budget(tmp_path, clock).pace is Pace.FREE


def test_a_kill_forgets_a_minute_at_most(tmp_path: Path) -> None:
    clock = ManualClock()
    counted = budget(tmp_path, clock)
    counted.spend(of(5000))
    clock.advance(61)
    counted.look()
    counted.spend(of(4000))
    assert budget(tmp_path, clock).sent_bytes == 5000


def test_while_the_clock_is_not_trusted_it_counts_on_for_a_day_of_uptime(tmp_path: Path) -> None:
    clock = ManualClock(trusted=False)
    counted = budget(tmp_path, clock)
    counted.spend(of(10_000))
    clock.advance(DAY_S - 1)
    assert counted.look() is Pace.SPENT
    clock.advance(1)
    assert counted.look() is Pace.FREE


def test_what_was_sent_before_the_clock_was_set_counts_for_that_day(tmp_path: Path) -> None:
    clock = ManualClock(trusted=False, wall=datetime(1970, 1, 1, tzinfo=UTC))
    counted = budget(tmp_path, clock)
    counted.spend(of(9000))
    clock.set_wall(datetime(2026, 3, 2, 8, tzinfo=UTC))
    assert counted.look() is Pace.SPARING
    clock.advance(9 * 3600)
    assert counted.look() is Pace.FREE


def test_after_a_restart_without_the_time_the_day_before_still_counts(tmp_path: Path) -> None:
    clock = ManualClock()
    counted = budget(tmp_path, clock)
    counted.spend(of(9000))
    counted.save()
    clock.reboot("another")
    clock.set_wall(datetime(1970, 1, 1, tzinfo=UTC), trusted=False)
    assert budget(tmp_path, clock).pace is Pace.SPARING


@pytest.mark.parametrize("content", [b"", b"nonsense", b"[1]", b'{"day":1}', b"\xff" * 600])
def test_a_file_that_is_none_is_a_new_count(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "day.json").write_bytes(content)
    counted = budget(tmp_path, ManualClock())
    assert counted.sent_bytes == 0
    counted.spend(of(500))
    counted.save()
    assert budget(tmp_path, ManualClock()).sent_bytes == 500


def test_a_card_that_refuses_the_count_stops_nothing(tmp_path: Path) -> None:
    counted = budget(tmp_path / "absent", ManualClock())
    counted.spend(of(500))
    counted.save()
    assert counted.sent_bytes == 500


DAYS = st.sampled_from(["", "2026-03-01", "2026-03-02"])
BOOTS = st.sampled_from(["a", "b"])
UPTIMES = st.floats(0, 10 * DAY_S)


@given(st.builds(Spent, DAYS, BOOTS, UPTIMES, st.integers(0, 10**9)), DAYS, BOOTS, UPTIMES)
def test_only_another_day_or_a_day_of_uptime_forgets_what_was_sent(
    spent: Spent, today: str, boot: str, uptime_s: float
) -> None:
    now = carried_on(spent, today=today, boot=boot, uptime_s=uptime_s)
    assert now.boot == boot
    if now.sent_bytes != spent.sent_bytes:
        assert now.sent_bytes == 0
        another_day = today != spent.day and bool(today) and bool(spent.day)
        assert another_day or (not today and boot == spent.boot and uptime_s - spent.since_s >= DAY_S)
    assert carried_on(now, today=today, boot=boot, uptime_s=uptime_s) == now


def test_a_messages_cost_counts_payload_topic_properties_and_headers() -> None:
    plain = Message("topic", b"payload")
    assert cost_bytes(plain) == 5 + 7 + MESSAGE_BYTES
    assert cost_bytes(Message("topic", b"payload", content_type="a/b", user=(("k", "v"),))) > cost_bytes(
        plain
    )


# -- in the forwarder -----------------------------------------------------------------------------


def uplink(backlog: MemoryBacklog, broker: MemoryBroker, clock: ManualClock, **changes: Any) -> Uplink:  # noqa: ANN401 - passed on
    settings = {"backoff_min_s": 0.001, "backoff_max_s": 0.01, "clock": clock}
    return Uplink(backlog, broker.session, **{**settings, **changes})


def quiet(broker: MemoryBroker, changed: Callable[[MemoryBroker], bool]) -> bool:
    """Whether this does not come true for a while."""
    return not broker.wait_for(changed, 0.6)


def test_when_it_runs_short_events_wait_and_go_together(tmp_path: Path) -> None:
    clock = ManualClock()
    counted = budget(tmp_path, clock, 100_000)
    counted.spend(of(80_000))
    backlog, broker = MemoryBacklog(), MemoryBroker()
    with uplink(backlog, broker, clock, budget=counted) as running:
        assert broker.wait_for(lambda b: len(b.received) == 2)  # birth and health
        backlog.append(5)
        assert quiet(broker, lambda b: bool(seqs(b.offered)))
        assert running.forwarder.stats().pace is Pace.SPARING
        clock.advance(900)
        assert backlog.wait_until_settled()
        backlog.append(3)
        assert quiet(broker, lambda b: len(seqs(b.offered)) > 5)
        clock.advance(900)
        assert backlog.wait_until_settled()
    (first, second) = (m for m in broker.received if m.topic == ADDRESS.event)
    assert (seqs([first]), seqs([second])) == ([1, 2, 3, 4, 5], [6, 7, 8])


def test_when_it_is_spent_events_wait_for_the_next_day_and_all_of_them_arrive(tmp_path: Path) -> None:
    clock = ManualClock()
    counted = budget(tmp_path, clock, 50_000)
    counted.spend(of(50_000))
    backlog, broker = MemoryBacklog(100), MemoryBroker()
    with uplink(backlog, broker, clock, budget=counted) as running:
        assert broker.wait_for(lambda b: len(b.received) == 2)  # the gate itself is heard all the same
        clock.advance(3600)
        assert quiet(broker, lambda b: bool(seqs(b.offered)))
        assert running.forwarder.stats().pace is Pace.SPENT
        clock.advance(9 * 3600)
        assert backlog.wait_until_settled()
    assert seqs(broker.received) == list(range(1, 101))


def test_stopping_while_it_is_spent_says_goodbye_at_once(tmp_path: Path) -> None:
    clock = ManualClock()
    counted = budget(tmp_path, clock, 50_000)
    counted.spend(of(50_000))
    backlog, broker = MemoryBacklog(10), MemoryBroker()
    with uplink(backlog, broker, clock, budget=counted):
        assert broker.wait_for(lambda b: len(b.received) == 2)
    assert broker.received[-1].topic == ADDRESS.state
    assert seqs(broker.offered) == []
    assert budget(tmp_path, clock, 50_000).pace is Pace.SPENT
