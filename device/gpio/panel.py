"""The panel: cues in, lines out, in a thread of its own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Protocol

from device.gpio.patterns import OPENS, PERMANENT, TEMPORARY
from device.gpio.player import PatternPlayer

if TYPE_CHECKING:
    from device.gpio.player import LineState
    from device.model import Cue
    from device.runtime import Clock, Worker

# The longest the thread sleeps: its beat shows that it is alive even while nothing changes.
_LONGEST_WAIT_S: Final = 1.0


class Lines(Protocol):
    """The wires a panel drives. Used from the panel's thread, and from the owner's before and after it."""

    def drive(self, state: LineState) -> None:
        """Makes the lines so; does nothing where they are already.

        Raises:
            PanelError: a line cannot be driven.
        """
        ...

    def close(self) -> None:
        """Puts every line in its inactive state and lets go of it. Raises nothing; harmless twice."""
        ...


class GpioPanel:
    """Shows cues on lights, buzzer and relay.

    `show` and `rest` come from any thread, never block and only leave a note; the panel's own thread,
    whose body is `body`, does the rest. There is no queue: the newest cue replaces the one before it,
    at once, in light and sound. The relay is different, because a person behind it was already told
    to walk:

    * A pulse begins when the thread pulls the line, and lasts its full length whatever is shown
      meanwhile. A cue that opens and is replaced before the thread woke up still opens.
    * Another opening cue while the relay is pulled makes the pulse longer: a full one from then on.
    * When the process is asked to stop, the relay is released at once. A line that nobody drives any
      more may keep its level (on a Raspberry Pi it does, see `kernel_pins`), and a door that stays open
      is worse than a visitor who shows the code once more.

    The order promise is kept by the caller: GRANTED is shown after its event is on the card. Nothing in
    here lights green or pulls the relay by itself.

    Args:
        lines: the wires, all inactive; the panel closes them at the end.
        clock: for every duration.
        relay_pulse_s: how long the relay is pulled for one person; positive.
    """

    def __init__(self, *, lines: Lines, clock: Clock, relay_pulse_s: float) -> None:
        self._lines = lines
        self._clock = clock
        self._player = PatternPlayer(relay_pulse_s=relay_pulse_s, now=clock.monotonic())
        self._noted = threading.Condition()
        self._awake = False
        self._cue: Cue | None = None
        self._permanent: Cue | None = None
        self._open = False
        self._replaced = 0

    @property
    def replaced(self) -> int:
        """How many cues were replaced by a newer one before they reached the lines."""
        return self._replaced

    def show(self, cue: Cue) -> None:
        """Shows a temporary cue at once. Any thread; never blocks.

        Raises:
            ValueError: the cue is a permanent state (a mistake of ours, not of a visitor).
        """
        if cue not in TEMPORARY:
            raise ValueError(f"{cue} is a permanent state: rest({cue})")
        with self._noted:
            self._replaced += self._cue is not None
            self._cue = cue
            self._open = self._open or cue in OPENS
            self._wake_up()

    def rest(self, cue: Cue) -> None:
        """Sets the permanent state, seen as soon as no temporary cue plays. Any thread; never blocks.

        Raises:
            ValueError: the cue is a temporary one.
        """
        if cue not in PERMANENT:
            raise ValueError(f"{cue} ends by itself: show({cue})")
        with self._noted:
            self._permanent = cue
            self._wake_up()

    def wake(self) -> None:
        """Ends a wait of the thread early: it looks at the clock and its notes. Any thread."""
        with self._noted:
            self._wake_up()

    def body(self, worker: Worker) -> None:
        """The thread: drives the lines until asked to stop, then closes them.

        Raises:
            PanelError: a line cannot be driven. The process is meant to end of it.
        """
        try:
            while not worker.stopping.is_set():
                worker.beat()
                state, change_at = self._take(self._clock.monotonic())
                self._lines.drive(state)
                self._wait_until(change_at)
        finally:
            self._lines.close()

    def close(self) -> None:
        """Closes the lines when the thread was never started; harmless after it has ended."""
        self._lines.close()

    def _wake_up(self) -> None:
        self._awake = True
        self._noted.notify()

    def _take(self, now: float) -> tuple[LineState, float]:
        # A pattern and a pulse begin here, not when they were noted: a late thread must not shorten them.
        with self._noted:
            cue, self._cue = self._cue, None
            permanent, self._permanent = self._permanent, None
            opening, self._open = self._open, False
            self._awake = False
        if permanent is not None:
            self._player.rest(permanent, now)
        if cue is not None:
            self._player.show(cue, now)
        if opening:
            self._player.pulse(now)
        return self._player.advance(now)

    def _wait_until(self, moment: float) -> None:
        wait_s = min(max(moment - self._clock.monotonic(), 0.0), _LONGEST_WAIT_S)
        with self._noted:
            self._noted.wait_for(lambda: self._awake, wait_s)
