"""What a gate was doing, one stretch after another without a gap. Pure.

Runs of the process are told apart by their `started` events. Within a run the coverage ledger speaks; between
two runs the gate was down, and the goodbye of the one and the start of the other say why.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from device.coverage import LONGEST_S
from device.model import EventType, Lifecycle
from device.service.trace.dating import LONG_AGO, When

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from device.service.trace.dating import Calendar, Entry, Reading

# Between `started` and the ledger's first sample, and between two ticks of the main thread.
_SLACK_MS: Final = 1500
# A gate that lives gives a sign of it every ten seconds.
_SIGNS_EVERY_MS: Final = 15_000
# A ledger's interval that was not cut by a change ends within a tick or two after this.
_UNCUT_MS: Final = LONGEST_S * 1000


class Doing(StrEnum):
    """What a gate can be doing, as far as one asks for a person's sake."""

    SCANNING = "scanning"
    WAVERING = "wavering"  # something came and went all the time
    BLIND = "blind"  # no pictures, or nobody looked at them
    UNRECORDED = "unrecorded"  # it saw, but nothing could be written down: nobody was let in
    DOWN = "down"
    UNTOLD = "untold"  # the gate itself has not told, or cannot any more
    UNDELIVERED = "undelivered"  # it may have told; here it has not arrived


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which a gate did one thing.

    Attributes:
        doing: what.
        since: its beginning.
        until: its end.
        why: a few words, as far as they are known.
        ids: the events that say so.
        presented: codes that were answered.
        unread: codes that were seen and not read.
        changes: of WAVERING: how often.
    """

    doing: Doing
    since: When
    until: When
    why: str = ""
    ids: tuple[str, ...] = ()
    presented: int = 0
    unread: int = 0
    changes: int = 0

    def may_touch(self, begin: datetime, end: datetime) -> bool:
        """Whether some of it may lie between the two."""
        return self.since.earliest < end and self.until.latest > begin

    def touches(self, begin: datetime, end: datetime) -> bool:
        """Whether some of it certainly does."""
        return self.since.latest < end and self.until.earliest > begin


@dataclass(slots=True)
class _Run:
    """One life of the process, as its events tell it."""

    boot: str
    entries: list[Entry] = field(default_factory=list)
    last_ms: int = 0

    @property
    def began(self) -> Entry:
        return self.entries[0]

    @property
    def began_ms(self) -> int:
        return min(
            [self.began.clock.uptime_ms, *(_since_ms(entry) for entry in self.entries if _is_coverage(entry))]
        )

    @property
    def goodbye(self) -> Entry | None:
        return next((e for e in reversed(self.entries) if e.data.get("what") == Lifecycle.STOPPED), None)


def stretches(
    entries: Sequence[Entry],
    calendar: Calendar,
    *,
    begin: datetime,
    end: datetime,
    now: datetime,
    here: bool,
    sign_of_life: Reading | None = None,
) -> tuple[Stretch, ...]:
    """What may have been between two moments, in order.

    Args:
        entries: in the order they were recorded, all that there are but for scans, which may be left out.
        calendar: of the same entries.
        begin: of what is asked for.
        end: of it.
        now: nothing is later.
        here: whether these are the gate's own; else what comes last may not have arrived yet.
        sign_of_life: the gate's last one, newer than its events.
    """
    runs = list(_runs(entries))
    rest = Doing.UNTOLD if here else Doing.UNDELIVERED
    if not runs:
        return (Stretch(rest, When.at(LONG_AGO), When.at(now), "there are no events"),)
    if sign_of_life is not None and sign_of_life.boot == runs[-1].boot and runs[-1].goodbye is None:
        since_ms = (now - calendar.when(sign_of_life).latest) // timedelta(milliseconds=1)
        lives = 0 <= since_ms <= _SIGNS_EVERY_MS
        runs[-1].last_ms = max(runs[-1].last_ms, sign_of_life.uptime_ms + (since_ms if lives else 0))
    told = _told(runs, calendar, now, rest)
    return tuple(_joined(stretch for stretch in told if stretch.may_touch(begin, end)))


def _told(runs: Sequence[_Run], calendar: Calendar, now: datetime, rest: Doing) -> Iterator[Stretch]:
    first = calendar.at(runs[0].boot, runs[0].began_ms)
    yield Stretch(Doing.UNTOLD, When.at(LONG_AGO), first, "before the oldest event there is")
    for run, following in zip(runs, [*runs[1:], None], strict=True):
        yield from _within(run, calendar)
        ends = calendar.at(run.boot, run.last_ms)
        if following is not None:
            yield _hole(run, following, ends, calendar.at(following.boot, following.began_ms))
        else:
            yield _end(run, ends, When.at(now), rest)


def _runs(entries: Iterable[Entry]) -> Iterator[_Run]:
    run: _Run | None = None
    for entry in entries:
        starts = entry.data.get("what") == Lifecycle.STARTED
        if run is None or starts or entry.clock.boot != run.boot:
            if run is not None:
                if entry.before is not None and entry.before.boot == run.boot:
                    run.last_ms = max(run.last_ms, entry.before.uptime_ms)
                yield run
            run = _Run(entry.clock.boot)
        run.entries.append(entry)
        run.last_ms = max(run.last_ms, entry.clock.uptime_ms)
    if run is not None:
        yield run


def _within(run: _Run, calendar: Calendar) -> Iterator[Stretch]:
    at, last = run.began_ms, None
    for entry in sorted(filter(_is_coverage, run.entries), key=_since_ms):
        since, until = max(at, _since_ms(entry)), entry.clock.uptime_ms
        if since - at > _SLACK_MS:
            yield _lost(run, calendar, at, since, last)
        yield _interval(entry, calendar.at(run.boot, since), calendar.at(run.boot, until))
        at, last = max(at, until), entry
    if run.last_ms - at > _SLACK_MS:
        yield _lost(run, calendar, at, run.last_ms, last)


def _interval(entry: Entry, since: When, until: When) -> Stretch:
    data, changes = entry.data, _number(entry, "changes")
    if changes:
        doing, why = Doing.WAVERING, f"came and went {changes} times"
    elif not data.get("seeing"):
        doing, why = Doing.BLIND, "the camera gave no pictures"
    elif not data.get("deciding"):
        doing, why = Doing.BLIND, "pictures came, but nobody looked at them"
    elif not data.get("recording"):
        doing, why = Doing.UNRECORDED, "events could not be written, so nobody was let in"
    else:
        doing, why = Doing.SCANNING, ""
    return Stretch(
        doing,
        since,
        until,
        why,
        (entry.event.id,),
        presented=_number(entry, "presented"),
        unread=_number(entry, "unread"),
        changes=changes,
    )


def _lost(run: _Run, calendar: Calendar, since_ms: int, until_ms: int, before: Entry | None) -> Stretch:
    """A time whose account was never written. Had anything changed in it, that would have been, at once.

    So an interval that had its full length was followed by more of the same. One that was cut by a change
    tells what ended, not what began.
    """
    since, until = calendar.at(run.boot, since_ms), calendar.at(run.boot, until_ms)
    uncut = before is not None and before.clock.uptime_ms - _since_ms(before) >= _UNCUT_MS
    if before is None or not uncut or _number(before, "changes"):
        return Stretch(Doing.UNTOLD, since, until, "it ran; its account of this was not written")
    same = _interval(before, since, until)
    return replace(same, presented=0, unread=0)


def _hole(run: _Run, following: _Run, since: When, until: When) -> Stretch:
    ids = tuple(entry.event.id for entry in (run.goodbye, following.began) if entry is not None)
    return Stretch(Doing.DOWN, since, until, _cause(run, following), ids)


def _cause(run: _Run, following: _Run) -> str:
    goodbye = run.goodbye
    another_boot = run.boot != following.boot
    if goodbye is None:
        if another_boot:
            return "the power was cut, or the machine reset (no goodbye, another boot)"
        return "the process was killed or died (no goodbye, the same boot)"
    if goodbye.data.get("detail") == "part_died":
        return "a part died, and the process ended to be started again"
    return "it was stopped, and the machine with it" if another_boot else "it was stopped"


def _end(run: _Run, since: When, until: When, rest: Doing) -> Stretch:
    goodbye = run.goodbye
    if rest is Doing.UNDELIVERED:
        why = "nothing of it has arrived here"
        return Stretch(rest, since, until, f"it had said goodbye; {why}" if goodbye else why)
    if goodbye is not None:
        return Stretch(
            Doing.DOWN, since, until, "it was stopped, and has not started since", (goodbye.event.id,)
        )
    return Stretch(rest, since, until, "the newest event is older; an account is written every 5 minutes")


def _joined(told: Iterable[Stretch]) -> Iterator[Stretch]:
    """Stretches of one kind that follow each other become one; those without any length go."""
    kept: Stretch | None = None
    for stretch in told:
        if stretch.since == stretch.until and not stretch.presented:
            continue
        if kept is not None and (kept.doing, kept.why) == (stretch.doing, stretch.why):
            kept = replace(
                kept,
                until=stretch.until,
                ids=tuple(dict.fromkeys(kept.ids + stretch.ids)),
                presented=kept.presented + stretch.presented,
                unread=kept.unread + stretch.unread,
                changes=kept.changes + stretch.changes,
            )
            continue
        if kept is not None:
            yield kept
        kept = stretch
    if kept is not None:
        yield kept


def _is_coverage(entry: Entry) -> bool:
    return entry.event.type == EventType.COVERAGE


def _since_ms(entry: Entry) -> int:
    return min(_number(entry, "since_ms"), entry.clock.uptime_ms)


def _number(entry: Entry, name: str) -> int:
    found = entry.data.get(name)
    return found if isinstance(found, int) and found >= 0 else 0
