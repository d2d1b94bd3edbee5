"""A panel and a set of wires that only remember what they were told."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from device.gpio.patterns import PERMANENT, TEMPORARY
from device.gpio.player import REST

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.gpio.player import LineState
    from device.model import Cue

# How long a test waits for another thread before it fails; never the time a passing test takes.
PATIENCE_S = 10.0


class RecordingPanel:
    """Implements the `Panel` protocol of `device.scan.ports` by keeping lists. Safe from any thread.

    Attributes:
        shown: temporary cues, oldest first.
        rested: permanent ones, oldest first.
    """

    def __init__(self) -> None:
        self.shown: list[Cue] = []
        self.rested: list[Cue] = []

    def show(self, cue: Cue) -> None:
        if cue not in TEMPORARY:
            raise ValueError(f"{cue} is a permanent state")
        self.shown.append(cue)

    def rest(self, cue: Cue) -> None:
        if cue not in PERMANENT:
            raise ValueError(f"{cue} ends by itself")
        self.rested.append(cue)


class RecordingLines:
    """Implements the panel's `Lines`: keeps every change of state, and lets a test wait for one."""

    def __init__(self) -> None:
        self.states: list[LineState] = [REST]
        self.closed = False
        self.drives = 0
        self._changed = threading.Condition()

    def drive(self, state: LineState) -> None:
        with self._changed:
            self.drives += 1
            if state != self.states[-1]:
                self.states.append(state)
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def wait_for_drive(self, count: int) -> None:
        """Waits until `drive` was called at least so often."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.drives >= count, PATIENCE_S):
                raise AssertionError(f"only {self.drives} calls")

    def wait_for(self, wanted: Callable[[LineState], bool]) -> LineState:
        """Waits until the newest state is as wanted, and returns it."""
        with self._changed:
            if not self._changed.wait_for(lambda: wanted(self.states[-1]), PATIENCE_S):
                raise AssertionError(f"still {self.states[-1]}")
            return self.states[-1]
