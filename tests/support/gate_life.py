"""A gate's life as its journal has it: written by the real ledger and journal, on a clock that is moved."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from device.beat import read_beat, write_beat
from device.coverage import Ledger, Sample
from device.model import (
    Cause,
    ClockEvent,
    CredentialRef,
    Direction,
    InputEvent,
    Lifecycle,
    LifecycleEvent,
    Outcome,
    Reason,
    Sensed,
    Standing,
    UnreadEvent,
)
from device.service.store import Store
from device.service.trace.answer import trace
from device.service.trace.records import of_journal, of_store
from device.uplink.wire import envelope, parse_events
from tests.support.clock import ManualClock
from tests.support.journal import open_journal, scan_event
from tests.support.uplinks import ADDRESS

if TYPE_CHECKING:
    from device.model import StoredEvent
    from device.service.trace.answer import Trace

HE = "0123456789abcdef" * 2
SHE = "fedcba9876543210" * 2
MORNING = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def at(text: str) -> datetime:
    """A time of that day: `10:32`, `10:32:05`."""
    return datetime.fromisoformat(f"2026-03-02T{text}+00:00")


class GateLife:
    """Lives as told. It begins at 10:00 with its clock set.

    Args:
        folder: for `journal.db` and the last sign of life.

    Attributes:
        real: the time that it is, whatever the gate's clock says.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal.db"
        self._beat = folder / "beat.json"
        self.clock = ManualClock(monotonic=20.0, wall=MORNING)
        self.real = MORNING
        self.journal = open_journal(self.path, clock=self.clock)
        self._boots = 1
        self._sign = self.clock.reading()
        self._frames = self._presented = self._unread = 0
        self._passed: int | None = None
        self.start()

    def start(self) -> None:
        """The process begins."""
        before = read_beat(self._beat)
        self._ledger = Ledger(self._sample(), self.clock.reading())
        self.journal.append(
            LifecycleEvent(Lifecycle.STARTED, "start", "1", self.clock.reading(), before=before)
        )

    def live_until(self, text: str, *, seeing: bool = True) -> None:
        """Time passes, second by second, as the main thread sees it."""
        while self.clock.utc() < at(text):
            self.live(1, seeing=seeing)

    def live(self, seconds: int, *, seeing: bool = True) -> None:
        """The same for so long."""
        for _ in range(seconds):
            self.clock.advance(1)
            self.real += timedelta(seconds=1)
            self._frames += 10 * seeing
            reading = self.clock.reading()
            if (interval := self._ledger.due(self._sample(), reading)) is not None:
                self.journal.append(interval)
                self._ledger.written()
            if reading.uptime_ms // 1000 % 10 == 0:
                self._sign = reading

    def show(self, subject: str | None = HE, outcome: Outcome = Outcome.GRANTED) -> StoredEvent:
        """Somebody holds up a code that is read."""
        self._presented += 1
        known = subject is not None
        reason = Reason.DENIED_BY_LIST if outcome is Outcome.DENIED else Reason.OK
        event = replace(
            scan_event(1, self.clock.reading()),
            outcome=outcome,
            reason=reason if known else Reason.WRONG_KIND,
            credential=CredentialRef(
                "vn.cccd" if known else "wrong.payment",
                Standing.CLAIMED if known else Standing.WRONG_KIND,
                subject,
            ),
        )
        return self.journal.append(event)

    def fail_to_read(self, cause: Cause = Cause.GLARE) -> None:
        """Somebody holds up a code that is not."""
        self._unread += 1
        self.journal.append(UnreadEvent(Direction.IN, cause, 120, self.clock.reading()))

    def walk_through(self, *, granted: bool) -> None:
        """Somebody goes through the light barrier."""
        self._passed = (self._passed or 0) + 1
        if not granted:
            what = Sensed.PASSED_WITHOUT_GRANT
            self.journal.append(InputEvent(Direction.IN, what, self.clock.reading()))

    def stop(self) -> None:
        """The process is asked to stop."""
        for interval in self._ledger.rest(self._sample(), self.clock.reading()):
            self.journal.append(interval)
        self.journal.append(LifecycleEvent(Lifecycle.STOPPED, "asked", "1", self.clock.reading()))
        self._sign = self.clock.reading()

    def be_away(self, seconds: int) -> None:
        """Nothing runs; the last sign of life had been written."""
        write_beat(self._beat, self._sign)
        self.clock.advance(seconds)
        self.real += timedelta(seconds=seconds)

    def boot(self, *, wall: datetime | None = None) -> None:
        """The machine starts, 20 s before the process; with a `wall`, its clock says that and is not set."""
        self._boots += 1
        self.clock.reboot(f"boot-{self._boots}")
        self.clock.advance(20)
        self.real += timedelta(seconds=20)
        if wall is not None:
            self.clock.set_wall(wall, trusted=False)
        self.start()

    def set_clock(self, text: str) -> None:
        """The network sets the clock."""
        self.clock.set_wall(at(text))
        self.journal.append(ClockEvent(self.clock.reading()))

    def trace(
        self, text: str, *subjects: str, now: str = "23:00", minutes: int = 5, alive: bool = False
    ) -> Trace:
        """What the gate's own journal answers. Without `alive` the last sign of life is not known."""
        self._beat.unlink(missing_ok=True)
        if alive:
            write_beat(self._beat, self._sign)
        with ExitStack() as parts:
            records = of_journal(self.path, gate="t/s/g", parts=parts)
            within = timedelta(minutes=minutes)
            return trace(records, at=at(text), within=within, subjects=subjects, now=at(now))

    def _sample(self) -> Sample:
        return Sample(self._frames, self._frames, self._presented, self._unread, True, 0, 0, self._passed)


class DistrictsCopy:
    """A store that takes what a gate sends."""

    def __init__(self, path: Path, clock: ManualClock) -> None:
        self._path = path
        self._clock = clock

    def take(self, life: GateLife, *, first: int = 1, last: int = 10**6) -> None:
        """Events of these numbers arrive."""
        with Store(self._path, clock=self._clock) as store:
            events = [e for e in life.journal.read(1, 10**6) if first <= e.seq <= last]
            store.take([parse_events(envelope(ADDRESS, e, self._clock.reading()))[0] for e in events])

    def trace(self, text: str, *subjects: str, now: str = "23:00", gate: str = "") -> Trace:
        """What the store answers."""
        with ExitStack() as parts:
            records = of_store(self._path, gate=gate, parts=parts)
            return trace(records, at=at(text), within=timedelta(minutes=5), subjects=subjects, now=at(now))
