"""A district's store as `trace` reads it, while `watch` may be writing it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import TYPE_CHECKING, Final, Self

from device.errors import GateError, JournalError
from device.model import StoredEvent
from device.service.news import short
from device.service.numbers import Numbers, Span
from device.service.store_file import APPLICATION_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

# How long a statement waits, while the writer recovers its log after a crash.
_BUSY_TIMEOUT_S: Final = 2.0
# Of a store's gates, so many are named to somebody who named none.
_GATES_NAMED: Final = 12


class StoreReader:
    """Reads a store's file. Used as a context manager, by one thread.

    Raises:
        JournalError: from every method, when it is no store or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise JournalError(f"{path}: there is no such file")
        self._path = path
        with self._translated():
            uri = f"{path.absolute().as_uri()}?mode=ro"
            self._db = sqlite3.connect(uri, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
            if self._db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                raise JournalError(f"{path}: this is no store of a district's events")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def gates(self) -> tuple[str, ...]:
        """Paths of the gates it knows."""
        with self._translated():
            return tuple(path for (path,) in self._db.execute("SELECT path FROM gate ORDER BY path"))

    def gate(self, asked: str) -> str:
        """The path of the one gate whose path ends like this.

        Raises:
            GateError: there is none, or there are several.
        """
        paths = self.gates()
        found = [path for path in paths if not asked or f"/{path}".endswith(f"/{asked}")]
        if len(found) == 1:
            return str(found[0])
        named = ", ".join(short(path) for path in (found or paths)[:_GATES_NAMED]) or "none at all"
        raise GateError(f"{self._path}: which gate? {'it knows' if not found else 'meant may be'} {named}")

    def journals(self, gate: str) -> tuple[StoredJournal, ...]:
        """Its journals, the one it writes now last."""
        ask = """
            SELECT journal.id, journal.name, journal.through
            FROM journal JOIN gate ON gate.path = journal.gate
            WHERE gate.path = ? ORDER BY gate.journal = journal.name, journal.id
        """
        with self._translated():
            rows = self._db.execute(ask, (gate,)).fetchall()
        return tuple(StoredJournal(self._db, self._path, *row) for row in rows)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        with _translated(self._path):
            yield


class StoredJournal:
    """One journal in a store: its `Events`."""

    def __init__(self, db: sqlite3.Connection, path: Path, number: int, name: str, through: int) -> None:
        self._db = db
        self._path = path
        self._number = number
        self._through = through
        self.name = name

    def of_types(self, words: Iterable[str]) -> Iterator[StoredEvent]:
        """Those of some types."""
        return self._found("type IN (SELECT value FROM json_each(?))", json.dumps(list(words)))

    def mentioning(self, text: str) -> Iterator[StoredEvent]:
        """Those whose data hold this text."""
        return self._found("instr(data, ?)", text)

    def between(self, first: int, last: int) -> Iterator[StoredEvent]:
        """Those from one number to another."""
        return self._found("seq BETWEEN ? AND ?", first, last)

    def missing(self) -> tuple[Span, ...]:
        """Numbers that are known to have been given, and have not arrived."""
        numbers = Numbers(self._through)
        ask = "SELECT seq FROM event WHERE journal = ? AND seq > ? ORDER BY seq"
        with _translated(self._path):
            for (seq,) in self._db.execute(ask, (self._number, self._through)):
                numbers.take(seq)
        return numbers.missing

    def gone(self) -> tuple[Span, ...]:
        """Numbers that will not arrive any more."""
        ask = "SELECT first, last FROM gone WHERE journal = ? ORDER BY first"
        with _translated(self._path):
            return tuple(Span(*row) for row in self._db.execute(ask, (self._number,)))

    def _found(self, where: str, *values: object) -> Iterator[StoredEvent]:
        ask = f"SELECT seq, type, data FROM event WHERE journal = ? AND {where} ORDER BY seq"  # noqa: S608 - fixed texts of this file
        with _translated(self._path):
            rows = self._db.execute(ask, (self._number, *values)).fetchall()
        for seq, kind, data in rows:
            yield StoredEvent(self.name, seq, kind, data)


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise JournalError(f"{path}: {error}") from error
