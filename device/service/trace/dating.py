"""When something happened at a gate, as well as its events can tell. Pure.

Events are ordered by their numbers, never by the wall clock, which may have been anything before the network
set it. One trusted reading dates its whole boot: uptimes do not jump. A boot that never had one lies
somewhere between its neighbours, and all that is said of it has the width of that uncertainty.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from device.journal.record import parse
from device.model import Lifecycle
from device.uplink.wire import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from device.journal.record import Data, Value
    from device.model import ClockReading, StoredEvent

# No gate is older; a bound that is not known stands here, where adding an uptime cannot overflow.
LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
# The longest uptime that is believed, milliseconds: thirty years.
_UPTIME_MAX_MS: Final = 30 * 366 * 86_400_000


@dataclass(frozen=True, slots=True)
class When:
    """A moment, between two bounds that are the same when it is known.

    Attributes:
        earliest: aware, UTC.
        latest: likewise; not before `earliest`.
    """

    earliest: datetime
    latest: datetime

    @classmethod
    def at(cls, moment: datetime) -> When:
        """A moment that is known."""
        return cls(moment, moment)

    @property
    def sure(self) -> bool:
        """Whether it is known."""
        return self.earliest == self.latest

    @property
    def likely(self) -> datetime:
        """The middle: for sorting, and for telling what is nearest."""
        return self.earliest + (self.latest - self.earliest) / 2


@dataclass(frozen=True, slots=True)
class Reading:
    """A clock reading out of an event, checked.

    Attributes:
        boot: id.
        uptime_ms: since that boot.
        wall: what the clock said, when it was trusted; else None.
    """

    boot: str
    uptime_ms: int
    wall: datetime | None


@dataclass(frozen=True, slots=True)
class Entry:
    """An event that can be read.

    Attributes:
        event: as stored.
        data: its object.
        clock: when.
        before: of `started`: the last sign of life of the run before.
    """

    event: StoredEvent
    data: Data
    clock: Reading
    before: Reading | None = None


def entry_of(event: StoredEvent) -> Entry | None:
    """The event opened; None when it is damaged. Total: what comes over a network may be anything."""
    data = parse(event.data)
    clock = None if data is None else _reading(data.get("clock"))
    if data is None or clock is None:
        return None
    before = _reading(data.get("before")) if data.get("what") == Lifecycle.STARTED else None
    return Entry(event, data, clock, before)


def reading_of(clock: ClockReading) -> Reading | None:
    """A reading of this house, as those in events are taken."""
    return _reading(
        {"boot": clock.boot, "uptime_ms": clock.uptime_ms, "wall": clock.wall, "trusted": clock.trusted}
    )


def _reading(found: Value | None) -> Reading | None:
    if not isinstance(found, dict):
        return None
    match found.get("boot"), found.get("uptime_ms"), found.get("wall"):
        case str(boot), int(uptime_ms), str(wall) if 0 <= uptime_ms < _UPTIME_MAX_MS:
            trusted = found.get("trusted") is True
        case _:
            return None
    try:
        return Reading(boot, uptime_ms, parse_time(wall) if trusted else None)
    except ValueError:
        return None


@dataclass(slots=True)
class _Boot:
    """What is known of one boot; `start` is when its uptime was zero."""

    anchors: list[Reading] = field(default_factory=list)
    last_ms: int = 0
    start: When = field(default_factory=lambda: When(LONG_AGO, LONG_AGO))

    def note(self, reading: Reading) -> None:
        self.last_ms = max(self.last_ms, reading.uptime_ms)
        if reading.wall is not None:
            self.anchors.append(reading)


class Calendar:
    """Dates uptimes.

    Args:
        entries: in the order they were recorded.
        now: nothing is later.
    """

    def __init__(self, entries: Iterable[Entry], *, now: datetime) -> None:
        self._boots: dict[str, _Boot] = {}
        for entry in entries:
            for reading in (entry.before, entry.clock):
                if reading is not None:
                    self._boots.setdefault(reading.boot, _Boot()).note(reading)
        for boot in self._boots.values():
            boot.anchors.sort(key=lambda anchor: anchor.uptime_ms)
        self._bound(now)

    def when(self, reading: Reading) -> When:
        """When it was; the boot must be one of the entries'."""
        return self.at(reading.boot, reading.uptime_ms)

    def at(self, boot: str, uptime_ms: int) -> When:
        """When a boot had run for so long."""
        found = self._boots[boot]
        if found.anchors:
            return When.at(_dated(found.anchors, uptime_ms))
        up = timedelta(milliseconds=uptime_ms)
        return When(found.start.earliest + up, found.start.latest + up)

    def _bound(self, now: datetime) -> None:
        """A boot whose clock was never set began after the one before ended, and ended before the next."""
        earliest, floor = {}, LONG_AGO
        for name, boot in self._boots.items():
            earliest[name] = floor
            up = timedelta(milliseconds=boot.last_ms)
            floor = _dated(boot.anchors, boot.last_ms) if boot.anchors else floor + up
        ceiling = now
        for name, boot in reversed(self._boots.items()):
            ceiling -= timedelta(milliseconds=boot.last_ms)
            if boot.anchors:
                ceiling = _dated(boot.anchors, 0)
            low = earliest[name]
            # Trusted clocks that contradict each other leave no room between them.
            boot.start = When(min(low, ceiling), max(low, ceiling))


def _dated(anchors: list[Reading], uptime_ms: int) -> datetime:
    """By the nearest of the anchors, which are in the order of their uptimes."""
    at = bisect_left(anchors, uptime_ms, key=lambda anchor: anchor.uptime_ms)
    nearest = min(anchors[max(0, at - 1) : at + 1], key=lambda anchor: abs(anchor.uptime_ms - uptime_ms))
    assert nearest.wall is not None  # noqa: S101 - only such readings are anchors
    return nearest.wall + timedelta(milliseconds=uptime_ms - nearest.uptime_ms)
