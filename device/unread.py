"""A code in view that is not read: when the person is told, and when it is scenery. Pure.

Half the complaints about a gate are codes it saw and could not read. After a short while the person is
told to hold it still or nearer, and one event keeps the measured cause. Something that looks like a code
and never moves belongs to the place: it is told once, then ignored.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from device.model import Unread

if TYPE_CHECKING:
    from collections.abc import Iterable

    from device.model import Cause, Corners, Symbol

MAX_FOLLOWED = 16
"""Unread places followed at once; a wall of almost-codes must cost nothing."""

FRAMES_AT_LEAST = 3
"""A texture that looks like a code in one frame is no person."""

STILL_PX = 6.0
"""A hand moves more than this within seconds; a poster does not."""

SCENERY_AFTER_S = 20.0
"""Nobody holds a card this still for so long."""

SCENERY_FORGOTTEN_AFTER_S = 3600.0
"""A poster that people stand in front of, or that the night hides, is still the same poster."""


@dataclass(slots=True)
class _Place:
    """Where something unread has been seen."""

    centre: tuple[float, float]
    side_px: float
    begun_at: float
    seen_at: float
    anchor: tuple[float, float]
    still_since: float
    frames: int = 0
    told: bool = False
    causes: Counter[Cause] = field(default_factory=Counter)

    @property
    def scenery(self) -> bool:
        return self.told and self.seen_at - self.still_since >= SCENERY_AFTER_S

    def take(self, unread: Unread, now: float) -> None:
        self.centre = centre_of(unread.corners)
        if math.dist(self.centre, self.anchor) > STILL_PX:
            self.anchor, self.still_since = self.centre, now
        self.side_px = side_of(unread.corners)
        self.seen_at = now
        self.frames += 1
        self.causes[unread.cause] += 1

    def over(self, now: float, ends_after_s: float) -> bool:
        return now - self.seen_at > (SCENERY_FORGOTTEN_AFTER_S if self.scenery else ends_after_s)


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
        self._places = [place for place in self._places if not place.over(now, self._ends_after_s)]
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
        self._places.append(_Place(centre, side_px, now, now, centre, now))
        return self._places[-1]

    def _forget(self, corners: Corners) -> None:
        centre = centre_of(corners)
        self._places = [
            p for p in self._places if p.scenery or math.dist(p.centre, centre) > side_of(corners)
        ]


def centre_of(corners: Corners) -> tuple[float, float]:
    """The middle of a symbol, pixels."""
    return sum(x for x, _ in corners) / 4, sum(y for _, y in corners) / 4


def side_of(corners: Corners) -> float:
    """The mean length of a symbol's sides, pixels."""
    around = zip(corners, (*corners[1:], corners[0]), strict=True)
    return sum(math.dist(a, b) for a, b in around) / 4
