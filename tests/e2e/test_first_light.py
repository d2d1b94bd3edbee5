"""The whole main job on real parts: pictures in, lights, journal and a real broker's message out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from device.uplink.wire import parse_events
from tests.support.broker import Broker
from tests.support.codes import Held
from tests.support.daemon import Daemon
from tests.support.gate import ANNA, BINH, CHI, PAYMENT, REFUSED, Gate
from tests.support.subscriber import Received, Subscriber

pytestmark = pytest.mark.slow


def scans(messages: tuple[Received, ...]) -> list[dict[str, Any]]:
    """`data` of the scan events among the messages, each once, in the order of their sequence numbers."""
    events = [event for m in messages if m.topic.endswith("/event") for event in parse_events(m.payload)]
    by_id = {event.id: json.loads(event.data) for event in events if event.type == "gate.scan.v1"}
    return sorted(by_id.values(), key=lambda data: int(data["seq"]))


def test_codes_held_up_become_events_lights_and_messages(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker, Subscriber(broker.host, broker.port) as district:
        gate = Gate(tmp_path, port=broker.port, repeat=False)
        gate.hold(ANNA, Held(turn_deg=17, tilt_deg=25))
        gate.hold(BINH, Held(blur_px=1.0, noise=6))
        gate.hold(CHI, Held(light=0.35, noise=4))
        gate.hold(REFUSED, Held(turn_deg=-40))
        gate.hold(PAYMENT, Held(inverted=True))
        gate.hold(ANNA)
        with Daemon(gate.write(), tmp_path) as daemon:
            daemon.wait_until_ready()
            assert daemon.wait() == 0
            assert "STOPPING=1" in daemon.notifications
            answered = [(s["kind"], s["outcome"], s["reason"]) for s in daemon.scans()]
            greens = daemon.greens()
        assert answered == [
            ("vn.cccd", "granted", "ok"),
            ("vn.cccd", "granted", "ok"),
            ("vn.qr-national", "granted", "ok"),
            ("vn.cccd", "denied", "denied_by_list"),
            ("wrong.payment", "attention", "wrong_kind"),
            ("vn.cccd", "granted", "ok"),
        ]
        assert greens == 4
        assert district.wait_for(lambda got: len(scans(got)) == len(answered))
        arrived = scans(district.messages)
        states = [json.loads(m.payload) for m in district.messages if m.topic.endswith("/state")]

    assert [(e["credential"]["kind"], e["outcome"], e["reason"]) for e in arrived] == answered
    assert arrived[0]["direction"] == "in"
    assert len(arrived[0]["credential"]["subject"]) == 32
    assert arrived[0]["credential"]["subject"] == arrived[5]["credential"]["subject"]
    assert arrived[4]["credential"].get("subject") is None
    alone = next(json.loads(m.payload) for m in district.messages if m.topic.endswith("/event"))
    assert alone["specversion"] == "1.0"
    assert alone["source"] == "gate/v1/test-district/test-site/door-1"
    assert alone["id"].endswith(f"-{alone['data']['seq']}")
    assert states[0]["status"] == "online"
    assert states[-1]["status"] != "online"
    everything = b"".join(m.payload for m in district.messages) + gate.journal.read_bytes()
    for secret in ("046190123456", "Nguyễn", "0900000000", "QRIBFTTA"):
        assert secret.encode() not in everything


def test_a_broker_that_dies_in_the_middle_costs_nothing(tmp_path: Path) -> None:
    with Broker(tmp_path, persistence=True) as broker, Subscriber(broker.host, broker.port) as district:
        gate = Gate(tmp_path, port=broker.port)
        for content in (ANNA, REFUSED, CHI):
            gate.hold(content, seconds=0.4)
        with Daemon(gate.write(), tmp_path) as daemon:
            daemon.wait_for(lambda d: len(d.scans()) >= 3, "three people before the outage")
            broker.kill()
            before = len(daemon.scans())
            daemon.wait_for(lambda d: len(d.scans()) >= before + 4, "four people during the outage")
            broker.start()
            during = [s["seq"] for s in daemon.scans()]
            assert district.wait_for_subscription(2, 30)
            wanted = set(during)
            assert district.wait_for(lambda got: wanted <= {e["seq"] for e in scans(got)}, 60)
            assert daemon.stop() == 0
    seqs = [e["seq"] for e in scans(district.messages)]
    assert seqs == sorted(seqs)


def test_the_service_manager_sees_a_whole_life(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.hold(ANNA)
    with Daemon(gate.write(), tmp_path, watchdog_s=2) as daemon:
        daemon.wait_until_ready()
        daemon.wait_for(lambda d: d.notifications.count("WATCHDOG=1") >= 3, "the watchdog is fed")
        daemon.wait_for(lambda d: bool(d.scans()), "somebody was answered while no broker was there")
        daemon.wait_for(lambda d: any(n.startswith("STATUS=ready: ") for n in d.notifications), "a status")
        assert daemon.stop(timeout_s=5) == 0
        assert daemon.notifications.index("READY=1") < daemon.notifications.index("STOPPING=1")


def test_a_restart_goes_on_where_the_last_run_stopped(tmp_path: Path) -> None:
    gate = Gate(tmp_path, repeat=False)
    gate.hold(ANNA)
    config = gate.write()
    for _ in range(2):
        with Daemon(config, tmp_path) as daemon:
            assert daemon.wait() == 0
    data = gate.stored()
    assert [event["seq"] for event in data] == list(range(1, len(data) + 1))
    assert sum(1 for event in data if event.get("outcome") == "granted") == 2


def test_a_wrong_configuration_ends_with_78_and_says_where(tmp_path: Path) -> None:
    gate = Gate(tmp_path, changes={"panel.relay.pin": 17})
    gate.hold(ANNA)
    with Daemon(gate.write(), tmp_path) as daemon:
        assert daemon.wait() == 78
        assert "panel.relay.pin" in daemon.text()
        assert "gate.yaml:" in daemon.text()


def test_a_camera_that_is_not_there_ends_the_process_for_systemd(tmp_path: Path) -> None:
    gate = Gate(tmp_path, changes={"camera.source": "v4l2", "camera.v4l2": {"device": "/dev/video97"}})
    gate.changes["camera.reopen_attempts"] = 1
    with Daemon(gate.write(), tmp_path) as daemon:
        assert daemon.wait() == 70
        assert "/dev/video97" in daemon.text()
        assert "READY=1" not in daemon.notifications
