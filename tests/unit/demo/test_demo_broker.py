from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from device.demo.broker import HOST, Broker, Kind, search_path
from device.demo.district import District
from device.errors import UplinkError
from device.model import StoredEvent
from device.uplink.wire import GateAddress, batch_message, envelope, event_message
from tests.support.clock import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

    from device.uplink.wire import Message

ADDRESS = GateAddress("tenant", "site", "gate")
REAL = [Kind.MOSQUITTO, Kind.IOTCORE]


def event(seq: int) -> bytes:
    stored = StoredEvent("j1", seq, "gate.scan.v1", b'{"seq":%d}' % seq)
    return envelope(ADDRESS, stored, ManualClock().reading())


def publish(port: int, *messages: Message) -> None:
    client = Client(CallbackAPIVersion.VERSION2, client_id="gate", protocol=MQTTv5)
    client.connect(HOST, port)
    client.loop_start()
    try:
        for message in messages:
            client.publish(message.topic, message.payload, qos=1).wait_for_publish(20)
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.mark.slow
@pytest.mark.parametrize("kind", REAL)
def test_either_broker_carries_events_to_the_district(kind: Kind, tmp_path: Path) -> None:
    with (
        Broker(tmp_path, kind=kind, path=search_path(os.environ)) as broker,
        District(host=HOST, port=broker.port) as district,
    ):
        publish(broker.port, event_message(ADDRESS, event(1)), batch_message(ADDRESS, [event(2), event(3)]))
        first, second = district.take(20), district.take(20)
    assert [e.seq for e in first or ()] == [1]
    assert [e.seq for e in second or ()] == [2, 3]
    assert district.take() is None
    assert district.lost == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", REAL)
def test_a_message_that_is_no_event_is_told_and_gone(kind: Kind, tmp_path: Path) -> None:
    with (
        Broker(tmp_path, kind=kind, path=search_path(os.environ)) as broker,
        District(host=HOST, port=broker.port) as district,
    ):
        good = event_message(ADDRESS, event(1))
        publish(broker.port, event_message(ADDRESS, b"not an event"), good)
        with pytest.raises(ValueError, match="JSON"):
            district.take(20)
        assert [e.seq for e in district.take(20) or ()] == [1]


@pytest.mark.slow
@pytest.mark.parametrize("kind", REAL)
def test_the_broker_is_gone_after_its_block(kind: Kind, tmp_path: Path) -> None:
    with Broker(tmp_path, kind=kind, path=search_path(os.environ)) as broker:
        port = broker.port
    with pytest.raises(UplinkError), District(host=HOST, port=port):
        pass


@pytest.mark.slow
def test_without_mosquitto_the_broker_from_pypi_is_taken(tmp_path: Path) -> None:
    with Broker(tmp_path, path=str(tmp_path)) as broker:
        assert broker.kind is Kind.IOTCORE


def test_mosquitto_is_found_where_debian_puts_it() -> None:
    assert shutil.which("mosquitto", path=search_path({"PATH": "/nowhere"})) is not None


def test_mosquitto_asked_for_and_missing_is_told_with_the_remedy(tmp_path: Path) -> None:
    broker = Broker(tmp_path, kind=Kind.MOSQUITTO, path=str(tmp_path))
    with pytest.raises(UplinkError, match="apt install mosquitto"):
        broker.start()
