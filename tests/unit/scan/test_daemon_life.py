from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from device.beat import read_beat
from device.daemon import Change, Daemon
from device.errors import ConfigError, GateError, JournalFull, Problem, WorkerDied
from device.lists.standing import Standing
from device.model import CheckupEvent, CoverageEvent, Cue, Event, LifecycleEvent, Occasion, StoredEvent, Why
from device.nightly import Nightly
from device.notify import Notifier
from device.runtime import Clock, LatestSlot, Supervisor, SystemClock, Worker
from device.scan import ScanStats
from tests.support.clock import ManualClock


@dataclass
class Counts:
    stored: int = 0
    pending: int = 0
    set_aside: int = 0
    last_seq: int = 0
    acknowledged_through: int = 0
    confirmed_through: int = 0
    frames: int = 0
    trouble: str = ""


@dataclass
class FakeJournal:
    refuses: bool = False
    events: list[Event] = field(default_factory=list)
    signed: list[Why] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def append(self, event: Event) -> StoredEvent:
        if self.refuses:
            raise JournalFull("no space left")
        with self.changed:
            self.events.append(event)
            self.changed.notify_all()
        return StoredEvent("j", len(self.events), "gate.lifecycle.v1", b"{}")

    def stats(self) -> Counts:
        return Counts(last_seq=len(self.events))

    def checkpoint(self, why: Why) -> None:
        if self.refuses:
            raise JournalFull("no space left")
        self.signed.append(why)

    def prune(self) -> int:
        return 0

    def wait_for(self, told: tuple[str, str]) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: told in self.told(), 20)

    def told(self) -> list[tuple[str, str]]:
        return [(e.what.value, e.detail) for e in self.events if isinstance(e, LifecycleEvent)]


@dataclass
class FakePanel:
    states: list[Cue] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def rest(self, cue: Cue) -> None:
        with self.changed:
            self.states.append(cue)
            self.changed.notify_all()

    def wait_for(self, cue: Cue) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.states[-1:] == [cue], 20)


@dataclass
class FakeScan:
    recording: bool = True

    def stats(self) -> ScanStats:
        return ScanStats(0, 0, 0, 0, 0, 0, 0, 0, recording=self.recording)


@dataclass
class FakeCapture:
    stats: Counts = field(default_factory=Counts)


@dataclass
class FakeConfiguration:
    """Says what the file says: `change`, or what is wrong with it."""

    digest: str = "0123456789abcdef"
    change: Change | GateError = field(default_factory=lambda: Change("fedcba9876543210", None))

    def look(self) -> Change:
        if isinstance(self.change, GateError):
            raise self.change
        return self.change


class FakeLists:
    def standings(self) -> tuple[Standing, ...]:
        return ()


@dataclass
class FakeUplink:
    connected: bool = True
    published: int = 0
    confirmed: int = 0
    refusing: str = ""
    pace: str = "free"
    twin: bool = False

    def stats(self) -> FakeUplink:
        return self


class Life:
    """A daemon whose workers only wait, run in a thread of the test's own."""

    def __init__(
        self,
        folder: Path,
        *,
        intake_dies: bool = False,
        night: Clock | None = None,
        uplink: FakeUplink | None = None,
        manager: Path | None = None,
    ) -> None:
        clock = SystemClock()
        night = night or ManualClock()
        self.capture = FakeCapture()
        self.beat = folder / "beat.json"
        self.journal, self.panel, self.scan = FakeJournal(), FakePanel(), FakeScan()
        self.first_frame, self.ended, self.stop = threading.Event(), threading.Event(), threading.Event()
        self.changed, self.report = threading.Event(), threading.Event()
        self.suspended = False
        self.configuration = FakeConfiguration()
        self.slot: LatestSlot[object] = LatestSlot()

        def wait(worker: Worker) -> None:
            worker.stopping.wait(0.05 if intake_dies else 60)

        self.intake = Supervisor([Worker("capture", wait, deadline_s=60, clock=clock)])
        self.daemon = Daemon(
            intake=self.intake,
            output=Supervisor([]),
            slot=self.slot,
            capture=self.capture,
            scan=self.scan,
            inputs=None,
            nightly=Nightly(clock=night, timezone=ZoneInfo("Asia/Ho_Chi_Minh")),
            checkup=lambda: CheckupEvent(
                Occasion.NIGHTLY, (), (), ("card_writes",), (), "0", night.reading()
            ),
            report=self.report,
            suspended=lambda: self.suspended,
            lists=FakeLists(),
            journal=self.journal,
            uplink=uplink,
            panel=self.panel,
            configuration=self.configuration,
            clock=clock,
            notifier=Notifier({"NOTIFY_SOCKET": str(manager)} if manager else {}),
            version="0",
            beat=self.beat,
            before=read_beat(self.beat),
            first_frame=self.first_frame,
            ended=self.ended,
            stop=self.stop,
            changed=self.changed,
        )
        self.thread = threading.Thread(target=self.daemon.run)

    def end(self) -> None:
        self.stop.set()
        self.thread.join(20)
        assert not self.thread.is_alive()


def test_the_gate_is_ready_with_the_first_frame_and_not_before(tmp_path: Path) -> None:
    life = Life(tmp_path)
    life.thread.start()
    life.panel.wait_for(Cue.STARTING)
    life.first_frame.set()
    life.panel.wait_for(Cue.READY)
    life.end()
    assert life.panel.states == [Cue.STARTING, Cue.READY]


def test_a_gate_that_cannot_record_shows_a_fault_until_it_can(tmp_path: Path) -> None:
    life = Life(tmp_path)
    life.first_frame.set()
    life.thread.start()
    life.panel.wait_for(Cue.READY)
    life.scan.recording = False
    life.panel.wait_for(Cue.FAULT)
    life.scan.recording = True
    life.panel.wait_for(Cue.READY)
    life.end()


def test_a_gate_that_sees_nothing_shows_a_fault_until_frames_come(tmp_path: Path) -> None:
    life = Life(tmp_path)
    life.first_frame.set()
    life.thread.start()
    life.panel.wait_for(Cue.READY)
    life.capture.stats.trouble = "camera 0 gave no frame for 3.0 s"
    life.panel.wait_for(Cue.FAULT)
    life.capture.stats.trouble = ""
    life.panel.wait_for(Cue.READY)
    life.end()


def test_the_status_line_names_what_is_wrong_with_the_camera(tmp_path: Path) -> None:
    manager = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(manager))
        told.settimeout(20)
        life = Life(tmp_path, manager=manager)
        life.capture.stats.trouble = "camera 0 was not found"
        life.thread.start()
        life.end()
        while not (line := told.recv(4096).decode()).startswith("STATUS="):
            pass
    assert "; camera 0 was not found" in line


def test_start_and_stop_are_events(tmp_path: Path) -> None:
    life = Life(tmp_path)
    life.thread.start()
    life.panel.wait_for(Cue.STARTING)
    life.end()
    assert life.journal.told() == [("started", "first_start"), ("stopped", "asked")]
    assert life.journal.signed == [Why.START, Why.STOP]


def test_the_end_of_a_scene_waits_for_the_last_frame_to_be_taken(tmp_path: Path) -> None:
    life = Life(tmp_path)
    life.slot.put("last frame")
    life.ended.set()
    life.thread.start()
    life.thread.join(0.5)
    assert life.thread.is_alive()
    life.slot.take(0)
    life.thread.join(20)
    assert life.journal.told()[-1] == ("stopped", "scene_ended")


def test_a_part_that_dies_ends_the_process_and_is_recorded(tmp_path: Path) -> None:
    life = Life(tmp_path, intake_dies=True)
    with pytest.raises(WorkerDied, match="capture ended by itself"):
        life.daemon.run()
    assert life.journal.told()[-1] == ("stopped", "part_died")


def test_a_journal_that_refuses_keeps_nobody_from_stopping(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    life = Life(tmp_path)
    life.journal.refuses = True
    life.thread.start()
    life.panel.wait_for(Cue.STARTING)
    with caplog.at_level(logging.ERROR):
        life.end()
    assert "could not be recorded" in caplog.text


def test_the_next_start_tells_until_when_the_last_run_was_there(tmp_path: Path) -> None:
    first = Life(tmp_path)
    first.thread.start()
    first.panel.wait_for(Cue.STARTING)
    first.end()
    life = Life(tmp_path)
    life.thread.start()
    life.panel.wait_for(Cue.STARTING)
    life.end()
    started = life.journal.events[0]
    assert isinstance(started, LifecycleEvent)
    assert started.detail == "same_boot"
    assert started.before is not None
    assert started.before.uptime_ms <= started.clock.uptime_ms


def checkups(life: Life) -> list[Event]:
    return [event for event in life.journal.events if isinstance(event, CheckupEvent)]


def test_at_night_the_gate_looks_itself_over_once(tmp_path: Path) -> None:
    life = Life(tmp_path, night=ManualClock(wall=datetime(2026, 3, 1, 20, 30, tzinfo=UTC)))  # 03:30 there
    life.thread.start()
    with life.journal.changed:
        assert life.journal.changed.wait_for(lambda: checkups(life), 20)
    life.end()
    assert len(checkups(life)) == 1


def test_who_asks_for_a_report_gets_the_coverage_so_far(tmp_path: Path) -> None:
    life = Life(tmp_path)
    life.thread.start()
    life.panel.wait_for(Cue.STARTING)
    life.report.set()
    with life.journal.changed:
        told = life.journal.changed.wait_for(
            lambda: [event for event in life.journal.events if isinstance(event, CoverageEvent)], 20
        )
    life.end()
    assert told


def test_the_end_closes_the_coverage_ledger(tmp_path: Path) -> None:
    life = Life(tmp_path)
    life.thread.start()
    life.panel.wait_for(Cue.STARTING)
    life.capture.stats.frames = 7
    life.end()
    *_, interval, stopped = life.journal.events
    assert isinstance(interval, CoverageEvent)
    assert isinstance(stopped, LifecycleEvent)
    assert sum(e.frames for e in life.journal.events if isinstance(e, CoverageEvent)) == 7


def test_a_changed_configuration_is_recorded_before_it_holds(tmp_path: Path) -> None:
    life = Life(tmp_path)
    told_when_applied: list[list[tuple[str, str]]] = []
    applied = threading.Event()

    def apply() -> None:
        told_when_applied.append(life.journal.told())
        applied.set()

    life.configuration.change = Change("fedcba9876543210", apply)
    life.thread.start()
    life.changed.set()
    assert applied.wait(20)
    life.end()
    assert told_when_applied == [[("started", "first_start"), ("configured", "at_once")]]
    assert life.journal.told()[-1] == ("stopped", "asked")


def test_a_change_that_asks_for_other_parts_ends_the_process_in_order(tmp_path: Path) -> None:
    life = Life(tmp_path)
    life.changed.set()
    assert life.daemon.run()
    assert life.journal.told()[1:] == [("configured", "anew"), ("stopped", "configured")]


def test_a_refused_configuration_says_where_and_nothing_of_what_stands_there(tmp_path: Path) -> None:
    life = Life(tmp_path)
    secret = Problem("gate.yaml", 12, 5, "uplink.hunter2", "hunter2 is no setting")
    life.configuration.change = ConfigError((secret,))
    life.changed.set()
    life.thread.start()
    assert life.journal.wait_for(("configuration_refused", "line 12"))
    life.end()
    refused = next(e for e in life.journal.events if isinstance(e, LifecycleEvent) and "refused" in e.what)
    assert refused.configuration == life.configuration.digest
    assert "hunter2" not in repr(life.journal.events)


def test_a_list_that_cannot_be_read_is_refused_too(tmp_path: Path) -> None:
    life = Life(tmp_path)
    life.configuration.change = GateError("deny.txt: Permission denied")
    life.changed.set()
    life.thread.start()
    assert life.journal.wait_for(("configuration_refused", "a list or key"))
    life.end()


@pytest.mark.parametrize(
    ("uplink", "words"),
    [
        (None, "no uplink"),
        (FakeUplink(connected=False), "broker away"),
        (FakeUplink(), "broker connected"),
        (FakeUplink(refusing="not authorized (0x87)"), "broker takes no events: not authorized (0x87)"),
        (FakeUplink(pace="spent"), "broker connected, data budget spent"),
        (FakeUplink(twin=True), "broker connected; another device has this gate's name"),
    ],
)
def test_the_status_line_says_how_it_stands_with_the_broker(
    tmp_path: Path, uplink: FakeUplink | None, words: str
) -> None:
    manager = tmp_path / "notify"
    with told_to(manager) as told:
        life = Life(tmp_path, uplink=uplink, manager=manager)
        life.thread.start()
        life.end()
        assert status(told).rstrip().endswith(words)


def test_the_status_line_says_that_a_card_has_suspended_the_gate(tmp_path: Path) -> None:
    manager = tmp_path / "notify"
    with told_to(manager) as told:
        life = Life(tmp_path, manager=manager)
        life.first_frame.set()
        life.thread.start()
        life.panel.wait_for(Cue.READY)
        life.suspended = True
        life.end()
        assert status(told).startswith("STATUS=ready, suspended by a card: 0 shown")


@contextmanager
def told_to(manager: Path) -> Iterator[socket.socket]:
    """What the service manager is told."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(manager))
        told.settimeout(20)
        yield told


def status(told: socket.socket) -> str:
    """The next status line."""
    while not (line := told.recv(4096).decode()).startswith("STATUS="):
        pass
    return line
