"""What is written lazily: the delivery cursor, refusals, and the removal of old events.

None of it waits for the card. The log keeps the order of commits, so the next synced append carries all
of it to the card; what a power cut takes before that is only delivered, refused or removed once more.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.journal.chain import Link, link
from device.journal.retention import BLOCK_EVENTS, newest_past

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from device.journal.state import Head
    from device.runtime import Clock


@dataclass(frozen=True, slots=True)
class Gone:
    """A block that was removed from the old end.

    Attributes:
        pruned: the newest event removed.
        refused: how many of them had been set aside.
        dropped: how many of them had neither been accepted nor refused.
    """

    pruned: Link
    refused: int
    dropped: int


class Keeper:
    """Writes through a connection of its own, while nothing is being appended.

    One method at a time, from any thread. Every method may raise sqlite3.Error, and works again after it.
    """

    def __init__(self, db: sqlite3.Connection, *, keep_days: int, clock: Clock) -> None:
        self._db = db
        self._keep_days = keep_days
        self._clock = clock
        self._lock = threading.Lock()
        db.execute("PRAGMA busy_timeout = 0")  # it never makes an append wait: later is as good

    def write_cursors(self, sent: int, confirmed: int) -> None:
        """Notes how far delivery is."""
        with self._alone() as db:
            db.execute("UPDATE journal SET sent = ?, confirmed = ?", (sent, confirmed))

    def refuse(self, seq: int, why: str) -> int:
        """Notes a refusal; how many were added, 0 when it was known."""
        with self._alone() as db:
            return db.execute("INSERT OR IGNORE INTO refused VALUES (?, ?)", (seq, why)).rowcount

    def take_back(self, seqs: Sequence[int]) -> int:
        """Notes that events are refused no longer; how many of them had been."""
        with self._alone() as db:
            db.execute("BEGIN IMMEDIATE")
            count = db.executemany("DELETE FROM refused WHERE seq = ?", ((seq,) for seq in seqs)).rowcount
            db.execute("COMMIT")
            return max(0, count)  # -1 for no seqs at all

    def prune(self, head: Head, *, short_of_room: bool) -> Gone | None:
        """Removes the oldest events that may go, a block at most, or does nothing.

        Once a consumer has confirmed anything, only what is confirmed may go; before that, what the
        broker accepted. Both after `keep_days`; what is confirmed also before, when room is short.

        Args:
            head: what is in the file.
            short_of_room: whether what is confirmed goes whatever its age.
        """
        first, last = head.pruned.seq + 1, min(head.confirmed or head.sent, head.pruned.seq + BLOCK_EVENTS)
        if last < first:
            return None
        with self._alone() as db:
            if not (short_of_room and head.confirmed):
                days, clock = self._keep_days, self._clock
                last = newest_past(db, head.journal, first, last, keep_days=days, clock=clock)
            return _remove(db, head, last) if last >= first else None

    def drop(self, head: Head) -> Gone | None:
        """Removes the oldest block whatever its state; None when nothing is there."""
        last = min(head.last.seq, head.pruned.seq + BLOCK_EVENTS)
        if last <= head.pruned.seq:
            return None
        with self._alone() as db:
            return _remove(db, head, last)

    def rescues(self) -> list[tuple[str, str, int]]:
        """Damaged files whose events are to be carried over: name, journal id, how far they were."""
        with self._alone() as db:
            return db.execute("SELECT name, journal, through FROM rescue ORDER BY name").fetchall()

    def rescued(self, name: str, through: int | None) -> None:
        """Notes how far a damaged file was carried over; None when there is nothing left in it."""
        with self._alone() as db:
            if through is None:
                db.execute("DELETE FROM rescue WHERE name = ?", (name,))
            else:
                db.execute("UPDATE rescue SET through = ? WHERE name = ?", (through, name))

    def checkpoint(self, *, truncate: bool) -> bool:
        """Copies the log into the database; `truncate` also empties it. Whether no reader held it up."""
        with self._alone() as db:
            ((busy, _, _),) = db.execute(f"PRAGMA wal_checkpoint({'TRUNCATE' if truncate else 'PASSIVE'})")
            return not busy

    def close(self) -> None:
        """Closes the connection."""
        with self._lock:
            self._db.close()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._db
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


def _remove(db: sqlite3.Connection, head: Head, last: int) -> Gone:
    newest = link(*db.execute("SELECT seq, data FROM event WHERE seq = ?", (last,)).fetchone())
    db.execute("BEGIN IMMEDIATE")
    undelivered = _note_dropped(db, head, last)
    db.execute("DELETE FROM event WHERE seq <= ?", (last,))
    refused = db.execute("DELETE FROM refused WHERE seq <= ?", (last,)).rowcount
    db.execute(
        "UPDATE journal SET sent = ?, pruned = ?, pruned_digest = ?",
        (max(head.sent, last), last, newest.digest),
    )
    db.execute("COMMIT")
    return Gone(newest, refused, undelivered)


def _note_dropped(db: sqlite3.Connection, head: Head, last: int) -> int:
    """Keeps the numbers of events that go undelivered; neighbours share a row."""
    if last <= head.sent:
        return 0
    first = head.sent + 1
    known = db.execute("UPDATE dropped SET last = ? WHERE last = ?", (last, first - 1)).rowcount
    if not known:
        db.execute("INSERT INTO dropped VALUES (?, ?)", (first, last))
    return last - first + 1 - sum(1 for seq in head.refused_ahead if seq <= last)
