"""The journal's state in memory, shared by the threads that use it."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from device.journal.chain import Link
    from device.journal.keeper import Gone
    from device.journal.state import Head


class Memory:
    """Holds the `Head` and tells when it grows. From any thread; nothing here touches the card.

    Args:
        head: what the file says.
    """

    def __init__(self, head: Head) -> None:
        self._head = head
        self._changed = threading.Condition()
        self._woken = 0

    @property
    def head(self) -> Head:
        """The state now; frozen, so that one look is consistent."""
        return self._head

    def appended(self, last: Link) -> None:
        """There is a new newest event."""
        with self._changed:
            self._head = replace(self._head, last=last)
            self._changed.notify_all()

    def sent(self, through_seq: int) -> None:
        """The broker has accepted everything up to here. Raises ValueError where there is no such event."""
        with self._changed:
            head = self._head
            if through_seq > head.last.seq:
                raise ValueError(f"event {through_seq} was never appended")
            self._head = replace(head, sent=max(head.sent, through_seq)).settled()

    def confirmed(self, through_seq: int) -> bool:
        """The consumer has everything up to here; whether there is such an event."""
        with self._changed:
            head = self._head
            if through_seq > head.last.seq:
                return False
            self._head = replace(head, confirmed=max(head.confirmed, through_seq)).settled()
            return True

    def refused(self, seq: int, added: int) -> None:
        """The broker refuses this event; `added` is 0 when that was known."""
        with self._changed:
            head = self._head
            ahead = head.refused_ahead | ({seq} if seq > head.sent else set())
            self._head = replace(head, refused_ahead=ahead, refused=head.refused + added).settled()

    def taken_back(self, count: int) -> None:
        """The broker has so many of the refused events after all; all of them at or below `sent`."""
        with self._changed:
            self._head = replace(self._head, refused=self._head.refused - count)

    def gone(self, gone: Gone) -> None:
        """A block was removed from the old end."""
        with self._changed:
            head = self._head
            self._head = replace(
                head,
                pruned=gone.pruned,
                refused=head.refused - gone.refused,
                dropped=head.dropped + gone.dropped,
            ).settled()

    def wait_for_append(self, after_seq: int, timeout_s: float) -> bool:
        """Waits until an event above `after_seq` is there; whether one is. `wake` ends it early."""
        with self._changed:
            before = self._woken
            self._changed.wait_for(
                lambda: self._head.last.seq > after_seq or self._woken != before, timeout_s
            )
            return self._head.last.seq > after_seq

    def wake(self) -> None:
        """Ends every wait that is under way."""
        with self._changed:
            self._woken += 1
            self._changed.notify_all()
