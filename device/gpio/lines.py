"""The wires of a panel: which lamp, buzzer and relay hang on which pin, and driving them together."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.errors import PanelError
from device.gpio.player import REST, LineState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from device.gpio.patterns import Lamp
    from device.gpio.pins import Output, Pins

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wire:
    """One wire.

    Attributes:
        pin: BCM number.
        active_high: False when the part works at low level, as most relay boards do.
    """

    pin: int
    active_high: bool = True


@dataclass(frozen=True, slots=True)
class BuzzerWire(Wire):
    """The buzzer's wire.

    Attributes:
        passive: True for one that is given the tone; False for one that has a tone of its own and is
            only switched on and off.
    """

    passive: bool = True


class GpioLines:
    """Claims the wires, all inactive from the first instant, and drives them.

    Every wire is optional. Each change is logged at DEBUG with the message `lines` and the fields
    {"lines": {"green": 0 or 1, ..., "relay": 0 or 1}, "tone_hz": n or 0}, after the pins have moved.
    Used from one thread at a time.

    Args:
        pins: where to claim them; closed with the lines.
        lights: the lamps that are fitted.
        buzzer: None when there is none.
        relay: None when there is none.

    Raises:
        PanelError: a wire cannot be claimed. Those claimed before it are released.
    """

    def __init__(
        self,
        *,
        pins: Pins,
        lights: Mapping[Lamp, Wire],
        buzzer: BuzzerWire | None = None,
        relay: Wire | None = None,
    ) -> None:
        self._pins = pins
        self._lights: dict[Lamp, Output] = {}
        self._buzzer: Output | None = None
        self._relay: Output | None = None
        self._passive = buzzer is not None and buzzer.passive
        self._state = REST
        self._closed = False
        try:
            # The relay first: of all of them it is the one that must not float a moment longer.
            if relay:
                self._relay = pins.claim("panel.relay", relay.pin, active_high=relay.active_high)
            if buzzer:
                self._buzzer = pins.claim("panel.buzzer", buzzer.pin, active_high=buzzer.active_high)
            for lamp, wire in lights.items():
                name = f"panel.lights.{lamp}"
                self._lights[lamp] = pins.claim(name, wire.pin, active_high=wire.active_high)
        except PanelError:
            self.close()
            raise
        log.info("panel on %s: %s", pins.title, _described(lights, buzzer, relay))
        self._tell()

    def drive(self, state: LineState) -> None:
        """Makes the lines so; does nothing where they are already. Lines go off before others go on.

        Raises:
            PanelError: a line cannot be driven.
        """
        before, after = self._state, self._fitted(state)
        if after == before:
            return
        for lamp in before.lamps - after.lamps:
            self._lights[lamp].write(active=False)
        for lamp in after.lamps - before.lamps:
            self._lights[lamp].write(active=True)
        if self._relay and after.relay != before.relay:
            self._relay.write(active=after.relay)
        if self._buzzer and after.tone_hz != before.tone_hz:
            self._sound(self._buzzer, after.tone_hz)
        self._state = after
        self._tell()

    def close(self) -> None:
        """Puts every line in its inactive state and lets go of it. Raises nothing; harmless twice."""
        if self._closed:
            return
        self._closed = True
        outputs = (self._relay, self._buzzer, *self._lights.values())
        for output in outputs:
            if output:
                output.close()
        self._pins.close()
        if self._state != REST:
            self._state = REST
            self._tell()

    def _fitted(self, state: LineState) -> LineState:
        """The part of the state for which there is a wire."""
        return LineState(
            lamps=state.lamps & self._lights.keys(),
            tone_hz=state.tone_hz if self._buzzer else None,
            relay=state.relay and self._relay is not None,
        )

    def _sound(self, buzzer: Output, tone_hz: int | None) -> None:
        if self._passive:
            buzzer.sound(tone_hz)
        else:
            buzzer.write(active=tone_hz is not None)

    def _tell(self) -> None:
        lines = {lamp.value: int(lamp in self._state.lamps) for lamp in self._lights}
        if self._relay:
            lines["relay"] = int(self._state.relay)
        log.debug("lines", extra={"fields": {"lines": lines, "tone_hz": self._state.tone_hz or 0}})


def _described(lights: Mapping[Lamp, Wire], buzzer: BuzzerWire | None, relay: Wire | None) -> str:
    """The wiring in one line, for the log."""
    wires: list[tuple[str, Wire]] = [(lamp.value, wire) for lamp, wire in lights.items()]
    if buzzer:
        wires.append(("passive buzzer" if buzzer.passive else "active buzzer", buzzer))
    if relay:
        wires.append(("relay", relay))
    told = (f"{name} GPIO {w.pin}{'' if w.active_high else ' (active low)'}" for name, w in wires)
    return ", ".join(told) or "no wires"
