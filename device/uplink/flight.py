"""What is on its way: published, receipt not yet seen. Pure.

Receipts may come in any order; the journal's cursor may only move over events that are all settled. A
message, once sent, holds its place until it is settled, so the cursor can be told by looking at the head.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from device.model import StoredEvent


@dataclass(slots=True)
class _Place:
    """One message's place in the order."""

    events: tuple[StoredEvent, ...]
    settled: bool = False


class Flight:
    """Counts messages in flight and says how far the cursor may move. Bounded by its caller's window."""

    def __init__(self) -> None:
        self._places: deque[_Place] = deque()
        self._tokens: dict[int, _Place] = {}

    def __len__(self) -> int:
        """How many messages await their receipt."""
        return len(self._tokens)

    @property
    def events(self) -> tuple[StoredEvent, ...]:
        """The events whose receipts are awaited, oldest first."""
        return tuple(event for place in self._tokens.values() for event in place.events)

    def sent(self, token: int, events: tuple[StoredEvent, ...] = ()) -> None:
        """A message is on its way; its events follow all those sent before. It may carry none."""
        place = _Place(events)
        if events:  # the cursor waits for nothing else
            self._places.append(place)
        self._tokens[token] = place

    def carried(self, token: int) -> tuple[StoredEvent, ...] | None:
        """What the message carries; None when no such message is in flight."""
        place = self._tokens.get(token)
        return None if place is None else place.events

    def settle(self, token: int) -> int | None:
        """The message needs no more care; up to which seq all is settled now, if that moved."""
        self._tokens.pop(token).settled = True
        through = None
        while self._places and self._places[0].settled:
            through = self._places.popleft().events[-1].seq
        return through

    def give_up(self, token: int) -> None:
        """The message must be sent again: it is out of flight, and the cursor stays before it."""
        del self._tokens[token]
