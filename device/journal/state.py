"""What is known of a journal without reading its file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from device.journal.chain import Link


class WhenFull(StrEnum):
    """What happens when the bound is reached and nothing delivered may go."""

    REFUSE = "refuse"
    DROP_OLDEST = "drop_oldest"


@dataclass(frozen=True, slots=True)
class JournalStats:
    """The journal at one moment.

    Attributes:
        journal: its id.
        stored: events in the file.
        pending: of them, neither accepted nor refused by the broker.
        set_aside: of them, refused by the broker.
        first_seq: of the oldest event in the file, or of the next one when it is empty.
        last_seq: of the newest event ever appended; 0 before the first.
        acknowledged_through: up to here every event was accepted or refused.
        confirmed_through: up to here the district's consumer has stored them; 0 where none tells.
        pruned: events that were removed after delivery, since the journal began.
        dropped: events that were removed undelivered.
        rescued: events carried over from damaged files since the start.
    """

    journal: str
    stored: int
    pending: int
    set_aside: int
    first_seq: int
    last_seq: int
    acknowledged_through: int
    confirmed_through: int
    pruned: int
    dropped: int
    rescued: int


@dataclass(frozen=True, slots=True)
class Head:
    """The journal's state in memory: frozen and replaced whole, so that a reader needs no lock.

    Attributes:
        journal: its id.
        last: the newest event; where the next one holds on.
        pruned: the newest event that is gone; where the oldest one left holds on.
        sent: up to here every event was accepted or refused by the broker.
        confirmed: up to here the consumer has stored them; 0 where none tells.
        refused_ahead: refused events above `sent`.
        refused: refused events still in the file.
        dropped: events removed undelivered, ever.
    """

    journal: str
    last: Link
    pruned: Link
    sent: int
    confirmed: int
    refused_ahead: frozenset[int]
    refused: int
    dropped: int

    def settled(self) -> Head:
        """With `sent` moved over what is gone and over refused events that follow it directly."""
        sent = max(self.sent, self.confirmed, self.pruned.seq)
        while sent + 1 in self.refused_ahead:
            sent += 1
        return replace(self, sent=sent, refused_ahead=frozenset(s for s in self.refused_ahead if s > sent))

    @property
    def pending(self) -> int:
        """Events that still have to be delivered."""
        return self.last.seq - self.sent - len(self.refused_ahead)
