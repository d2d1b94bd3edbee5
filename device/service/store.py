"""The district's copy of the events, in SQLite. What `add` has returned for, a power cut does not take.

An event is one by (gate, journal, number): a repeat changes nothing, and a second form of the same event is
noted and not taken. Rescued events also count under their own journal and number. Numbers that are missing
are known without reading the file; what fails the chain's check is kept and noted.

    gate      the gates, with their last state and the journal that each writes now
    journal   the journals, and up to where each is complete
    event     the events; `data` byte for byte as it was hashed
    broken    what is wrong with which event
    gone      numbers that will not come any more
    refused   numbers that are not here because the broker refuses them

Other programs may read the file at any time; one process writes. Used from one thread.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING

from device.errors import JournalError
from device.journal.chain import link, verify
from device.journal.record import parse
from device.journal.rescue import unpacked
from device.model import StoredEvent
from device.runtime import rfc3339
from device.service.books import Book, Counts, GateKept, JournalKept
from device.service.news import Arrived, Broken, GapOpened, GapsClosed, Gone, Presence, Refused
from device.service.numbers import Numbers, Span
from device.service.store_file import connect, forget_refused, lock, note_refused
from device.uplink.state import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Self

    from device.runtime import Clock
    from device.service.news import News
    from device.uplink.health import Explained
    from device.uplink.state import GateState
    from device.uplink.wire import WireEvent


class Store:
    """Keeps what arrives. A context manager.

    Args:
        path: of the database; made when absent. Beside it: `-wal`, `-shm`, `.lock`.
        clock: for the time of arrival.

    Raises:
        JournalError: from every method, when the file cannot be read or written; another process writes
            it; or it is something else.
    """

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._gates: dict[str, GateKept] = {}
        self._touched: dict[int, JournalKept] = {}
        self._lock = lock(path)
        try:
            with self._translated():
                self._db = connect(path)
                self._load()
        except BaseException:
            os.close(self._lock)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()
        os.close(self._lock)

    @property
    def books(self) -> tuple[Book, ...]:
        """Every journal, by gate and age."""
        return tuple(
            Book(gate.path, journal.name, gate.journal == journal.name, gate.status, journal.numbers)
            for _, gate in sorted(self._gates.items())
            for journal in gate.journals.values()
        )

    @property
    def current(self) -> tuple[Book, ...]:
        """The journals that the gates write now."""
        return tuple(
            Book(gate.path, journal.name, current=True, status=gate.status, numbers=journal.numbers)
            for gate in self._gates.values()
            if (journal := gate.journals.get(gate.journal)) is not None
        )

    def counts(self, book: Book) -> Counts:
        """What is in the file of a journal; reads it."""
        journal = self._gates[book.gate].journals[book.journal]
        with self._translated():
            ask = self._db.execute
            stored = ask("SELECT count(*) FROM event WHERE journal = ?", (journal.id,)).fetchone()[0]
            broken = ask("SELECT count(*) FROM broken WHERE journal = ?", (journal.id,)).fetchone()[0]
            gone = ask(
                "SELECT coalesce(sum(last - first + 1), 0) FROM gone WHERE journal = ?", (journal.id,)
            ).fetchone()[0]
            refused = ask(
                "SELECT coalesce(sum(last - first + 1), 0) FROM refused WHERE journal = ?", (journal.id,)
            ).fetchone()[0]
        return Counts(stored, broken, gone, refused)

    def events(self, gate: str, journal: str) -> Iterator[StoredEvent]:
        """A journal's events, oldest first."""
        found = self._gates[gate].journals[journal]
        with self._translated():
            where = "SELECT seq, type, data FROM event WHERE journal = ? ORDER BY seq"
            for seq, kind, data in self._db.execute(where, (found.id,)):
                yield StoredEvent(journal, seq, kind, data)

    # -- what comes in ----------------------------------------------------------------------------

    def take(
        self,
        events: Sequence[WireEvent],
        states: Sequence[tuple[str, GateState]] = (),
        explained: Sequence[tuple[str, Explained]] = (),
    ) -> list[News]:
        """Keeps what has arrived in one synced commit; what is new because of it, in order.

        Args:
            events: in the order of arrival; repeats are no matter.
            states: what gates have said about themselves, each with the gate's path. A gate that comes
                back says what it has sent, which shows what a broker has lost though nothing follows it,
                and which events it does not keep any more.
            explained: what gates say about events that the broker refuses: these are not waited for.
        """
        news: list[News] = []
        states = [(path, state) for path, state in states if self._says_more(path, state)]
        explained = [(path, health) for path, health in explained if health.refused]
        if not events and not states and not explained:
            return news
        with self._commit():
            now = rfc3339(self._clock.utc())
            for event in events:
                gate = self._gate(event.source)
                journal = self._journal(gate, event.journal, direct=True)
                stored = StoredEvent(event.journal, event.seq, event.type, event.data)
                news += self._keep(journal, stored, (event.time, now, 0))
                if (inner := unpacked(stored)) is not None:
                    other = self._journal(gate, inner.journal, direct=False)
                    news += self._keep(other, inner, ("", now, 1))
            for path, state in states:
                news += self._note(self._gate(path), state)
            for path, health in explained:
                news += self._excuse(self._gate(path), health)
            news += self._edges()
        return news

    def _says_more(self, path: str, state: GateState) -> bool:
        """Every state comes again with every connection: most say nothing new."""
        gate, kept = self._gates.get(path), state.kept
        if gate is None or gate.status is not state.status:
            return True
        if kept is None:
            return False
        numbers = gate.journals[gate.journal].numbers if gate.journal == kept.journal else Numbers()
        return kept.sent > numbers.top or kept.first - 1 > numbers.through

    def _note(self, gate: GateKept, state: GateState) -> Iterator[News]:
        if gate.status is not state.status:
            gate.status = state.status
            row = (state.status.value, state.since, gate.path)
            self._db.execute("UPDATE gate SET status = ?, since = ? WHERE path = ?", row)
            yield Presence(gate.path, state.status, state.since)
        if (kept := state.kept) is None:
            return
        journal = self._touch(self._journal(gate, kept.journal, direct=True))
        if gate.journal != kept.journal:
            self._writes_now(gate, kept.journal)
        journal.numbers.expect(kept.sent)
        for span in journal.numbers.write_off(kept.first - 1):
            self._db.execute("INSERT INTO gone VALUES (?, ?, ?)", (journal.id, span.first, span.last))
            yield Gone(gate.path, journal.name, span)

    def _excuse(self, gate: GateKept, health: Explained) -> Iterator[News]:
        if health.journal not in gate.journals:
            return
        journal = self._touch(gate.journals[health.journal])
        journal.numbers.expect(health.sent)
        for refusal in health.refused:
            for span in journal.numbers.excuse(Span(refusal.first, refusal.last)):
                note_refused(self._db, journal.id, span, refusal.why)
                yield Refused(gate.path, journal.name, span, refusal.why)

    def _keep(self, journal: JournalKept, event: StoredEvent, about: tuple[str, str, int]) -> Iterator[News]:
        self._touch(journal)
        if not journal.numbers.take(event.seq):
            if (known := self._data(journal, event.seq)) is not None:
                if known != event.data:
                    detail = f"event {event.seq}: came again with other data"
                    yield from self._note_broken(journal, event.seq, detail)
                return
            forget_refused(self._db, journal.id, event.seq)
        row = (journal.id, event.seq, event.type, *about, event.data)
        self._db.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        yield Arrived(journal.gate, event, rescued=bool(about[-1]))
        for seq, detail in self._complaints(journal, event):
            yield from self._note_broken(journal, seq, detail)

    def _complaints(self, journal: JournalKept, event: StoredEvent) -> Iterator[tuple[int, str]]:
        """What the chain says about the event and the two beside it, as far as they are here."""
        before = self._data(journal, event.seq - 1)
        after = None if before is None else link(event.seq - 1, before)
        yield from ((found.seq, found.detail) for found in verify([event], after=after))
        newest = event.seq >= journal.numbers.top  # as a rule, and then nothing is to be looked up
        follows = None if newest else self._data(journal, event.seq + 1)
        if follows is not None and (parse(follows) or {}).get("prev") != link(event.seq, event.data).digest:
            yield event.seq + 1, f"event {event.seq + 1}: does not hold on to event {event.seq}"

    def _note_broken(self, journal: JournalKept, seq: int, detail: str) -> Iterator[News]:
        row = (journal.id, seq, detail)
        if self._db.execute("INSERT OR IGNORE INTO broken VALUES (?, ?, ?)", row).rowcount:
            yield Broken(journal.gate, journal.name, seq, detail)

    def _edges(self) -> Iterator[News]:
        """What this commit has opened and closed; it also notes how far each journal is complete."""
        for journal in self._touched.values():
            numbers, old = journal.numbers, journal.holes
            for span in numbers.missing:
                if not any(span.first <= hole.last and hole.first <= span.last for hole in old):
                    yield GapOpened(journal.gate, journal.name, span)
            if old and not numbers.missing:
                yield GapsClosed(journal.gate, journal.name, numbers.through)
            self._db.execute("UPDATE journal SET through = ? WHERE id = ?", (numbers.through, journal.id))

    # -- in memory and in the file ----------------------------------------------------------------

    def _touch(self, journal: JournalKept) -> JournalKept:
        if journal.id not in self._touched:
            self._touched[journal.id] = journal
            journal.holes = journal.numbers.missing
        return journal

    def _gate(self, path: str) -> GateKept:
        gate = self._gates.get(path)
        if gate is None:
            gate = self._gates[path] = GateKept(path)
            self._db.execute("INSERT INTO gate VALUES (?, '', '', '')", (path,))
        return gate

    def _journal(self, gate: GateKept, name: str, *, direct: bool) -> JournalKept:
        """The journal; one that begins to speak for itself is from now on the one the gate writes."""
        journal = gate.journals.get(name)
        if journal is None:
            made = self._db.execute(
                "INSERT INTO journal (gate, name, through) VALUES (?, ?, 0)", (gate.path, name)
            )
            assert made.lastrowid is not None  # noqa: S101 - an INSERT that did not raise has one
            journal = gate.journals[name] = JournalKept(made.lastrowid, gate.path, name, Numbers())
            if direct:
                self._writes_now(gate, name)
        return journal

    def _writes_now(self, gate: GateKept, name: str) -> None:
        gate.journal = name
        self._db.execute("UPDATE gate SET journal = ? WHERE path = ?", (name, gate.path))

    def _data(self, journal: JournalKept, seq: int) -> bytes | None:
        ask = "SELECT data FROM event WHERE journal = ? AND seq = ?"
        row = self._db.execute(ask, (journal.id, seq)).fetchone()
        return None if row is None else bytes(row[0])

    @contextlib.contextmanager
    def _commit(self) -> Iterator[None]:
        """All or nothing, in the file and in memory."""
        self._touched = {}
        with self._translated():
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                self._load()
                raise

    def _load(self) -> None:
        self._gates = {
            path: GateKept(path, Status(status) if status else None, journal)
            for path, status, journal in self._db.execute("SELECT path, status, journal FROM gate")
        }
        journals = self._db.execute("SELECT id, gate, name, through FROM journal ORDER BY id").fetchall()
        for number, gate, name, through in journals:
            ask = "SELECT coalesce(max(seq), 0) FROM event WHERE journal = ?"
            numbers = Numbers(through, self._db.execute(ask, (number,)).fetchone()[0])
            ask = "SELECT seq FROM event WHERE journal = ? AND seq > ? ORDER BY seq"
            for (seq,) in self._db.execute(ask, (number, through)):
                numbers.take(seq)
            ask = "SELECT first, last FROM refused WHERE journal = ? AND last > ?"
            for first, last in self._db.execute(ask, (number, through)):
                numbers.excuse(Span(first, last))
            self._gates[gate].journals[name] = JournalKept(number, gate, name, numbers)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise JournalError(f"{self._path}: {error}") from error
