"""The one door to gpiozero: claims pins by name, and says in plain words why that fails.

Production names its pin factory; nothing here falls back to another. `lgpio` is the kernel's GPIO
character device. `mock` is gpiozero's own mock factory, a real factory without wires, for the demo
and for tests.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, assert_never

import gpiozero
from gpiozero.pins.mock import MockFactory, MockPWMPin

from device.errors import PanelError
from device.gpio.chips import AUTO, find_chip, line_holder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.gpio.chips import Chip

log = logging.getLogger(__name__)

_Foreign: TypeAlias = Any  # gpiozero has no types

Driver: TypeAlias = Literal["lgpio", "mock"]
Pull: TypeAlias = Literal["up", "down", "none"]

# The board the mock factory plays: a Raspberry Pi 5. Named, so that no environment variable decides.
_MOCK_REVISION: Final = "c04170"
# More than any cue has, for whoever looks back.
_MOCK_STATES: Final = 100
# A square wave is loudest when it is high half of the time.
_TONE_DUTY: Final = 0.5


class _MockPin(MockPWMPin):  # type: ignore[misc]  # gpiozero has no types
    """gpiozero's remembers every state it ever had; a gate runs for months, so this one the last only."""

    def _change_state(self, value: float) -> bool:
        changed: bool = super()._change_state(value)
        del self.states[:-_MOCK_STATES]
        return changed


class Pins:
    """A pin factory and the pins claimed from it. Used from one thread at a time.

    Made by `open_pins`.

    Args:
        factory: gpiozero's.
        errors: what the factory and its library raise.
        chip: the kernel's chip behind the factory; None for the mock.
    """

    def __init__(self, *, factory: _Foreign, errors: tuple[type[Exception], ...], chip: Chip | None) -> None:
        self.factory = factory
        self._errors = errors
        self._chip = chip
        self._claimed: dict[int, str] = {}

    @property
    def title(self) -> str:
        """What the pins belong to, for the log."""
        return f"{self._chip.label} ({self._chip.path})" if self._chip else "mock pins"

    def claim(self, name: str, pin: int, *, active_high: bool) -> Output:
        """Claims a pin as an output that is inactive from the first instant.

        Args:
            name: what the wire is, for messages: `panel.relay`.
            pin: BCM number.
            active_high: False when the wired part works at low level.

        Raises:
            PanelError: the pin does not exist, is taken (by whom is said), or may not be used.
        """
        what = self._free(name, pin)
        with self.told(what, pin):
            device = gpiozero.OutputDevice(
                pin, active_high=active_high, initial_value=False, pin_factory=self.factory
            )
        self._claimed[pin] = name
        return Output(self, what, device)

    def claim_input(self, name: str, pin: int, *, active_high: bool, pull: Pull) -> Input:
        """Claims a pin as an input whose level is asked for.

        Edges are not: lgpio 0.2.2 was seen to lose every callback of a run at its start (in 4 of 53 starts).

        Args:
            name: what the wire is, for messages: `inputs.beam`.
            pin: BCM number.
            active_high: whether it is active at 3.3 V.
            pull: the resistor that holds the level while nothing else does.

        Raises:
            PanelError: the pin does not exist, is taken (by whom is said), or has another resistor.
        """
        what = self._free(name, pin)
        pull_up = {"up": True, "down": False, "none": None}[pull]
        with self.told(what, pin):
            device = gpiozero.InputDevice(
                pin, pull_up=pull_up, active_state=None if pull != "none" else True, pin_factory=self.factory
            )
        self._claimed[pin] = name
        return Input(self, what, device, active_high=active_high)

    def _free(self, name: str, pin: int) -> str:
        what = f"{name} (GPIO {pin})"
        if pin in self._claimed:
            raise PanelError(f"{what}: already used by {self._claimed[pin]}")
        return what

    @contextlib.contextmanager
    def told(self, what: str, pin: int | None = None) -> Iterator[None]:
        """Turns what the libraries raise into a PanelError that names the wire, and who holds the pin."""
        try:
            yield
        except self._errors as error:
            reason = str(error).strip("'\"")
            holder = line_holder(self._chip, pin) if self._chip and pin is not None else ""
            message = f"{what}: in use by {holder}" if holder else f"{what}: {reason}"
            # Without its traceback the error no longer holds the half-made device, which holds the pin.
            raise PanelError(message) from error.with_traceback(None)

    def close(self) -> None:
        """Lets go of every pin. Raises nothing."""
        self._claimed.clear()
        try:
            with self.told(self.title):
                self.factory.close()
        except PanelError as error:
            log.warning("pins not released cleanly: %s", error)


class Output:
    """One claimed output. Made by `Pins.claim`; used from one thread at a time; nothing blocks."""

    def __init__(self, pins: Pins, what: str, device: gpiozero.OutputDevice) -> None:
        self._pins = pins
        self._what = what
        self._device = device
        self._sounding = False

    def write(self, *, active: bool) -> None:
        """Makes the pin active or inactive.

        Raises:
            PanelError: the pin cannot be driven any more.
        """
        with self._pins.told(self._what):
            self._device.value = active

    def sound(self, tone_hz: int | None) -> None:
        """Lets the pin swing at this frequency, timed by the library's own thread; None: inactive.

        Raises:
            PanelError: the pin cannot be driven any more.
        """
        with self._pins.told(self._what):
            self._device.pin.frequency = tone_hz
            self._sounding = tone_hz is not None
            if tone_hz is None:
                # The library stops a wave wherever it is: a coil left at half a wave would be heated.
                self._device.value = False
            else:
                self._device.pin.state = _TONE_DUTY

    def close(self) -> None:
        """Makes the pin inactive and lets go of it. Raises nothing; harmless twice."""
        if self._device.closed:
            return
        try:
            if self._sounding:
                self.sound(None)
            else:
                self.write(active=False)
        except PanelError as error:
            log.warning("left as it is: %s", error)
        with contextlib.suppress(PanelError), self._pins.told(self._what):
            self._device.close()


class Input:
    """One claimed input. Made by `Pins.claim_input`; used from one thread at a time; nothing blocks."""

    def __init__(self, pins: Pins, what: str, device: gpiozero.InputDevice, *, active_high: bool) -> None:
        self._pins = pins
        self._what = what
        self._device = device
        self._active_high = active_high

    def read(self) -> bool:
        """Whether it is active now.

        Raises:
            PanelError: the pin cannot be read any more.
        """
        with self._pins.told(self._what):
            high = bool(self._device.pin.state)
        return high is self._active_high


def open_pins(driver: Driver, *, chip: str = AUTO, outputs: bool = True) -> Pins:
    """Opens the pin factory of that name. Called from the main thread, before other threads start.

    Args:
        driver: `lgpio` or `mock`.
        chip: label of the chip, or `auto` for the one behind a Raspberry Pi's header; not used by `mock`.
        outputs: whether its pins are to be outputs; else inputs.

    Raises:
        PanelError: no such chip, no permission, no library, or not a Raspberry Pi.
    """
    match driver:
        case "mock":
            factory = MockFactory(revision=_MOCK_REVISION, pin_class=_MockPin)
            return Pins(factory=factory, errors=(gpiozero.GPIOZeroError,), chip=None)
        case "lgpio":
            return _open_lgpio(find_chip(chip), outputs=outputs)
        case _:
            assert_never(driver)


def _open_lgpio(chip: Chip, *, outputs: bool = True) -> Pins:
    try:
        # At import lgpio opens a pipe in the working directory, which a service may not write to, and
        # may move there for good. It needs the folder no longer than that.
        with tempfile.TemporaryDirectory(prefix="gate-scanner-lgpio-") as folder, contextlib.chdir(folder):
            from device.gpio.kernel_pins import ERRORS, open_factory  # noqa: PLC0415 - only when it is used
    except ImportError as error:
        raise PanelError(f"the library lgpio cannot be loaded (on Debian: python3-lgpio): {error}") from error
    except OSError as error:
        raise PanelError(f"lgpio finds no folder for its pipe; TMPDIR may name one: {error}") from error
    errors = (gpiozero.GPIOZeroError, *ERRORS)
    try:
        factory = open_factory(chip.number, outputs=outputs)
    except errors as error:
        raise PanelError(f"{chip.label} ({chip.path}) cannot be opened: {error}") from error
    return Pins(factory=factory, errors=errors, chip=chip)
