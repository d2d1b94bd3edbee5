"""Commits drafts of events, all of them or none, and knows where the chain ends."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from device.errors import JournalError
from device.journal.chain import Link, link
from device.journal.database import PAGE_BYTES, pragma
from device.journal.record import Data, canonical
from device.model import StoredEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# A leaf, its parent and the first page change with each event; a little more when the tree grows.
_PAGES_PER_EVENT: Final = 4


class Draft:
    """An event on its way into a commit, shared by the thread that brought it and the one that commits.

    Args:
        kind: the type word.
        data: without `seq` and `prev`.
        seal: signs the canonical data; the result is added as `signature`.
    """

    def __init__(self, kind: str, data: Data, *, seal: Callable[[bytes], str] | None = None) -> None:
        self.kind = kind
        self.data = data
        self.seal = seal
        self.outcome: StoredEvent | BaseException | None = None

    def result(self) -> StoredEvent:
        """The stored event; raises what went wrong."""
        if isinstance(self.outcome, StoredEvent):
            return self.outcome
        raise self.outcome or JournalError("the event was not reached")


class Writer:
    """The connection whose every commit waits for the card. One thread at a time.

    Args:
        db: the connection.
        journal: the journal's id.
        last: the newest event in the file.
        max_pages: the configured bound.
    """

    def __init__(self, db: sqlite3.Connection, *, journal: str, last: Link, max_pages: int) -> None:
        self._db = db
        self._journal = journal
        self._max_pages = max_pages
        self._last = last
        self._sure = True

    @property
    def last(self) -> Link:
        """The newest event, as of the last `insert` that succeeded."""
        return self._last

    def insert(self, drafts: Sequence[Draft]) -> list[StoredEvent]:
        """Forms the drafts into events and commits them together. Blocks for one flush.

        Raises:
            sqlite3.Error: nothing was stored, as far as one can know; see the contract.
            JournalError: a draft has no canonical form.
        """
        db = self._db
        if not drafts:
            return []
        if not self._sure:
            self._last = last_link(db)
            self._sure = True
        stored = list(self._formed(drafts))
        self._sure = False
        try:
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT INTO event VALUES (?, ?, ?)", ((e.seq, e.type, e.data) for e in stored))
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        self._last = link(stored[-1].seq, stored[-1].data)
        self._sure = True
        return stored

    def at_bound(self, error: sqlite3.Error, events: int) -> bool:
        """Whether the configured bound, and not the disk, made `insert` fail.

        Raises:
            sqlite3.Error: the file cannot be read.
        """
        if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
            return False
        need = _PAGES_PER_EVENT * events
        in_use, free = pragma(self._db, "page_count"), pragma(self._db, "freelist_count")
        return free < need and in_use + need >= self._max_pages

    def size(self) -> int:
        """Bytes of the database once the log is copied into it."""
        return pragma(self._db, "page_count") * PAGE_BYTES

    def close(self) -> None:
        """Closes the connection."""
        self._db.close()

    def _formed(self, drafts: Sequence[Draft]) -> Iterator[StoredEvent]:
        last = self._last
        for draft in drafts:
            data = canonical(draft.data, seq=last.seq + 1, prev=last.digest)
            if draft.seal:
                sealed: Data = {**draft.data, "signature": draft.seal(data)}
                data = canonical(sealed, seq=last.seq + 1, prev=last.digest)
            last = link(last.seq + 1, data)
            yield StoredEvent(journal=self._journal, seq=last.seq, type=draft.kind, data=data)


def last_link(db: sqlite3.Connection) -> Link:
    """Where the next event holds on, read from the file."""
    newest = db.execute("SELECT seq, data FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    if newest is None:
        return Link(*db.execute("SELECT pruned, pruned_digest FROM journal").fetchone())
    return link(*newest)
