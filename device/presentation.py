"""One showing of one code is one presentation, however many frames it is held for.

A poster in view is answered once; when it has not moved for a while it is scenery and ignored, also after
people have stood in front of it.

Pure: time is an argument. A code is known by the digest of its bytes; the bytes themselves leave with
the presentation and are not kept here.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from device.scenery import Stillness, centre_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from device.model import Corners, Symbol

MAX_OPEN_SHOWINGS = 64
"""More codes than anybody holds up at once, few enough that a wall of codes costs nothing."""


MAX_SCENERY = 16
"""Posters remembered; one more is answered again now and then."""


@dataclass(frozen=True, slots=True)
class Presentation:
    """A code that has just come into view.

    Attributes:
        content: the bytes of the code.
        digest: SHA-256 of `content`: the code's identity once the bytes are gone.
        engine: what read it.
        corners: where it was seen first.
        seen_at: when, monotonic seconds.
    """

    content: bytes = field(repr=False)
    digest: bytes
    engine: str
    corners: Corners
    seen_at: float


class Tracker:
    """Tells new showings from those that go on. Belongs to one thread; nothing blocks.

    Args:
        showing_ends_after_s: a code out of view for longer than this has ended its showing; the next
            sight of it is a new one.
        max_open: showings followed at once; when more are in view the one out of sight longest is
            forgotten, and counted.
    """

    def __init__(self, showing_ends_after_s: float, *, max_open: int = MAX_OPEN_SHOWINGS) -> None:
        if showing_ends_after_s < 0 or max_open < 1:
            raise ValueError("a showing ends after 0 s or more, and at least one is followed")
        self._ends_after_s = showing_ends_after_s
        self._max_open = max_open
        self._showings: OrderedDict[bytes, Stillness] = OrderedDict()
        self._scenery: OrderedDict[bytes, Stillness] = OrderedDict()
        self._forgotten = 0
        self._now = 0.0

    @property
    def in_view(self) -> bool:
        """Whether the last `observe` saw a code that is no scenery."""
        newest = next(reversed(self._showings.values()), None)
        return newest is not None and newest.seen_at == self._now

    @property
    def open(self) -> int:
        """Showings that go on, as of the last `observe`."""
        return len(self._showings)

    @property
    def forgotten(self) -> int:
        """Showings dropped because more than `max_open` went on at once; each may be reported again."""
        return self._forgotten

    def observe(self, symbols: Iterable[Symbol], now: float) -> tuple[Presentation, ...]:
        """The showings that begin with this frame, largest (nearest) code first.

        Args:
            symbols: all that were found in the frame; the same content twice counts once.
            now: monotonic seconds, never less than in the call before.
        """
        self._now = now
        self._end_showings(now)
        begun = []
        for symbol in sorted(symbols, key=lambda s: area(s.corners), reverse=True):
            digest = hashlib.sha256(symbol.content).digest()
            if not self._goes_on(digest, symbol, now):
                begun.append(
                    Presentation(
                        content=symbol.content,
                        digest=digest,
                        engine=symbol.engine,
                        corners=symbol.corners,
                        seen_at=now,
                    )
                )
        while len(self._showings) > self._max_open:
            self._showings.popitem(last=False)
            self._forgotten += 1
        return tuple(begun)

    def _goes_on(self, digest: bytes, symbol: Symbol, now: float) -> bool:
        """Whether this sight belongs to a showing that goes on, or to scenery; otherwise one begins."""
        centre = centre_of(symbol.corners)
        poster = self._scenery.get(digest)
        if poster is not None:
            if poster.near(centre) and not poster.over(now, self._ends_after_s):
                poster.take(centre, now)
                return True
            del self._scenery[digest]
        showing = self._showings.get(digest)
        if showing is None:
            self._showings[digest] = Stillness(centre, now)
            return False
        showing.take(centre, now)
        self._showings.move_to_end(digest)
        if showing.scenery:
            self._scenery[digest] = self._showings.pop(digest)
            if len(self._scenery) > MAX_SCENERY:
                self._scenery.popitem(last=False)
        return True

    def _end_showings(self, now: float) -> None:
        while self._showings:
            digest, showing = next(iter(self._showings.items()))
            if now - showing.seen_at <= self._ends_after_s:
                return
            del self._showings[digest]


def area(corners: Corners) -> float:
    """Area of the symbol in square pixels, whichever way round its corners go (shoelace formula)."""
    around = zip(corners, (*corners[1:], corners[0]), strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in around)) / 2
