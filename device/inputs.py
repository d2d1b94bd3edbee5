"""The inputs' loop: level -> settled change -> event on the card -> what follows from it.

Levels are asked for, many times a second; nothing depends on the kernel's edges arriving.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from device.errors import JournalError
from device.model import Cue, Input, InputEvent, Outcome, Reason, ScanEvent, Sensed
from device.passage import Barrier, Passages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from device.model import Direction, Event, StoredEvent
    from device.runtime import Clock, Worker

log = logging.getLogger(__name__)

POLL_S: Final = 0.02
"""A hurried person interrupts a barrier for 100 ms; asking costs microseconds."""

SETTLE_S: Final[Mapping[Input, float]] = {
    Input.BUTTON: 0.03,  # contacts bounce for 10 ms
    Input.BEAM: 0.03,
    Input.TAMPER: 1.0,  # a loose contact in a shaken box must not fill the card
}
"""How long a level must hold to count, seconds."""

PRESS_EVERY_S: Final = 1.0
"""Presses nearer than this are one: a nervous finger opens the door once."""


class Contacts(Protocol):
    """The wires."""

    def read(self) -> frozenset[Input]:
        """Those that are active now; never blocks. Raises PanelError."""
        ...

    def close(self) -> None:
        """Lets go of them. Raises nothing; harmless twice."""
        ...


class Recorder(Protocol):
    """Makes events durable."""

    def append(self, event: Event) -> StoredEvent:
        """See `device.scan.ports.Recorder`."""
        ...


class Panel(Protocol):
    """Lights, buzzer and relay."""

    def show(self, cue: Cue) -> None:
        """See `device.scan.ports.Panel`."""
        ...


@dataclass(frozen=True, slots=True)
class InputStats:
    """What the inputs have told since the start.

    Attributes:
        passed: persons who went through the light barrier; None where there is none.
        without_grant: of these, whom nothing had let through.
        pressed: presses of the button.
        case_open: whether the case is open.
        unrecorded: events that could not be recorded.
    """

    passed: int | None
    without_grant: int
    pressed: int
    case_open: bool
    unrecorded: int


class InputLoop:
    """Owns the inputs' thread. `stats` and `note` come from any thread, everything else from that one.

    Args:
        contacts: what is wired; closed at the end.
        wired: which.
        recorder: see `Recorder`.
        panel: told when the button lets somebody through.
        clock: for settling and for events.
        direction: of the gate, written into each event.
        button_opens: whether a press lets one person through.
        pass_within_s: how long a grant waits for its person at the barrier.
    """

    def __init__(
        self,
        *,
        contacts: Contacts,
        wired: frozenset[Input],
        recorder: Recorder,
        panel: Panel,
        clock: Clock,
        direction: Direction,
        button_opens: bool = False,
        pass_within_s: float = 10.0,
    ) -> None:
        self._contacts = contacts
        self._wired = wired
        self._recorder = recorder
        self._panel = panel
        self._clock = clock
        self._direction = direction
        self._button_opens = button_opens
        self._barrier = Barrier()
        self._passages = Passages(pass_within_s=pass_within_s)
        self._matching = threading.Lock()  # of grants, which come from the scan thread, with persons
        self._active: frozenset[Input] = frozenset()
        self._begun = False
        self._settling: dict[Input, float] = {}
        self._pressed_at = float("-inf")
        self._told: Counter[Sensed] = Counter()
        self._passed = self._unrecorded = 0

    def body(self, worker: Worker) -> None:
        """The thread: asks for the levels until asked to stop.

        Raises:
            PanelError: a line cannot be read any more. The process is meant to end of it.
        """
        try:
            while not worker.stopping.wait(POLL_S):
                worker.beat()
                self.observe(self._contacts.read())
        finally:
            self._contacts.close()

    def note(self, event: ScanEvent) -> None:
        """A scan was recorded: whoever was granted is expected at the barrier. Any thread; never blocks."""
        if event.outcome is Outcome.GRANTED:
            again = event.reason is Reason.ALREADY_SHOWN
            with self._matching:
                self._passages.granted(self._clock.monotonic(), again=again)

    def stats(self) -> InputStats:
        """A snapshot, from any thread."""
        return InputStats(
            passed=self._passed if Input.BEAM in self._wired else None,
            without_grant=self._told[Sensed.PASSED_WITHOUT_GRANT],
            pressed=self._told[Sensed.BUTTON_PRESSED],
            case_open=Input.TAMPER in self._active,
            unrecorded=self._unrecorded,
        )

    def observe(self, levels: frozenset[Input]) -> None:
        """Takes one reading of all levels; blocks for the card when something has changed."""
        now = self._clock.monotonic()
        if not self._begun:
            self._begin(levels, now)
        for name in sorted(self._wired):
            if self._has_settled(name, name in levels, now):
                self._active ^= {name}
                self._changed(name, name in self._active, now)
        blocked = self._barrier.blocked(now)
        if blocked is not None:
            self._tell(Sensed.BEAM_BLOCKED if blocked else Sensed.BEAM_CLEAR)

    def _begin(self, levels: frozenset[Input], now: float) -> None:
        """A button or barrier found active at the start is nobody's doing; an open case is told."""
        self._begun = True
        self._active = levels - {Input.TAMPER}
        if Input.BEAM in levels:
            self._barrier.change(now, interrupted=True)

    def _has_settled(self, name: Input, active: bool, now: float) -> bool:  # noqa: FBT001 - a level
        if active is (name in self._active):
            self._settling.pop(name, None)
            return False
        if now - self._settling.setdefault(name, now) < SETTLE_S[name]:
            return False
        del self._settling[name]
        return True

    def _changed(self, name: Input, active: bool, now: float) -> None:  # noqa: FBT001 - a level
        match name:
            case Input.BUTTON:
                if active and now - self._pressed_at >= PRESS_EVERY_S:
                    self._pressed_at = now
                    self._press(now)
            case Input.BEAM:
                if self._barrier.change(now, interrupted=active):
                    self._pass(now)
            case Input.TAMPER:
                self._tell(Sensed.CASE_OPENED if active else Sensed.CASE_CLOSED)

    def _press(self, now: float) -> None:
        recorded = self._tell(Sensed.BUTTON_PRESSED)
        if not self._button_opens:
            return
        if not recorded:
            self._panel.show(Cue.FAULT)
            return
        with self._matching:
            self._passages.granted(now)
        self._panel.show(Cue.GRANTED)

    def _pass(self, now: float) -> None:
        self._passed += 1
        with self._matching:
            granted = self._passages.passed(now)
        if not granted:
            self._tell(Sensed.PASSED_WITHOUT_GRANT)

    def _tell(self, what: Sensed) -> bool:
        """Records it; whether that worked."""
        self._told[what] += 1
        try:
            stored = self._recorder.append(InputEvent(self._direction, what, self._clock.reading()))
        except JournalError as error:
            self._unrecorded += 1
            log.warning("'%s' could not be recorded: %s", what, error)
            return False
        log.info("%s, event %d", what, stored.seq, extra={"fields": {"input": {"what": what}}})
        return True
