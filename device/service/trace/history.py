"""The part of a gate's records that a question needs, dated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from device.model import EventType
from device.service.trace.dating import LONG_AGO, Calendar, entry_of
from device.service.trace.records import SKELETON
from device.service.trace.stretches import stretches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from device.model import StoredEvent
    from device.service.trace.dating import Entry, When
    from device.service.trace.records import Absent, Records, Volume
    from device.service.trace.stretches import Stretch

_NO_END: Final = 2**53
_SHOWN: Final = frozenset({EventType.SCAN, EventType.UNREAD})
_COUNTED: Final = frozenset({EventType.COVERAGE, EventType.INPUT})


@dataclass(frozen=True, slots=True)
class Dated:
    """An event of the time asked for, or of the person.

    Attributes:
        entry: itself.
        when: it was.
        outstanding: why the district does not have it for certain; empty when it has.
    """

    entry: Entry
    when: When
    outstanding: str


@dataclass(frozen=True, slots=True)
class Hole:
    """Events that are not here.

    Attributes:
        absent: which, and why.
        since: they are not older.
        until: nor newer.
    """

    absent: Absent
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class History:
    """What there is about a time.

    Attributes:
        stretches: what the gate was doing, without a gap.
        shown: scans, and codes that were not read, that may have been within.
        counted: what the coverage ledger and the inputs tell, that may have been within.
        holes: that may lie within.
        sightings: scans of the person, of all times.
    """

    stretches: tuple[Stretch, ...]
    shown: tuple[Dated, ...]
    counted: tuple[Dated, ...]
    holes: tuple[Hole, ...]
    sightings: tuple[Dated, ...]


@dataclass(slots=True)
class _Opened:
    """A volume's events, as far as they were needed, by number."""

    volume: Volume
    entries: dict[int, Entry]

    def take(self, events: Iterable[tuple[int, Entry]]) -> None:
        self.entries = dict(sorted((self.entries | dict(events)).items()))


def history(
    records: Records, *, begin: datetime, end: datetime, subjects: Sequence[str], now: datetime
) -> History:
    """Reads what is needed to know what was between two moments.

    Args:
        records: of the gate.
        begin: of the time.
        end: of it.
        subjects: pseudonyms of the person; may be none.
        now: nothing is later.

    Raises:
        JournalError: they cannot be read.
    """
    opened = [_Opened(volume, dict(_entries(volume.events.of_types(SKELETON)))) for volume in records.volumes]
    calendar = Calendar(_all(opened), now=now)
    for part in opened:
        part.take(_needed(part, calendar, begin, end, subjects))
    calendar = Calendar(_all(opened), now=now)
    dated = [
        Dated(entry, calendar.when(entry.clock), part.volume.outstanding(seq))
        for part in opened
        for seq, entry in part.entries.items()
        if entry.event.type in _SHOWN | _COUNTED
    ]
    within = [d for d in dated if d.when.earliest < end and d.when.latest >= begin]
    return History(
        stretches=stretches(
            list(_all(opened)),
            calendar,
            begin=begin,
            end=end,
            now=now,
            here=records.here,
            sign_of_life=records.sign_of_life,
        ),
        shown=tuple(d for d in within if d.entry.event.type in _SHOWN),
        counted=tuple(d for d in within if d.entry.event.type in _COUNTED),
        holes=tuple(
            hole
            for part in opened
            for absent in part.volume.absent
            if (hole := _hole(part, absent, calendar, now)).since < end and hole.until > begin
        ),
        sightings=tuple(d for d in dated if subject_of(d.entry) in subjects),
    )


def subject_of(entry: Entry) -> str:
    """The pseudonym in a scan; empty when there is none."""
    credential = entry.data.get("credential")
    found = credential.get("subject") if isinstance(credential, dict) else None
    return found if isinstance(found, str) else ""


def _needed(
    part: _Opened, calendar: Calendar, begin: datetime, end: datetime, subjects: Sequence[str]
) -> Iterator[tuple[int, Entry]]:
    first, last = 1, _NO_END
    for seq, entry in part.entries.items():
        when = calendar.when(entry.clock)
        if when.latest < begin:
            first = seq
        if when.earliest > end:
            last = seq
            break
    events = part.volume.events
    yield from _entries(events.between(first, last))
    for subject in subjects:
        yield from _entries(events.mentioning(subject))
    for absent in part.volume.absent:
        for beside in (absent.span.first - 1, absent.span.last + 1):
            yield from _entries(events.between(beside, beside))


def _hole(part: _Opened, absent: Absent, calendar: Calendar, now: datetime) -> Hole:
    since, until = LONG_AGO, now
    for seq, entry in part.entries.items():
        if seq < absent.span.first:
            since = calendar.when(entry.clock).earliest
        elif seq > absent.span.last:
            until = calendar.when(entry.clock).latest
            break
    return Hole(absent, since, until)


def _entries(events: Iterable[StoredEvent]) -> Iterator[tuple[int, Entry]]:
    for event in events:
        if (entry := entry_of(event)) is not None:
            yield event.seq, entry


def _all(opened: Iterable[_Opened]) -> Iterator[Entry]:
    for part in opened:
        yield from part.entries.values()
