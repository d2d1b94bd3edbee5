from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from device.errors import JournalFull, PanelError
from device.gpio.contacts import ContactWire, GpioContacts
from device.gpio.pins import Pull, open_pins
from device.inputs import PRESS_EVERY_S, SETTLE_S, InputLoop
from device.journal.sqlite_journal import SqliteJournal
from device.journal.state import WhenFull
from device.model import (
    CredentialRef,
    Cue,
    Direction,
    Event,
    Input,
    InputEvent,
    Outcome,
    Reason,
    ScanEvent,
    Sensed,
    Standing,
    StoredEvent,
)
from device.passage import BLOCKED_S
from device.runtime import SystemClock, Worker
from tests.support.clock import ManualClock
from tests.support.panel import RecordingPanel

ALL = frozenset(Input)


@dataclass
class Kept:
    refuses: bool = False
    events: list[Event] = field(default_factory=list)

    def append(self, event: Event) -> StoredEvent:
        if self.refuses:
            raise JournalFull("no space left")
        self.events.append(event)
        return StoredEvent("j1", len(self.events), "gate.input.v1", b"{}")


class Wires:
    """Contacts whose levels the test sets."""

    def __init__(self) -> None:
        self.active: frozenset[Input] = frozenset()
        self.broken = False
        self.closed = threading.Event()
        self.reads = 0

    def read(self) -> frozenset[Input]:
        self.reads += 1
        if self.broken:
            raise PanelError("inputs.beam (GPIO 6): gone")
        return self.active

    def close(self) -> None:
        self.closed.set()


class Doorway:
    """An input loop whose readings the test takes, every 10 ms."""

    def __init__(self, *, wired: frozenset[Input] = ALL, opens: bool = False) -> None:
        self.clock = ManualClock()
        self.kept, self.panel = Kept(), RecordingPanel()
        self.loop = InputLoop(
            contacts=Wires(),
            wired=wired,
            recorder=self.kept,
            panel=self.panel,
            clock=self.clock,
            direction=Direction.IN,
            button_opens=opens,
            pass_within_s=10,
        )

    def live(self, seconds: float, *active: Input) -> None:
        for _ in range(round(seconds * 100)):
            self.loop.observe(frozenset(active))
            self.clock.advance(0.01)

    def told(self) -> list[Sensed]:
        return [event.what for event in self.kept.events if isinstance(event, InputEvent)]

    def scan(self, outcome: Outcome, reason: Reason) -> None:
        ref = CredentialRef("vn.cccd", Standing.CLAIMED, None)
        clock = self.clock.reading()
        self.loop.note(ScanEvent(Direction.IN, outcome, reason, ref, clock, "0" * 16, "zxing", 100))


@pytest.fixture
def doorway() -> Doorway:
    doorway = Doorway()
    doorway.live(0.1)
    return doorway


def test_who_was_granted_is_counted_and_makes_no_event(doorway: Doorway) -> None:
    doorway.scan(Outcome.GRANTED, Reason.OK)
    doorway.live(2)
    doorway.live(0.2, Input.BEAM)
    assert doorway.told() == []
    assert doorway.loop.stats().passed == 1


def test_who_shows_nothing_and_walks_through_is_on_record(doorway: Doorway) -> None:
    doorway.live(0.2, Input.BEAM)
    assert doorway.told() == [Sensed.PASSED_WITHOUT_GRANT]
    assert doorway.loop.stats().without_grant == 1


def test_who_was_refused_and_walks_through_is_on_record(doorway: Doorway) -> None:
    doorway.scan(Outcome.DENIED, Reason.EXPIRED)
    doorway.live(0.2, Input.BEAM)
    assert doorway.told() == [Sensed.PASSED_WITHOUT_GRANT]


def test_a_second_person_on_one_grant_is_on_record(doorway: Doorway) -> None:
    doorway.scan(Outcome.GRANTED, Reason.OK)
    doorway.live(0.2, Input.BEAM)
    doorway.live(1)
    doorway.live(0.2, Input.BEAM)
    assert doorway.told() == [Sensed.PASSED_WITHOUT_GRANT]
    assert doorway.loop.stats().passed == 2


def test_a_flicker_shorter_than_a_person_is_nobody(doorway: Doorway) -> None:
    for _ in range(50):
        doorway.live(0.01, Input.BEAM)
        doorway.live(0.02)
    assert doorway.loop.stats().passed == 0


def test_a_covered_barrier_is_told_and_counts_one_person_at_most(doorway: Doorway) -> None:
    doorway.live(BLOCKED_S * 3, Input.BEAM)
    doorway.live(0.5)
    assert doorway.told() == [Sensed.PASSED_WITHOUT_GRANT, Sensed.BEAM_BLOCKED, Sensed.BEAM_CLEAR]


def test_without_a_barrier_nobody_is_said_to_have_been_counted() -> None:
    assert Doorway(wired=frozenset({Input.BUTTON})).loop.stats().passed is None


def test_what_is_found_at_the_start_is_nobodys_doing_but_an_open_case_is_told() -> None:
    doorway = Doorway()
    doorway.live(SETTLE_S[Input.TAMPER] + 0.2, *ALL)
    assert doorway.told() == [Sensed.CASE_OPENED]
    assert doorway.loop.stats().case_open
    doorway.live(BLOCKED_S, *ALL)
    assert doorway.told() == [Sensed.CASE_OPENED, Sensed.BEAM_BLOCKED]


def test_a_loose_contact_in_the_case_does_not_fill_the_card(doorway: Doorway) -> None:
    for _ in range(100):
        doorway.live(SETTLE_S[Input.TAMPER] / 2, Input.TAMPER)
        doorway.live(SETTLE_S[Input.TAMPER] / 2)
    assert doorway.told() == []


def test_an_opened_and_closed_case_is_told_twice(doorway: Doorway) -> None:
    doorway.live(2, Input.TAMPER)
    doorway.live(2)
    assert doorway.told() == [Sensed.CASE_OPENED, Sensed.CASE_CLOSED]
    assert not doorway.loop.stats().case_open


def test_a_button_that_opens_does_so_after_the_press_is_on_the_card() -> None:
    doorway = Doorway(opens=True)
    doorway.live(0.1)
    doorway.live(0.2, Input.BUTTON)
    assert doorway.told() == [Sensed.BUTTON_PRESSED]
    assert doorway.panel.shown == [Cue.GRANTED]
    doorway.live(0.2, Input.BEAM)
    assert doorway.told() == [Sensed.BUTTON_PRESSED]


def test_a_press_that_cannot_be_recorded_opens_nothing() -> None:
    doorway = Doorway(opens=True)
    doorway.live(0.1)
    doorway.kept.refuses = True
    doorway.live(0.2, Input.BUTTON)
    assert doorway.panel.shown == [Cue.FAULT]
    assert doorway.loop.stats().unrecorded == 1


def test_a_button_that_only_reports_moves_nothing(doorway: Doorway) -> None:
    doorway.live(0.2, Input.BUTTON)
    assert doorway.told() == [Sensed.BUTTON_PRESSED]
    assert doorway.panel.shown == []


def test_a_nervous_finger_presses_once(doorway: Doorway) -> None:
    for _ in range(5):
        doorway.live(0.05, Input.BUTTON)
        doorway.live(0.05)
    assert doorway.told() == [Sensed.BUTTON_PRESSED]
    doorway.live(PRESS_EVERY_S)
    doorway.live(0.05, Input.BUTTON)
    assert doorway.told() == [Sensed.BUTTON_PRESSED] * 2


# -- the thread and the pins ----------------------------------------------------------------------


def test_a_line_that_cannot_be_read_any_more_ends_the_thread_and_lets_go_of_the_wires() -> None:
    wires = Wires()
    wires.broken = True
    doorway = Doorway()
    loop = InputLoop(
        contacts=wires,
        wired=ALL,
        recorder=doorway.kept,
        panel=doorway.panel,
        clock=SystemClock(),
        direction=Direction.IN,
    )
    worker = Worker("inputs", loop.body, deadline_s=5, clock=SystemClock())
    worker.start()
    assert wires.closed.wait(10)
    worker.join()
    assert worker.complaint() == "inputs died: PanelError: inputs.beam (GPIO 6): gone"


@pytest.mark.parametrize("pull", ["up", "down", "none"])
@pytest.mark.parametrize("active_high", [True, False])
def test_each_way_of_wiring_a_contact_is_read_as_meant(pull: Pull, *, active_high: bool) -> None:
    pins = open_pins("mock", outputs=False)
    wire = ContactWire(6, active_high=active_high, pull=pull)
    contacts = GpioContacts(pins=pins, wires={Input.BEAM: wire})
    pin = pins.factory.pin(6)
    assert pin.pull == {"none": "floating"}.get(pull, pull)
    for high in (True, False, True):
        (pin.drive_high if high else pin.drive_low)()
        assert contacts.read() == (frozenset({Input.BEAM}) if high is active_high else frozenset())
    contacts.close()
    contacts.close()


def test_two_contacts_on_one_pin_are_refused_with_both_names() -> None:
    with pytest.raises(PanelError, match=r"inputs\.tamper \(GPIO 6\): already used by inputs\.beam"):
        GpioContacts(
            pins=open_pins("mock", outputs=False),
            wires={Input.BEAM: ContactWire(6), Input.TAMPER: ContactWire(6)},
        )


def test_a_pressed_pin_is_an_event_in_a_real_journal(tmp_path: Path) -> None:
    clock = SystemClock()
    journal = SqliteJournal.open(
        tmp_path / "journal.db", max_bytes=2**22, keep_days=30, when_full=WhenFull.REFUSE, clock=clock
    )
    pins = open_pins("mock", outputs=False)
    contacts = GpioContacts(pins=pins, wires={Input.BUTTON: ContactWire(5)})
    loop = InputLoop(
        contacts=contacts,
        wired=frozenset({Input.BUTTON}),
        recorder=journal,
        panel=RecordingPanel(),
        clock=clock,
        direction=Direction.IN,
    )
    worker = Worker("inputs", loop.body, deadline_s=5, clock=clock)
    loop.observe(contacts.read())
    pins.factory.pin(5).drive_low()
    worker.start()
    pause = threading.Event()
    for _ in range(1000):
        if loop.stats().pressed:
            break
        pause.wait(0.01)
    worker.ask_to_stop()
    assert worker.join()
    assert [stored.type for stored in journal.pending(limit=5)] == ["gate.input.v1"]
    journal.close()
