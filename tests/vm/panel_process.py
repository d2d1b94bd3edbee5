"""The production panel as a process of its own, told what to show by lines on standard input.

Started by `gpio_panel.py`: `python3 -m tests.vm.panel_process WIRING`, WIRING being JSON. Commands:
`show CUE`, `rest CUE`, `hear FILE` (the frequency at which the line swings, as the kernel has it),
`stop`. Exit 0 when stopped, 70 when the panel's thread died, 71 when the panel
could not be opened; the reason stands on standard output.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Final

from device.errors import PanelError
from device.gpio.lines import BuzzerWire, GpioLines, Wire
from device.gpio.panel import GpioPanel
from device.gpio.patterns import Lamp
from device.gpio.pins import open_pins
from device.model import Cue
from device.runtime import SystemClock, Worker
from tests.vm.line_watch import tone_hz

if TYPE_CHECKING:
    from collections.abc import Mapping

# The shortest of the tones that are measured lasts 150 ms and may begin 20 ms late.
_LISTENING_S: Final = 0.1


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _lines(wiring: Mapping[str, Mapping[str, int]], chip: str) -> GpioLines:
    wires = {name: Wire(wire["pin"], bool(wire["active_high"])) for name, wire in wiring.items()}
    return GpioLines(
        pins=open_pins("lgpio", chip=chip),
        lights={lamp: wires[lamp] for lamp in Lamp if lamp in wires},
        buzzer=BuzzerWire(wires["buzzer"].pin, wires["buzzer"].active_high, passive=True),
        relay=wires["relay"],
    )


def main() -> int:
    told = json.loads(sys.argv[1])
    clock = SystemClock()
    try:
        lines = _lines(told["wires"], told["chip"])
    except PanelError as error:
        _say(str(error))
        return 71
    panel = GpioPanel(lines=lines, clock=clock, relay_pulse_s=told["pulse_s"])
    worker = Worker("panel", panel.body, deadline_s=5.0, clock=clock, wake=panel.wake)
    worker.start()
    _say("ready")
    for command in sys.stdin:
        match command.split():
            case ["show", cue]:
                panel.show(Cue(cue))
            case ["rest", cue]:
                panel.rest(Cue(cue))
            case ["hear", value_file]:
                _say(f"{tone_hz(value_file, _LISTENING_S):.0f}")
            case _:
                break
        if complaint := worker.complaint():
            _say(complaint)
            return 70
    worker.ask_to_stop()
    ended = worker.join()
    _say(worker.complaint() or "stopped")
    return 0 if ended else 70


if __name__ == "__main__":
    sys.exit(main())
