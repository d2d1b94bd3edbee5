"""The consumer's connection, on a real mosquitto: what is not acknowledged comes again."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from device.errors import UplinkError
from device.runtime import SystemClock
from device.uplink.client import Access
from device.uplink.consumer import Delivery, Subscription
from device.uplink.tls import Tls
from device.uplink.wire import Message
from tests.support.broker import Broker, ServerTls
from tests.support.certificates import Authority
from tests.support.subscriber import Subscriber

pytestmark = pytest.mark.slow

# Real sockets on a loaded machine.
PATIENCE_S = 15.0
TOPIC = "gate/v1/tenant/site/gate/event"


def subscription(broker: Broker, **changes: Any) -> Subscription:  # noqa: ANN401 - passed on
    access = Access(**{"host": broker.host, "port": broker.port, "client_id": "consumer", **changes})
    return Subscription(["gate/v1/tenant/+/+/event"], access=access, clock=SystemClock())


def opened(broker: Broker, **changes: Any) -> Subscription:  # noqa: ANN401 - passed on
    made = subscription(broker, **changes)
    made.open()
    return made


def take(connection: Subscription, count: int) -> list[Delivery]:
    clock = SystemClock()
    taken: list[Delivery] = []
    until = clock.monotonic() + PATIENCE_S
    while len(taken) < count and clock.monotonic() < until:
        taken += connection.take(0.2)
    return taken


def payloads(deliveries: list[Delivery]) -> list[int]:
    return [int(delivery.payload) for delivery in deliveries]


def settle(connection: Subscription) -> None:
    """Lets the broker have what was handed over, and its answers come in."""
    for _ in range(5):
        connection.take(0.05)


def test_what_was_not_acknowledged_comes_again_and_what_was_does_not(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker, Subscriber(broker.host, broker.port, topic="x") as other:
        first = opened(broker)
        settle(first)
        for number in range(5):
            other.publish(TOPIC, str(number).encode())
        taken = take(first, 5)
        assert payloads(taken) == [0, 1, 2, 3, 4]
        first.acknowledge(taken[:2])
        settle(first)
        first.close()
        other.publish(TOPIC, b"5")
        second = opened(broker)
        assert payloads(take(second, 4)) == [2, 3, 4, 5]
        second.close()


def test_a_message_of_ours_arrives_and_its_receipt_makes_room(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker, Subscriber(broker.host, broker.port, topic="wish/#") as other:
        connection = opened(broker)
        taken = sum(connection.publish(Message("wish/a", str(n).encode(), retain=True)) for n in range(50))
        assert taken == connection.outstanding == 20
        assert other.wait_for(0)
        until = SystemClock().monotonic() + PATIENCE_S
        while connection.outstanding and SystemClock().monotonic() < until:
            connection.take(0.05)
        assert connection.publish(Message("wish/a", b"more"))
        settle(connection)
        assert other.wait_for(21)
        connection.close()


def test_a_publish_the_acl_forbids_is_told(tmp_path: Path) -> None:
    with Broker(tmp_path, acl="topic read gate/#\n") as broker:
        connection = opened(broker)
        connection.publish(Message("wish/a", b""))
        until = SystemClock().monotonic() + PATIENCE_S
        while connection.outstanding and SystemClock().monotonic() < until:
            connection.take(0.05)
        assert connection.refused == "not authorized (0x87)"
        connection.close()


def test_nobody_there_is_told_in_fixed_words(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker:
        connection = subscription(broker)
        broker.kill()
        with pytest.raises(UplinkError, match=r"^broker not reachable: "):
            connection.open()
        connection.close()


def test_somebody_who_does_not_speak_is_given_up(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker, socket.create_server(("127.0.0.1", 0)) as silent:
        connection = subscription(broker, port=silent.getsockname()[1], connect_within_s=0.3)
        with pytest.raises(UplinkError, match="does not answer"):
            connection.open()
        connection.close()


def test_a_broker_that_dies_ends_the_connection(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker:
        connection = opened(broker)
        broker.kill()
        with pytest.raises(UplinkError, match="connection lost"):
            take(connection, 1)
        connection.close()


def test_a_second_consumer_with_our_name_ends_the_first_ones_connection(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker:
        one = opened(broker)
        settle(one)
        # Mosquitto 2.0 gives no reason where it hands a kept queue over.
        two = opened(broker)
        with pytest.raises(UplinkError, match=r"another client|connection lost"):
            take(one, 1)
        one.close()
        two.close()


def test_a_wrong_password_and_a_missing_file_are_told_apart(tmp_path: Path) -> None:
    password = tmp_path / "password"
    with Broker(tmp_path, users={"district": "geheim"}) as broker:
        for written, words in ((None, "file cannot be used"), ("falsch", "refused|not authorized")):
            if written is not None:
                password.write_text(written, encoding="utf-8")
            connection = subscription(broker, username="district", password_file=password)
            with pytest.raises(UplinkError, match=words):
                connection.open()
            connection.close()
        password.write_text("geheim\n", encoding="utf-8")
        opened(broker, username="district", password_file=password).close()


def test_it_comes_over_tls_from_the_broker_we_trust_only(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    stranger = Authority(tmp_path_factory.mktemp("stranger"))
    server, mine = authority.issue("server"), authority.issue("consumer")
    both_ways = ServerTls(authority.ca_file, server.cert_file, server.key_file, client_certificates=True)
    tls = Tls(ca_file=authority.ca_file, cert_file=mine.cert_file, key_file=mine.key_file)
    with Broker(tmp_path, tls=both_ways) as broker:
        connection = opened(broker, tls=tls)
        settle(connection)
        sender = opened(broker, tls=tls, client_id="sender")
        for number in range(200):
            while not sender.publish(Message(TOPIC, str(number).encode())):
                sender.take(0.01)
        taken: list[int] = []
        while len(taken) < 200:
            settle(sender)
            more = take(connection, 1)
            connection.acknowledge(more)
            taken += payloads(more)
        assert taken == list(range(200))
        connection.close()
        sender.close()
        wrong = subscription(broker, tls=Tls(ca_file=stranger.ca_file))
        with pytest.raises(UplinkError, match="certificate not accepted"):
            wrong.open()
        wrong.close()
