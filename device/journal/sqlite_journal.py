"""Events on the SD card, in SQLite: one synced commit before anything at the gate moves.

The contract
============

**Durable.** When `append` returns, the event is on the card: it survives a kill and a power cut, as far
as the card honours a flush. Events that wait at the same time share one commit and one flush.

**In order, without gaps.** Events are numbered 1, 2, 3... within a journal and chained by hash (see
`chain`). A number is never given twice: an event is named by (journal, seq) for ever.

**A failed append leaves nothing that was promised.** It raises, and the next append takes the same
number. One case is beyond reach: if the card fails in the middle of a commit and the power goes before
another append succeeded, the failed event may be found stored after all. It is then one event more than
was shown to anybody, never one less, and the chain is whole. After any failure the newest event is read
back from the file before the next one is formed, so that the chain never forks.

**Failures pass.** A full, failing or read-only disk makes each append raise `JournalError`; when it is
back, the next append succeeds, without a restart. A file found damaged while running raises
`JournalUnusable`: it is noted beside the file, and the next start begins a new journal.

**Delivery is at least once.** Two cursors: *sent* (`acknowledge`: the broker has accepted everything up to
here) and *confirmed* (`confirm`: the district's consumer has stored it). A broker may forget what it
accepted, so only the second is delivery. They are written lazily, every `CURSOR_EVENTS` events or
`CURSOR_S` seconds: after a crash those few are sent again, under the same id. A refused event is set aside
with its reason; it stays readable, and *sent* moves past it. `read` hands any kept event out again.

**Bounded.** Database, write-ahead log and its index together stay within `max_bytes`. Events go in blocks
from the old end, after `keep_days`: below *confirmed*, or below *sent* while no consumer has ever
confirmed anything. When room is short, confirmed events go earlier. When that is not enough, `when_full`
decides: `refuse` (append raises `JournalFull`), or `drop_oldest` (undelivered events go; their numbers are
kept in the file and counted).

**A file that fails its check at start** is kept under another name and a new journal begins at once, with
a new id: `replaced` tells. What can still be found in the old file and was not delivered is carried over
during upkeep, each event as a `gate.rescued.v1` (see `salvage`). A file of a later version is not touched.

**Threads.** `append` from any thread (the scan thread in practice); `pending`, `acknowledge`,
`set_aside`, `read`, `wait_for_append` from the forwarder's; `stats`, `prune` from the main thread.
Readers never delay an append; other processes may read at any time (`reader`), one process writes.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import threading
from typing import TYPE_CHECKING, Final

from device.errors import JournalError, JournalFull, JournalUnusable
from device.journal import damage
from device.journal.database import WAL_ROOM_BYTES, is_damage, rows, words
from device.journal.keeper import Keeper
from device.journal.memory import Memory
from device.journal.opening import SHM_BYTES, open_parts, page_limit
from device.journal.record import as_data, event_type
from device.journal.rescue import batches
from device.journal.state import JournalStats, WhenFull
from device.journal.writer import Draft, Writer
from device.model import CheckpointEvent, Why

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from device.journal.damage import Replaced
    from device.journal.keeper import Gone
    from device.journal.opening import Opened
    from device.journal.rescue import Batch
    from device.journal.signing import Signer
    from device.model import Event, StoredEvent
    from device.runtime import Clock

# A district that has the gate's key can trust all but so many newest events; a signature costs 0.1 ms.
CHECKPOINT_EVENTS: Final = 256
# So long one call of `prune` may carry events over; it is called by the thread that feeds the watchdog.
RESCUE_S: Final = 0.5
# After a crash so many events are delivered again at most; written with the next commit, it costs nothing.
CURSOR_EVENTS: Final = 100
# The same for a quiet gate.
CURSOR_S: Final = 60.0
# Fixed words of ours, or the broker's reason code.
_WHY: Final = re.compile(r"[ -~]{1,120}", re.ASCII)


class SqliteJournal:
    """The journal on a card. See the contract above. Made by `open`."""

    def __init__(
        self,
        parts: Opened,
        *,
        path: Path,
        max_bytes: int,
        keep_days: int,
        when_full: WhenFull,
        clock: Clock,
        signer: Signer | None,
    ) -> None:
        self.path = path
        self.replaced: Replaced | None = parts.replaced
        self._reader = parts.reader
        self._writer = Writer(
            parts.writer, journal=parts.head.journal, last=parts.head.last, max_pages=page_limit(max_bytes)
        )
        self._keeper = Keeper(parts.keeper, keep_days=keep_days, clock=clock)
        self._lock: int | None = parts.lock
        self._max_bytes = max_bytes
        self._when_full = when_full
        self._clock = clock
        self._signer = signer
        self._rescue = self._damaged_files()
        self._rescued = 0
        self._signed_seq = parts.head.last.seq
        self._files = tuple(path.with_name(path.name + end) for end in ("", "-wal", "-shm"))
        self._inode = path.stat().st_ino
        self._memory = Memory(parts.head)
        self._drafts: list[Draft] = []
        self._cursors_written = (parts.head.sent, parts.head.confirmed)
        self._cursors_written_at = clock.monotonic()
        # Held in this order. `_writing` is held through a flush; the other two only for moments.
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        self._drafting = threading.Lock()

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        max_bytes: int,
        keep_days: int,
        when_full: WhenFull,
        clock: Clock,
        signer: Signer | None = None,
    ) -> SqliteJournal:
        """Opens the journal at `path`, or begins one. Blocks for 2 s at most on a card that answers.

        Args:
            path: of the database; its folder is made when absent. Beside it: `-wal`, `-shm`, `.lock`.
            max_bytes: bound of all of these together; at least 2 MiB.
            keep_days: delivered events are kept so long.
            when_full: see `WhenFull`.
            clock: for the age of events.
            signer: signs a checkpoint every `CHECKPOINT_EVENTS` events; without it there are none.

        Raises:
            JournalUnusable: it cannot be opened and not even begun anew.
        """
        return cls(
            open_parts(path, max_bytes=max_bytes, clock=clock),
            path=path,
            max_bytes=max_bytes,
            keep_days=keep_days,
            when_full=when_full,
            clock=clock,
            signer=signer,
        )

    @property
    def id(self) -> str:
        """The journal's id, twelve letters and digits."""
        return self._memory.head.journal

    # -- the scan thread --------------------------------------------------------------------------

    def append(self, event: Event) -> StoredEvent:
        """Makes an event durable; from any thread. Blocks for one flush, or two when another is under way.

        Raises:
            JournalFull: the bound is reached and nothing may go.
            JournalUnusable: the file is damaged or was taken away; the process must start again.
            JournalError: the disk is full or refuses, now.
        """
        return self._append(Draft(event_type(event).value, as_data(event)))

    def checkpoint(self, why: Why) -> StoredEvent | None:
        """Signs the chain as it stands, as an event of its own; at start and stop. None without a signer.

        Raises:
            JournalError: as `append`.
        """
        return self._append(self._checkpoint(self._signer, why)) if self._signer else None

    def _checkpoint(self, signer: Signer, why: Why) -> Draft:
        event = CheckpointEvent(why=why, key=signer.public_key, clock=self._clock.reading())
        return Draft(event_type(event).value, as_data(event), seal=signer.sign)

    def _append(self, draft: Draft) -> StoredEvent:
        with self._drafting:
            self._drafts.append(draft)
        with self._writing:  # whoever comes first commits for all who wait
            if draft.outcome is None:
                with self._drafting:
                    drafts, self._drafts = self._drafts, []
                if self._signer and self._writer.last.seq - self._signed_seq >= CHECKPOINT_EVENTS:
                    drafts.append(self._checkpoint(self._signer, Why.INTERVAL))  # in the same flush
                self._commit(drafts)
        return draft.result()

    def _commit(self, drafts: Sequence[Draft]) -> None:
        """Every draft gets its outcome: its stored event, or the one error that met them all."""
        try:
            with self._translated():
                stored = self._insert(drafts)
        except BaseException as error:
            for draft in drafts:
                draft.outcome = error
            if not isinstance(error, JournalError):
                raise
            return
        self._memory.appended(self._writer.last)
        for draft, event in zip(drafts, stored, strict=True):
            draft.outcome = event
            if draft.seal:
                self._signed_seq = event.seq

    def _insert(self, drafts: Sequence[Draft]) -> list[StoredEvent]:
        self._look_at_files()
        while True:
            try:
                return self._writer.insert(drafts)
            except sqlite3.Error as error:
                if not self._writer.at_bound(error, len(drafts)):
                    raise
            if not self._make_room():
                raise JournalFull(f"the journal holds {self._max_bytes} bytes and nothing may go")

    # -- the forwarder thread ---------------------------------------------------------------------

    def pending(self, limit: int, *, after_seq: int = 0) -> tuple[StoredEvent, ...]:
        """The oldest events neither accepted nor refused, at most `limit`; never held up by an append.

        Args:
            limit: how many at most.
            after_seq: only events above it, for a forwarder that has some under way.

        Raises:
            JournalError: the file cannot be read.
        """
        head = self._memory.head
        where = "WHERE seq > ? AND seq <= ? AND seq NOT IN (SELECT seq FROM refused) ORDER BY seq LIMIT ?"
        return self._read(where, (max(head.sent, after_seq), head.last.seq, limit))

    def read(self, from_seq: int, limit: int) -> tuple[StoredEvent, ...]:
        """Events from a number on, whatever their state, at most `limit`.

        Raises:
            JournalError: the file cannot be read.
        """
        where = "WHERE seq >= ? AND seq <= ? ORDER BY seq LIMIT ?"
        return self._read(where, (from_seq, self._memory.head.last.seq, limit))

    def wait_for_append(self, after_seq: int, timeout_s: float) -> bool:
        """Waits until an event above `after_seq` is there; whether one is. `wake` ends it early."""
        return self._memory.wait_for_append(after_seq, timeout_s)

    def wake(self) -> None:
        """Ends every `wait_for_append` that is under way. Never blocks."""
        self._memory.wake()

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
            with contextlib.suppress(OSError):
                damage.mark_suspect(self.path)
            raise JournalUnusable(f"{self.path}: ends with {head.last.seq}, but {through_seq} is confirmed")
        self._write_cursors_when_due()
        return True

    def _write_cursors_when_due(self) -> None:
        sent, confirmed = self._memory.head.sent, self._memory.head.confirmed
        moved = sent - self._cursors_written[0] + confirmed - self._cursors_written[1]
        age = self._clock.monotonic() - self._cursors_written_at
        due = moved >= CURSOR_EVENTS or (moved and age >= CURSOR_S)
        if due and self._writing.acquire(blocking=False):  # otherwise with one of the next
            try:
                with contextlib.suppress(JournalError), self._translated():  # delivered again, at worst
                    self._write_cursors()
            finally:
                self._writing.release()

    def set_aside(self, seq: int, why: str) -> None:
        """Notes that the broker will never take this event. Blocks as long as an append under way.

        Args:
            seq: of the event.
            why: fixed words or a reason code, at most 120 printable ASCII characters.

        Raises:
            JournalError: the file cannot be written.
            ValueError: no such event was ever appended, or `why` is not such words.
        """
        if not 0 < seq <= self._memory.head.last.seq or not _WHY.fullmatch(why):
            raise ValueError(f"event {seq} cannot be set aside for this reason")
        with self._writing, self._translated():
            if seq <= self._memory.head.pruned.seq:
                return
            added = self._keeper.refuse(seq, why)
            self._memory.refused(seq, added)

    def refused(self, limit: int) -> tuple[tuple[StoredEvent, str], ...]:
        """The oldest events that were set aside and are still kept, each with the reason.

        Raises:
            JournalError: the file cannot be read.
        """
        join = "JOIN refused USING (seq) ORDER BY seq LIMIT ?"
        with self._reading, self._translated():
            whys = self._reader.execute("SELECT why FROM refused ORDER BY seq LIMIT ?", (limit,)).fetchall()
        return tuple((event, why) for event, (why,) in zip(self._read(join, (limit,)), whys, strict=False))

    # -- the main thread --------------------------------------------------------------------------

    def stats(self) -> JournalStats:
        """The journal now. From any thread; never waits for the card."""
        head = self._memory.head
        return JournalStats(
            journal=head.journal,
            stored=head.last.seq - head.pruned.seq,
            pending=head.pending,
            set_aside=head.refused,
            first_seq=head.pruned.seq + 1,
            last_seq=head.last.seq,
            acknowledged_through=head.sent,
            confirmed_through=head.confirmed,
            pruned=head.pruned.seq - head.dropped,
            dropped=head.dropped,
            rescued=self._rescued,
            bytes=self._bytes(),
            max_bytes=self._max_bytes,
        )

    def prune(self) -> int:
        """Upkeep, to be called every minute or so; how many events went.

        Removes delivered events past `keep_days`, block by block, an append waiting for one block at
        most; carries events over from a damaged file, for `RESCUE_S` at most; writes the cursors; copies
        the log into the database, so that no append has to.

        Raises:
            JournalError: the file cannot be written.
        """
        before = self._memory.head.pruned.seq
        self._rescue_some()
        while self._prune_block():
            pass
        with self._writing, self._translated():
            if (self._memory.head.sent, self._memory.head.confirmed) != self._cursors_written:
                self._write_cursors()
        with self._translated():
            self._keeper.checkpoint(truncate=False)
        return self._memory.head.pruned.seq - before

    def close(self) -> None:
        """Writes the cursor, empties the log and closes the file. Later calls raise JournalError."""
        self.wake()
        with self._writing, self._reading:
            if self._lock is None:
                return
            with contextlib.suppress(JournalError), self._translated():
                self._write_cursors()
                self._keeper.checkpoint(truncate=True)
            for part in (self._keeper, self._reader, self._writer):
                with contextlib.suppress(sqlite3.Error):
                    part.close()
            os.close(self._lock)
            self._lock = None

    # -- inside -----------------------------------------------------------------------------------

    def _read(self, rest: str, values: tuple[int, ...]) -> tuple[StoredEvent, ...]:
        """One short read transaction: a long one would keep the log from being emptied.

        The callers ask for no event above the newest that `append` has promised: the file may show one
        moments earlier.
        """
        with self._reading, self._translated():
            return tuple(rows(self._reader, self._memory.head.journal, rest, values))

    def _look_at_files(self) -> None:
        """Before each append: the file is still the one that was opened, and the log has its bound."""
        database, log, _ = self._files
        try:
            same, log_bytes = database.stat().st_ino == self._inode, log.stat().st_size
        except FileNotFoundError:
            same, log_bytes = False, 0
        if not same:
            raise JournalUnusable(f"{self.path}: the file was moved or deleted while in use")
        if log_bytes > WAL_ROOM_BYTES:  # a reader of another process holds it
            with contextlib.suppress(sqlite3.OperationalError):
                self._keeper.checkpoint(truncate=True)
            if self._writer.size() + log.stat().st_size + SHM_BYTES > self._max_bytes:
                raise JournalFull("a reader that does not end keeps the log from being emptied")

    def _make_room(self) -> bool:
        """Removes a block as far as `when_full` allows; whether one went. Inside `_writing`."""
        gone = self._keeper.prune(self._memory.head, short_of_room=True)
        if gone is None and self._when_full is WhenFull.DROP_OLDEST:
            gone = self._keeper.drop(self._memory.head)
        return self._note_gone(gone)

    def _rescue_some(self) -> None:
        until = self._clock.monotonic() + RESCUE_S
        while self._clock.monotonic() < until:
            with self._translated():
                batch = next(self._rescue, None)
            if batch is None:
                return
            try:
                self._carry_over(batch)
            except JournalError:
                self._rescue = self._damaged_files()  # begins again where it was
                raise

    def _carry_over(self, batch: Batch) -> None:
        """Appends the events first: where it ends in between, they are only carried over twice."""
        if batch.drafts or batch.through is None:
            with self._writing:
                if batch.drafts:
                    self._commit(batch.drafts)
                for draft in batch.drafts:
                    draft.result()
                with self._translated():
                    self._keeper.rescued(batch.name, batch.through)
            self._rescued += len(batch.drafts)

    def _damaged_files(self) -> Iterator[Batch]:
        for name, journal, through in self._keeper.rescues():
            yield from batches(self.path.parent, name, journal, after_seq=through, clock=self._clock)

    def _prune_block(self) -> bool:
        with self._writing, self._translated():
            return self._note_gone(self._keeper.prune(self._memory.head, short_of_room=False))

    def _note_gone(self, gone: Gone | None) -> bool:
        if gone is None:
            return False
        self._memory.gone(gone)
        return True

    def _write_cursors(self) -> None:
        """Inside `_writing`."""
        cursors = (self._memory.head.sent, self._memory.head.confirmed)
        self._keeper.write_cursors(*cursors)
        self._cursors_written, self._cursors_written_at = cursors, self._clock.monotonic()

    def _bytes(self) -> int:
        total = 0
        for file in self._files:
            with contextlib.suppress(OSError):
                total += file.stat().st_size
        return total

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """SQLite's and the system's errors become ours here, and only here."""
        if self._lock is None:
            raise JournalError(f"{self.path}: the journal is closed")
        try:
            yield
        except JournalError:
            raise
        except (sqlite3.Error, OSError) as error:
            if isinstance(error, sqlite3.Error) and is_damage(error):
                with contextlib.suppress(OSError):
                    damage.mark_suspect(self.path)
                raise JournalUnusable(f"{self.path}: the file is damaged: {words(error)}") from error
            raise JournalError(f"{self.path}: {words(error)}") from error
