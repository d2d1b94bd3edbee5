"""The journal as other processes read it, while the daemon runs or from a card on a desk.

Read-only, in short transactions: a reader never holds up an append and never keeps the daemon from
emptying its log.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from device.errors import JournalError
from device.journal.chain import Break, BreakKind, Link, link, verify
from device.journal.database import APPLICATION_ID, pragma, rows, words
from device.journal.signing import complaint
from device.model import EventType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from device.model import StoredEvent

# Rows of one transaction: a few milliseconds.
PAGE_ROWS: Final = 500
# Rows that one transaction searches: some tens of milliseconds.
_SEARCHED_ROWS: Final = 20_000
# How long a statement waits, while another process recovers the log after a crash.
_BUSY_TIMEOUT_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Page:
    """What one short transaction saw.

    Attributes:
        pruned: the newest event that is gone, at that moment.
        events: the events from the asked number on.
    """

    pruned: Link
    events: tuple[StoredEvent, ...]


@dataclass(frozen=True, slots=True)
class Cursors:
    """How far delivery has come, as the file tells: a few events or seconds behind what the daemon knows.

    Attributes:
        sent: up to here every event was accepted or refused by the broker.
        confirmed: up to here the district has stored them; 0 where nobody confirms.
        refused: events that the broker refuses, and why.
        dropped: spans, first and last, that were given up undelivered because the journal was full.
    """

    sent: int
    confirmed: int
    refused: dict[int, str]
    dropped: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether a journal is whole, proved from its file alone.

    Attributes:
        journal: its id.
        events: how many were read.
        first_seq: of the oldest in the file; 0 when there is none.
        last_seq: of the newest; 0 when there is none.
        signed_through: the newest event whose gate's signature holds; 0 when there is none.
        breaks: every place where it is not whole, oldest first.
    """

    journal: str
    events: int
    first_seq: int
    last_seq: int
    signed_through: int
    breaks: tuple[Break, ...]

    @property
    def whole(self) -> bool:
        """No event is missing or changed."""
        return not self.breaks


class JournalReader:
    """Reads a journal's file. Used as a context manager, by one thread.

    Raises:
        JournalError: from every method, when there is no journal there or it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._translated():
            self._db = _connect(path)
            if pragma(self._db, "application_id") != APPLICATION_ID:
                raise JournalError(f"{path}: this is not a journal")
            self.id: str = self._db.execute("SELECT id FROM journal").fetchone()[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def page(self, from_seq: int, *, limit: int = PAGE_ROWS) -> Page:
        """Up to `limit` events from a number on."""
        with self._translated():
            self._db.execute("BEGIN")
            try:
                pruned = Link(*self._db.execute("SELECT pruned, pruned_digest FROM journal").fetchone())
                where = "WHERE seq >= ? ORDER BY seq LIMIT ?"
                return Page(pruned, tuple(rows(self._db, self.id, where, (from_seq, limit))))
            finally:
                self._db.execute("ROLLBACK")

    def last_seq(self) -> int:
        """Number of the newest event in the file; 0 when there is none."""
        with self._translated():
            found = self._db.execute("SELECT max(seq) FROM event").fetchone()[0]
            return int(found or 0)

    def events(self) -> Iterator[StoredEvent]:
        """Every event, oldest first."""
        next_seq = 1
        while events := self.page(next_seq).events:
            yield from events
            next_seq = events[-1].seq + 1

    def of_types(self, words: Iterable[str]) -> Iterator[StoredEvent]:
        """Every event of these types, oldest first."""
        where = "WHERE seq BETWEEN ? AND ? AND type IN (SELECT value FROM json_each(?)) ORDER BY seq"
        yield from self._searched(where, json.dumps(list(words)))

    def mentioning(self, text: str) -> Iterator[StoredEvent]:
        """Every event whose data hold this text, oldest first."""
        yield from self._searched("WHERE seq BETWEEN ? AND ? AND instr(data, ?) ORDER BY seq", text)

    def mentioning_between(self, first: int, last: int, text: str) -> tuple[StoredEvent, ...]:
        """The events from one number to another whose data hold this text; one transaction."""
        with self._translated():
            where = "WHERE seq BETWEEN ? AND ? AND instr(data, ?) ORDER BY seq"
            return tuple(rows(self._db, self.id, where, (first, last, text)))

    def between(self, first: int, last: int) -> Iterator[StoredEvent]:
        """The events from one number to another, oldest first."""
        while first <= last and (events := self.page(first).events):
            yield from (event for event in events if event.seq <= last)
            first = events[-1].seq + 1

    def cursors(self) -> Cursors:
        """How far delivery has come."""
        with self._translated():
            ask = self._db.execute
            sent, confirmed = ask("SELECT sent, confirmed FROM journal").fetchone()
            refused = dict(ask("SELECT seq, why FROM refused").fetchall())
            dropped = tuple(ask("SELECT first, last FROM dropped ORDER BY first").fetchall())
        return Cursors(max(sent, confirmed), confirmed, refused, dropped)

    def _searched(self, where: str, value: str) -> Iterator[StoredEvent]:
        """In short transactions, however few events are found."""
        last = self.last_seq()
        for first in range(1, last + 1, _SEARCHED_ROWS):
            with self._translated():
                found = tuple(rows(self._db, self.id, where, (first, first + _SEARCHED_ROWS - 1, value)))
            yield from found

    def verify(self, max_breaks: int, *, key: str = "") -> Verification:
        """Reads everything and checks that nothing is missing or changed; stops after `max_breaks`.

        Args:
            max_breaks: how many places are named at most.
            key: the gate's public key; without it, a checkpoint is believed in the key it names.
        """
        first, last, count, signed = 0, Link(-1, ""), 0, 0
        breaks: list[Break] = []
        while len(breaks) < max_breaks:
            try:
                page = self.page(last.seq + 1)
            except JournalError as error:
                breaks.append(self._unreadable(last.seq + 1, error))
                break
            if page.pruned.seq > last.seq:  # the beginning; or the daemon has removed what was to come
                last = page.pruned
            if not page.events:
                break
            breaks.extend(verify(page.events, after=last))
            for event in page.events:
                if wrong := complaint(event, key=key):
                    breaks.append(Break(BreakKind.SIGNATURE, event.seq, f"event {event.seq}: {wrong}"))
                elif event.type == EventType.CHECKPOINT:
                    signed = event.seq
            count += len(page.events)
            first = first or page.events[0].seq
            last = link(page.events[-1].seq, page.events[-1].data)
        breaks.sort(key=lambda b: b.seq)
        end = last.seq if count else 0
        return Verification(self.id, count, first, end, signed, tuple(breaks[:max_breaks]))

    def _unreadable(self, from_seq: int, error: JournalError) -> Break:
        """Finds the event at which reading fails, one by one."""
        seq = from_seq
        with contextlib.suppress(JournalError):
            while events := self.page(seq, limit=1).events:
                seq = events[0].seq + 1
        return Break(BreakKind.UNREADABLE, seq, f"event {seq} and those after it cannot be read: {error}")

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise JournalError(f"{self._path}: {words(error)}") from error


def _connect(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise JournalError(f"{path}: there is no such file")
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_TIMEOUT_S)
    try:
        db.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        # A card mounted read-only: the index of the log cannot be made. Without a log it isn't needed.
        db.close()
        log = path.with_name(f"{path.name}-wal")
        if log.exists() and log.stat().st_size:
            raise
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    return db
