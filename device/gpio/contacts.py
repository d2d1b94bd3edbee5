"""The wires that tell the gate something: which contact hangs on which pin, and reading them together."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from device.gpio.pins import Pins, Pull
    from device.model import Input

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ContactWire:
    """One wire.

    Attributes:
        pin: BCM number.
        active_high: whether it tells something at 3.3 V.
        pull: the resistor that holds the level while the contact is open.
    """

    pin: int
    active_high: bool = False
    pull: Pull = "up"


class GpioContacts:
    """Claims the wires and reads their levels. Used from one thread at a time.

    Args:
        pins: opened for inputs; closed with the contacts.
        wires: what is wired.

    Raises:
        PanelError: a wire cannot be claimed. Those claimed before it are released.
    """

    def __init__(self, *, pins: Pins, wires: Mapping[Input, ContactWire]) -> None:
        self._pins = pins
        try:
            self._inputs = {
                name: pins.claim_input(
                    f"inputs.{name}", wire.pin, active_high=wire.active_high, pull=wire.pull
                )
                for name, wire in wires.items()
            }
        except BaseException:
            pins.close()
            raise
        told = ", ".join(f"{name} GPIO {wire.pin}" for name, wire in wires.items())
        log.info("inputs on %s: %s", pins.title, told)

    def read(self) -> frozenset[Input]:
        """Those that are active now. Never blocks.

        Raises:
            PanelError: a line cannot be read any more.
        """
        return frozenset(name for name, wire in self._inputs.items() if wire.read())

    def close(self) -> None:
        """Lets go of every wire. Raises nothing; harmless twice."""
        self._pins.close()
