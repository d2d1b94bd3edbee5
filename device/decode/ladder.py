"""Which step looks at which part of a frame, in which order, and when it stops.

Every frame is looked at whole by the cheapest step. Only where something may be a code, and nothing was
read, the ladder is climbed: symbols that were seen and not read are taken from the picture as shades and
repaired, then the likeliest regions are prepared in one way after the other. Each frame gets a bounded
time; the next frame goes on with the step where this one stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from device.decode.agreement import Agreement
from device.decode.climb import Climb, Pace
from device.decode.evidence import Evidence
from device.decode.regions import around, busy_regions, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from device.decode.climb import Stopwatch
    from device.decode.finding import Look, Luma
    from device.decode.regions import Region
    from device.decode.steps import Engine, Step

# Regions climbed for in one frame: two hands, and one more.
_MAX_REGIONS = 3


class Ladder:
    """Looks at frames, one after the other, from one thread; remembers what a showing has told so far.

    Args:
        first: looks at every frame, whole.
        further: look at regions, in this order.
        reader: reads the content of a repaired symbol, drawn anew.
        clock: for the work spent.
    """

    def __init__(self, *, first: Step, further: Sequence[Step], reader: Engine, clock: Stopwatch) -> None:
        self._first = first
        self._further = tuple(further)
        self._reader = reader
        self._clock = clock
        self._agreement = Agreement()
        self._evidence = Evidence()
        self._pace = Pace()
        self._next = 0
        # Whether the round of the ladder under way has met parts of what may be a code.
        self._hinted = False
        self._read_last: frozenset[bytes] = frozenset()

    def forget(self) -> None:
        """Starts anew: the next frame has nothing to do with those before."""
        self._agreement.forget()
        self._evidence.forget()
        self._next = 0
        self._hinted = False
        self._read_last = frozenset()

    def look(self, luma: Luma, *, budget_ms: float) -> Look:
        """Every code in the frame. No further step is begun after `budget_ms`."""
        self._agreement.next_look()
        self._evidence.next_look()
        climb = Climb(
            luma,
            agreement=self._agreement,
            evidence=self._evidence,
            pace=self._pace,
            reader=self._reader,
            clock=self._clock,
            budget_ms=budget_ms,
        )
        climb.take(self._first, whole(luma))
        # Whoever was just read is answered before anything else is dug for.
        if not self._is_news(climb):
            done = self._look_closer(climb, luma)
            climb.repair_unread(likely_only=True)
            if not climb.over and not climb.out_of_time:
                self._climb(climb, luma, done)
            climb.repair_unread()
        look = climb.result()
        self._read_last = frozenset(symbol.content for symbol in look.symbols)
        return look

    def _is_news(self, climb: Climb) -> bool:
        return any(symbol.content not in self._read_last for symbol in climb.symbols)

    def _regions(self, climb: Climb, luma: Luma) -> tuple[Region, ...]:
        seen = tuple(around(finding.corners, luma) for finding in climb.left[:_MAX_REGIONS])
        return seen or busy_regions(luma, _MAX_REGIONS)

    def _is_worth(self, step: Step, climb: Climb) -> bool:
        if climb.left:
            return not (step.wide and step.blind)
        return step.blind or self._hinted

    def _look_closer(self, climb: Climb, luma: Luma) -> set[str]:
        """What was seen and not read is looked at more closely: that costs less than a repair."""
        done: set[str] = set()
        for step in self._further:
            if not climb.left or climb.out_of_time:
                break
            if step.closer:
                done.add(step.name)
                climb.take_each(step, self._regions(climb, luma))
        return done

    def _climb(self, climb: Climb, luma: Luma, done: set[str]) -> None:
        regions = self._regions(climb, luma)
        if not regions:
            self._next = 0
            return
        for _ in self._further:
            if climb.over or climb.out_of_time:
                return
            if self._next == 0:
                self._hinted = False
            step = self._further[self._next]
            self._next = (self._next + 1) % len(self._further)
            if step.name not in done and self._is_worth(step, climb):
                climb.take_each(step, (whole(luma),) if step.wide else regions)
                climb.repair_unread(likely_only=True)
                self._hinted |= climb.hinted
