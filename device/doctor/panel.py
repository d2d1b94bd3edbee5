"""Lights, buzzer and relay, one after the other, for the technician's eyes and ears."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from device.doctor.finding import Finding, Level, failed, ok, warned
from device.errors import PanelError
from device.gpio.patterns import Lamp
from device.gpio.player import REST, LineState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from device.gpio.lines import GpioLines

SHOWN_S: Final = 0.8
"""Long enough to look up from the laptop."""

TONE_HZ: Final = 1000
"""Heard by everybody."""

REMEDY: Final = "stop what holds it, or wire the line to another pin"


def show_panel(
    open_lines: Callable[[], GpioLines],
    *,
    fitted: frozenset[str],
    pull_relay: bool,
    pause: Callable[[float], None],
    tell: Callable[[str], None],
) -> Iterator[Finding]:
    """Shows each line that is fitted; leaves all at rest. Blocks for the show.

    Args:
        open_lines: claims the pins.
        fitted: names of the lines there are: lamps, `buzzer`, `relay`.
        pull_relay: whether the relay is pulled as well: the door opens.
        pause: waits so many seconds.
        tell: says what is to be seen now.
    """
    try:
        lines = open_lines()
    except PanelError as error:
        yield failed("pins", str(error), REMEDY)
        return
    try:
        yield ok("pins", "every line is claimed and at rest")
        yield from _show(lines, fitted, pull_relay=pull_relay, pause=pause, tell=tell)
    except PanelError as error:
        yield failed("panel", str(error), "the chip does not answer any more: restart the machine")
    finally:
        lines.close()


def _show(
    lines: GpioLines,
    fitted: frozenset[str],
    *,
    pull_relay: bool,
    pause: Callable[[float], None],
    tell: Callable[[str], None],
) -> Iterator[Finding]:
    shows = {lamp.value: LineState(frozenset({lamp})) for lamp in Lamp}
    shows["buzzer"] = LineState(tone_hz=TONE_HZ)
    if pull_relay:
        shows["relay"] = LineState(relay=True)
    shown = [name for name in shows if name in fitted]
    for name in shown:
        tell(f"now: {name}")
        lines.drive(shows[name])
        pause(SHOWN_S)
        lines.drive(REST)
    if not shown:
        yield warned("panel", "no line is wired: nobody sees an answer", "add lights: below panel:")
        return
    yield ok("panel", f"shown one after the other: {', '.join(shown)}; did you see and hear them all?")
    if "relay" in fitted:
        remedy = "where it is open, write panel.relay.active_high the other way round"
        yield Finding("relay", Level.OK, "at rest: the door must be locked now", remedy)
