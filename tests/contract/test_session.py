"""What every `Session` does, checked on the one that speaks MQTT and on the one in memory."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest
from paho.mqtt.publish import single

from device.errors import UplinkError
from device.uplink.ports import Closed, Incoming, Opened, Receipt
from device.uplink.reasons import Loss
from device.uplink.wire import Message
from tests.support.broker import Broker
from tests.support.sessions import MemoryBroker
from tests.support.subscriber import Subscriber
from tests.support.uplinks import WILL, sessions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from device.uplink.ports import Report, Session

# Real sockets on a loaded machine.
PATIENCE_S = 15.0


class Side(Protocol):
    """A broker as these tests need it."""

    def session(self) -> Session: ...
    def arrived(self, payload: bytes) -> bool: ...
    def break_off(self) -> None: ...
    def say(self, message: Message) -> None: ...


class InMemory:
    def __init__(self) -> None:
        self._broker = MemoryBroker()

    def session(self) -> Session:
        return self._broker.session(WILL)

    def arrived(self, payload: bytes) -> bool:
        return self._broker.wait_for(lambda b: any(m.payload == payload for m in b.received), 0.5)

    def break_off(self) -> None:
        self._broker.hang_up(Closed(Loss.CONNECTION_LOST))

    def say(self, message: Message) -> None:
        self._broker.bring(message)


class OnMosquitto:
    def __init__(self, broker: Broker, subscriber: Subscriber) -> None:
        self._broker = broker
        self._subscriber = subscriber

    def session(self) -> Session:
        return sessions(self._broker)(WILL)

    def arrived(self, payload: bytes) -> bool:
        return self._subscriber.wait_for(lambda have: any(m.payload == payload for m in have), 1.0)

    def break_off(self) -> None:
        self._broker.kill()

    def say(self, message: Message) -> None:
        single(message.topic, message.payload, 1, hostname=self._broker.host, port=self._broker.port)


@pytest.fixture(params=["memory", pytest.param("mosquitto", marks=pytest.mark.slow)])
def side(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Side]:
    if request.param == "memory":
        yield InMemory()
        return
    with ExitStack() as stack:
        broker = stack.enter_context(Broker(tmp_path))
        subscriber = stack.enter_context(Subscriber(broker.host, broker.port))
        yield OnMosquitto(broker, subscriber)


@pytest.fixture
def session(side: Side) -> Iterator[Session]:
    session = side.session()
    yield session
    assert session.close(with_will=False, timeout_s=PATIENCE_S)


def opened(session: Session) -> Opened:
    session.open()
    report = session.next_report(PATIENCE_S)
    assert isinstance(report, Opened)
    return report


def message(text: str, *, retain: bool = False) -> Message:
    return Message("gate/v1/tenant/site/gate/event", text.encode(), retain=retain, content_type="text/plain")


def test_the_first_report_is_the_brokers_acceptance(session: Session) -> None:
    granted = opened(session)
    assert granted.window >= 1
    assert granted.packet_max_bytes > 1000


def test_a_message_arrives_and_its_receipt_carries_its_token(session: Session, side: Side) -> None:
    opened(session)
    token = session.publish(message("one"))
    assert session.next_report(PATIENCE_S) == Receipt(token, 0)
    assert side.arrived(b"one")


def test_every_message_of_a_full_window_gets_its_own_receipt(session: Session) -> None:
    window = opened(session).window
    tokens = {session.publish(message(str(n))) for n in range(window)}
    receipts = [session.next_report(PATIENCE_S) for _ in range(window)]
    assert {r.token for r in receipts if isinstance(r, Receipt)} == tokens


def test_nothing_can_be_published_before_the_broker_has_accepted(session: Session) -> None:
    with pytest.raises(UplinkError):
        session.publish(message("too early"))


def test_nothing_can_be_published_after_the_end_and_nothing_is_sent_later(
    session: Session, side: Side
) -> None:
    opened(session)
    assert session.close(with_will=False, timeout_s=PATIENCE_S)
    with pytest.raises(UplinkError):
        session.publish(message("too late"))
    assert not side.arrived(b"too late")


def test_a_lost_connection_is_the_last_report(session: Session, side: Side) -> None:
    opened(session)
    side.break_off()
    reports: list[Report | None] = [session.next_report(PATIENCE_S)]
    assert isinstance(reports[0], Closed)
    assert session.next_report(0.2) is None


def test_another_clients_message_on_a_subscribed_topic_is_reported_and_our_own_is_not(
    session: Session, side: Side
) -> None:
    opened(session)
    session.subscribe("gate/v1/tenant/site/gate/event")
    # The receipt of what follows a subscription shows that the broker has it.
    token = session.publish(message("ours"))
    assert isinstance(receipt := session.next_report(PATIENCE_S), Receipt)
    assert receipt.token == token
    side.say(message("theirs"))
    assert session.next_report(PATIENCE_S) == Incoming("gate/v1/tenant/site/gate/event", b"theirs")
    assert session.next_report(0.1) is None


def test_nothing_can_be_subscribed_before_the_broker_has_accepted(session: Session) -> None:
    with pytest.raises(UplinkError):
        session.subscribe("a")


def test_a_session_without_reports_says_so_in_time(session: Session) -> None:
    opened(session)
    assert session.next_report(0.01) is None


def test_a_session_that_was_never_opened_can_be_closed_twice(session: Session) -> None:
    assert session.close(with_will=False, timeout_s=PATIENCE_S)
    assert session.close(with_will=True, timeout_s=PATIENCE_S)


def test_a_clean_end_keeps_the_last_will_back(session: Session, side: Side) -> None:
    opened(session)
    assert session.close(with_will=False, timeout_s=PATIENCE_S)
    assert not side.arrived(WILL.payload)


def test_an_end_with_the_will_publishes_it(session: Session, side: Side) -> None:
    opened(session)
    assert session.close(with_will=True, timeout_s=PATIENCE_S)
    assert side.arrived(WILL.payload)
