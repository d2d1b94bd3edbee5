"""The day in figures, counted from events. Pure but for reading the records."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from device.model import EventType, Sensed
from device.service.trace.history import history, subject_of
from device.service.trace.stretches import Doing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, tzinfo

    from device.service.trace.history import Dated, History
    from device.service.trace.records import Records

_PERCENT: Final = 100


@dataclass(frozen=True, slots=True)
class Passed:
    """What the light barrier told.

    Attributes:
        persons: went through.
        without_grant: of these, whom nothing had let through.
    """

    persons: int
    without_grant: int

    @property
    def scanned_percent(self) -> int | None:
        """The share of people passing who had been let through; None when nobody passed."""
        if not self.persons:
            return None
        return round(_PERCENT * max(self.persons - self.without_grant, 0) / self.persons)


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one gate and one time.

    Attributes:
        gate: its path.
        begin: of the time.
        end: of it.
        scans: codes that were answered.
        persons: different pseudonyms among them.
        outcomes: scans by outcome.
        reasons: scans by reason.
        kinds: scans by kind of code.
        unread: codes seen and not read, by cause.
        passed: None where no light barrier counts.
        hours: scans by the hour they fell in, aware; only hours with some.
        latency_ms: median and 95th percentile of the answers; None without any.
        doing: how long the gate was doing what.
        missing: events that are known to be and are not here.
        outstanding: scans that the district does not have for certain.
        undated: scans whose time is not known for certain.
    """

    gate: str
    begin: datetime
    end: datetime
    scans: int
    persons: int
    outcomes: Mapping[str, int]
    reasons: Mapping[str, int]
    kinds: Mapping[str, int]
    unread: Mapping[str, int]
    passed: Passed | None
    hours: Mapping[datetime, int]
    latency_ms: tuple[int, int] | None
    doing: Mapping[Doing, timedelta]
    missing: int
    outstanding: int
    undated: int


def figures(
    records: Records, *, begin: datetime, end: datetime, zone: tzinfo | None, now: datetime
) -> Figures:
    """Counts what the records of a gate tell of a time.

    Args:
        records: of the gate.
        begin: of the time.
        end: of it; nothing after `now` is counted.
        zone: in which hours are meant; None for the machine's own.
        now: the moment.

    Raises:
        JournalError: they cannot be read.
    """
    end = min(end, now)
    past = history(records, begin=begin, end=end, subjects=(), now=now)
    within = [dated for dated in past.shown if begin <= dated.when.likely < end]
    scans = [dated for dated in within if dated.entry.event.type == EventType.SCAN]
    unread = [dated for dated in within if dated.entry.event.type == EventType.UNREAD]
    return Figures(
        gate=records.gate,
        begin=begin,
        end=end,
        scans=len(scans),
        persons=len({subject for dated in scans if (subject := subject_of(dated.entry))}),
        outcomes=_by(scans, "outcome"),
        reasons=_by(scans, "reason"),
        kinds=Counter(_kind(dated) for dated in scans),
        unread=_by(unread, "cause"),
        passed=_passed([dated for dated in past.counted if begin <= dated.when.likely < end]),
        hours=_hours(scans, zone),
        latency_ms=_latency(scans),
        doing=_doing(past, begin, end),
        missing=sum(hole.absent.span.last - hole.absent.span.first + 1 for hole in past.holes),
        outstanding=sum(bool(dated.outstanding) for dated in scans),
        undated=sum(not dated.when.sure for dated in scans),
    )


def _by(events: Iterable[Dated], member: str) -> Counter[str]:
    return Counter(str(dated.entry.data.get(member, "")) for dated in events)


def _kind(dated: Dated) -> str:
    credential = dated.entry.data.get("credential")
    return str(credential.get("kind", "")) if isinstance(credential, dict) else ""


def _passed(counted: Sequence[Dated]) -> Passed | None:
    ledger = [
        passed
        for dated in counted
        if dated.entry.event.type == EventType.COVERAGE
        and isinstance(passed := dated.entry.data.get("passed"), int)
    ]
    if not ledger:
        return None
    without = sum(dated.entry.data.get("what") == Sensed.PASSED_WITHOUT_GRANT for dated in counted)
    return Passed(sum(ledger), without)


def _hours(scans: Iterable[Dated], zone: tzinfo | None) -> dict[datetime, int]:
    found = Counter(
        dated.when.likely.astimezone(zone).replace(minute=0, second=0, microsecond=0) for dated in scans
    )
    return dict(sorted(found.items()))


def _latency(scans: Iterable[Dated]) -> tuple[int, int] | None:
    spent = sorted(spent for dated in scans if isinstance(spent := dated.entry.data.get("latency_ms"), int))
    if not spent:
        return None
    return round(statistics.median(spent)), spent[min(len(spent) * 95 // 100, len(spent) - 1)]


def _doing(past: History, begin: datetime, end: datetime) -> dict[Doing, timedelta]:
    """Stretches cut to the time; where one of them ends is taken to be the middle of what is known."""
    lasted = dict.fromkeys(Doing, timedelta())
    for stretch in past.stretches:
        since, until = max(stretch.since.likely, begin), min(stretch.until.likely, end)
        lasted[stretch.doing] += max(until - since, timedelta())
    return {doing: time for doing, time in lasted.items() if time}
