"""The one file that imports lgpio: gpiozero's factory for the kernel's GPIO, with calmer outputs.

Importing this starts a thread and opens a pipe (lgpio does): only `device.gpio.pins` does so.
"""

from __future__ import annotations

import contextlib
from typing import Any, Final, TypeAlias

import lgpio
from gpiozero.pins.lgpio import LGPIOFactory, LGPIOPin

_Foreign: TypeAlias = Any  # gpiozero has no types

ERRORS: Final[tuple[type[Exception], ...]] = (lgpio.error, OSError)
"""What lgpio and the kernel raise through gpiozero."""


class _OutputPin(LGPIOPin):  # type: ignore[misc] # gpiozero has no types
    """gpiozero's pin with the three moments changed at which a wired relay could move.

    * At the beginning gpiozero claims every pin as a floating input. This one leaves it as it was.
    * It then makes it a low output before it sets the wanted level, which is a pulse for a part that
      works at low level. This one claims it at the wanted level in one call to the kernel.
    * At the end it makes the pin a floating input again. This one leaves it an output at the level it
      was claimed at, the inactive one; what the pin does after the process is the kernel's choice and
      a pull resistor's. Raspberry Pi kernels keep the level, also after kill -9, unless config.txt has
      `dtparam=strict_gpiod` (raspberrypi/linux, pull request 6117): then it becomes an input.
    """

    def __init__(self, factory: _Foreign, info: _Foreign) -> None:
        super(LGPIOPin, self).__init__(factory, info)
        self._pwm: tuple[float, int] | None = None
        self._callback = None
        self._claimed_at: bool | None = None

    def output_with_state(self, state: bool) -> None:  # noqa: FBT001 - gpiozero's signature
        lgpio.gpio_claim_output(self._handle(), self._number, int(state))
        self._claimed_at = state

    def close(self) -> None:
        if self._claimed_at is None or self._handle() is None:
            return
        # Whoever closes in good order has made it inactive and reported what failed: this is for those
        # that only drop it, and gpiozero then expects no exception.
        with contextlib.suppress(*ERRORS):
            self.frequency = None
            lgpio.gpio_write(self._handle(), self._number, int(self._claimed_at))

    def _handle(self) -> int | None:
        handle: int | None = self.factory._handle  # noqa: SLF001 - as gpiozero's own pin class does
        return handle


def open_factory(chip_number: int, *, outputs: bool) -> _Foreign:
    """Opens gpiozero's LGPIOFactory on /dev/gpiochipN, making pins for outputs or else its own for inputs.

    Raises:
        Exception: one of `ERRORS` or of gpiozero's: the chip cannot be opened, or this is no Raspberry Pi.
    """
    factory = LGPIOFactory(chip=chip_number)
    if outputs:
        factory.pin_class = _OutputPin
    factory.board_info  # noqa: B018 - says now, not at the first pin, that the board is unknown
    return factory
