"""One showing of one code is one presentation, however many frames it is held for.

Pure: time is an argument. A code is known by the digest of its bytes; the bytes themselves leave with
the presentation and are not kept here.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from device.model import Corners, Symbol

MAX_OPEN_SHOWINGS = 64
"""More codes than anybody holds up at once, few enough that a wall of codes costs nothing."""


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
        self._last_seen: OrderedDict[bytes, float] = OrderedDict()
        self._forgotten = 0

    @property
    def open(self) -> int:
        """Showings that go on, as of the last `observe`."""
        return len(self._last_seen)

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
        self._end_showings(now)
        begun = []
        for symbol in sorted(symbols, key=lambda s: area(s.corners), reverse=True):
            digest = hashlib.sha256(symbol.content).digest()
            if digest not in self._last_seen:
                begun.append(
                    Presentation(
                        content=symbol.content,
                        digest=digest,
                        engine=symbol.engine,
                        corners=symbol.corners,
                        seen_at=now,
                    )
                )
            self._last_seen[digest] = now
            self._last_seen.move_to_end(digest)
        while len(self._last_seen) > self._max_open:
            self._last_seen.popitem(last=False)
            self._forgotten += 1
        return tuple(begun)

    def _end_showings(self, now: float) -> None:
        while self._last_seen:
            digest, seen = next(iter(self._last_seen.items()))
            if now - seen <= self._ends_after_s:
                return
            del self._last_seen[digest]


def area(corners: Corners) -> float:
    """Area of the symbol in square pixels, whichever way round its corners go (shoelace formula)."""
    around = zip(corners, (*corners[1:], corners[0]), strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in around)) / 2
