"""What people were shown, what the journal holds, what the district has: one, whatever dies in between."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from device.model import ClockReading, ScanEvent
from device.runtime import SystemClock
from tests.support.broker import Broker
from tests.support.codes import empty, shown
from tests.support.consumers import Consumer, District
from tests.support.daemon import Daemon
from tests.support.gate import ANNA, BINH, CHI, REFUSED, Gate
from tests.support.journal import THREADS, open_journal, scan_event
from tests.support.link import Link
from tests.support.reckoning import Reckoning

pytestmark = pytest.mark.slow

PATH = "gate/v1/test-district/test-site/door-1"
# The broker keeps everything for a consumer that is away, as long as it lives.
GENEROUS = {"max_queued_messages": 0}
KILLS = 3
# Over the slow link: six seconds, time enough to be killed or stopped in the middle.
OUTAGE_EVENTS = 2000
SLOW_BITS_PER_S = 250_000
# More than ten messages of fifty events.
QUEUE_EVENTS = 800
# A gate through which 5,000 people go in a day, away from its broker for ten.
TEN_DAYS_EVENTS = 50_000
MOBILE_DELAY_S = 0.05
MOBILE_BITS_PER_S = 1_000_000


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path, options=GENEROUS) as broker:
        yield broker


@pytest.fixture
def district(tmp_path: Path) -> District:
    return District(tmp_path)


def gate_at(tmp_path: Path, port: int, district: District) -> Gate:
    """People come all the time, and the district may confirm."""
    gate = Gate(tmp_path, fps=10, port=port)
    gate.changes = {
        "policy.repeat_s": 0,
        "decode.showing_ends_after_s": 0.2,
        "uplink.district_key_file": str(district.public_file),
        "uplink.backoff_max_s": 1,
    }
    for content in (ANNA, BINH, REFUSED, CHI):
        gate.add(shown(content), 3)
        gate.add(empty(), 5)
    return gate


def after_an_outage(gate: Gate, events: int) -> None:
    with closing(open_journal(gate.journal, max_bytes=256 << 20, clock=SystemClock())) as journal:
        clock = SystemClock()
        people = [_somebody(number, clock.reading()) for number in range(events)]
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(journal.append, people))


def _somebody(number: int, reading: ClockReading) -> ScanEvent:
    """No two alike: what repeats itself would pack to nothing."""
    subject = hashlib.sha256(str(number).encode()).hexdigest()[:32]
    clock = replace(reading, uptime_ms=reading.uptime_ms + 17 * number)
    event = scan_event(40 + number % 150, clock)
    return replace(event, credential=replace(event.credential, subject=subject))


def newest(gate: Gate) -> int:
    return int(gate.stored()[-1]["seq"])


def consumer_at(broker: Broker, store: Path, district: District) -> Consumer:
    """It stands beside the broker, not behind the gate's link."""
    return Consumer(broker, store, district=district, more=("--tenant", "test-district"))


def has_come(consumer: Consumer, count: int, timeout_s: float = 60) -> None:
    consumer.wait_for(lambda c: len(c.told("event")) >= count, f"fewer than {count} events came", timeout_s)


def test_kill_9_in_the_middle_of_a_drain_while_people_come_costs_nothing_at_either_end(
    tmp_path: Path, broker: Broker, district: District
) -> None:
    dice, reckoning, store = random.Random(20260305), Reckoning(), tmp_path / "store.db"
    with Link(broker.port, delay_s=MOBILE_DELAY_S, bits_per_s=SLOW_BITS_PER_S) as link:
        gate = gate_at(tmp_path, link.port, district)
        after_an_outage(gate, OUTAGE_EVENTS)
        config = gate.write()
        with consumer_at(broker, store, district) as consumer:
            consumer.wait_for(lambda c: "connected" in c.said, "no connection")
            for _ in range(KILLS):
                with Daemon(config, tmp_path) as daemon:
                    come = len(consumer.told("event"))
                    has_come(consumer, come + dice.randrange(1, OUTAGE_EVENTS // KILLS))
                    answered = dice.randrange(3)
                    daemon.wait_for(lambda d, n=answered: len(d.scans()) >= n, "people are answered")  # type: ignore[misc]  # mypy and defaults
                    daemon.process.kill()
                    daemon.wait()
                    reckoning.note(daemon)
            with Daemon(config, tmp_path) as daemon:
                daemon.wait_for(lambda d: len(d.scans()) >= 2, "people are answered")
                has_come(consumer, OUTAGE_EVENTS)
                assert daemon.stop() == 0
                reckoning.note(daemon)
            with Daemon(config, tmp_path) as daemon:
                daemon.wait_until_ready()
                assert daemon.stop() == 0
                reckoning.note(daemon)
            last = newest(gate)
            has_come(consumer, last)
            consumer.stop()
    assert reckoning.greens > 0
    reckoning.check_district(gate.journal, store, PATH)


def test_asked_to_stop_in_the_middle_of_a_drain_every_part_ends_in_its_time(
    tmp_path: Path, broker: Broker, district: District
) -> None:
    store = tmp_path / "store.db"
    with Link(broker.port, delay_s=MOBILE_DELAY_S, bits_per_s=SLOW_BITS_PER_S) as link:
        gate = gate_at(tmp_path, link.port, district)
        after_an_outage(gate, 2 * OUTAGE_EVENTS)
        config, clock = gate.write(), SystemClock()
        with consumer_at(broker, store, district) as consumer:
            consumer.wait_for(lambda c: "connected" in c.said, "no connection")
            with Daemon(config, tmp_path) as daemon:
                has_come(consumer, 100)
                daemon.wait_until_ready()
                began = clock.monotonic()
                assert daemon.stop(timeout_s=10) == 0  # the unit's TimeoutStopSec
                print(f"asked to stop in a drain: {clock.monotonic() - began:.2f} s")  # noqa: T201 - the figure
                assert not any("did not stop in time" in line["message"] for line in daemon.lines)
            assert len(consumer.told("event")) < 2 * OUTAGE_EVENTS
            consumer.stop()


def test_what_overflows_a_brokers_queue_is_asked_for_again(tmp_path: Path, district: District) -> None:
    store, reckoning = tmp_path / "store.db", Reckoning()
    with Broker(tmp_path, options={"max_queued_messages": 5, "max_inflight_messages": 5}) as broker:
        gate = gate_at(tmp_path, broker.port, district)
        config = gate.write()
        with consumer_at(broker, store, district) as consumer:
            consumer.wait_for(lambda c: "connected" in c.said, "no connection")
            consumer.kill()
        after_an_outage(gate, QUEUE_EVENTS)
        with Daemon(config, tmp_path) as daemon:
            # Accepted on behalf of a consumer that is away, and thrown away behind the first few.
            daemon.wait_for(lambda d: _confirmed(d) >= QUEUE_EVENTS, "the broker has accepted everything")
            with consumer_at(broker, store, district) as consumer:
                has_come(consumer, QUEUE_EVENTS)
                assert consumer.told("gap")
                assert daemon.stop() == 0
                reckoning.note(daemon)
                has_come(consumer, newest(gate))
                consumer.stop()
    reckoning.check_district(gate.journal, store, PATH)


def _confirmed(daemon: Daemon) -> int:
    counts = [line["status"]["uplink"]["confirmed"] for line in list(daemon.lines) if "status" in line]
    return max(counts, default=0)


@pytest.mark.torture
def test_ten_days_without_a_broker_arrive_over_a_mobile_link_while_people_come(
    tmp_path: Path, broker: Broker, district: District
) -> None:
    store, reckoning, clock = tmp_path / "store.db", Reckoning(), SystemClock()
    with Link(broker.port, delay_s=MOBILE_DELAY_S, bits_per_s=MOBILE_BITS_PER_S) as link:
        gate = gate_at(tmp_path, link.port, district)
        after_an_outage(gate, TEN_DAYS_EVENTS)
        config = gate.write()
        with consumer_at(broker, store, district) as consumer:
            consumer.wait_for(lambda c: "connected" in c.said, "no connection")
            with Daemon(config, tmp_path) as daemon:
                has_come(consumer, 1)
                began, before = clock.monotonic(), link.upstream_bytes
                has_come(consumer, TEN_DAYS_EVENTS, timeout_s=1800)
                took, sent = clock.monotonic() - began, link.upstream_bytes - before
                daemon.wait_for(lambda d: len(d.scans()) >= 3, "people are answered")
                assert daemon.stop() == 0
                reckoning.note(daemon)
            has_come(consumer, newest(gate))
            consumer.stop()
    print(  # noqa: T201 - the figure
        f"{TEN_DAYS_EVENTS} events over {2 * MOBILE_DELAY_S * 1000:.0f} ms and 1 Mbit/s: {took:.0f} s, "
        f"{sent / TEN_DAYS_EVENTS:.0f} bytes each; {len(reckoning.told)} people answered meanwhile"
    )
    assert len(reckoning.told) > 0
    reckoning.check_district(gate.journal, store, PATH)
