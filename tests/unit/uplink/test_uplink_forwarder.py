"""The forwarder against a broker in memory: every answer a broker can give, at once and repeatably."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from device.errors import JournalError
from device.uplink.ports import Certificate, Closed, Opened
from device.uplink.reasons import Loss
from device.uplink.state import Status, parse_state
from device.uplink.wire import parse_events
from tests.support.backlog import MemoryBacklog
from tests.support.clock import ManualClock
from tests.support.sessions import MemoryBroker
from tests.support.uplinks import ADDRESS, Uplink

if TYPE_CHECKING:
    from device.uplink.wire import Message
    from tests.support.sessions import Answer


def uplink(backlog: MemoryBacklog, broker: MemoryBroker, **changes: Any) -> Uplink:  # noqa: ANN401 - passed on
    return Uplink(backlog, broker.session, **{"backoff_min_s": 0.001, "backoff_max_s": 0.01, **changes})


def seqs(messages: list[Message]) -> list[int]:
    return [e.seq for m in messages if m.topic == ADDRESS.event for e in parse_events(m.payload)]


def statuses(messages: list[Message]) -> list[Status]:
    return [parse_state(m.payload).status for m in messages if m.topic == ADDRESS.state]


def answering(codes: dict[int, Answer], *, times: int = 1_000_000) -> Any:  # noqa: ANN401 - an answer function
    """Answers messages that carry one of these seqs with the given code, so many times each."""
    left = dict.fromkeys(codes, times)

    def answer(message: Message) -> Answer:
        for seq in seqs([message]):
            if left.get(seq, 0) > 0:
                left[seq] -= 1
                return codes[seq]
        return 0

    return answer


# -- the usual ------------------------------------------------------------------------------------


def test_everything_arrives_once_and_in_order_between_birth_and_goodbye() -> None:
    backlog, broker = MemoryBacklog(100), MemoryBroker()
    with uplink(backlog, broker) as running:
        assert backlog.wait_until_settled()
        backlog.append(3)
        assert backlog.wait_until_settled()
        assert running.forwarder.stats().connected
        assert running.forwarder.stats().confirmed == 103
    assert seqs(broker.received) == list(range(1, 104))
    assert statuses(broker.received) == [Status.ONLINE, Status.OFFLINE]
    assert broker.received[0].topic == ADDRESS.state
    assert broker.received[-1].topic == ADDRESS.state
    assert not running.forwarder.stats().connected


def test_a_backlog_goes_in_batches_and_a_live_event_alone() -> None:
    backlog, broker = MemoryBacklog(120), MemoryBroker()
    with uplink(backlog, broker):
        assert backlog.wait_until_settled()
        backlog.append()
        assert backlog.wait_until_settled()
    sizes = [len(parse_events(m.payload)) for m in broker.received if m.topic == ADDRESS.event]
    assert sizes == [50, 50, 20, 1]
    kinds = [m.content_type for m in broker.received if m.topic == ADDRESS.event]
    assert kinds == ["application/cloudevents-batch+json"] * 3 + ["application/cloudevents+json"]


def test_a_batch_stays_below_64_kib_of_json() -> None:
    backlog, broker = MemoryBacklog(), MemoryBroker()
    backlog.append(30, filler="x" * 10_000)
    with uplink(backlog, broker):
        assert backlog.wait_until_settled()
    batches = [parse_events(m.payload) for m in broker.received if m.topic == ADDRESS.event]
    assert all(sum(len(event.data) for event in batch) <= 65_536 for batch in batches)
    assert max(len(batch) for batch in batches) == 6


def test_a_journal_that_is_delivered_already_is_waited_on_without_haste() -> None:
    backlog, broker = MemoryBacklog(5), MemoryBroker()
    backlog.acknowledge(5)
    with uplink(backlog, broker):
        assert broker.wait_for(lambda b: statuses(b.received) == [Status.ONLINE])
        backlog.append()
        assert backlog.wait_until_settled()
    assert seqs(broker.received) == [6]


def test_never_more_in_flight_than_the_broker_takes() -> None:
    backlog, broker = MemoryBacklog(10), MemoryBroker(window=3, answer=lambda _: None)
    with uplink(backlog, broker, receipt_within_s=60, batch_events=1):
        assert broker.wait_for(lambda b: len(b.offered) == 3)
        broker.receipt(1)
        assert broker.wait_for(lambda b: len(b.offered) == 4)
        assert seqs(broker.offered) == [1, 2]  # after birth and health
        broker.receipt(4)  # of event 2: event 1 still holds the cursor
        assert broker.wait_for(lambda b: len(b.offered) == 5)
        assert backlog.cursor == 0
        broker.receipt(3)
        assert backlog.wait_until(2)


# -- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 50])
def test_a_refused_event_is_set_aside_and_the_next_one_goes_on(batch: int) -> None:
    backlog, broker = MemoryBacklog(60), MemoryBroker(answer=answering({7: 0x99, 60: 0x95}))
    with uplink(backlog, broker, batch_events=batch) as running:
        assert backlog.wait_until_settled()
    assert backlog.aside == {7: "payload format invalid (0x99)", 60: "packet too large (0x95)"}
    assert set(seqs(broker.received)) == set(range(1, 61)) - {7, 60}
    assert running.forwarder.stats().set_aside == 2


@pytest.mark.parametrize("code", [0x97, 0x83, 0x10])
@pytest.mark.parametrize("batch", [1, 50])
def test_an_event_the_broker_cannot_take_now_is_sent_again(code: int, batch: int) -> None:
    backlog, broker = MemoryBacklog(60), MemoryBroker(answer=answering({5: code}, times=3))
    with uplink(backlog, broker, batch_events=batch):
        assert backlog.wait_until_settled()
    assert backlog.aside == {}
    assert set(seqs(broker.received)) == set(range(1, 61))


def test_while_nobody_subscribes_one_event_at_a_time_asks_again() -> None:
    backlog, broker = MemoryBacklog(10), MemoryBroker(answer=lambda _: 0x10)
    with uplink(backlog, broker):
        assert broker.wait_for(lambda b: seqs(b.offered)[10:13] == [1, 1, 1])
        assert backlog.cursor == 0
        broker.answer = lambda _: 0
        assert backlog.wait_until_settled()


def test_where_no_subscriber_is_required_its_absence_counts_as_delivered() -> None:
    backlog, broker = MemoryBacklog(10), MemoryBroker(answer=lambda _: 0x10)
    with uplink(backlog, broker, subscriber_required=False):
        assert backlog.wait_until_settled()
    assert seqs(broker.offered) == list(range(1, 11))


def test_an_event_the_broker_always_stumbles_over_does_not_block_the_rest() -> None:
    backlog, broker = MemoryBacklog(60), MemoryBroker(answer=answering({5: 0x83}))
    with uplink(backlog, broker):
        assert backlog.wait_until_settled()
    assert backlog.aside == {5: "implementation specific error (0x83)"}
    assert set(seqs(broker.received)) == set(range(1, 61)) - {5}


def test_an_event_that_makes_the_broker_hang_up_is_found_and_set_aside() -> None:
    hang_up = Closed(Loss.CONTENT, "packet too large (0x95)")
    backlog, broker = MemoryBacklog(60), MemoryBroker(answer=answering({5: hang_up}))
    with uplink(backlog, broker):
        assert backlog.wait_until_settled()
    assert backlog.aside == {5: "packet too large (0x95)"}
    assert set(seqs(broker.received)) == set(range(1, 61)) - {5}


def test_an_event_larger_than_the_brokers_packets_is_not_even_tried() -> None:
    backlog, broker = MemoryBacklog(2), MemoryBroker()
    backlog.append(filler="x" * 5000)
    backlog.append(2)
    broker.opened = Opened(20, 2000)
    with uplink(backlog, broker):
        assert backlog.wait_until_settled()
    assert list(backlog.aside) == [3]
    assert seqs(broker.offered) == [1, 2, 4, 5]
    assert all(len(m.payload) < 2000 for m in broker.offered)


def test_a_refused_state_message_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def answer(message: Message) -> Answer:
        return 0x87 if message.topic == ADDRESS.state else 0

    backlog, broker = MemoryBacklog(3), MemoryBroker(answer=answer)
    with uplink(backlog, broker):
        assert backlog.wait_until_settled()
    assert "refuses our state message" in caplog.text


# -- lost connections -----------------------------------------------------------------------------


def test_what_was_in_flight_when_the_connection_ended_is_sent_again() -> None:
    hang_up = Closed(Loss.BROKER_CLOSED, "server shutting down (0x8b)")
    backlog = MemoryBacklog(100)
    broker = MemoryBroker(answer=answering({10: hang_up, 50: hang_up}, times=1))
    with uplink(backlog, broker) as running:
        assert backlog.wait_until_settled()
        assert running.forwarder.stats().reconnects == 2
    assert list(dict.fromkeys(seqs(broker.received))) == list(range(1, 101))


def test_a_link_without_receipts_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    backlog, broker = MemoryBacklog(1), MemoryBroker(answer=answering({1: None}, times=1))
    with uplink(backlog, broker, receipt_within_s=0.2):
        assert backlog.wait_until_settled()
    assert "broker lost: no receipt in time" in caplog.text


def test_a_receipt_for_something_unknown_is_ignored() -> None:
    backlog, broker = MemoryBacklog(1), MemoryBroker()
    with uplink(backlog, broker):
        assert backlog.wait_until_settled()
        broker.receipt(999)
        backlog.append()
        assert backlog.wait_until_settled()


def test_an_outage_is_said_once_at_each_edge(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "device.uplink")
    clock = ManualClock()
    backlog, broker = MemoryBacklog(), MemoryBroker()
    with uplink(backlog, broker, clock=clock):
        assert broker.wait_for(lambda b: statuses(b.received) == [Status.ONLINE])
        broker.opened = Closed(Loss.UNREACHABLE, "Connection refused")
        broker.hang_up(Closed(Loss.CONNECTION_LOST))
        for _ in range(5):
            _let_it_try_again(broker, clock)
        backlog.append(213)
        broker.opened = Opened(20, 1 << 20)
        clock.advance(240)
        assert backlog.wait_until_settled()
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "connected to the broker, 0 pending"
    assert lines[1] == "broker lost: connection lost"
    assert lines[2] == "no broker: broker not reachable: Connection refused"
    assert lines[3].startswith("broker back after 4 min, 213 pending")
    assert len(lines) == 4


def _let_it_try_again(broker: MemoryBroker, clock: ManualClock) -> None:
    before = broker.attempts
    while not broker.wait_for(lambda b: b.attempts > before, 0.05):
        clock.advance(1)


@pytest.mark.slow
def test_delays_grow_while_the_broker_hangs_up_at_once_and_a_good_connection_resets_them() -> None:
    clock = ManualClock()
    backlog, broker = MemoryBacklog(), MemoryBroker()
    with Uplink(
        backlog, broker.session, clock=clock, random=lambda: 0.999, backoff_min_s=1, backoff_max_s=64
    ):
        waits = [_seconds_until_the_next_attempt(broker, clock, online_s=0) for _ in range(4)]
        assert waits == sorted(waits)
        assert waits[0] <= 2
        assert waits[3] >= 7
        assert _seconds_until_the_next_attempt(broker, clock, online_s=120) <= 2


def _seconds_until_the_next_attempt(broker: MemoryBroker, clock: ManualClock, *, online_s: float) -> int:
    count = broker.attempts or 1
    assert broker.wait_for(lambda b: statuses(b.offered)[-1:] == [Status.ONLINE] and b.attempts == count)
    born = len(statuses(broker.offered))
    clock.advance(online_s)
    broker.hang_up(Closed(Loss.BUSY, "server busy (0x89)"))
    waited = 0
    while not broker.wait_for(lambda b: len(statuses(b.offered)) > born, 0.3):
        clock.advance(1)
        waited += 1
    return waited


def test_a_certificate_that_ends_soon_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    soon, late = clock.utc() + timedelta(days=20), clock.utc() + timedelta(days=90)
    broker = MemoryBroker()
    broker.opened = Opened(20, 1 << 20, (Certificate("ours", soon), Certificate("the broker's", late)))
    with uplink(MemoryBacklog(), broker, clock=clock):
        assert broker.wait_for(lambda b: b.attempts == 1 and bool(b.received))
        broker.hang_up(Closed(Loss.CONNECTION_LOST))
        _let_it_try_again(broker, clock)
        assert broker.wait_for(lambda b: len(statuses(b.received)) == 2)
    lines = [r.getMessage() for r in caplog.records if "certificate" in r.getMessage()]
    assert lines == ["a certificate ends in 20 days: ours"]


# -- the journal ----------------------------------------------------------------------------------


def test_a_journal_that_cannot_be_read_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    backlog, broker = MemoryBacklog(3), MemoryBroker()
    with uplink(backlog, broker) as running:
        assert backlog.wait_until_settled()
        backlog.failure = JournalError("disk")
        assert broker.wait_for(lambda b: b.received[-1].payload == _will(b).payload)
        assert running.worker.complaint() is None
        backlog.failure = None
        backlog.append(3)
        assert backlog.wait_until_settled()
    assert seqs(broker.received) == [1, 2, 3, 4, 5, 6]
    assert "the journal cannot be read" in caplog.text


def _will(broker: MemoryBroker) -> Message:
    return next((m for m in broker.received if b'"lost"' in m.payload), broker.received[0])


# -- stopping -------------------------------------------------------------------------------------


def test_stopping_in_the_middle_of_a_drain_says_goodbye_and_ends_in_time() -> None:
    backlog, broker = MemoryBacklog(100_000), MemoryBroker()
    with uplink(backlog, broker, batch_events=1):
        assert backlog.wait_until(100)
    assert backlog.cursor < 100_000
    assert statuses(broker.received)[-1] is Status.OFFLINE
    assert seqs(broker.received) == list(range(1, backlog.cursor + 1))


def test_the_last_event_before_a_stop_goes_out_before_the_goodbye() -> None:
    backlog, broker = MemoryBacklog(), MemoryBroker()
    with uplink(backlog, broker) as running:
        assert broker.wait_for(lambda b: statuses(b.received) == [Status.ONLINE])
        running.worker.stopping.set()
        backlog.append()
    assert seqs(broker.received) == [1]
    assert statuses(broker.received)[-1] is Status.OFFLINE
    assert broker.received[-1].topic == ADDRESS.state


def test_stopping_while_the_broker_is_silent_leaves_the_last_will() -> None:
    backlog, broker = MemoryBacklog(100), MemoryBroker(answer=lambda _: None)
    with uplink(backlog, broker, receipt_within_s=60, batch_events=1):
        assert broker.wait_for(lambda b: len(b.offered) == 20)
    assert statuses(broker.received) == [Status.LOST]


def test_stopping_while_there_is_no_broker_ends_in_time() -> None:
    broker = MemoryBroker()
    broker.opened = Closed(Loss.UNREACHABLE)
    with uplink(MemoryBacklog(1), broker, backoff_min_s=100, backoff_max_s=100):
        assert broker.wait_for(lambda b: b.attempts == 1)


def test_the_state_names_version_and_boot() -> None:
    broker = MemoryBroker()
    with uplink(MemoryBacklog(), broker, clock=ManualClock(boot="boot-7")):
        assert broker.wait_for(lambda b: len(statuses(b.received)) == 1)
    state = json.loads(broker.received[0].payload)
    assert state["boot"] == "boot-7"
    assert state["version"] == "1"
