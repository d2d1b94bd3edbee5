"""The doctor on real parts: a broker with every kind of trouble, a replayed camera, the command itself."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from device.doctor.broker import Road
from device.doctor.finding import Finding, Level
from device.runtime import SystemClock
from device.uplink.tls import Tls
from device.uplink.wire import parse_events
from tests.support.broker import Broker, ServerTls
from tests.support.certificates import Authority
from tests.support.codes import empty
from tests.support.daemon import Daemon
from tests.support.gate import ANNA, Gate
from tests.support.subscriber import Subscriber
from tests.support.uplinks import ADDRESS, sessions

pytestmark = pytest.mark.slow


def walk(
    broker: Broker, *, tls: Tls | None = None, host: str = "127.0.0.1", **changes: object
) -> list[Finding]:
    make = sessions(broker, tls=tls, **changes)
    road = Road(
        host=host,
        port=broker.port,
        tls=tls,
        session=make,
        address=ADDRESS,
        clock=SystemClock(),
        step_s=2.0,
    )
    return list(road.walk())


def levels(findings: list[Finding]) -> list[tuple[str, Level]]:
    return [(f.check, f.level) for f in findings]


def test_the_whole_road_is_walked_and_leaves_nothing_with_a_consumer(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker, Subscriber(broker.host, broker.port) as district:
        found = walk(broker)
        assert district.wait_for(lambda got: any(m.topic == ADDRESS.event for m in got))
        (message,) = [m for m in district.messages if m.topic == ADDRESS.event]
    assert levels(found) == [
        ("broker_name", Level.OK),
        ("broker_tcp", Level.OK),
        ("broker_login", Level.OK),
        ("broker_publish", Level.OK),
    ]
    assert tuple(parse_events(message.payload)) == ()


def test_a_broker_to_which_nobody_listens_is_told(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker:
        last = walk(broker)[-1]
    assert (last.check, last.level) == ("broker_publish", Level.WARNED)
    assert "nobody is there" in last.said


def test_a_name_that_is_not_known_is_the_last_step(tmp_path: Path) -> None:
    (found,) = walk(Broker(tmp_path), host="no-such-broker.invalid")
    assert (found.check, found.level) == ("broker_name", Level.FAILED)
    assert "typo" in found.remedy


def test_a_broker_that_does_not_run_is_told_as_its_port(tmp_path: Path) -> None:
    broker = Broker(tmp_path)
    broker.start()
    broker.kill()
    assert levels(walk(broker))[-1] == ("broker_tcp", Level.FAILED)


def test_a_wrong_password_is_told_and_not_repeated(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("not-this-one\n", encoding="utf-8")
    with Broker(tmp_path, users={"gate": "the-right-one"}) as broker:
        last = walk(broker, username="gate", password_file=password)[-1]
    assert (last.check, last.level) == ("broker_login", Level.FAILED)
    assert "password file" in last.remedy
    assert "not-this-one" not in f"{last}"


def test_access_rules_that_refuse_the_topic_are_told_with_the_topic(tmp_path: Path) -> None:
    with Broker(tmp_path, acl="topic read gate/#\n") as broker:
        last = walk(broker)[-1]
    assert (last.check, last.level) == ("broker_publish", Level.FAILED)
    assert ADDRESS.event in last.remedy


def test_a_certificate_of_another_authority_is_told(tmp_path: Path) -> None:
    ours, other = tmp_path / "ours", tmp_path / "other"
    ours.mkdir()
    other.mkdir()
    authority, stranger = Authority(ours), Authority(other, "stranger")
    issued = stranger.issue("broker")
    server = ServerTls(stranger.ca_file, issued.cert_file, issued.key_file)
    with Broker(tmp_path, tls=server) as broker:
        last = walk(broker, tls=Tls(ca_file=authority.ca_file))[-1]
    assert (last.check, last.level) == ("broker_tls", Level.FAILED)
    assert "ca_file" in last.remedy


def test_a_certificate_that_ends_soon_is_a_warning_and_the_road_goes_on(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    issued = authority.issue("broker")
    server = ServerTls(authority.ca_file, issued.cert_file, issued.key_file)
    with (
        Broker(tmp_path, tls=server) as broker,
        Subscriber(broker.host, broker.port, tls=ssl.create_default_context(cafile=authority.ca_file)),
    ):
        found = walk(broker, tls=Tls(ca_file=authority.ca_file))
    assert levels(found)[2:] == [
        ("broker_tls", Level.OK),
        ("broker_certificate", Level.WARNED),
        ("broker_login", Level.OK),
        ("broker_publish", Level.OK),
    ]


def test_a_service_that_only_listens_is_told_as_silent(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        broker = Broker(tmp_path)
        broker.port = server.getsockname()[1]
        last = walk(broker, connect_within_s=1.0)[-1]
    assert (last.check, last.level) == ("broker_login", Level.FAILED)


# -- the command ------------------------------------------------------------------------------------


def doctor(config: Path, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    command = [sys.executable, "-m", "device", "doctor", "--config", str(config), "--json", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()]


def test_a_full_visit_ends_as_a_signed_event_in_the_journal(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker, Subscriber(broker.host, broker.port):
        gate = Gate(tmp_path, port=broker.port)
        gate.hold(ANNA, seconds=3)
        code, lines = doctor(gate.write())
    assert code == 0, lines
    found = {line["check"]: line["level"] for line in lines[:-1]}
    wanted = ("pins", "panel", "decoder", "camera", "light", "code", "broker_publish")
    assert [found[word] for word in wanted] == ["ok"] * len(wanted)
    event, checkpoint = gate.stored()
    assert event["occasion"] == "commissioning"
    assert event["failed"] == []
    assert set(wanted) <= set(event["ok"])
    assert (checkpoint["why"], len(checkpoint["signature"])) == ("checkup", 128)
    assert lines[-1]["recorded"].startswith("recorded as event 1 of journal")


def test_without_broker_and_camera_the_exit_code_says_so_and_every_failure_has_a_remedy(
    tmp_path: Path,
) -> None:
    gate = Gate(tmp_path, port=1)
    gate.add(empty())
    config = gate.write()
    for picture in (tmp_path / "scene").iterdir():
        picture.write_bytes(b"no picture")
    code, lines = doctor(config, "--wait", "0", "--no-record")
    failed = {line["check"]: line["remedy"] for line in lines[:-1] if line["level"] == "failed"}
    assert code == 1
    assert set(failed) == {"camera", "broker_tcp"}
    assert all(failed.values())
    assert not gate.journal.exists()


def test_beside_the_running_gate_its_pins_camera_and_journal_are_left_alone(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker, Subscriber(broker.host, broker.port):
        gate = Gate(tmp_path, port=broker.port)
        gate.hold(ANNA)
        with Daemon(gate.write(), tmp_path) as daemon:
            daemon.wait_until_ready()
            code, lines = doctor(tmp_path / "gate.yaml")
            assert daemon.process.poll() is None
    found = {line["check"]: line["level"] for line in lines[:-1]}
    assert code == 0, lines
    assert (found["pins"], found["camera"], found["running"]) == ("skipped", "skipped", "ok")
    assert found["broker_publish"] == "ok"
    assert "running gate" in lines[-1]["recorded"]
