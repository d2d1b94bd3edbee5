"""The answer to "he says he was there, but the system has no scan". Pure.

A scan of the person within the time asked for is the answer. Without one, it is whatever is nearest to the
moment and would explain that there is none: events that have not arrived, a gate that was down or blind, a
code that was held up and could not be read. Only a gate that was scanning all the time can be sure that
nobody showed the code.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from device.model import EventType, Outcome
from device.service.trace.history import history, subject_of
from device.service.trace.stretches import Doing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from device.service.trace.dating import When
    from device.service.trace.history import Dated, History
    from device.service.trace.records import Records

_NOWHERE: Final = timedelta(0)
# What people say of a time is as exact as that; what lies farther off explains nothing, but leaves a doubt.
_CLOSE: Final = timedelta(minutes=1)
# For asking what was at a moment.
_MOMENT: Final = timedelta(seconds=1)


class Answer(StrEnum):
    """What became of the person, or, where none was asked for, of the minute."""

    GRANTED = "granted"
    REFUSED = "refused"
    NOT_PRESENTED = "not_presented"
    UNREADABLE = "unreadable"
    DOWN = "down"  # or blind, or unable to record
    UNDELIVERED = "undelivered"
    UNTOLD = "untold"
    SCANNING = "scanning"  # nobody was asked for


@dataclass(frozen=True, slots=True)
class Trace:
    """The answer with its evidence.

    Attributes:
        gate: path or name.
        at: the moment asked for.
        begin: of the time looked at.
        end: of it.
        answer: see `Answer`.
        why: what it rests on, a few words; may be empty.
        sure: whether nothing that may still arrive, and no unknown clock, can change it.
        doing: what the gate was doing at the moment itself.
        found: the scan that is the answer, if one is.
        history: the evidence.
        before: the newest sighting of the person before that time.
        after: the oldest one after it.
    """

    gate: str
    at: datetime
    begin: datetime
    end: datetime
    answer: Answer
    why: str
    sure: bool
    doing: tuple[Doing, ...]
    found: Dated | None
    history: History
    before: Dated | None
    after: Dated | None


@dataclass(frozen=True, slots=True)
class _Reason:
    """Something that would explain that there is no scan of the person.

    `final` says that nothing will be added to it: neither an event that arrives nor a clock that is set.
    """

    distance: timedelta
    rank: int
    answer: Answer
    why: str
    final: bool


_MEANS: Final = {
    Doing.BLIND: Answer.DOWN,
    Doing.WAVERING: Answer.DOWN,
    Doing.UNRECORDED: Answer.DOWN,
    Doing.DOWN: Answer.DOWN,
    Doing.UNTOLD: Answer.UNTOLD,
    Doing.UNDELIVERED: Answer.UNDELIVERED,
}


def trace(
    records: Records, *, at: datetime, within: timedelta, subjects: Sequence[str], now: datetime
) -> Trace:
    """What can be said about a moment at a gate, and about a person there.

    Args:
        records: of the gate.
        at: aware.
        within: so long before and after is looked at: memory is not exact.
        subjects: pseudonyms of the person, under each key they may have been made with; none: only the
            gate is asked about.
        now: nothing is later.

    Raises:
        JournalError: the records cannot be read.
    """
    begin, end = at - within, min(at + within, now)
    found = history(records, begin=begin, end=end, subjects=subjects, now=now)
    doing = tuple(dict.fromkeys(s.doing for s in found.stretches if s.may_touch(at, at + _MOMENT)))
    seen = [dated for dated in found.shown if subject_of(dated.entry) in subjects] if subjects else []
    best = min(seen, key=lambda dated: _rank(dated, at)) if seen else None
    if best is not None:
        answer, why, sure = _of_scan(best, begin, end)
    else:
        answer, why, sure = _of_none(found, at, person=bool(subjects))
    return Trace(
        gate=records.gate,
        at=at,
        begin=begin,
        end=end,
        answer=answer,
        why=why,
        sure=sure,
        doing=doing,
        found=best,
        history=found,
        before=max((d for d in found.sightings if d.when.latest < begin), key=_likely, default=None),
        after=min((d for d in found.sightings if d.when.earliest >= end), key=_likely, default=None),
    )


def _rank(dated: Dated, at: datetime) -> tuple[bool, timedelta]:
    """A grant answers the question whatever was refused beside it; of several, the nearest."""
    return dated.entry.data.get("outcome") != Outcome.GRANTED, abs(dated.when.likely - at)


def _of_scan(found: Dated, begin: datetime, end: datetime) -> tuple[Answer, str, bool]:
    sure = begin <= found.when.earliest and found.when.latest < end
    if found.outstanding:
        return Answer.UNDELIVERED, found.outstanding, sure
    granted = found.entry.data.get("outcome") == Outcome.GRANTED
    return (Answer.GRANTED if granted else Answer.REFUSED), "", sure


def _of_none(found: History, at: datetime, *, person: bool) -> tuple[Answer, str, bool]:
    reasons = sorted(_reasons(found, at, person=person), key=lambda r: (r.distance, r.rank))
    final = all(reason.final for reason in reasons)
    if reasons and reasons[0].distance <= _CLOSE:
        return reasons[0].answer, reasons[0].why, final
    return (Answer.NOT_PRESENTED if person else Answer.SCANNING), "", not reasons


def _reasons(found: History, at: datetime, *, person: bool) -> Iterator[_Reason]:
    for hole in found.holes:
        distance = _distance(at, hole.since, hole.until)
        why = f"events {hole.absent.span}: {hole.absent.why}"
        yield _Reason(distance, 0, Answer.UNDELIVERED, why, final=not hole.absent.coming)
    for stretch in found.stretches:
        if (answer := _MEANS.get(stretch.doing)) is not None:
            distance = _distance(at, stretch.since.earliest, stretch.until.latest)
            final = answer is Answer.DOWN and stretch.since.sure and stretch.until.sure
            yield _Reason(distance, 1, answer, stretch.why, final)
    for dated in found.shown if person else ():
        if dated.entry.event.type == EventType.UNREAD:
            cause = str(dated.entry.data.get("cause"))
            yield _Reason(_apart(dated.when, at), 2, Answer.UNREADABLE, cause, final=dated.when.sure)


def _apart(when: When, at: datetime) -> timedelta:
    return _distance(at, when.earliest, when.latest)


def _distance(at: datetime, since: datetime, until: datetime) -> timedelta:
    return max(since - at, at - until, _NOWHERE)


def _likely(dated: Dated) -> datetime:
    return dated.when.likely
