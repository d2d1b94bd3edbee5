"""What the pins of the panel rest at from power-on until the program claims them. Pure.

The firmware of a Raspberry Pi sets them by lines of `config.txt`: without these a pin floats, or is pulled
by a weak resistor, for as long as the system takes to start, and a relay may open the door meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.config.model import Buzzer, Lamp, Relay, Settings


def boot_default(wired: Buzzer | Lamp | Relay) -> str:
    """The line of `config.txt` by which one output rests: `gpio=24=op,dl`, an output driven low."""
    return f"gpio={wired.pin}=op,{'dl' if wired.active_high else 'dh'}"


def boot_defaults(settings: Settings) -> Iterator[str]:
    """The lines of every output, the relay's first; none where no real pins are driven."""
    panel = settings.panel
    if panel.driver != "lgpio":
        return
    lights = panel.lights
    for wired in (panel.relay, panel.buzzer, lights.green, lights.yellow, lights.red, lights.blue):
        if wired is not None:
            yield boot_default(wired)
