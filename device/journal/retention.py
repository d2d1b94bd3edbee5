"""Which events may go. Age is told by a clock that may have been wrong, so doubt keeps an event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from device.journal.database import rows
from device.journal.record import parse

if TYPE_CHECKING:
    import sqlite3

    from device.model import StoredEvent
    from device.runtime import Clock

# Deleted together: a few milliseconds of an append's time at most, and no write per event.
BLOCK_EVENTS: Final = 256


def is_past(db: sqlite3.Connection, journal: str, seq: int, *, keep_days: int, clock: Clock) -> bool:
    """Whether event `seq` was certainly recorded more than `keep_days` ago.

    An event is at least as old as the first trusted time at or after it. Where the events around give
    none, the event is young if the clock is trusted now (the first trusted time is still to come), and
    told by its own wall clock otherwise: a gate that never learns the time compares its own clock with
    itself.
    """
    near = list(rows(db, journal, "WHERE seq >= ? ORDER BY seq LIMIT ?", (seq, BLOCK_EVENTS)))
    times = [_wall(event) for event in near]
    recorded = next((wall for wall, trusted in times if trusted), None)
    if recorded is None and not clock.trusted() and times:
        recorded = times[0][0]
    return recorded is not None and recorded < clock.utc() - timedelta(days=keep_days)


def _wall(event: StoredEvent) -> tuple[datetime | None, bool]:
    """An event's wall clock, and whether it was trusted; (None, False) where it cannot be read."""
    reading = (parse(event.data) or {}).get("clock")
    if isinstance(reading, dict) and isinstance(wall := reading.get("wall"), str):
        try:
            return datetime.fromisoformat(wall).astimezone(UTC), reading.get("trusted") is True
        except (ValueError, OverflowError):
            pass
    return None, False
