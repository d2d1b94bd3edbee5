"""The far end on real parts: journal, forwarder, mosquitto, and the consumer as a process of its own."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from device.journal.sqlite_journal import SqliteJournal
from device.runtime import SystemClock
from device.uplink.wishes import Replay, replay_message
from tests.support.broker import Broker
from tests.support.consumers import Consumer, District, stored
from tests.support.daemon import Daemon
from tests.support.gate import ANNA, Gate
from tests.support.journal import append_many, lifecycle_event, open_journal
from tests.support.subscriber import Subscriber
from tests.support.uplinks import ADDRESS, Uplink, sessions

pytestmark = pytest.mark.slow

# The broker keeps everything for a consumer that is away, as long as it lives.
GENEROUS = {"max_queued_messages": 0}
ROOT = Path(__file__).parents[2]
WISHES = "gate/v1/test-district/wish/cursor"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path, options=GENEROUS) as broker:
        yield broker


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    journal = open_journal(tmp_path / "journal.db", clock=SystemClock(), keep_days=0)
    yield journal
    journal.close()


@pytest.fixture
def district(tmp_path: Path) -> District:
    return District(tmp_path)


def wait_until_sent(journal: SqliteJournal, running: Uplink, timeout_s: float = 30) -> None:
    for _ in range(int(timeout_s / 0.02)):
        if not journal.stats().pending:
            return
        running.worker.stopping.wait(0.02)
    raise AssertionError(f"not everything was sent: {journal.stats()}")


def wait_until_confirmed(journal: SqliteJournal, running: Uplink, timeout_s: float = 60) -> None:
    for _ in range(int(timeout_s / 0.02)):
        if journal.stats().confirmed_through == journal.stats().last_seq:
            return
        running.worker.stopping.wait(0.02)
    raise AssertionError(f"not everything was confirmed: {journal.stats()}")


def has(consumer: Consumer, count: int) -> None:
    consumer.wait_for(lambda c: len(c.told("event")) >= count, f"fewer than {count} events came")


def test_every_event_is_stored_once_though_it_is_sent_twice(
    tmp_path: Path, broker: Broker, journal: SqliteJournal, district: District
) -> None:
    store = tmp_path / "store.db"
    append_many(journal, 120)
    with (
        Consumer(broker, store) as consumer,
        Subscriber(broker.host, broker.port, topic=ADDRESS.event) as other,
    ):
        consumer.wait_for(lambda c: "connected" in c.said, "no connection")
        with Uplink(journal, sessions(broker), verify=district.verify):
            has(consumer, 120)
            seen = len(other.messages)
            wish = replay_message(ADDRESS, Replay(journal.id, 1, 120), district.sign)
            other.publish(wish.topic, wish.payload)
            assert other.wait_for(seen + 3)
            append_many(journal, 1)
            has(consumer, 121)
        assert consumer.stop() == 0
    assert [news["seq"] for news in consumer.told("event")] == list(range(1, 122))
    assert "241 events, 121 of them new" in consumer.said
    events, book, broken = stored(store, ADDRESS.path, journal.id)
    assert events == list(journal.read(1, 200))
    assert (book.numbers.missing, broken) == ((), 0)


def test_a_consumer_that_is_killed_again_and_again_loses_nothing(
    tmp_path: Path, broker: Broker, journal: SqliteJournal
) -> None:
    store, draw = tmp_path / "store.db", random.Random(5)
    append_many(journal, 1500)
    seen: list[int] = []
    with (
        # Until it subscribes for the first time nobody would keep anything for it.
        Subscriber(broker.host, broker.port, topic="gate/#"),
        Consumer(broker, store) as first,
    ):
        first.wait_for(lambda c: "connected" in c.said, "no connection")
        with Uplink(journal, sessions(broker), batch_events=1) as running:
            has(first, draw.randrange(1, 100))
            first.kill()
            seen += [news["seq"] for news in first.told("event")]
            for _ in range(4):
                with Consumer(broker, store) as consumer:
                    has(consumer, draw.randrange(1, 150))
                    consumer.kill()
                    seen += [news["seq"] for news in consumer.told("event")]
            wait_until_sent(journal, running)
            with Consumer(broker, store, more=("--until-quiet", "2")) as last:
                assert last.wait() == 0
            seen += [news["seq"] for news in last.told("event")]
    # What was stored and not told any more when it died was told to nobody; nothing was told twice.
    assert len(seen) == len(set(seen))
    events, book, broken = stored(store, ADDRESS.path, journal.id)
    assert events == list(journal.read(1, 2000))
    assert (book.numbers.missing, broken) == ((), 0)


def test_what_a_broker_forgets_after_its_receipt_is_named_and_fetched_again(
    tmp_path: Path, broker: Broker, journal: SqliteJournal, district: District
) -> None:
    store = tmp_path / "store.db"
    append_many(journal, 300)
    with Uplink(journal, sessions(broker), verify=district.verify) as running:
        with Consumer(broker, store, district=district) as consumer:
            has(consumer, 300)
            wait_until_confirmed(journal, running)
            assert consumer.stop() == 0
        # The consumer is away; the broker accepts on its behalf, then loses its memory.
        append_many(journal, 700)
        wait_until_sent(journal, running)
        journal.prune()
        assert journal.stats().first_seq <= 301
        broker.restart()
        with Consumer(broker, store, district=district) as consumer:
            # Nothing follows what was lost: the gate's state alone tells that it was sent.
            has(consumer, 700)
            wait_until_confirmed(journal, running)
            assert consumer.stop() == 0
        (gap,) = consumer.told("gap")
        assert (gap["first"], gap["last"]) == (301, 1000)
        (complete,) = consumer.told("complete")
        assert complete["through"] == 1000
    everything = journal.read(1, 2000)
    events, book, broken = stored(store, ADDRESS.path, journal.id)
    assert [event.seq for event in events] == list(range(1, 1001))
    assert events[-len(everything) :] == list(everything)
    assert (book.numbers.missing, broken) == ((), 0)
    journal.prune()
    assert journal.stats().dropped == 0


def test_a_broker_killed_in_the_middle_again_and_again_costs_nothing_in_the_end(
    tmp_path: Path, broker: Broker, journal: SqliteJournal, district: District
) -> None:
    store = tmp_path / "store.db"
    with (
        Uplink(journal, sessions(broker), verify=district.verify) as running,
        Consumer(broker, store, district=district) as consumer,
    ):
        for round_ in range(1, 5):
            append_many(journal, 400)
            has(consumer, 400 * (round_ - 1) + 50)
            broker.restart()
        wait_until_confirmed(journal, running, 90)
        assert consumer.stop() == 0
    events, book, broken = stored(store, ADDRESS.path, journal.id)
    assert [event.seq for event in events] == list(range(1, 1601))
    assert (book.numbers.missing, broken) == ((), 0)


def test_a_broker_that_forbids_all_events_and_is_mended_costs_nothing(
    tmp_path: Path, district: District
) -> None:
    topics = f"topic readwrite {ADDRESS.state}\ntopic write {ADDRESS.health}\ntopic read {ADDRESS.path}/#\n"
    rights = f"{topics}topic readwrite gate/v1/tenant/wish/#\ntopic write {ADDRESS.cmd('replay')}\n"
    store = tmp_path / "store.db"
    journal = open_journal(tmp_path / "journal.db", clock=SystemClock())
    append_many(journal, 150)
    with (
        Broker(tmp_path, options=GENEROUS, acl=rights) as broker,
        Consumer(broker, store, district=district) as consumer,
        Subscriber(broker.host, broker.port, topic=ADDRESS.health) as health,
        Uplink(journal, sessions(broker), verify=district.verify) as running,
    ):
        assert health.wait_for(lambda have: "not authorized" in str(have[-1:]), 30)
        append_many(journal, 50)
        assert journal.stats().set_aside == journal.stats().acknowledged_through == 0
        broker.allow(f"{rights}topic write {ADDRESS.event}\n")
        wait_until_confirmed(journal, running)
        assert journal.stats().confirmed_through == 200
        assert consumer.stop() == 0
    assert not consumer.told("refused")
    assert stored(store, ADDRESS.path, journal.id)[0] == list(journal.read(1, 300))
    journal.close()


def test_an_event_the_broker_refuses_is_named_and_passed_by_and_comes_when_the_broker_is_mended(
    tmp_path: Path, journal: SqliteJournal, district: District
) -> None:
    store = tmp_path / "store.db"
    append_many(journal, 5)
    # Nothing that a batch could make smaller.
    journal.append(lifecycle_event(random.Random(6).randbytes(4000).hex()))
    append_many(journal, 5)
    with (
        Broker(tmp_path, options={**GENEROUS, "message_size_limit": 4000}) as broker,
        Consumer(broker, store, district=district) as consumer,
        Uplink(journal, sessions(broker), verify=district.verify) as running,
    ):
        wait_until_confirmed(journal, running)
        (refused,) = consumer.told("refused")
        # This mosquitto gives a reason that MQTT 5 does not have there.
        assert (refused["first"], refused["last"], refused["why"]) == (6, 6, "an answer that is no MQTT 5")
        assert len(consumer.told("event")) == 10
        assert [event.seq for event, _ in journal.refused(10)] == [6]
        broker.change(message_size_limit=0)
        wish = replay_message(ADDRESS, Replay(journal.id, 6, 6), district.sign)
        consumer.wait_for(lambda c: "broker back" in c.said, "the consumer did not come back")
        with Subscriber(broker.host, broker.port, topic=ADDRESS.event) as asking:
            for _ in range(60):
                asking.publish(wish.topic, wish.payload)  # until the gate is back and hears it
                if len(consumer.told("event")) == 11:
                    break
                running.worker.stopping.wait(0.5)
        assert consumer.stop() == 0
    assert consumer.told("event")[-1]["seq"] == 6
    assert stored(store, ADDRESS.path, journal.id)[0] == list(journal.read(1, 20))
    assert journal.stats().set_aside == 0


def test_what_became_of_a_replay_is_answered_where_the_question_says(
    tmp_path: Path, broker: Broker, journal: SqliteJournal, district: District
) -> None:
    append_many(journal, 120)
    with (
        Subscriber(broker.host, broker.port, topic="gate/v1/tenant/#") as asking,
        Uplink(journal, sessions(broker), verify=district.verify) as running,
    ):
        wait_until_sent(journal, running)
        wish = replay_message(ADDRESS, Replay(journal.id, 11, 110), district.sign)
        # Elsewhere a gate says nothing: it would be made to speak in another's name.
        asking.publish(wish.topic, wish.payload, reply_to=ADDRESS.state, correlation=b"evil")
        asking.publish(wish.topic, wish.payload, reply_to=f"{ADDRESS.answer}/me", correlation=b"\x00\x01")
        assert asking.wait_for(lambda have: any(m.topic == f"{ADDRESS.answer}/me" for m in have))
    (answer,) = (m for m in asking.messages if m.correlation == b"\x00\x01" and m.topic != wish.topic)
    assert json.loads(answer.payload)["sent"] == 100
    assert not [m for m in asking.messages if m.topic == ADDRESS.state and m.correlation]


def test_a_consumer_that_begins_late_is_told_what_is_gone_and_takes_the_rest(
    tmp_path: Path, broker: Broker, journal: SqliteJournal, district: District
) -> None:
    append_many(journal, 600)
    journal.acknowledge(600)
    journal.confirm(journal.id, 500)
    journal.prune()
    first = journal.stats().first_seq
    assert 1 < first <= 501
    store = tmp_path / "store.db"
    with (
        Uplink(journal, sessions(broker), verify=district.verify) as running,
        Consumer(broker, store, district=district) as consumer,
    ):
        has(consumer, 600 - first + 1)
        wait_until_confirmed(journal, running)
        assert consumer.stop() == 1
    (gone,) = consumer.told("gone")
    assert (gone["first"], gone["last"]) == (1, first - 1)
    assert f"{first - 1} gone for good" in consumer.said


def test_a_gate_that_leaves_is_told_of(tmp_path: Path, broker: Broker, journal: SqliteJournal) -> None:
    with Consumer(broker, tmp_path / "store.db", more=("--site", "site")) as consumer:
        consumer.wait_for(lambda c: "connected" in c.said, "no connection")
        with Uplink(journal, sessions(broker)):
            consumer.wait_for(lambda c: len(c.told("state")) == 1, "not told that it came")
        consumer.wait_for(lambda c: len(c.told("state")) == 2, "not told that it went")
        assert [news["status"] for news in consumer.told("state")] == ["online", "offline"]


def test_what_is_no_event_of_that_gate_is_left_out_and_holds_up_nothing(
    tmp_path: Path, broker: Broker, journal: SqliteJournal
) -> None:
    append_many(journal, 2)
    with (
        Consumer(broker, tmp_path / "store.db") as consumer,
        Subscriber(broker.host, broker.port, topic=ADDRESS.event) as other,
    ):
        consumer.wait_for(lambda c: "connected" in c.said, "no connection")
        other.publish(ADDRESS.event, b"nonsense")
        other.publish("gate/v1/tenant/no such site/x/state", b"{}")
        with Uplink(journal, sessions(broker)):
            has(consumer, 2)
            taken = next(m.payload for m in other.messages if m.payload != b"nonsense")
            other.publish("gate/v1/tenant/site/other/event", taken)
            append_many(journal, 1)
            has(consumer, 3)
        assert consumer.stop() == 0
    assert "speaks for another gate" in consumer.said
    assert "3 messages unreadable" in consumer.said


def test_the_daemon_believes_the_district_whose_key_it_has(
    tmp_path: Path, broker: Broker, district: District
) -> None:
    key = {"uplink.district_key_file": str(district.public_file)}
    gate = Gate(tmp_path, port=broker.port, changes=key)
    gate.hold(ANNA, seconds=0.4)
    store = tmp_path / "store.db"
    config = gate.write()
    with (
        Daemon(config, tmp_path) as daemon,
        Consumer(broker, store, district=district, config=config) as consumer,
    ):
        consumer.wait_for(lambda c: any(n["type"] == "gate.scan.v1" for n in c.told("event")), "no scan")
        with Subscriber(broker.host, broker.port, topic=f"{WISHES}/test-site/door-1") as other:
            assert other.wait_for(1)
        assert daemon.stop() == 0
        assert consumer.stop() == 0
    with closing(sqlite3.connect(gate.journal)) as db:
        (confirmed,) = db.execute("SELECT confirmed FROM journal").fetchone()
    assert confirmed > 0


def test_the_rights_in_the_reference_are_enough_for_both_ends(
    tmp_path: Path, journal: SqliteJournal, district: District
) -> None:
    text = (ROOT / "docs/reference/events.md").read_text(encoding="utf-8")
    rights = text.split("## Rights a gate needs")[1].split("```")
    gates, consumers = (
        part.replace("hanoi", "tenant").replace("market-3", "site").replace("north", "gate")
        for part in (rights[1], rights[3])
    )
    acl = f"user gate\n{gates}\nuser district\n{consumers}\n"
    password = tmp_path / "password"
    password.write_text("word", encoding="utf-8")
    append_many(journal, 50)
    # The broker has accepted them for somebody, and lost them.
    journal.acknowledge(30)
    users = {"gate": "word", "district": "word"}
    login = ("--username", "district", "--password-file", str(password))
    with (
        Broker(tmp_path, options=GENEROUS, acl=acl, users=users) as broker,
        Consumer(broker, tmp_path / "store.db", district=district, more=login) as consumer,
        Uplink(
            journal,
            sessions(broker, username="gate", password_file=password),
            verify=district.verify,
        ) as running,
    ):
        wait_until_confirmed(journal, running)
        assert consumer.stop() == 0
    assert len(consumer.told("event")) == 50
