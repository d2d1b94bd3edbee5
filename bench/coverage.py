"""What the coverage ledger costs: bytes of the journal, on simulated days.

    python bench/coverage.py [--json]

The real ledger and the journal's real byte form, on a clock that runs through a day in seconds. The sizes are
exact and the same in every run; `tests/unit/bench/test_coverage_cost.py` holds the project to the bounds.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from device.coverage import Ledger, Sample
from device.journal.record import as_data, canonical
from device.model import ClockReading, CredentialRef, Direction, Outcome, Reason, ScanEvent, Standing
from device.runtime import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.model import Event

DAY_S = 86_400
BEGINS = datetime(2026, 3, 2, tzinfo=UTC)
BOOT = "00000000-0000-4000-8000-000000000001"
# A year of a busy gate: numbers are as long as they get.
FIRST_SEQ = 4_000_000
FRAMES_PER_S = 30
OPEN_FROM_S, OPEN_UNTIL_S = 6 * 3600, 20 * 3600


@dataclass(frozen=True, slots=True)
class Day:
    """What happens at a gate in so many seconds.

    Attributes:
        name: for the table.
        every_s: somebody holds up a code so often while the gate is open; 0 for never.
        seeing: whether the camera gives frames in this second.
        seconds: how long it is looked at.
    """

    name: str
    every_s: float = 0.0
    seeing: Callable[[int], bool] = lambda _: True
    seconds: int = DAY_S


@dataclass(slots=True)
class Cost:
    """What it came to.

    Attributes:
        scans: answered codes.
        intervals: events of the ledger.
        scan_bytes: of the scans' data.
        ledger_bytes: of the ledger's data.
        minutes: how long it was.
    """

    scans: int = 0
    intervals: int = 0
    scan_bytes: int = 0
    ledger_bytes: int = 0
    minutes: float = 0.0

    @property
    def share(self) -> float:
        """Of all bytes, the ledger's."""
        return self.ledger_bytes / (self.ledger_bytes + self.scan_bytes)

    @property
    def bytes_a_minute(self) -> float:
        """Of the ledger."""
        return self.ledger_bytes / self.minutes


DAYS = (
    Day("idle, day and night"),
    Day("busy: one person in 5 s, 06:00 to 20:00", 5),
    Day("one person in 10 s", 10),
    Day("one person in a minute", 60),
    Day("camera comes and goes every 5 s", seeing=lambda second: second % 10 < 5),
)


def reading_at(second: int) -> ClockReading:
    """The clocks of a gate that has run for a year."""
    wall = rfc3339(BEGINS + timedelta(seconds=second))
    return ClockReading(wall=wall, trusted=True, boot=BOOT, uptime_ms=(365 * DAY_S + second) * 1000)


def scan(second: int) -> ScanEvent:
    """A granted showing, as long as a real one."""
    return ScanEvent(
        direction=Direction.IN,
        outcome=Outcome.GRANTED,
        reason=Reason.OK,
        credential=CredentialRef("vn.cccd", Standing.CLAIMED, f"{second:032x}"),
        clock=reading_at(second),
        rules="0123456789abcdef",
        engine="zxing",
        latency_ms=87,
    )


def cost_of(day: Day) -> Cost:
    """Lives through it, second by second."""
    cost = Cost(minutes=day.seconds / 60)
    frames = presented = 0

    def sample() -> Sample:
        return Sample(frames, frames, presented, 0, recording=True, sent=FIRST_SEQ, confirmed=FIRST_SEQ)

    ledger = Ledger(sample(), reading_at(0))
    next_at = float(OPEN_FROM_S)
    for second in range(1, day.seconds + 1):
        if day.seeing(second):
            frames += FRAMES_PER_S
        if day.every_s and OPEN_FROM_S <= second < OPEN_UNTIL_S and second >= next_at:
            next_at += day.every_s
            presented += 1
            cost.scans += 1
            cost.scan_bytes += size_of(scan(second))
        if (interval := ledger.due(sample(), reading_at(second))) is not None:
            ledger.written()
            cost.intervals += 1
            cost.ledger_bytes += size_of(interval)
    return cost


def size_of(event: Event) -> int:
    """Bytes of its data, as journalled."""
    return len(canonical(as_data(event), seq=FIRST_SEQ, prev="0" * 64))


def main() -> None:
    """Prints a table of days."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args()
    costs = {day.name: cost_of(day) for day in DAYS}
    if options.json:
        print(json.dumps({name: asdict(cost) for name, cost in costs.items()}))
        return
    print(f"{'':42}{'scans':>8}{'intervals':>11}{'bytes a minute':>16}{'share of the journal':>22}")
    for name, cost in costs.items():
        share = f"{cost.share:.1%}" if cost.scans else "-"
        print(f"{name:42}{cost.scans:8}{cost.intervals:11}{cost.bytes_a_minute:16.0f}{share:>22}")


if __name__ == "__main__":
    main()
