"""What every panel keeps to, the one with pins and the one that only remembers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

import pytest

from device.gpio.lines import BuzzerWire, GpioLines, Wire
from device.gpio.panel import GpioPanel
from device.gpio.patterns import PERMANENT, TEMPORARY, Lamp
from device.gpio.pins import open_pins
from device.model import Cue
from device.runtime import Worker
from tests.support.clock import ManualClock
from tests.support.panel import PATIENCE_S, RecordingPanel

if TYPE_CHECKING:
    from collections.abc import Iterator


class Panel(Protocol):
    def show(self, cue: Cue) -> None: ...

    def rest(self, cue: Cue) -> None: ...


@pytest.fixture(params=["pins", "recording", "pins, thread not started"])
def panel(request: pytest.FixtureRequest) -> Iterator[Panel]:
    if request.param == "recording":
        yield RecordingPanel()
        return
    clock = ManualClock()
    lines = GpioLines(
        pins=open_pins("mock"),
        lights={lamp: Wire(pin) for lamp, pin in zip(Lamp, (17, 27, 22, 24), strict=True)},
        buzzer=BuzzerWire(13),
        relay=Wire(5, active_high=False),
    )
    panel = GpioPanel(lines=lines, clock=clock, relay_pulse_s=0.5)
    worker = Worker("panel", panel.body, deadline_s=5.0, clock=clock, join_s=PATIENCE_S, wake=panel.wake)
    if request.param == "pins":
        worker.start()
    yield panel
    worker.ask_to_stop()
    assert worker.join()
    panel.close()
    assert worker.complaint() in (None, "panel has not moved for 0.0 s")


@pytest.mark.parametrize("cue", sorted(TEMPORARY))
def test_every_temporary_cue_can_be_shown(panel: Panel, cue: Cue) -> None:
    panel.show(cue)


@pytest.mark.parametrize("cue", sorted(PERMANENT))
def test_every_permanent_state_can_be_set(panel: Panel, cue: Cue) -> None:
    panel.rest(cue)


@pytest.mark.parametrize("cue", sorted(PERMANENT.keys() - TEMPORARY.keys()))
def test_a_state_without_an_end_cannot_be_shown(panel: Panel, cue: Cue) -> None:
    with pytest.raises(ValueError, match="permanent"):
        panel.show(cue)


@pytest.mark.parametrize("cue", sorted(TEMPORARY.keys() - PERMANENT.keys()))
def test_no_cue_for_one_person_can_stay_for_the_next(panel: Panel, cue: Cue) -> None:
    with pytest.raises(ValueError, match="ends by itself"):
        panel.rest(cue)


def test_many_threads_may_show_at_the_same_time_and_none_is_held_up(panel: Panel) -> None:
    def talk() -> None:
        for cue in TEMPORARY:
            panel.show(cue)
            panel.rest(Cue.READY)

    threads = [threading.Thread(target=talk) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
