"""A code in view that is not read: when the person is told, and when it is scenery. Pure.

Half the complaints about a gate are codes it saw and could not read. After a short while the person is
told to hold it still or nearer, and one event keeps the measured cause. Something that looks like a code
and never moves belongs to the place: it is told once, then ignored.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from device.model import Unread
from device.scenery import Stillness, centre_of, side_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from device.model import Cause, Corners, Symbol

MAX_FOLLOWED = 16
"""Unread places followed at once; a wall of almost-codes must cost nothing."""

FRAMES_AT_LEAST = 3
"""A texture that looks like a code in one frame is no person."""


class _Place:
    """Where something unread has been seen."""

    def __init__(self, sight: Unread, now: float) -> None:
        self.centre, self.side_px = centre_of(sight.corners), side_of(sight.corners)
        self.stillness = Stillness(self.centre, now)
        self.begun_at = now
        self.frames = 0
        self.told = False
        self.causes: Counter[Cause] = Counter()

    def take(self, sight: Unread, now: float) -> None:
        self.centre, self.side_px = centre_of(sight.corners), side_of(sight.corners)
        self.stillness.take(self.centre, now)
        self.frames += 1
        self.causes[sight.cause] += 1


class UnreadWatch:
    """Follows what is seen and not read. Belongs to one thread; nothing blocks.

    Args:
        tell_after_s: in view and unread for so long, the person is told.
        ends_after_s: out of view for so long, it is over; what comes then is new.
    """

    def __init__(self, *, tell_after_s: float, ends_after_s: float) -> None:
        self._tell_after_s = tell_after_s
        self._ends_after_s = ends_after_s
        self._places: list[_Place] = []

    def observe(self, unread: Iterable[Unread], symbols: Iterable[Symbol], now: float) -> tuple[Unread, ...]:
        """What the person is to be told about now; each showing at most once, with its commonest cause.

        Args:
            unread: what the decoder saw and did not read in this frame.
            symbols: what it read: a place where something was read is not unread any more.
            now: monotonic seconds.
        """
        self._places = [place for place in self._places if not place.stillness.over(now, self._ends_after_s)]
        for symbol in symbols:
            self._forget(symbol.corners)
        told = []
        for sight in unread:
            place = self._place_of(sight, now)
            if place is None:
                continue
            place.take(sight, now)
            if self._is_due(place, now):
                place.told = True
                cause = place.causes.most_common(1)[0][0]
                told.append(Unread(sight.corners, cause))
        return tuple(told)

    def _is_due(self, place: _Place, now: float) -> bool:
        long_enough = now - place.begun_at >= self._tell_after_s
        return not place.told and long_enough and place.frames >= FRAMES_AT_LEAST

    def _place_of(self, sight: Unread, now: float) -> _Place | None:
        """The place that goes on with this sight, or a new one; None when too many are followed."""
        centre, side_px = centre_of(sight.corners), side_of(sight.corners)
        for place in self._places:
            if math.dist(place.centre, centre) < max(place.side_px, side_px):
                return place
        if len(self._places) >= MAX_FOLLOWED:
            return None
        self._places.append(_Place(sight, now))
        return self._places[-1]

    def _forget(self, corners: Corners) -> None:
        centre, side_px = centre_of(corners), side_of(corners)
        self._places = [
            p for p in self._places if p.stillness.scenery or math.dist(p.centre, centre) > side_px
        ]
