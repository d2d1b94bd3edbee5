"""The wall clock is set by a day, either way, while the daemon runs and between its runs: nothing follows."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from device.model import EventType
from tests.support.codes import empty, shown
from tests.support.daemon import Daemon
from tests.support.gate import ANNA, Gate
from tests.support.reckoning import Reckoning
from tests.support.stepped_daemon import STEP_FILE

pytestmark = pytest.mark.slow

DAY_S = 86_400


class Stepped:
    """A gate where one person shows one code again and again, and a clock that can be set."""

    def __init__(self, folder: Path, policy: dict[str, object]) -> None:
        self.folder = folder
        self.gate = Gate(folder)
        self.gate.changes = {
            "decode.showing_ends_after_s": 0.2,
            "uplink.enabled": False,
            **{f"policy.{name}": value for name, value in policy.items()},
        }
        self.gate.add(shown(ANNA), 3)
        self.gate.add(empty(), 5)
        self.config = self.gate.write()
        self._step = folder / "step"
        self.set_clock(0)

    def set_clock(self, days: int) -> None:
        """The wall clock is wrong by so many days from now on."""
        fresh = self._step.with_name("step.new")
        fresh.write_text(str(days * DAY_S), "ascii")
        fresh.replace(self._step)

    def daemon(self) -> Daemon:
        environ = {STEP_FILE: str(self._step)}
        return Daemon(self.config, self.folder, environ=environ, module="tests.support.stepped_daemon")

    def check_order(self) -> list[str]:
        """Events follow each other by number and uptime, whatever the wall clock said; what that said."""
        events = Reckoning().check_journal(self.gate.journal)
        scans = [e for e in self.gate.stored() if "outcome" in e]
        assert len(scans) == sum(e.type == EventType.SCAN for e in events)
        for before, after in pairwise(scans):
            assert before["clock"]["uptime_ms"] <= after["clock"]["uptime_ms"]
        return [str(scan["clock"]["wall"]) for scan in scans]


def answer_after(daemon: Daemon) -> str:
    """What the person is told next."""
    known = len(daemon.scans())
    daemon.wait_for(lambda d: len(d.scans()) >= known + 2, "the person is answered")
    return str(daemon.scans()[known + 1]["reason"])


def test_a_clock_set_by_a_day_changes_no_hold_off_and_no_order(tmp_path: Path) -> None:
    site = Stepped(tmp_path, {"repeat_s": 600})
    with site.daemon() as daemon:
        daemon.wait_for(lambda d: len(d.scans()) >= 1, "the person is answered")
        assert daemon.scans()[0]["reason"] == "ok"
        for days in (1, -1, 0):
            site.set_clock(days)
            assert answer_after(daemon) == "already_shown"
        assert daemon.stop() == 0
    walls = site.check_order()
    assert len({wall[:10] for wall in walls}) >= 3
    assert walls != sorted(walls)


def test_a_clock_set_by_a_day_across_a_restart_lets_nobody_in_twice(tmp_path: Path) -> None:
    site = Stepped(tmp_path, {"repeat_s": 0, "passback": {"mode": "hard"}})
    with site.daemon() as daemon:
        daemon.wait_for(lambda d: len(d.scans()) >= 1, "the person is answered")
        assert daemon.scans()[0]["outcome"] == "granted"
        daemon.process.kill()
        daemon.wait()
    for days in (1, -1):
        site.set_clock(days)
        with site.daemon() as daemon:
            daemon.wait_for(lambda d: len(d.scans()) >= 1, "the person is answered")
            assert daemon.scans()[0]["reason"] == "passback"
            daemon.process.kill()
            daemon.wait()
    site.check_order()
