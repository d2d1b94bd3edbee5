"""The file of the district's copy: tables, settings, and that one process writes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from typing import TYPE_CHECKING, Final

from device.errors import JournalError
from device.model import EventType, StoredEvent
from device.service.numbers import Span

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# "Gcon", so that file(1) and this check know the file.
APPLICATION_ID: Final = 0x47636F6E
_VERSION: Final = 2
# Another program that writes into the file must be done by then.
_BUSY_TIMEOUT_S: Final = 5.0

# Rows of one transaction of a reader: a few milliseconds.
_PAGE_ROWS: Final = 500

_SCHEMA: Final = f"""
BEGIN;
CREATE TABLE gate (
    path TEXT PRIMARY KEY,
    status TEXT NOT NULL,           -- empty: it has not told yet
    since TEXT NOT NULL,
    journal TEXT NOT NULL           -- which it writes now; empty: not known yet
) STRICT, WITHOUT ROWID;
CREATE TABLE journal (
    id INTEGER PRIMARY KEY,
    gate TEXT NOT NULL,
    name TEXT NOT NULL,
    through INTEGER NOT NULL,       -- up to here nothing is missing
    UNIQUE (gate, name)
) STRICT;
CREATE TABLE event (
    journal INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    type TEXT NOT NULL,
    time TEXT NOT NULL,             -- best known UTC; empty for rescued ones
    received TEXT NOT NULL,
    rescued INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (journal, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE broken (
    journal INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (journal, seq, detail)
) STRICT, WITHOUT ROWID;
CREATE TABLE gone (
    journal INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (journal, first)
) STRICT, WITHOUT ROWID;
PRAGMA application_id = {APPLICATION_ID};
COMMIT;
"""
# What makes version 2 of version 1, and of a new file.
_REFUSED: Final = """
BEGIN;
CREATE TABLE refused (          -- numbers that the broker refuses, and that are not here
    journal INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (journal, first)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 2;
COMMIT;
"""


def lock(path: Path) -> int:
    """A file descriptor that keeps other writers out until it is closed, or the process ends.

    Raises:
        JournalError: another process holds it, or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise JournalError(f"{path}: another process writes it") from None
    return handle


def connect(path: Path) -> sqlite3.Connection:
    """A connection whose commits wait for the disk; makes the tables in a new file.

    Raises:
        sqlite3.Error: the file is damaged, the disk is full or refuses.
        JournalError: it is something else, or of another version.
    """
    db = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
    try:
        complaint = _prepare(db)
        path.chmod(0o600)
    except BaseException:
        db.close()
        raise
    if complaint:
        db.close()
        raise JournalError(f"{path}: {complaint}")
    return db


def _prepare(db: sqlite3.Connection) -> str:
    """What keeps the file from being used; empty for nothing."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    new = version == 0 and not db.execute("SELECT 1 FROM sqlite_master").fetchone()
    ours = db.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    if not new and not (ours and 0 <= version <= _VERSION):
        return "this is no store of this version"
    if db.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        return "this file system cannot keep a write-ahead log"
    db.execute("PRAGMA synchronous = FULL")
    if new:
        db.executescript(_SCHEMA)
    if version < _VERSION:
        db.executescript(_REFUSED)
    return ""


def note_refused(db: sqlite3.Connection, journal: int, span: Span, why: str) -> None:
    """The broker refuses these. Raises sqlite3.Error."""
    db.execute("INSERT INTO refused VALUES (?, ?, ?, ?)", (journal, span.first, span.last, why))


def forget_refused(db: sqlite3.Connection, journal: int, seq: int) -> None:
    """This one is here after all; those beside it are still refused. Raises sqlite3.Error."""
    ask = "SELECT first, last, why FROM refused WHERE journal = ? AND first <= ? AND last >= ?"
    for first, last, why in db.execute(ask, (journal, seq, seq)).fetchall():
        db.execute("DELETE FROM refused WHERE journal = ? AND first = ?", (journal, first))
        for left in (Span(first, seq - 1), Span(seq + 1, last)):
            if left.first <= left.last:
                note_refused(db, journal, left, why)


# -- for readers ----------------------------------------------------------------------------------


def is_store(path: Path) -> bool:
    """Whether the file is a district's store.

    Raises:
        JournalError: there is no such file, or it is no database.
    """
    with _reading(path) as db:
        return int(db.execute("PRAGMA application_id").fetchone()[0]) == APPLICATION_ID


def read_events(path: Path) -> Iterator[tuple[str, StoredEvent]]:
    """Every event once, with its gate's path, journal by journal; also while another process writes.

    Of rescued events those inside, which count under their own journal and number.

    Raises:
        JournalError: it cannot be read.
    """
    after = (0, 0)
    select = (
        "SELECT gate, name, journal, seq, type, data FROM event JOIN journal ON journal.id = event.journal"
        " WHERE (journal, seq) > (?, ?) ORDER BY journal, seq LIMIT ?"
    )
    with _reading(path) as db:
        while rows := db.execute(select, (*after, _PAGE_ROWS)).fetchall():
            for gate, name, _, seq, kind, data in rows:
                if kind != EventType.RESCUED:
                    yield gate, StoredEvent(name, seq, kind, data)
            after = (rows[-1][2], rows[-1][3])


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.is_file():
        raise JournalError(f"{path}: there is no such file")
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_TIMEOUT_S)
        with contextlib.closing(db):
            yield db
    except sqlite3.Error as error:
        raise JournalError(f"{path}: {error}") from error
