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
# Less than a block goes once its oldest event is past its time by so much: a few writes an hour at most.
SLACK: Final = timedelta(hours=1)


def newest_past(
    db: sqlite3.Connection, journal: str, first: int, last: int, *, keep_days: int, clock: Clock
) -> int:
    """The newest event from `first` to `last` that may go by its age; `first` - 1 when none is to go yet.

    Few events wait until the oldest is an hour past its time, so that they go together.
    """
    keep = timedelta(days=keep_days)
    whole = last - first + 1 >= BLOCK_EVENTS and _is_past(db, journal, last, keep=keep, clock=clock)
    if whole:
        return last
    if not _is_past(db, journal, first, keep=keep + SLACK, clock=clock):
        return first - 1
    low, high = first, last  # the one is past its time, what lies above the other is not to be asked about
    while low < high:
        middle = (low + high + 1) // 2
        past = _is_past(db, journal, middle, keep=keep, clock=clock)
        low, high = (middle, high) if past else (low, middle - 1)
    return low


def _is_past(db: sqlite3.Connection, journal: str, seq: int, *, keep: timedelta, clock: Clock) -> bool:
    """Whether event `seq` was certainly recorded longer than `keep` ago.

    An event is at least as old as the first trusted time at or after it. Where the events around give
    none, the event is young if the clock is trusted now (the first trusted time is still to come), and
    told by its own wall clock otherwise: a gate that never learns the time compares its own clock with
    itself.
    """
    recorded = own = None
    for event in rows(db, journal, "WHERE seq >= ? ORDER BY seq LIMIT ?", (seq, BLOCK_EVENTS)):
        wall, trusted = _wall(event)
        if trusted:
            recorded = wall
            break
        own = own or wall
    if recorded is None and not clock.trusted():
        recorded = own
    return recorded is not None and recorded < clock.utc() - keep


def _wall(event: StoredEvent) -> tuple[datetime | None, bool]:
    """An event's wall clock, and whether it was trusted; (None, False) where it cannot be read."""
    reading = (parse(event.data) or {}).get("clock")
    if isinstance(reading, dict) and isinstance(wall := reading.get("wall"), str):
        try:
            return datetime.fromisoformat(wall).astimezone(UTC), reading.get("trusted") is True
        except (ValueError, OverflowError):
            pass
    return None, False
