from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from paho.mqtt.publish import single

from tests.support.broker import Broker, BrokerFailed
from tests.support.subscriber import Subscriber

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def test_a_message_reaches_the_subscriber(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker, Subscriber(broker.host, broker.port, topic="a/+") as subscriber:
        single("a/b", b"one", qos=1, hostname=broker.host, port=broker.port)
        assert subscriber.wait_for(1)
        assert subscriber.messages[0].topic == "a/b"
        assert subscriber.messages[0].payload == b"one"


def test_a_restarted_broker_keeps_its_port_and_the_subscriber_comes_back(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker, Subscriber(broker.host, broker.port) as subscriber:
        port = broker.port
        broker.restart()
        assert broker.port == port
        assert subscriber.wait_for_subscription(2, 20)
        single("a", b"two", qos=1, hostname=broker.host, port=broker.port)
        assert subscriber.wait_for(lambda have: any(m.payload == b"two" for m in have))


def test_a_killed_broker_refuses_connections(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker:
        broker.kill()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((broker.host, broker.port), timeout=1)


def test_a_broker_with_a_wrong_option_says_what_mosquitto_said(tmp_path: Path) -> None:
    with pytest.raises(BrokerFailed, match="no_such_option"):
        Broker(tmp_path, options={"no_such_option": 1}).start()
