"""What the process records about itself: its life, the coverage ledger, the clock, the last sign of life."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from device.beat import write_beat
from device.coverage import Ledger, Sample
from device.errors import JournalError
from device.model import ClockEvent, Lifecycle, LifecycleEvent, Why

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from device.daemon.ports import Capture, Inputs, Journal, Scan
    from device.model import ClockReading, Event
    from device.runtime import Clock

log = logging.getLogger(__name__)

BEAT_EVERY_S = 10.0
"""How far back the end of a run that was cut short may be taken, beside what the card adds."""

LEDGER_RETRY_S = 5.0
"""While nothing can be recorded, how often the coverage interval is tried again."""

UPKEEP_EVERY_S = 60.0
"""Pruning, and copying the write-ahead log into the database, away from any append."""


class Books:
    """Kept from the main thread. Whatever appends blocks until it is on the card; nothing raises.

    Args:
        journal: where events go, and what is tidied.
        capture: for its counters.
        scan: for its counters.
        inputs: for its counters; None when nothing is wired.
        report: set when the coverage interval is to be told now.
        clock: for intervals and events.
        version: of the software, for lifecycle events.
        beat: file of the last sign of life.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        capture: Capture,
        scan: Scan,
        inputs: Inputs | None,
        report: threading.Event,
        clock: Clock,
        version: str,
        beat: Path,
    ) -> None:
        self._journal = journal
        self._capture = capture
        self._scan = scan
        self._inputs = inputs
        self._report = report
        self._clock = clock
        self._version = version
        self._beat = beat
        self._upkeep_at = self._beat_at = self._ledger_tried_at = clock.monotonic()
        self._ledger = Ledger(self._sample(), clock.reading())
        self._clock_was_set = clock.trusted()

    def open(self, before: ClockReading | None, configuration: str) -> None:
        """A run begins.

        Args:
            before: the last sign of life of the run before.
            configuration: names the settings in force.
        """
        manner = _manner(before, self._clock.reading())
        if self.record(Lifecycle.STARTED, manner, before=before, configuration=configuration):
            self._sign(Why.START)

    def keep(self) -> None:
        """Does what is due: the ledger, the sign of life, the journal's upkeep."""
        self._account()
        now = self._clock.monotonic()
        if now - self._beat_at >= BEAT_EVERY_S:
            self._beat_at = now
            write_beat(self._beat, self._clock.reading())
        if now - self._upkeep_at >= UPKEEP_EVERY_S:
            self._upkeep_at = now
            self._tidy()

    def close(self, why: str) -> None:
        """The run ends; what the ledger still holds is told first."""
        for interval in self._ledger.rest(self._sample(), self._clock.reading()):
            if not self.append(interval):
                break
        if self.record(Lifecycle.STOPPED, why):
            self._sign(Why.STOP)
        write_beat(self._beat, self._clock.reading())

    def append(self, event: Event) -> bool:
        """Whether it could be recorded. Where not, that is told by the scan loop, not here."""
        try:
            self._journal.append(event)
        except JournalError as error:
            log.debug("not recorded now: %s", error)
            return False
        return True

    def record(
        self,
        what: Lifecycle,
        detail: str,
        *,
        before: ClockReading | None = None,
        configuration: str | None = None,
    ) -> bool:
        """Whether something that happened to the device could be recorded; see `LifecycleEvent`."""
        clock = self._clock.reading()
        event = LifecycleEvent(what, detail, self._version, clock, before, configuration)
        try:
            self._journal.append(event)
        except JournalError as error:
            log.error("'%s' could not be recorded: %s", what, error)
            return False
        return True

    def _account(self) -> None:
        """Closes a coverage interval that is due; notes when the clock is set for the first time."""
        reading, sample = self._clock.reading(), self._sample()
        if reading.trusted and not self._clock_was_set:
            self._clock_was_set = self.append(ClockEvent(reading))
        if self._report.is_set():
            self._report.clear()
            self._ledger.cut(sample, reading)
        interval = self._ledger.due(sample, reading)
        if interval is None or self._clock.monotonic() < self._ledger_tried_at:
            return
        if self.append(interval):
            self._ledger.written()
        else:
            self._ledger_tried_at = self._clock.monotonic() + LEDGER_RETRY_S

    def _sample(self) -> Sample:
        scan, journal = self._scan.stats(), self._journal.stats()
        return Sample(
            frames=self._capture.stats.frames,
            looked=scan.frames,
            presented=scan.presented,
            unread=scan.unread,
            recording=scan.recording,
            sent=journal.acknowledged_through,
            confirmed=journal.confirmed_through,
            passed=self._inputs.stats().passed if self._inputs else None,
        )

    def _sign(self, why: Why) -> None:
        try:
            self._journal.checkpoint(why)
        except JournalError as error:
            log.error("the chain of events could not be signed: %s", error)

    def _tidy(self) -> None:
        try:
            self._journal.prune()
        except JournalError as error:
            # Upkeep failed, not a scan: the next append tells whether the card still takes events.
            log.warning("the journal could not be tidied: %s", error)


def _manner(before: ClockReading | None, now: ClockReading) -> str:
    """How the device came to start, as far as the last sign of life tells."""
    if before is None:
        return "first_start"
    return "same_boot" if before.boot == now.boot else "new_boot"
