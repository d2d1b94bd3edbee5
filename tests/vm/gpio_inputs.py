"""Button, light barrier and case switch on real kernel lines, moved from the kernel's side.

Runs inside the virtual machine, as root, with the project's root as working directory:
`python3 tests/vm/gpio_inputs.py`. It needs the machine's `gpio_sim` on the Python path, and gpiod's tools.
Exit 0 when everything holds.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

# Run as a script: only this folder is on the path.
sys.path.insert(0, str(Path(__file__).parents[2]))

from device.errors import PanelError
from device.gpio.contacts import ContactWire, GpioContacts
from device.gpio.pins import open_pins
from device.inputs import PRESS_EVERY_S, SETTLE_S, InputLoop
from device.model import Direction, Input, InputEvent, Sensed, StoredEvent
from device.runtime import SystemClock, Worker
from tests.vm.gpio_bench import ATTEMPTS_STANDING_STILL, PATIENCE_S, Bench, must, pause, running_panel, say

if TYPE_CHECKING:
    from device.model import Cue, Event

# A button and a barrier to ground, a case switch that opens; beside the panel's own pins.
CONTACTS: Final = {
    Input.BUTTON: ContactWire(6),
    Input.BEAM: ContactWire(16),
    Input.TAMPER: ContactWire(26, active_high=True),
}
# A quick finger; a hurried person in a barrier.
PRESS_S: Final = 0.12
# Longer than a busy host was seen to stop the machine.
STAND_STILL_S: Final = 2.0


class Recorder:
    """Keeps what is told, and lets a check wait for it."""

    def __init__(self) -> None:
        self.told: list[Sensed] = []
        self._changed = threading.Condition()

    def append(self, event: Event) -> StoredEvent:
        with self._changed:
            if isinstance(event, InputEvent):
                self.told.append(event.what)
            self._changed.notify_all()
        return StoredEvent("vm", len(self.told), "gate.input.v1", b"{}")

    def show(self, cue: Cue) -> None:
        raise AssertionError(f"no button opens here, and yet {cue}")

    def wait_for(self, *expected: Sensed) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.told == list(expected), PATIENCE_S)


class Wired:
    """The production inputs with their thread, on the simulated chip."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.recorder = Recorder()
        self.loop = InputLoop(
            contacts=GpioContacts(pins=open_pins("lgpio", outputs=False), wires=CONTACTS),
            wired=frozenset(CONTACTS),
            recorder=self.recorder,
            panel=self.recorder,
            clock=SystemClock(),
            direction=Direction.IN,
        )
        # Only now: the simulated chip has one resistor a line, and claiming it has set that.
        for name in CONTACTS:
            self.set(name, active=False)
        self.worker = Worker("inputs", self.loop.body, deadline_s=15, clock=SystemClock())

    def __enter__(self) -> Wired:  # noqa: PYI034 - the machine's Python reads it too
        self.worker.start()
        pause(0.3)
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.ask_to_stop()
        must(self.worker.join() and self.worker.complaint() is None, "the inputs stop when asked")

    def set(self, name: Input, *, active: bool) -> None:
        """Moves a line, as the contact would."""
        wire = CONTACTS[name]
        self._bench.chip.pull(wire.pin, "up" if active is wire.active_high else "down")

    def touch(self, name: Input, seconds: float = PRESS_S) -> None:
        """A contact closes for a while and opens again."""
        self.set(name, active=True)
        pause(seconds)
        self.set(name, active=False)
        pause(SETTLE_S[name] * 3)


def check_what_contacts_tell(bench: Bench) -> None:
    with Wired(bench) as wired:
        inputs = [line for line in bench.claimed() if "input" in line or line.endswith(" in")]
        must(len(inputs) == len(CONTACTS), f"the kernel has them as inputs: {bench.claimed()}")
        wired.touch(Input.BUTTON)
        must(wired.recorder.wait_for(Sensed.BUTTON_PRESSED), f"a press is told: {wired.recorder.told}")
        wired.touch(Input.BEAM)
        expected = [Sensed.BUTTON_PRESSED, Sensed.PASSED_WITHOUT_GRANT]
        must(wired.recorder.wait_for(*expected), f"whoever walks through is told: {wired.recorder.told}")
        wired.set(Input.TAMPER, active=True)
        expected.append(Sensed.CASE_OPENED)
        must(wired.recorder.wait_for(*expected), f"an opened case is told: {wired.recorder.told}")
        wired.set(Input.TAMPER, active=False)
        expected.append(Sensed.CASE_CLOSED)
        must(wired.recorder.wait_for(*expected), f"and a closed one: {wired.recorder.told}")
        must(wired.loop.stats().passed == 1, "one person was counted")
    must(bench.claimed() == [], "after the end no line is claimed")


def check_bursts(bench: Bench) -> None:
    told, longest_s = _bounces(bench)
    for _ in range(ATTEMPTS_STANDING_STILL):
        if longest_s < SETTLE_S[Input.BUTTON] / 2:  # else the machine stood still in the middle of one
            break
        told, longest_s = _bounces(bench)
    must(told == [], f"a contact that only bounces is no press: {told}")
    with Wired(bench) as wired:
        for _ in range(3):
            wired.touch(Input.BUTTON)
        pause(PRESS_EVERY_S)
        before = wired.loop.stats().pressed
        must(before in {1, 2}, f"a nervous finger is hardly more than one press: {before}")
        wired.touch(Input.BUTTON)
        must(wired.loop.stats().pressed == before + 1, "and the next press counts again")


def _bounces(bench: Bench) -> tuple[list[Sensed], float]:
    """What came of many of them, and the longest."""
    with Wired(bench) as wired:
        longest_s = max(_bounce(wired) for _ in range(40))
        pause(0.3)
        return wired.recorder.told, longest_s


def _bounce(wired: Wired) -> float:
    """Touches as shortly as can be; for how long it was."""
    began = time.monotonic()
    wired.set(Input.BUTTON, active=True)
    wired.set(Input.BUTTON, active=False)
    return time.monotonic() - began


def check_a_dead_alert_thread(bench: Bench) -> None:
    """lgpio 0.2.2 may lose every edge for good: nothing here may depend on them."""
    with Wired(bench) as wired:
        import lgpio  # noqa: PLC0415 - its import starts the thread that is stopped here

        lgpio._notify_thread.stop()
        wired.touch(Input.BUTTON)
        wired.touch(Input.BEAM)
        wired.touch(Input.TAMPER, SETTLE_S[Input.TAMPER] * 3)
        expected = (
            Sensed.BUTTON_PRESSED,
            Sensed.PASSED_WITHOUT_GRANT,
            Sensed.CASE_OPENED,
            Sensed.CASE_CLOSED,
        )
        must(
            wired.recorder.wait_for(*expected),
            f"without lgpio's edges nothing is missed: {wired.recorder.told}",
        )


def check_beside_the_panel(bench: Bench) -> None:
    with running_panel() as panel, Wired(bench) as wired:
        panel.tell("show granted")
        # The panel's tone keeps the machine's one processor busy: a short touch may fall into a stand-still.
        wired.touch(Input.BEAM, STAND_STILL_S)
        must(wired.recorder.told == [Sensed.PASSED_WITHOUT_GRANT], f"beside the panel: {wired.recorder.told}")


def check_a_held_pin(bench: Bench) -> None:
    pin = CONTACTS[Input.BEAM].pin
    holder = subprocess.Popen(["gpiomon", "-c", bench.chip.chip, "-C", "door-bell", str(pin)])
    pause(0.3)
    said = ""
    try:
        Wired(bench)
    except PanelError as error:
        said = str(error)
    holder.terminate()
    holder.wait(PATIENCE_S)
    expected = f"inputs.beam (GPIO {pin}): in use by 'door-bell' (process {holder.pid}, gpiomon)"
    must(said == expected, f"a pin held by another process is named: {said}")
    must(bench.claimed() == [], "and every other line is free again")


def main() -> None:
    bench = Bench()
    begin = time.monotonic()
    check_what_contacts_tell(bench)
    check_bursts(bench)
    check_a_dead_alert_thread(bench)
    check_beside_the_panel(bench)
    check_a_held_pin(bench)
    say(f"gpio inputs: all of it holds ({time.monotonic() - begin:.0f} s)")


if __name__ == "__main__":
    main()
