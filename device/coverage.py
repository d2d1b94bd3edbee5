"""The coverage ledger: for every minute, whether the gate was seeing, deciding and recording. Pure.

"He says he was there, but the system has no scan" can only be answered by somebody who knows what the gate
was doing then. Intervals follow each other without a gap while the process lives; each ends when something
changes, or after `LONGEST_S`. What lies between two runs is told by the `started` event of the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.model import CoverageEvent

if TYPE_CHECKING:
    from device.model import ClockReading

LONGEST_S = 300
"""An hour of an idle gate is twelve events, some 5 KB."""

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


class Ledger:
    """Makes intervals out of samples. Belongs to one thread; nothing blocks.

    Args:
        sample: at the beginning.
        reading: at the beginning.
    """

    def __init__(self, sample: Sample, reading: ClockReading) -> None:
        self._latest = sample
        self._frame_at = self._look_at = reading.uptime_ms - SILENT_MS
        self._begin(sample, reading)

    def due(self, sample: Sample, reading: ClockReading) -> CoverageEvent | None:
        """The interval that ends now, or None while it goes on. It stays open until `written`."""
        if sample.frames > self._latest.frames:
            self._frame_at = reading.uptime_ms
        if sample.looked > self._latest.looked:
            self._look_at = reading.uptime_ms
        self._latest = sample
        changed = self._state(sample, reading) != self._open_state
        if not changed and reading.uptime_ms - self._since_ms < LONGEST_S * 1000:
            return None
        return self.interval(sample, reading)

    def interval(self, sample: Sample, reading: ClockReading) -> CoverageEvent:
        """What has been since the last interval was written, in the state it began with."""
        seeing, deciding, recording, _ = self._open_state
        return CoverageEvent(
            since_ms=self._since_ms,
            seeing=seeing,
            deciding=deciding,
            recording=recording,
            frames=sample.frames - self._first.frames,
            presented=sample.presented - self._first.presented,
            unread=sample.unread - self._first.unread,
            sent=sample.sent,
            confirmed=sample.confirmed,
            clock=reading,
            passed=None if sample.passed is None else sample.passed - (self._first.passed or 0),
        )

    def written(self, sample: Sample, reading: ClockReading) -> None:
        """The interval is on the card: the next one begins."""
        self._begin(sample, reading)

    def _begin(self, sample: Sample, reading: ClockReading) -> None:
        self._first = sample
        self._since_ms = reading.uptime_ms
        self._open_state = self._state(sample, reading)

    def _state(self, sample: Sample, reading: ClockReading) -> tuple[bool, bool, bool, bool]:
        seeing = reading.uptime_ms - self._frame_at < SILENT_MS
        deciding = seeing and reading.uptime_ms - self._look_at < SILENT_MS
        return seeing, deciding, sample.recording, reading.trusted
