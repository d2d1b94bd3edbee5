"""A changed configuration while the real daemon runs: taken over, begun anew with, or refused."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.gate import ANNA, Gate

pytestmark = pytest.mark.slow


def reload(daemon: Daemon) -> None:
    """As the service manager does it: the signal, then the answer, whatever it is."""
    before = daemon.notifications.count("READY=1")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_for(lambda d: d.notifications.count("READY=1") > before, "no READY=1 after a reload")


def lifecycle(gate: Gate) -> list[dict[str, Any]]:
    return [event for event in gate.stored() if "what" in event]


def outcomes(daemon: Daemon) -> list[str]:
    return [scan["outcome"] for scan in daemon.scans()]


def test_other_rules_hold_from_the_next_code_on_without_a_lost_frame(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.hold(ANNA)
    with Daemon(gate.write(), tmp_path) as daemon:
        daemon.wait_until_ready()
        daemon.wait_for(lambda d: "granted" in outcomes(d), "granted under the old rules")
        gate.changes = {"policy.suspended": True, "service.log_level": "info"}
        gate.write()
        reload(daemon)
        daemon.wait_for(lambda d: "denied" in outcomes(d), "denied under the new rules")
        started = [line for line in daemon.lines if line["message"] == "ready"]
        assert daemon.stop() == 0
    assert len(started) == 1
    assert [n.split("\n")[0] for n in daemon.notifications if n.startswith("RELOADING")] == ["RELOADING=1"]
    first, changed, *_ = lifecycle(gate)
    assert (changed["what"], changed["detail"]) == ("configured", "at_once")
    assert changed["configuration"] != first["configuration"]
    rules = {e["rules"]: e["seq"] > changed["seq"] for e in gate.stored() if "rules" in e}
    assert sorted(rules.values()) == [False, True]


def test_a_changed_list_is_read_again_though_the_file_is_the_same(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.hold(ANNA)
    with Daemon(gate.write(), tmp_path) as daemon:
        daemon.wait_until_ready()
        daemon.wait_for(lambda d: "granted" in outcomes(d), "granted while not on the list")
        (tmp_path / "deny.txt").write_text("046190123456\n", encoding="utf-8")
        reload(daemon)
        daemon.wait_for(lambda d: "denied" in outcomes(d), "denied once on the list")
        assert daemon.stop() == 0


def test_other_parts_begin_anew_in_the_same_process(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.hold(ANNA)
    with Daemon(gate.write(), tmp_path, watchdog_s=30) as daemon:
        daemon.wait_until_ready()
        number = daemon.process.pid
        gate.changes = {"camera.width": 640, "camera.height": 480, "panel.relay.pulse_s": 0.25}
        gate.write()
        reload(daemon)
        assert daemon.process.pid == number
        assert daemon.process.poll() is None
        before = len(daemon.scans())
        daemon.wait_for(lambda d: len(d.scans()) > before, "answered with the new camera")
        assert daemon.stop() == 0
    told = [(event["what"], event["detail"]) for event in lifecycle(gate)]
    assert told == [
        ("started", "first_start"),
        ("configured", "anew"),
        ("stopped", "configured"),
        ("started", "same_boot"),
        ("stopped", "asked"),
    ]
    first, changed, _, anew, _ = lifecycle(gate)
    assert first["configuration"] != changed["configuration"] == anew["configuration"]
    # The service manager must not take the old parts' end for the service's, nor the pause for a hang.
    said = daemon.notifications
    assert "WATCHDOG_USEC=90000000" in said[: said.index("STOPPING=1")]
    assert said.count("STOPPING=1") == 1
    assert said[: said.index("STOPPING=1")].count("READY=1") == 2


def test_a_broken_file_is_refused_and_what_was_in_force_stays(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.hold(ANNA)
    config = gate.write()
    with Daemon(config, tmp_path) as daemon:
        daemon.wait_until_ready()
        good = config.read_text(encoding="utf-8")
        config.write_text(good.replace("pin: 24", "pin: 17"), encoding="utf-8")
        reload(daemon)
        before = len(daemon.scans())
        daemon.wait_for(lambda d: len(d.scans()) > before, "answered by the old settings")
        refused = [n for n in daemon.notifications if n.startswith("STATUS=") and "refused: " in n]
        assert f"{config}:" in refused[-1]
        assert "already used" in refused[-1]
        assert any("already used" in line["message"] for line in daemon.lines if line["level"] == "error")
        config.write_text(good, encoding="utf-8")
        reload(daemon)
        daemon.wait_for(
            lambda d: d.notifications[-1].startswith("STATUS=ready") and "refused" not in d.notifications[-1],
            "the status is clean again",
        )
        assert daemon.stop() == 0
    first, refusal, mended, *_ = lifecycle(gate)
    assert refusal["what"] == "configuration_refused"
    assert refusal["detail"].startswith("line ")
    assert first["configuration"] == refusal["configuration"] == mended["configuration"]
