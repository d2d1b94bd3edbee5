from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field

import pytest

from device.daemon import Daemon
from device.errors import JournalFull, WorkerDied
from device.model import Cue, Event, LifecycleEvent, StoredEvent
from device.notify import Notifier
from device.runtime import LatestSlot, Supervisor, SystemClock, Worker
from device.scan import ScanStats


@dataclass
class Counts:
    stored: int = 0
    pending: int = 0
    set_aside: int = 0
    last_seq: int = 0


@dataclass
class FakeJournal:
    refuses: bool = False
    events: list[LifecycleEvent] = field(default_factory=list)

    def append(self, event: Event) -> StoredEvent:
        if self.refuses:
            raise JournalFull("no space left")
        assert isinstance(event, LifecycleEvent)
        self.events.append(event)
        return StoredEvent("j", len(self.events), "gate.lifecycle.v1", b"{}")

    def stats(self) -> Counts:
        return Counts(last_seq=len(self.events))

    def prune(self) -> int:
        return 0

    def told(self) -> list[tuple[str, str]]:
        return [(event.what.value, event.detail) for event in self.events]


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
        return ScanStats(0, 0, 0, 0, 0, 0, 0, recording=self.recording)


class Life:
    """A daemon whose workers only wait, run in a thread of the test's own."""

    def __init__(self, *, intake_dies: bool = False) -> None:
        clock = SystemClock()
        self.journal, self.panel, self.scan = FakeJournal(), FakePanel(), FakeScan()
        self.first_frame, self.ended, self.stop = threading.Event(), threading.Event(), threading.Event()
        self.slot: LatestSlot[object] = LatestSlot()

        def wait(worker: Worker) -> None:
            worker.stopping.wait(0.05 if intake_dies else 60)

        self.intake = Supervisor([Worker("capture", wait, deadline_s=60, clock=clock)])
        self.daemon = Daemon(
            intake=self.intake,
            output=Supervisor([]),
            slot=self.slot,
            scan=self.scan,
            journal=self.journal,
            uplink=None,
            panel=self.panel,
            clock=clock,
            notifier=Notifier({}),
            version="0",
            first_frame=self.first_frame,
            ended=self.ended,
            stop=self.stop,
        )
        self.thread = threading.Thread(target=self.daemon.run)

    def end(self) -> None:
        self.stop.set()
        self.thread.join(20)
        assert not self.thread.is_alive()


def test_the_gate_is_ready_with_the_first_frame_and_not_before() -> None:
    life = Life()
    life.thread.start()
    life.panel.wait_for(Cue.STARTING)
    life.first_frame.set()
    life.panel.wait_for(Cue.READY)
    life.end()
    assert life.panel.states == [Cue.STARTING, Cue.READY]


def test_a_gate_that_cannot_record_shows_a_fault_until_it_can() -> None:
    life = Life()
    life.first_frame.set()
    life.thread.start()
    life.panel.wait_for(Cue.READY)
    life.scan.recording = False
    life.panel.wait_for(Cue.FAULT)
    life.scan.recording = True
    life.panel.wait_for(Cue.READY)
    life.end()


def test_start_and_stop_are_events() -> None:
    life = Life()
    life.thread.start()
    life.panel.wait_for(Cue.STARTING)
    life.end()
    assert life.journal.told() == [("started", ""), ("stopped", "asked")]


def test_the_end_of_a_scene_waits_for_the_last_frame_to_be_taken() -> None:
    life = Life()
    life.slot.put("last frame")
    life.ended.set()
    life.thread.start()
    life.thread.join(0.5)
    assert life.thread.is_alive()
    life.slot.take(0)
    life.thread.join(20)
    assert life.journal.told()[-1] == ("stopped", "scene_ended")


def test_a_part_that_dies_ends_the_process_and_is_recorded() -> None:
    life = Life(intake_dies=True)
    with pytest.raises(WorkerDied, match="capture ended by itself"):
        life.daemon.run()
    assert life.journal.told()[-1] == ("stopped", "part_died")


def test_a_journal_that_refuses_keeps_nobody_from_stopping(caplog: pytest.LogCaptureFixture) -> None:
    life = Life()
    life.journal.refuses = True
    life.thread.start()
    life.panel.wait_for(Cue.STARTING)
    with caplog.at_level(logging.ERROR):
        life.end()
    assert "could not be recorded" in caplog.text
