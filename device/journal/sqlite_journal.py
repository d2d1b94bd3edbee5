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
with its reason (`set_aside`); *sent* moves past it, `refused` hands it out to be offered again, and
`take_back` forgets the refusal. `read` hands any kept event out again.

**Bounded.** Database, write-ahead log and its index together stay within `max_bytes`. Events go from the old
end, at most an hour later than `keep_days`: below *confirmed*, or below *sent* while no consumer has ever
confirmed anything. When room is short, confirmed events go earlier. When that is not enough, `when_full`
decides: `refuse` (append raises `JournalFull`), or `drop_oldest` (undelivered events go; their numbers are
kept in the file and counted).

**Gone for good.** A removed event is overwritten with zeros in the database (`secure_delete`), and the next
`prune` empties the write-ahead log, where copies of it lay. What a flash card keeps of overwritten sectors is
beyond a program's reach.

**A file that fails its check at start** is kept under another name and a new journal begins at once, with
a new id: `replaced` tells. What can still be found in the old file and was not delivered is carried over
during upkeep, each event as a `gate.rescued.v1` (see `salvage`); then the old file goes, after `keep_days`.
A file of a later version is not touched.

**Threads.** `append` and `checkpoint` from any thread (the scan thread in practice); what `Delivery` offers
from the forwarder's; `stats` from any, `prune` from the main thread. Readers never delay an append; other
processes may read at any time (`reader`), one process writes.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from typing import TYPE_CHECKING, Final

from device.errors import JournalError, JournalFull
from device.journal.database import WAL_ROOM_BYTES
from device.journal.delivery import Delivery
from device.journal.guard import Guard
from device.journal.keeper import Keeper
from device.journal.memory import Memory
from device.journal.opening import SHM_BYTES, open_parts, page_limit
from device.journal.record import as_data, event_type
from device.journal.state import JournalStats, WhenFull
from device.journal.upkeep import Upkeep
from device.journal.writer import Draft, Writer
from device.model import CheckpointEvent, Why

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from device.journal.damage import Replaced
    from device.journal.opening import Opened
    from device.journal.signing import Signer
    from device.model import Event, StoredEvent
    from device.runtime import Clock

# A district that has the gate's key can trust all but so many newest events; a signature costs 0.1 ms.
CHECKPOINT_EVENTS: Final = 256


class SqliteJournal:
    """The journal on a card. See the contract above. Made by `open`.

    Attributes:
        replaced: the damaged file that had to make way at `open`, if one had.
    """

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
        self._max_bytes = max_bytes
        self._clock = clock
        self._signer = signer
        self._signed_seq = parts.head.last.seq
        # Whether the log may hold what was removed; so at the start, after a run that was killed.
        self._to_erase = True
        self._guard = guard = Guard(path, parts.lock)
        self._memory = memory = Memory(parts.head)
        self._keeper = keeper = Keeper(parts.keeper, keep_days=keep_days, clock=clock)
        self._writer = Writer(
            parts.writer, journal=parts.head.journal, last=parts.head.last, max_pages=page_limit(max_bytes)
        )
        self._delivery = Delivery(guard=guard, reader=parts.reader, keeper=keeper, memory=memory, clock=clock)
        self._upkeep = Upkeep(
            guard=guard,
            keeper=keeper,
            memory=memory,
            when_full=when_full,
            keep_days=keep_days,
            clock=clock,
            commit=self._commit,
        )
        self._drafting = threading.Lock()
        self._drafts: list[Draft] = []
        # The forwarder's side, as it is.
        self.pending = self._delivery.pending
        self.read = self._delivery.read
        self.refused = self._delivery.refused
        self.refusals = self._delivery.refusals
        self.take_back = self._delivery.take_back
        self.acknowledge = self._delivery.acknowledge
        self.confirm = self._delivery.confirm
        self.set_aside = self._delivery.set_aside
        self.wait_for_append = memory.wait_for_append
        self.wake = memory.wake

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

    # -- recording --------------------------------------------------------------------------------

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
        with self._guard.writing:  # whoever comes first commits for all who wait
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
            with self._guard.translated():
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
        self._limit_log()
        while True:
            try:
                return self._writer.insert(drafts)
            except sqlite3.Error as error:
                if not self._writer.at_bound(error, len(drafts)):
                    raise
            if not self._upkeep.make_room():
                raise JournalFull(f"the journal holds {self._max_bytes} bytes and nothing may go")
            self._to_erase = True

    def _limit_log(self) -> None:
        """Before each commit: a reader of another process may keep the log from being emptied."""
        if self._guard.log_bytes() > WAL_ROOM_BYTES:
            with contextlib.suppress(sqlite3.OperationalError):
                self._keeper.checkpoint(truncate=True)
            if self._writer.size() + self._guard.log_bytes() + SHM_BYTES > self._max_bytes:
                raise JournalFull("a reader that does not end keeps the log from being emptied")

    # -- the main thread --------------------------------------------------------------------------

    def stats(self) -> JournalStats:
        """The journal now. From any thread, as often as wanted: it touches no file."""
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
            rescued=self._upkeep.rescued,
        )

    def size(self) -> int:
        """Bytes on the disk now: database, write-ahead log and its index. Asks the file system."""
        return self._guard.bytes()

    def prune(self) -> int:
        """Upkeep, to be called every minute or so; how many events went.

        Removes delivered events past `keep_days`, block by block, an append waiting for one block at
        most; carries events over from a damaged file, for half a second at most; writes the cursors;
        copies the log into the database, so that no append has to; empties the log when something was
        removed since it was last empty; deletes damaged files past their time.

        Raises:
            JournalError: the file cannot be written.
        """
        gone = self._upkeep.prune()
        self._to_erase = self._to_erase or gone > 0
        self._upkeep.rescue()
        self._upkeep.erase_aside()
        with self._guard.writing, self._guard.translated():
            self._delivery.write_cursors()
        with self._guard.translated():
            self._keeper.checkpoint(truncate=False)
        if self._to_erase:
            self._empty_log()
        return gone

    def _empty_log(self) -> None:
        """What is left of it after a copy is little; a reader that holds it is waited for until next time."""
        with self._guard.writing, self._guard.translated(), contextlib.suppress(sqlite3.OperationalError):
            self._to_erase = not self._keeper.checkpoint(truncate=True)

    def close(self) -> None:
        """Writes the cursors, empties the log and closes the file. Later calls raise JournalError."""
        self.wake()
        with self._guard.writing:
            if self._guard.closed:
                return
            with contextlib.suppress(JournalError), self._guard.translated():
                self._delivery.write_cursors()
                self._keeper.checkpoint(truncate=True)
            for part in (self._keeper, self._delivery, self._writer):
                with contextlib.suppress(sqlite3.Error):
                    part.close()
            self._guard.release()
