from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from device.errors import PanelError
from device.gpio.lines import BuzzerWire, GpioLines, Wire
from device.gpio.panel import GpioPanel
from device.gpio.patterns import Lamp
from device.gpio.pins import Pins, open_pins
from device.gpio.player import REST, LineState
from device.model import Cue
from device.runtime import Worker
from tests.support.clock import ManualClock
from tests.support.panel import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator

# As a door is often wired: lamps at high level, the relay board at low level.
GREEN, YELLOW, RED, BLUE, BUZZER, RELAY = 17, 27, 22, 24, 13, 5
EVERYTHING = LineState(frozenset(Lamp), 1200, relay=True)


class Wired:
    """Lines on gpiozero's mock factory, and the pins as seen from the wires' side."""

    def __init__(self, pins: Pins, lines: GpioLines) -> None:
        self.lines = lines
        self._pins = {pin: pins.factory.pin(pin) for pin in (GREEN, YELLOW, RED, BLUE, BUZZER, RELAY)}

    def level(self, pin: int) -> float:
        return float(self._pins[pin].state)

    def levels(self) -> dict[int, float]:
        return {pin: self.level(pin) for pin in self._pins}

    def left_at(self) -> dict[int, float]:
        """The level each pin had when it was let go. The mock then pulls every pin to 0, as an input."""
        assert all(pin.function == "input" for pin in self._pins.values())
        return {pin: self.history(pin)[-2] if AT_REST[pin] else self.history(pin)[-1] for pin in self._pins}

    def history(self, pin: int) -> list[float]:
        return [float(change.state) for change in self._pins[pin].states]

    def tone_hz(self) -> float | None:
        frequency: float | None = self._pins[BUZZER].frequency
        return frequency

    def break_pin(self, pin: int) -> None:
        self._pins[pin].function = "input"  # behind the panel's back: gpiozero refuses to drive it now


def wired(*, passive: bool = True, active_high: bool = True) -> Wired:
    pins = open_pins("mock")
    lines = GpioLines(
        pins=pins,
        lights={
            Lamp.GREEN: Wire(GREEN),
            Lamp.YELLOW: Wire(YELLOW),
            Lamp.RED: Wire(RED),
            Lamp.BLUE: Wire(BLUE, active_high=False),
        },
        buzzer=BuzzerWire(BUZZER, active_high=active_high, passive=passive),
        relay=Wire(RELAY, active_high=False),
    )
    return Wired(pins, lines)


AT_REST = {GREEN: 0, YELLOW: 0, RED: 0, BLUE: 1, BUZZER: 0, RELAY: 1}


@pytest.fixture
def door() -> Iterator[Wired]:
    door = wired()
    yield door
    door.lines.close()


def test_every_line_is_inactive_from_the_first_instant_whatever_its_polarity(door: Wired) -> None:
    assert door.levels() == AT_REST


def test_each_line_goes_to_its_active_level_and_back(door: Wired) -> None:
    door.lines.drive(EVERYTHING)
    assert door.levels() == {GREEN: 1, YELLOW: 1, RED: 1, BLUE: 0, BUZZER: 0.5, RELAY: 0}
    assert door.tone_hz() == 1200
    door.lines.drive(REST)
    assert door.levels() == AT_REST
    assert door.tone_hz() is None


def test_a_passive_buzzer_changes_its_tone_without_a_pause(door: Wired) -> None:
    for tone_hz in (1200, 500):
        door.lines.drive(LineState(tone_hz=tone_hz))
        assert (door.tone_hz(), door.level(BUZZER)) == (tone_hz, 0.5)


@pytest.mark.parametrize("active_high", [True, False])
@pytest.mark.parametrize("passive", [True, False])
def test_a_silent_buzzer_is_always_at_its_inactive_level(*, passive: bool, active_high: bool) -> None:
    door = wired(passive=passive, active_high=active_high)
    silent = 0 if active_high else 1
    for _ in range(3):
        assert (door.tone_hz(), door.level(BUZZER)) == (None, silent)
        door.lines.drive(LineState(tone_hz=500))
        door.lines.drive(REST)
    door.lines.drive(LineState(tone_hz=500))
    door.lines.close()
    assert door.history(BUZZER)[-1] == 0
    assert active_high or door.history(BUZZER)[-2] == 1


def test_an_active_buzzer_is_only_switched() -> None:
    door = wired(passive=False)
    door.lines.drive(LineState(tone_hz=500))
    assert (door.tone_hz(), door.level(BUZZER)) == (None, 1)
    door.lines.close()


def test_closing_leaves_every_line_inactive_and_may_be_repeated(door: Wired) -> None:
    door.lines.drive(EVERYTHING)
    door.lines.close()
    door.lines.close()
    assert door.left_at() == AT_REST


def test_every_wire_is_optional() -> None:
    lines = GpioLines(pins=open_pins("mock"), lights={})
    lines.drive(EVERYTHING)
    lines.drive(REST)
    lines.close()


def test_a_pin_used_twice_is_named_and_nothing_stays_claimed() -> None:
    pins = open_pins("mock")
    relay = pins.factory.pin(RELAY)
    with pytest.raises(PanelError, match=r"panel\.lights\.red \(GPIO 5\): .*already used by panel\.relay"):
        GpioLines(pins=pins, lights={Lamp.RED: Wire(RELAY)}, relay=Wire(RELAY, active_high=False))
    assert relay.function == "input"
    GpioLines(pins=pins, lights={Lamp.RED: Wire(RELAY)}).close()


def test_a_pin_that_does_not_exist_is_named() -> None:
    with pytest.raises(PanelError, match=r"panel\.buzzer \(GPIO 99\): .*not a valid pin"):
        GpioLines(pins=open_pins("mock"), lights={}, buzzer=BuzzerWire(99))


def test_a_pin_that_fails_later_is_named_and_the_others_still_go_to_rest(
    door: Wired, caplog: pytest.LogCaptureFixture
) -> None:
    door.lines.drive(EVERYTHING)
    door.break_pin(GREEN)
    with pytest.raises(PanelError, match=r"panel\.lights\.green \(GPIO 17\)"):
        door.lines.drive(REST)
    door.lines.close()
    left = door.left_at()
    left.pop(GREEN)
    assert left == {pin: level for pin, level in AT_REST.items() if pin != GREEN}
    assert "left as it is: panel.lights.green (GPIO 17)" in caplog.text


def fields(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(record)["fields"] for record in caplog.records if record.message == "lines"]


def test_each_change_is_logged_once_with_the_lines_that_are_fitted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    lines = GpioLines(
        pins=open_pins("mock"), lights={Lamp.GREEN: Wire(GREEN)}, buzzer=BuzzerWire(BUZZER), relay=Wire(RELAY)
    )
    for _ in range(2):
        lines.drive(LineState(frozenset({Lamp.GREEN, Lamp.RED}), 1200, relay=True))
    lines.drive(LineState(frozenset({Lamp.RED})))
    lines.drive(LineState(frozenset({Lamp.BLUE})))
    lines.close()
    at_rest = {"lines": {"green": 0, "relay": 0}, "tone_hz": 0}
    assert fields(caplog) == [at_rest, {"lines": {"green": 1, "relay": 1}, "tone_hz": 1200}, at_rest]


def test_closing_while_something_is_on_is_logged_as_a_change(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    lines = GpioLines(pins=open_pins("mock"), lights={}, relay=Wire(RELAY))
    lines.drive(LineState(relay=True))
    lines.close()
    assert [line["lines"]["relay"] for line in fields(caplog)] == [0, 1, 0]


def test_the_wiring_is_told_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    wired(passive=False).lines.close()
    assert caplog.messages == [
        (
            "panel on mock pins: green GPIO 17, yellow GPIO 27, red GPIO 22, blue GPIO 24 (active low), "
            "active buzzer GPIO 13, relay GPIO 5 (active low)"
        )
    ]


def test_no_pin_moves_before_a_cue_and_none_stays_on_after_the_thread_died(door: Wired) -> None:
    clock = ManualClock()
    panel = GpioPanel(lines=door.lines, clock=clock, relay_pulse_s=0.5)
    worker = Worker("panel", panel.body, deadline_s=5.0, clock=clock, join_s=PATIENCE_S, wake=panel.wake)
    door.break_pin(RED)
    worker.start()
    panel.show(Cue.GRANTED)
    panel.show(Cue.DENIED)
    assert worker.join()
    complaint = worker.complaint()
    assert complaint is not None
    assert complaint.startswith("panel died: PanelError: panel.lights.red (GPIO 22): ")
    assert door.left_at() == AT_REST


def test_a_mock_pin_does_not_remember_for_ever() -> None:
    pin = open_pins("mock").factory.pin(GREEN)
    pin.function = "output"
    for turn in range(500):
        pin.state = turn % 2
    assert len(pin.states) <= 100
