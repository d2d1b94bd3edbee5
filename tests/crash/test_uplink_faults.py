"""Brokers and links that fail, on a real mosquitto: what was not acknowledged arrives all the same."""

from __future__ import annotations

import json
import random
import ssl
from typing import TYPE_CHECKING

import pytest

from device.uplink.state import Status, parse_state
from device.uplink.tls import Tls
from tests.support.backlog import MemoryBacklog
from tests.support.broker import Broker, ServerTls
from tests.support.cable import Cable
from tests.support.certificates import Authority
from tests.support.clock import OtherMachine
from tests.support.link import Link
from tests.support.subscriber import Subscriber
from tests.support.uplinks import ADDRESS, Uplink, first_seen, ids, sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.subscriber import Received

pytestmark = pytest.mark.slow

# The broker keeps everything for a slow subscriber: its own losses are another test's subject.
GENEROUS = {"max_queued_messages": 0}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path, options=GENEROUS) as broker:
        yield broker


@pytest.fixture
def consumer(broker: Broker) -> Iterator[Subscriber]:
    with Subscriber(broker.host, broker.port, topic="gate/#") as consumer:
        yield consumer


def has_all(consumer: Subscriber, names: list[str], timeout_s: float = 60) -> bool:
    wanted = set(names)
    return consumer.wait_for(lambda have: wanted <= set(ids(have)), timeout_s)


def has_seen_the_cursor(consumer: Subscriber, backlog: MemoryBacklog) -> bool:
    return has_all(consumer, backlog.ids[: backlog.cursor])


def _until(running: Uplink, true: Callable[[], bool], timeout_s: float = 20) -> bool:
    """Looks often; the forwarder has no event to wait on for its counters."""
    for _ in range(int(timeout_s / 0.02)):
        if true():
            return True
        running.worker.stopping.wait(0.02)
    return False


def _let_the_last_receipts_in(running: Uplink, backlog: MemoryBacklog) -> None:
    """What had come over the link before it stalled is in a local buffer: it takes a moment, no more."""
    before = -1
    while before != backlog.cursor:
        before = backlog.cursor
        running.worker.stopping.wait(0.3)


def _both_ways(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.ca_file)
    assert tls.cert_file is not None
    context.load_cert_chain(tls.cert_file, tls.key_file)
    return context


def last_status(have: tuple[Received, ...]) -> Status | None:
    states = [parse_state(m.payload).status for m in have if m.topic == ADDRESS.state]
    return states[-1] if states else None


# -- the broker fails -----------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 50])
def test_a_broker_killed_again_and_again_gets_everything_it_had_not_acknowledged(
    broker: Broker, consumer: Subscriber, batch: int
) -> None:
    backlog = MemoryBacklog()
    with Link(broker.port) as link:
        with Uplink(backlog, sessions(broker, port=link.port), batch_events=batch) as running:
            for round_ in range(1, 5):
                backlog.append(500)
                assert backlog.wait_until(500 * round_ - 400)
                # What it acknowledged it has delivered by now; what is on the stalled link it never sees.
                link.stall()
                _let_the_last_receipts_in(running, backlog)
                assert has_seen_the_cursor(consumer, backlog)
                broker.kill()
                link.cut()
                broker.start()
                assert consumer.wait_for_subscription(round_ + 1, 30)
            assert backlog.wait_until_settled()
        assert has_all(consumer, backlog.ids)
    assert first_seen(ids(consumer.messages)) == backlog.ids
    assert backlog.aside == {}


def test_a_frozen_broker_is_given_up_and_gets_everything_once_it_thaws(
    broker: Broker, consumer: Subscriber
) -> None:
    backlog = MemoryBacklog(2000)
    sessions_ = sessions(broker, connect_within_s=0.5)
    with Uplink(backlog, sessions_, batch_events=1, receipt_within_s=0.5) as running:
        assert backlog.wait_until(100)
        broker.freeze()
        stats = running.forwarder.stats
        assert _until(running, lambda: not stats().connected and "answer" in stats().last_error)
        broker.thaw()
        assert backlog.wait_until_settled()
    assert has_all(consumer, backlog.ids)
    assert first_seen(ids(consumer.messages)) == backlog.ids


def test_a_broker_that_comes_back_empty_is_told_again_that_the_gate_is_there(
    broker: Broker, consumer: Subscriber
) -> None:
    backlog = MemoryBacklog()
    with Uplink(backlog, sessions(broker)):
        assert consumer.wait_for(lambda have: last_status(have) is Status.ONLINE)
        broker.restart()
        assert consumer.wait_for_subscription(2, 30)
        with Subscriber(broker.host, broker.port, topic=ADDRESS.state, client_id="late") as late:
            assert late.wait_for(lambda have: last_status(have) is Status.ONLINE)
    assert consumer.wait_for(lambda have: last_status(have) is Status.OFFLINE)


def test_a_gate_that_vanishes_is_reported_lost_by_its_last_will(broker: Broker, consumer: Subscriber) -> None:
    with (
        Link(broker.port) as link,
        Uplink(MemoryBacklog(), sessions(broker, port=link.port), backoff_min_s=30, backoff_max_s=30),
    ):
        assert consumer.wait_for(lambda have: last_status(have) is Status.ONLINE)
        link.cut()
        assert consumer.wait_for(lambda have: last_status(have) is Status.LOST)


def test_events_wait_for_a_consumer_instead_of_being_thrown_away(broker: Broker) -> None:
    backlog = MemoryBacklog(300)
    with Uplink(backlog, sessions(broker)) as running:
        assert _until(running, lambda: running.forwarder.stats().published > 301)
        assert backlog.cursor == 0
        with Subscriber(broker.host, broker.port, topic=ADDRESS.event) as consumer:
            assert backlog.wait_until_settled()
            assert has_all(consumer, backlog.ids)
    assert first_seen(ids(consumer.messages)) == backlog.ids


def test_events_the_acl_forbids_are_held_and_arrive_in_order_once_it_is_mended(tmp_path: Path) -> None:
    rules = f"topic write {ADDRESS.state}\ntopic write {ADDRESS.health}\ntopic read gate/#\n"
    with (
        Broker(tmp_path, acl=rules) as broker,
        Subscriber(broker.host, broker.port, topic="gate/#") as consumer,
    ):
        backlog = MemoryBacklog(120)
        with Uplink(backlog, sessions(broker)) as running:
            # Long enough that later events were offered as probes, too.
            assert not backlog.wait_until_settled(3)
            assert running.forwarder.stats().refusing == "not authorized (0x87)"
            assert (backlog.cursor, backlog.aside) == (0, {})
            broker.allow(rules + f"topic write {ADDRESS.event}\n")
            assert backlog.wait_until_settled()
        assert has_all(consumer, backlog.ids)
    assert backlog.aside == {}
    # A later one may have come early, as the probe that found the rights mended; it came again in its place.
    in_place = list(dict.fromkeys(reversed(ids(consumer.messages))))[::-1]
    assert in_place == backlog.ids


def test_a_receive_maximum_of_one_is_kept_to(tmp_path: Path) -> None:
    with (
        Broker(tmp_path, options={"max_inflight_messages": 1, **GENEROUS}) as broker,
        Subscriber(broker.host, broker.port, topic="gate/#") as consumer,
    ):
        backlog = MemoryBacklog(500)
        with Uplink(backlog, sessions(broker), batch_events=1) as running:
            assert backlog.wait_until_settled()
            assert running.forwarder.stats().reconnects == 0
        assert has_all(consumer, backlog.ids)
        assert ids(consumer.messages) == backlog.ids


def test_two_devices_with_one_client_id_notice_it_and_both_deliver_in_the_end(
    broker: Broker, consumer: Subscriber
) -> None:
    one, two = MemoryBacklog(2000, journal="one"), MemoryBacklog(2000, journal="two")
    other = random.Random(2).random
    here, there = OtherMachine("here"), OtherMachine("there")
    with (
        Uplink(one, sessions(broker), clock=here) as first,
        Uplink(two, sessions(broker), clock=there, random=other) as second,
    ):
        assert one.wait_until_settled()
        assert two.wait_until_settled()
        assert consumer.wait_for(
            lambda got: any(m.topic == ADDRESS.health and json.loads(m.payload)["twin"] for m in got)
        )
        assert first.forwarder.stats().twin or second.forwarder.stats().twin
    assert has_all(consumer, one.ids + two.ids)


# -- the link fails -------------------------------------------------------------------------------


def test_a_link_cut_at_any_byte_loses_nothing_and_keeps_the_order(
    broker: Broker, consumer: Subscriber
) -> None:
    draw = random.Random(7)
    # From the middle of CONNECT over each packet's edge to a few full windows, shuffled and repeated.
    limits = [*range(1, 120, 7), *range(120, 1500, 31), *(draw.randrange(1, 60_000) for _ in range(40))]
    backlog = MemoryBacklog(3000)
    with Link(broker.port, upstream_limits=limits) as link:
        with Uplink(backlog, sessions(broker, port=link.port), backoff_max_s=0.05):
            assert backlog.wait_until_settled(90)
        assert link.connections > 60
    assert has_all(consumer, backlog.ids)
    assert first_seen(ids(consumer.messages)) == backlog.ids


def test_a_link_of_100_ms_carries_a_backlog_in_batches(broker: Broker, consumer: Subscriber) -> None:
    backlog = MemoryBacklog(5000)
    with (
        Link(broker.port, delay_s=0.05) as link,
        Uplink(backlog, sessions(broker, port=link.port)) as running,
    ):
        # One event a message and 20 in flight would take 25 s.
        assert backlog.wait_until_settled(15)
        assert running.forwarder.stats().reconnects == 0
    assert has_all(consumer, backlog.ids)
    assert ids(consumer.messages) == backlog.ids


def test_a_link_cut_after_any_byte_of_the_brokers_answers_loses_nothing_and_keeps_the_order(
    broker: Broker, consumer: Subscriber
) -> None:
    draw = random.Random(8)
    # From the middle of CONNACK over the edge of each receipt, which takes four bytes.
    limits = [*range(1, 60), *(draw.randrange(60, 2000) for _ in range(20))]
    backlog = MemoryBacklog(3000)
    with Link(broker.port, downstream_limits=limits) as link:
        with Uplink(
            backlog, sessions(broker, port=link.port), backoff_min_s=0.01, backoff_max_s=0.02, batch_events=1
        ):
            assert backlog.wait_until_settled(90)
        assert link.connections > 60
    assert has_all(consumer, backlog.ids)
    assert first_seen(ids(consumer.messages)) == backlog.ids


def test_a_mobile_link_of_1_megabit_and_100_ms_carries_a_backlog_in_batches(
    broker: Broker, consumer: Subscriber
) -> None:
    backlog = MemoryBacklog(3000)
    with (
        Link(broker.port, delay_s=0.05, bits_per_s=1e6) as link,
        Uplink(backlog, sessions(broker, port=link.port)) as running,
    ):
        assert backlog.wait_until_settled()
        assert running.forwarder.stats().reconnects == 0
        # One event alone is three times as long.
        assert link.upstream_bytes < len(backlog.ids) * 150
    assert has_all(consumer, backlog.ids)
    assert ids(consumer.messages) == backlog.ids


def test_a_cable_pulled_with_a_full_window_and_plugged_in_again_costs_nothing(tmp_path: Path) -> None:
    """The kernel's own links: nobody is told, neither end closes, and TCP goes on trying."""
    with (
        Cable() as cable,
        Broker(tmp_path, options=GENEROUS, host=cable.there, prefix=cable.prefix) as broker,
        Subscriber(broker.host, broker.port, topic="gate/#") as consumer,
    ):
        backlog = MemoryBacklog(4000)
        uplink = Uplink(backlog, sessions(broker, connect_within_s=0.5), batch_events=1, receipt_within_s=0.5)
        with uplink as running:
            assert backlog.wait_until(200)
            cable.pull()
            stats = running.forwarder.stats
            assert _until(running, lambda: not stats().connected and stats().last_error != "")
            backlog.append(10)
            cable.plug_in()
            assert backlog.wait_until_settled()
        assert has_all(consumer, backlog.ids)
        assert first_seen(ids(consumer.messages)) == backlog.ids


def test_a_half_open_link_with_a_full_window_is_noticed_and_replaced(
    broker: Broker, consumer: Subscriber
) -> None:
    backlog = MemoryBacklog(3000)
    with Link(broker.port) as link:
        uplink = Uplink(backlog, sessions(broker, port=link.port), batch_events=1, receipt_within_s=0.5)
        with uplink as running:
            assert backlog.wait_until(200)
            link.stall()
            assert backlog.wait_until_settled()
            assert running.forwarder.stats().reconnects == 1
    assert has_all(consumer, backlog.ids)
    assert first_seen(ids(consumer.messages)) == backlog.ids


def test_an_idle_half_open_link_is_noticed_when_the_next_person_comes(
    broker: Broker, consumer: Subscriber
) -> None:
    backlog = MemoryBacklog(1)
    with (
        Link(broker.port) as link,
        Uplink(backlog, sessions(broker, port=link.port), receipt_within_s=0.5) as running,
    ):
        assert backlog.wait_until_settled()
        link.stall()
        backlog.append()
        assert backlog.wait_until_settled()
        assert running.forwarder.stats().last_error == "no receipt in time"
    assert has_all(consumer, backlog.ids)


def test_a_link_with_client_certificates_cut_again_and_again_loses_nothing(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    server, mine = authority.issue("server"), authority.issue("gate")
    tls = Tls(ca_file=authority.ca_file, cert_file=mine.cert_file, key_file=mine.key_file)
    server_tls = ServerTls(authority.ca_file, server.cert_file, server.key_file, client_certificates=True)
    with (
        Broker(tmp_path, tls=server_tls, options=GENEROUS) as broker,
        Subscriber(broker.host, broker.port, topic="gate/#", tls=_both_ways(tls)) as consumer,
    ):
        backlog = MemoryBacklog(3000)
        draw = random.Random(3)
        limits = [draw.randrange(100, 30_000) for _ in range(25)]
        with (
            Link(broker.port, upstream_limits=limits) as link,
            Uplink(backlog, sessions(broker, port=link.port, tls=tls), backoff_max_s=0.05),
        ):
            assert backlog.wait_until_settled(90)
        assert has_all(consumer, backlog.ids)
        assert first_seen(ids(consumer.messages)) == backlog.ids


def test_stopping_in_the_middle_of_a_drain_on_a_half_open_link_ends_in_time(
    broker: Broker, consumer: Subscriber
) -> None:
    backlog = MemoryBacklog(20_000)
    with Link(broker.port) as link:
        with Uplink(backlog, sessions(broker, port=link.port), batch_events=1):
            assert backlog.wait_until(100)
            link.stall()
        assert backlog.cursor < 20_000
        link.cut()
    assert consumer.wait_for(lambda have: last_status(have) is Status.LOST)
