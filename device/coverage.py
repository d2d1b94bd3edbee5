"""The coverage ledger: for every minute, whether the gate was seeing, deciding and recording. Pure.

"He says he was there, but the system has no scan" can only be answered by somebody who knows what the gate
was doing then. Intervals follow each other without a gap while the process lives; each ends when something
changes, or after `LONGEST_S`. What lies between two runs is told by the `started` event of the second.

A gate whose camera comes and goes all day would write a ledger and little else: after `CUTS` changes in
`LONGEST_S` the interval goes on, says how often it changed within, and claims the least of what it was.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.model import CoverageEvent

if TYPE_CHECKING:
    from device.model import ClockReading

LONGEST_S = 300
"""An hour of an idle gate is twelve events, some 4 KB."""

CUTS = 4
"""A start, a clock that is set and a camera that goes and comes again, each to the second. A gate that wavers
all day costs the card six times what an idle one does, and no more."""

UNWRITTEN = 64
"""While nothing can be recorded, intervals wait: five hours of them. Then the last one goes on."""

SILENT_MS = 2000
"""Without a frame for so long the gate is blind; a camera skips now and then without anybody noticing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Counters at one moment; all but `recording` only rise.

    Attributes:
        frames: the camera has given.
        looked: frames that were searched for codes.
        presented: codes answered.
        unread: codes seen and not read.
        recording: whether the last event could be recorded.
        sent: events the broker has accepted, as the highest number.
        confirmed: events the district has stored, likewise.
        passed: persons who went through the light barrier; None where there is none.
    """

    frames: int
    looked: int
    presented: int
    unread: int
    recording: bool
    sent: int
    confirmed: int
    passed: int | None = None


@dataclass(frozen=True, slots=True)
class _State:
    """What an interval says of all of its time."""

    seeing: bool
    deciding: bool
    recording: bool
    trusted: bool

    def least(self, other: _State) -> _State:
        """What can still be claimed when both have been."""
        return _State(
            self.seeing and other.seeing,
            self.deciding and other.deciding,
            self.recording and other.recording,
            self.trusted and other.trusted,
        )


class Ledger:
    """Makes intervals out of samples. Belongs to one thread; nothing blocks.

    What cannot be written waits: each interval ends when its time was over, not when the card took it.

    Args:
        sample: at the beginning.
        reading: at the beginning.
    """

    def __init__(self, sample: Sample, reading: ClockReading) -> None:
        self._latest = sample
        self._frame_at = self._look_at = reading.uptime_ms - SILENT_MS
        self._cuts_ms: deque[int] = deque(maxlen=CUTS)
        self._unwritten: deque[CoverageEvent] = deque()
        self._now = self._least = self._state(sample, reading)
        self._begin(sample, reading)

    def due(self, sample: Sample, reading: ClockReading) -> CoverageEvent | None:
        """The oldest interval that has ended and is not `written` yet; None where there is none."""
        if sample.frames > self._latest.frames:
            self._frame_at = reading.uptime_ms
        if sample.looked > self._latest.looked:
            self._look_at = reading.uptime_ms
        self._latest = sample
        now = self._state(sample, reading)
        if self._ends(now, reading):
            self._end(sample, reading)
        elif now != self._now:
            self._changes += 1
            self._now, self._least = now, self._least.least(now)
        return self._unwritten[0] if self._unwritten else None

    def cut(self, sample: Sample, reading: ClockReading) -> None:
        """Ends the interval now, where there is room for another: somebody asks."""
        if len(self._unwritten) < UNWRITTEN:
            self._end(sample, reading)

    def written(self) -> None:
        """The interval that was due is on the card."""
        self._unwritten.popleft()

    def rest(self, sample: Sample, reading: ClockReading) -> tuple[CoverageEvent, ...]:
        """All that is not written, with the interval that ends now: the process ends."""
        self._end(sample, reading)
        return tuple(self._unwritten)

    def _ends(self, now: _State, reading: ClockReading) -> bool:
        if len(self._unwritten) == UNWRITTEN:
            return False
        if reading.uptime_ms - self._since_ms >= LONGEST_S * 1000:
            return True
        free = len(self._cuts_ms) < CUTS or reading.uptime_ms - self._cuts_ms[0] >= LONGEST_S * 1000
        return free and (now != self._now or self._changes > 0)

    def _end(self, sample: Sample, reading: ClockReading) -> None:
        if reading.uptime_ms - self._since_ms < LONGEST_S * 1000:
            self._cuts_ms.append(reading.uptime_ms)
        self._unwritten.append(
            CoverageEvent(
                since_ms=self._since_ms,
                seeing=self._least.seeing,
                deciding=self._least.deciding,
                recording=self._least.recording,
                frames=sample.frames - self._first.frames,
                presented=sample.presented - self._first.presented,
                unread=sample.unread - self._first.unread,
                sent=sample.sent,
                confirmed=sample.confirmed,
                clock=reading,
                passed=None if sample.passed is None else sample.passed - (self._first.passed or 0),
                changes=self._changes or None,
            )
        )
        self._begin(sample, reading)

    def _begin(self, sample: Sample, reading: ClockReading) -> None:
        self._first = sample
        self._since_ms = reading.uptime_ms
        self._now = self._least = self._state(sample, reading)
        self._changes = 0

    def _state(self, sample: Sample, reading: ClockReading) -> _State:
        seeing = reading.uptime_ms - self._frame_at < SILENT_MS
        deciding = seeing and reading.uptime_ms - self._look_at < SILENT_MS
        return _State(seeing, deciding, sample.recording, reading.trusted)
