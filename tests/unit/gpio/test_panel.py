from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from device.errors import PanelError
from device.gpio.panel import GpioPanel
from device.gpio.patterns import Lamp
from device.gpio.player import REST, LineState
from device.model import Cue
from device.runtime import Worker
from tests.support.clock import ManualClock
from tests.support.panel import PATIENCE_S, RecordingLines

if TYPE_CHECKING:
    from collections.abc import Iterator

GREEN, YELLOW, RED, BLUE = (frozenset({lamp}) for lamp in (Lamp.GREEN, Lamp.YELLOW, Lamp.RED, Lamp.BLUE))
PULSE_S = 0.7


class Gate:
    """A panel whose thread runs, on a clock that stands still."""

    def __init__(self, lines: RecordingLines) -> None:
        self.clock = ManualClock()
        self.lines = lines
        self.panel = GpioPanel(lines=lines, clock=self.clock, relay_pulse_s=PULSE_S)
        self.worker = Worker(
            "panel",
            self.panel.body,
            deadline_s=5.0,
            clock=self.clock,
            join_s=PATIENCE_S,
            wake=self.panel.wake,
        )

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.panel.wake()

    def sees(self, state: LineState) -> None:
        self.lines.wait_for(lambda newest: newest == state)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate(RecordingLines())
    gate.worker.start()
    yield gate
    gate.worker.ask_to_stop()
    assert gate.worker.join()


def test_it_shows_starting_from_the_first_moment(gate: Gate) -> None:
    gate.sees(LineState(BLUE))


def test_granted_plays_from_the_first_tone_to_the_state_of_rest(gate: Gate) -> None:
    gate.panel.rest(Cue.READY)
    gate.panel.show(Cue.GRANTED)
    gate.sees(LineState(GREEN, 1200, relay=True))
    gate.pass_time(0.15)
    gate.sees(LineState(GREEN, None, relay=True))
    gate.pass_time(PULSE_S - 0.15)
    gate.sees(LineState(GREEN))
    gate.pass_time(0.5)
    gate.sees(LineState(BLUE))


def test_the_second_persons_cue_replaces_the_first_and_the_relays_pulse_completes(gate: Gate) -> None:
    gate.panel.show(Cue.GRANTED)
    gate.sees(LineState(GREEN, 1200, relay=True))
    gate.pass_time(0.1)
    gate.panel.show(Cue.DENIED)
    gate.sees(LineState(RED, 500, relay=True))
    gate.pass_time(PULSE_S - 0.1)
    gate.lines.wait_for(lambda newest: not newest.relay)
    pulled = [state.relay for state in gate.lines.states]
    assert pulled.count(True) == sum(pulled[pulled.index(True) :][: pulled.count(True)]), "one unbroken pulse"


@pytest.mark.parametrize("cue", [Cue.DENIED, Cue.ATTENTION, Cue.FAULT])
def test_a_cue_that_does_not_open_never_moves_the_relay_or_green(gate: Gate, cue: Cue) -> None:
    gate.panel.show(cue)
    gate.lines.wait_for(lambda newest: newest.tone_hz is not None)
    for _ in range(30):
        gate.pass_time(0.1)
    gate.sees(LineState(BLUE))
    assert not any(state.relay or Lamp.GREEN in state.lamps for state in gate.lines.states)


def test_a_person_who_was_granted_is_let_in_even_when_the_thread_was_late() -> None:
    gate = Gate(RecordingLines())
    gate.panel.show(Cue.GRANTED)
    gate.panel.show(Cue.DENIED)
    assert gate.panel.replaced == 1
    gate.clock.advance(60.0)
    gate.worker.start()
    gate.sees(LineState(RED, 500, relay=True))
    gate.worker.ask_to_stop()
    assert gate.worker.join()


def test_asking_it_to_stop_closes_the_lines_at_once_even_during_a_pulse(gate: Gate) -> None:
    gate.panel.show(Cue.GRANTED)
    gate.sees(LineState(GREEN, 1200, relay=True))
    gate.worker.ask_to_stop()
    assert gate.worker.join()
    assert gate.lines.closed
    assert gate.worker.complaint() is None


def test_showing_never_waits_for_the_lines() -> None:
    class StuckLines(RecordingLines):
        def __init__(self) -> None:
            super().__init__()
            self.reached = threading.Event()
            self.released = threading.Event()

        def drive(self, state: LineState) -> None:
            self.reached.set()
            assert self.released.wait(PATIENCE_S)
            super().drive(state)

    lines = StuckLines()
    gate = Gate(lines)
    gate.worker.start()
    assert lines.reached.wait(PATIENCE_S)
    for _ in range(100):
        gate.panel.show(Cue.DENIED)
    gate.panel.show(Cue.GRANTED)
    assert gate.panel.replaced == 100
    lines.released.set()
    gate.sees(LineState(GREEN, 1200, relay=True))
    gate.worker.ask_to_stop()
    assert gate.worker.join()


def test_a_line_that_cannot_be_driven_is_the_workers_death() -> None:
    class BrokenLines(RecordingLines):
        def drive(self, state: LineState) -> None:
            if state.relay:
                raise PanelError("panel.relay (GPIO 5): it broke")
            super().drive(state)

    lines = BrokenLines()
    gate = Gate(lines)
    gate.worker.start()
    gate.panel.show(Cue.GRANTED)
    assert gate.worker.join()
    assert gate.worker.complaint() == "panel died: PanelError: panel.relay (GPIO 5): it broke"
    assert lines.closed


def test_it_beats_while_nothing_changes(gate: Gate) -> None:
    gate.sees(LineState(BLUE))
    for _ in range(3):
        drives = gate.lines.drives
        gate.pass_time(10.0)
        gate.lines.wait_for_drive(drives + 1)
        assert gate.worker.complaint() is None
    assert gate.lines.states == [REST, LineState(BLUE)]


def test_a_panel_whose_thread_never_started_can_be_closed() -> None:
    gate = Gate(RecordingLines())
    gate.panel.close()
    assert gate.lines.closed
