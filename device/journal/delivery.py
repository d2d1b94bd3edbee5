"""The forwarder's side of the journal: what is pending, and what became of it."""

from __future__ import annotations

import contextlib
import re
import threading
from typing import TYPE_CHECKING, Final

from device.errors import JournalError, JournalUnusable
from device.journal.database import refusals, rows
from device.model import StoredEvent

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from device.journal.guard import Guard
    from device.journal.keeper import Keeper
    from device.journal.memory import Memory
    from device.model import Refusal
    from device.runtime import Clock

# After a crash so many events are delivered again at most; written with the next commit, it costs nothing.
CURSOR_EVENTS: Final = 100
# The same for a quiet gate.
CURSOR_S: Final = 60.0
# Fixed words of ours, or the broker's reason code.
_WHY: Final = re.compile(r"[ -~]{1,120}", re.ASCII)


class Delivery:
    """Hands events out and takes note of what became of them. From any thread.

    Args:
        guard: of the files.
        reader: a connection that only reads, for this object alone.
        keeper: writes lazily.
        memory: the state it moves.
        clock: for how often the cursors are written.
    """

    def __init__(
        self, *, guard: Guard, reader: sqlite3.Connection, keeper: Keeper, memory: Memory, clock: Clock
    ) -> None:
        self._guard = guard
        self._reader = reader
        self._keeper = keeper
        self._memory = memory
        self._clock = clock
        self._reading = threading.Lock()
        self._written = (memory.head.sent, memory.head.confirmed)
        self._written_at = clock.monotonic()

    # -- out --------------------------------------------------------------------------------------

    def pending(self, limit: int, *, after_seq: int = 0) -> tuple[StoredEvent, ...]:
        """The oldest events neither accepted nor refused, at most `limit`; never held up by an append.

        Args:
            limit: how many at most.
            after_seq: only events above it, for a forwarder that has some under way.

        Raises:
            JournalError: the file cannot be read.
        """
        head = self._memory.head
        where = (
            "WHERE seq > ? AND seq <= ?"
            " AND NOT EXISTS (SELECT 1 FROM refused WHERE refused.seq = event.seq) ORDER BY seq LIMIT ?"
        )
        return self._read(where, (max(head.sent, after_seq), head.last.seq, limit))

    def read(self, from_seq: int, limit: int) -> tuple[StoredEvent, ...]:
        """Events from a number on, whatever their state, at most `limit`.

        Raises:
            JournalError: the file cannot be read.
        """
        where = "WHERE seq >= ? AND seq <= ? ORDER BY seq LIMIT ?"
        return self._read(where, (from_seq, self._memory.head.last.seq, limit))

    def refused(self, limit: int, *, after_seq: int = 0) -> tuple[tuple[StoredEvent, str], ...]:
        """The oldest events that are set aside and still kept, each with the reason.

        Args:
            limit: how many at most.
            after_seq: only events above it.

        Raises:
            JournalError: the file cannot be read.
        """
        ask = (
            "SELECT seq, type, data, why FROM refused JOIN event USING (seq)"
            " WHERE seq > ? ORDER BY seq LIMIT ?"
        )
        journal = self._memory.head.journal
        with self._reading, self._guard.translated():
            found = self._reader.execute(ask, (after_seq, limit)).fetchall()
        return tuple((StoredEvent(journal, seq, kind, data), why) for seq, kind, data, why in found)

    def refusals(self, limit: int, *, after_seq: int = 0) -> tuple[Refusal, ...]:
        """The numbers of the events set aside, neighbours together, oldest first; at most `limit` entries.

        Raises:
            JournalError: the file cannot be read.
        """
        with self._reading, self._guard.translated():
            return refusals(self._reader, after_seq, limit)

    def _read(self, rest: str, values: tuple[int, ...]) -> tuple[StoredEvent, ...]:
        """One short read transaction: a long one would keep the log from being emptied.

        The callers ask for no event above the newest that `append` has promised: the file may show one
        moments earlier.
        """
        with self._reading, self._guard.translated():
            return tuple(rows(self._reader, self._memory.head.journal, rest, values))

    # -- what became of them ----------------------------------------------------------------------

    def acknowledge(self, through_seq: int) -> None:
        """Notes that the broker has accepted everything up to `through_seq`.

        Nearly always memory only; each hundredth waits for upkeep that may be under way.

        Raises:
            ValueError: no such event was ever appended.
        """
        self._memory.sent(through_seq)
        self._write_cursors_when_due()

    def confirm(self, journal: str, through_seq: int) -> bool:
        """Notes that the district's consumer has stored everything up to `through_seq`, for good.

        Args:
            journal: whose events; those of an earlier journal of this gate change nothing.
            through_seq: of that journal.

        Returns:
            Whether it was about this journal.

        Raises:
            JournalUnusable: the consumer has events that this file does not: its end was lost. Going on
                would give their numbers a second time, so the next start begins a new journal.
        """
        head = self._memory.head
        if journal != head.journal:
            return False
        if not self._memory.confirmed(through_seq):
            self._guard.mark_suspect()
            text = f"{self._guard.path}: ends with {head.last.seq}, but {through_seq} is confirmed"
            raise JournalUnusable(text)
        self._write_cursors_when_due()
        return True

    def set_aside(self, seq: int, why: str) -> None:
        """Notes that the broker refuses this event. Blocks as long as an append under way.

        Args:
            seq: of the event.
            why: fixed words or a reason code, at most 120 printable ASCII characters.

        Raises:
            JournalError: the file cannot be written.
            ValueError: no such event was ever appended, or `why` is not such words.
        """
        if not 0 < seq <= self._memory.head.last.seq or not _WHY.fullmatch(why):
            raise ValueError(f"event {seq} cannot be set aside for this reason")
        with self._guard.writing, self._guard.translated():
            if seq > self._memory.head.pruned.seq:
                self._memory.refused(seq, self._keeper.refuse(seq, why))

    def take_back(self, seqs: Sequence[int]) -> None:
        """Notes that the broker has these after all. Blocks as long as an append under way.

        Those above *sent* stay as they are: they will be offered once more, in their turn.

        Raises:
            JournalError: the file cannot be written.
        """
        if not self._memory.head.refused:
            return
        with self._guard.writing, self._guard.translated():
            settled = [seq for seq in seqs if seq <= self._memory.head.sent]
            self._memory.taken_back(self._keeper.take_back(settled))

    # -- the cursors ------------------------------------------------------------------------------

    def write_cursors(self) -> None:
        """Writes them if they have moved. While holding `guard.writing`; raises sqlite3.Error."""
        head = self._memory.head
        cursors = (head.sent, head.confirmed)
        if cursors != self._written:
            self._keeper.write_cursors(*cursors)
            self._written, self._written_at = cursors, self._clock.monotonic()

    def _write_cursors_when_due(self) -> None:
        head = self._memory.head
        moved = head.sent - self._written[0] + head.confirmed - self._written[1]
        age = self._clock.monotonic() - self._written_at
        due = moved >= CURSOR_EVENTS or (moved and age >= CURSOR_S)
        if due and self._guard.writing.acquire(blocking=False):  # otherwise with one of the next
            try:
                with contextlib.suppress(JournalError), self._guard.translated():  # sent again, at worst
                    self.write_cursors()
            finally:
                self._guard.writing.release()

    def close(self) -> None:
        """Closes the connection; while holding `guard.writing`."""
        with self._reading:
            self._reader.close()
