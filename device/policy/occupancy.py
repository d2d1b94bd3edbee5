"""Who is inside and which passes were used, as far as this gate has seen: for anti-passback and the like.

It follows what is recorded and nothing else, so that a start makes the same of the journal. A gate knows
only who passed itself. At a gate for both directions everybody changes sides each time.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from device.model import Direction, Outcome, Reason, ScanEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from device.model import ClockReading

MAX_REMEMBERED = 20_000
"""Persons on either side, and used passes; twice the largest capacity, about 4 MB each."""

_PASSES = frozenset({Reason.OK, Reason.PASSBACK})
"""Grants after which a person goes through; one who was granted a moment ago is gone through already."""


@dataclass(frozen=True, slots=True)
class Presence:
    """What is known of a person who shows a code.

    Attributes:
        inside: which side they were last let through to; None when not known, or forgotten.
        count: persons inside.
        seen: whether this is a pass for one passage, and somebody was let through with it: it is used.
    """

    inside: bool | None = None
    count: int = 0
    seen: bool = False


NOT_KNOWN = Presence()


class Occupancy:
    """Remembers sides. Belongs to one thread; nothing blocks.

    Args:
        forget_after_s: a side is not known any more when somebody was let through this long ago.
        max_remembered: persons on either side, and used passes; one more and the oldest is forgotten,
            and counted.
    """

    def __init__(self, *, forget_after_s: float, max_remembered: int = MAX_REMEMBERED) -> None:
        self._forget_after_s = forget_after_s
        self._max_remembered = max_remembered
        # Subject -> when, on `Clock.monotonic`; oldest first, nobody on both.
        self._inside: OrderedDict[str, float] = OrderedDict()
        self._outside: OrderedDict[str, float] = OrderedDict()
        # Subjects of passes for one passage that were granted, oldest first.
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._forgotten = 0

    @property
    def forgotten(self) -> int:
        """Persons and passes forgotten because there were more than `max_remembered`."""
        return self._forgotten

    def presence(self, subject: str | None, now: float, former: str | None = None) -> Presence:
        """What is known of a person.

        Args:
            subject: of the person; None when it has none.
            now: on `Clock.monotonic`.
            former: what they were called under a key that was replaced: from now on they are `subject`.
        """
        self._expire(now)
        if subject is not None and former is not None:
            self._rename(former, subject)
        count = len(self._inside)
        if subject is None:
            return Presence(count=count)
        inside = True if subject in self._inside else False if subject in self._outside else None
        return Presence(inside, count, seen=subject in self._seen)

    def note(self, event: ScanEvent) -> None:
        """Takes note of an event that was recorded just now. Blocks nothing."""
        self.follow(event, event.clock.uptime_ms / 1000)

    def follow(self, event: ScanEvent, at: float) -> None:
        """Takes note of a recorded event; only a grant to somebody known by a pseudonym changes anything.

        Args:
            event: that was recorded, later than those before.
            at: when, on `Clock.monotonic`; of an earlier boot, below zero.
        """
        subject = event.credential.subject
        if subject is None or event.outcome is not Outcome.GRANTED or event.reason not in _PASSES:
            return
        self._expire(at)
        was_inside = self._inside.pop(subject, None) is not None
        self._outside.pop(subject, None)
        goes_in = event.direction is Direction.IN or (event.direction is Direction.BOTH and not was_inside)
        side = self._inside if goes_in else self._outside
        side[subject] = at
        self._bound(side)
        self.use(event)

    def use(self, event: ScanEvent) -> None:
        """Takes note of a grant as far as it used up a pass for one passage."""
        subject = event.credential.subject
        if subject is not None and event.credential.once:
            self._seen[subject] = None
            self._seen.move_to_end(subject)
            self._bound(self._seen)

    def _rename(self, former: str, subject: str) -> None:
        """One person, whatever the key. What was seen under the newer name is newer, and stays."""
        if former in self._seen:
            self._seen = OrderedDict((subject if name == former else name, None) for name in self._seen)
        known = subject in self._inside or subject in self._outside
        for side in (self._inside, self._outside):
            if known:
                side.pop(former, None)
            elif former in side:
                # Once for each person in an overlap: some milliseconds. Their place in the order stays.
                renamed = [(subject if name == former else name, at) for name, at in side.items()]
                side.clear()
                side.update(renamed)

    def _bound(self, kept: OrderedDict[str, float] | OrderedDict[str, None]) -> None:
        if len(kept) > self._max_remembered:
            kept.popitem(last=False)
            self._forgotten += 1

    def _expire(self, now: float) -> None:
        for side in (self._inside, self._outside):
            while side and now - next(iter(side.values())) >= self._forget_after_s:
                side.popitem(last=False)


def rebuild(
    events: Iterable[ScanEvent], *, forget_after_s: float, now: ClockReading, used: Iterable[ScanEvent] = ()
) -> Occupancy:
    """The occupancy that recorded events left behind. Pure.

    Args:
        events: newest of the journal, oldest first.
        forget_after_s: see `Occupancy`.
        now: to date events of earlier boots by.
        used: grants of passes for one passage, from further back, oldest first.
    """
    occupancy = Occupancy(forget_after_s=forget_after_s)
    for event in used:
        occupancy.use(event)
    at = float("-inf")
    for event in events:
        # A wall clock may have been put back between boots: what was recorded later, happened later.
        at = max(at, _moment(event.clock, now))
        occupancy.follow(event, at)
    return occupancy


def _moment(then: ClockReading, now: ClockReading) -> float:
    """When, on `Clock.monotonic` of this boot, seconds.

    An event of an earlier boot whose date is not known lies before this boot: longer ago perhaps, and then
    its person is remembered longer, never shorter.
    """
    if then.boot == now.boot:
        return then.uptime_ms / 1000
    if not (then.trusted and now.trusted):
        return 0.0
    age = datetime.fromisoformat(now.wall) - datetime.fromisoformat(then.wall)
    return min(0.0, now.uptime_ms / 1000 - age.total_seconds())
