from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from device.errors import JournalError, UplinkError
from device.service.news import Arrived, News
from device.service.store import Store
from device.service.watch import Watch
from device.service.wishing import Wishing
from device.uplink.backoff import Backoff
from device.uplink.consumer import Delivery
from device.uplink.state import Status, state_message
from device.uplink.wire import Message, envelope, event_message
from tests.support.backlog import MemoryBacklog
from tests.support.clock import ManualClock
from tests.support.journal import READING
from tests.support.uplinks import ADDRESS


@dataclass
class FakeFeed:
    """Implements `device.service.watch.Feed`: hands out what it is given, lets time pass, then ends.

    Attributes:
        messages: a tuple for each `take`; a string ends the connection with these words.
        room: messages of ours that are taken before there is no room.
    """

    clock: ManualClock
    messages: list[tuple[Message, ...] | str]
    room: int = 1000
    refuses: str = ""
    opens: bool = True
    acknowledged: list[int] = field(default_factory=list)
    said: list[Message] = field(default_factory=list)
    closed: bool = False
    refused: str = ""
    outstanding: int = 0
    _numbers: int = 0

    def open(self) -> None:
        if not self.opens:
            raise UplinkError("broker not reachable")

    def take(self, timeout_s: float) -> tuple[Delivery, ...]:
        self.clock.advance(timeout_s)
        taken = self.messages.pop(0) if self.messages else ()
        if isinstance(taken, str):
            raise UplinkError(taken)
        self._numbers += len(taken)
        first = self._numbers - len(taken) + 1
        return tuple(Delivery(m.topic, m.payload, first + at) for at, m in enumerate(taken))

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        self.acknowledged += [delivery.number for delivery in deliveries]

    def publish(self, message: Message) -> bool:
        if len(self.said) >= self.room:
            return False
        self.said.append(message)
        self.refused = self.refuses
        return True

    def close(self) -> None:
        self.closed = True


def messages(count: int) -> list[Message]:
    events = MemoryBacklog(count).read(1, count)
    return [event_message(ADDRESS, envelope(ADDRESS, event, READING)) for event in events]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    with Store(tmp_path / "store.db", clock=clock) as store:
        yield store


def watch(
    store: Store, clock: ManualClock, feeds: list[FakeFeed], *, wishing: Wishing | None = None
) -> tuple[Watch, list[News]]:
    """Runs until it has been quiet for five seconds."""
    told: list[News] = []
    waiting = list(feeds)
    watching = Watch(
        store=store,
        feed=lambda: waiting.pop(0),
        clock=clock,
        backoff=Backoff(min_s=0.01, max_s=0.02, random=lambda: 0.5),
        tell=told.append,
        wishing=wishing,
    )
    watching.run(threading.Event(), until_quiet_s=5)
    return watching, told


def test_messages_that_come_together_are_stored_together_and_then_acknowledged(
    store: Store, clock: ManualClock
) -> None:
    feed = FakeFeed(clock, [tuple(messages(3)), (state_message(ADDRESS, Status.ONLINE, READING, "1"),)])
    watching, told = watch(store, clock, [feed])
    assert feed.acknowledged == [1, 2, 3, 4]
    assert [item.event.seq for item in told if isinstance(item, Arrived)] == [1, 2, 3]
    assert (watching.tally.messages, watching.tally.events, watching.tally.new) == (4, 3, 3)
    assert feed.closed


class FullStore(Store):
    def take(self, events: object, states: object = (), explained: object = ()) -> list[News]:
        raise JournalError("disk full")


def test_what_cannot_be_stored_is_not_acknowledged(tmp_path: Path, clock: ManualClock) -> None:
    feed = FakeFeed(clock, [tuple(messages(3))])
    with (
        FullStore(tmp_path / "full.db", clock=clock) as store,
        pytest.raises(JournalError, match="disk full"),
    ):
        watch(store, clock, [feed])
    assert (feed.acknowledged, feed.closed) == ([], True)


def test_what_is_unreadable_is_acknowledged_said_and_counted(
    store: Store, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    good = messages(1)[0]
    bad = (
        Message("", b"x"),
        *([Message(ADDRESS.event, b"nonsense")] * 3),
        Message(ADDRESS.event.replace("/gate/", "/door/"), good.payload),
        Message(ADDRESS.event, good.payload.replace(b'"id":"j1-1"', b'"id":"j1-9007199254740993"')),
        Message(ADDRESS.state, b"{}"),
        Message("gate/v1/tenant/No Site/x/state", b"{}"),
        Message(ADDRESS.health, b"{}"),
    )
    feed = FakeFeed(clock, [bad, (good, Message(ADDRESS.state, b"", retain=True))])
    watching, _ = watch(store, clock, [feed])
    assert feed.acknowledged == list(range(1, len(bad) + 3))
    assert (watching.tally.unreadable, watching.tally.new) == (len(bad), 1)
    assert "speaks for another gate" in caplog.text
    assert caplog.text.count("not a JSON object") == 1


def test_a_lost_broker_is_said_once_and_another_connection_made(
    store: Store, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    first = FakeFeed(clock, [(messages(1)[0],), "connection lost"])
    deaf = [FakeFeed(clock, [], opens=False) for _ in range(3)]
    last = FakeFeed(clock, [tuple(messages(2))])
    watching, _ = watch(store, clock, [first, *deaf, last])
    tally = watching.tally
    assert (tally.connections, tally.events, tally.new) == (2, 3, 2)
    assert caplog.text.count("broker lost: connection lost") == 1
    assert caplog.text.count("no broker: broker not reachable") == 1
    assert all(feed.closed for feed in (first, *deaf, last))


def test_cursors_are_said_after_the_commit_and_again_on_another_connection(
    store: Store, clock: ManualClock
) -> None:
    first, last = FakeFeed(clock, [tuple(messages(2)), (), "connection lost"]), FakeFeed(clock, [])
    watch(store, clock, [first, last], wishing=Wishing(lambda _: b"s" * 64))
    assert len(first.said) == len(last.said) == 1
    assert b'"seq":2' in last.said[0].payload


def test_wishes_wait_for_room_and_a_refusal_is_said_once(
    store: Store, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    arriving: list[tuple[Message, ...] | str] = [(message,) for message in messages(40)]
    feed = FakeFeed(clock, arriving, room=3, refuses="not authorized (0x87)")
    watch(store, clock, [feed], wishing=Wishing(lambda _: b"s" * 64))
    assert len(feed.said) == 3
    assert caplog.text.count("refuses what is said to the gates: not authorized") == 1
