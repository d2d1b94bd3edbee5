"""SQLite as a file that keeps its promises: settings, schema, migrations, the check at start.

Measured on Debian's SQLite 3.40 (one commit per event, raw 4 KiB write + fdatasync = 1): WAL with
`synchronous=FULL` 1.02 and one flush; rollback journal 6.3 and four flushes, and it lost events in
power cuts; WAL with `synchronous=NORMAL` 0.11, and lost events in every one. Pages of 1024 bytes
write a third less to the card than 4096.

The journal room is the only importer of sqlite3.
"""

from __future__ import annotations

import secrets
import sqlite3
import string
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from device.errors import JournalUnusable
from device.journal.chain import Link, genesis, verify
from device.model import Refusal, StoredEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# An event is some 600 bytes: it fills one page of this size, and nothing is written besides it.
PAGE_BYTES: Final = 1024
# Copied into the database every so many pages: about 170 events, which costs them 1% more flushes.
CHECKPOINT_PAGES: Final = 512
# Twice what the write-ahead log holds between two checkpoints: room for one in progress.
WAL_ROOM_BYTES: Final = 2 * CHECKPOINT_PAGES * (PAGE_BYTES + 24)
# How long a statement waits for a lock; only programs that are not ours can hold one for writing.
BUSY_TIMEOUT_S: Final = 2.0
# So many newest events are checked against the chain at start: those a power cut can have touched.
TAIL_EVENTS: Final = 200
# A sector that cannot be read any more will not be readable tomorrow: a new file lies on others.
_UNREADABLE: Final = {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ}
# "Gate", so that file(1) and this check know the file.
APPLICATION_ID: Final = 0x47617465

_ID_LETTERS: Final = string.ascii_lowercase + string.digits
# 36^12: two gates of a country meet with odds below one in 10^12.
_ID_LENGTH: Final = 12

_SCHEMA: Final = """
CREATE TABLE event (
    seq INTEGER PRIMARY KEY,    -- 1, 2, 3...; only ever appended
    type TEXT NOT NULL,
    data BLOB NOT NULL          -- RFC 8785 canonical JSON
) STRICT;
CREATE TABLE refused (          -- events the broker refuses
    seq INTEGER PRIMARY KEY,
    why TEXT NOT NULL           -- a reason of ours, never content
) STRICT;
CREATE TABLE dropped (          -- events given up undelivered because the journal was full
    first INTEGER PRIMARY KEY,
    last INTEGER NOT NULL
) STRICT;
CREATE TABLE journal (          -- one row
    id TEXT PRIMARY KEY,
    sent INTEGER NOT NULL,          -- up to here every event was accepted or refused by the broker
    pruned INTEGER NOT NULL,        -- up to here the events are gone
    pruned_digest TEXT NOT NULL     -- what the first event still here holds on to
) STRICT, WITHOUT ROWID;
"""

# Version 2: an accepted event is not a kept one, so the consumer's own cursor stands beside ours; and a
# damaged journal's events are carried over little by little.
_CONFIRMED: Final = """
ALTER TABLE journal
    ADD COLUMN confirmed INTEGER NOT NULL DEFAULT 0;  -- up to here the consumer has stored them
CREATE TABLE rescue (           -- damaged files whose events are still to be carried over
    name TEXT PRIMARY KEY,          -- of the file, in the same folder
    journal TEXT NOT NULL,          -- its id, empty when unknown
    through INTEGER NOT NULL        -- up to here they were, or had been delivered
) STRICT;
"""

# Steps from one user_version to the next; the first creates the tables in an empty file.
MIGRATIONS: Final[tuple[str, ...]] = (_SCHEMA, _CONFIRMED)
VERSION: Final = len(MIGRATIONS)


def connect(path: Path, *, synced: bool, max_pages: int, timeout_s: float) -> sqlite3.Connection:
    """A connection for writing, every setting applied and the two that carry the promise read back.

    Args:
        path: of the database; created when absent.
        synced: each commit waits for the card (`synchronous=FULL`); otherwise it is lazily written.
        max_pages: the file never grows beyond so many pages.
        timeout_s: how long a statement waits for a lock of another process.

    Raises:
        sqlite3.Error: the file is damaged, the disk is full or refuses.
        JournalUnusable: the file system cannot do write-ahead logging.
    """
    db = sqlite3.connect(path, timeout=timeout_s, isolation_level=None, check_same_thread=False)
    try:
        level = "FULL" if synced else "NORMAL"
        for setting in (
            f"page_size = {PAGE_BYTES}",
            "auto_vacuum = NONE",
            "secure_delete = ON",  # what is deleted is overwritten: it is gone for good
            "cell_size_check = ON",
            "trusted_schema = OFF",
            "temp_store = MEMORY",
            f"journal_size_limit = {WAL_ROOM_BYTES}",
            f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
            f"synchronous = {level}",
        ):
            db.execute(f"PRAGMA {setting}")
        mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        # After the first real read of the file: before it the limit does not hold.
        db.execute(f"PRAGMA max_page_count = {max_pages}")
        kept = mode == "wal" and pragma(db, "synchronous") == (2 if synced else 1)
    except BaseException:
        db.close()
        raise
    if not kept:
        db.close()
        raise JournalUnusable(f"{path}: this file system or SQLite cannot keep a synced write-ahead log")
    return db


def pragma(db: sqlite3.Connection, name: str) -> int:
    """A setting or fact of the database that is a number."""
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])


def migrate(db: sqlite3.Connection) -> None:
    """Brings the tables to the present version, in one synced commit; a new file gets its id.

    Raises:
        JournalUnusable: a later version of this program wrote the file.
        sqlite3.Error: as `connect`.
    """
    version = pragma(db, "user_version")
    if version > VERSION:
        raise JournalUnusable(f"the journal has format {version}, this program knows up to {VERSION}")
    if version == VERSION:
        return
    db.execute("BEGIN IMMEDIATE")
    for step in MIGRATIONS[version:]:
        for statement in _statements(step):
            db.execute(statement)
    if version == 0:
        name = "".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH))
        first = "INSERT INTO journal (id, sent, pruned, pruned_digest) VALUES (?, 0, 0, ?)"
        db.execute(first, (name, genesis(name).digest))
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {VERSION}")
    db.execute("COMMIT")


def _statements(script: str) -> Iterator[str]:
    """Splits a script, so that it can run inside one transaction (executescript would commit first)."""
    statement = ""
    for line in script.strip().splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def complaint(db: sqlite3.Connection, *, out_of_time: Callable[[], bool]) -> str | None:
    """What is wrong with an existing journal, or None. The newest events are checked in any case.

    Args:
        db: an open connection to it.
        out_of_time: asked now and then during the check of the whole file, which ends when it says so:
            a gate must open again. What is found later is found when it is read.

    Raises:
        sqlite3.Error: the check could not be made. `is_damage` tells whether the file is to blame.
    """
    if pragma(db, "user_version") == 0 and not db.execute("SELECT 1 FROM sqlite_master").fetchone():
        return None  # created, but the power went before the first commit
    if pragma(db, "application_id") != APPLICATION_ID:
        return "it is not a journal of this program"
    db.set_progress_handler(out_of_time, 10_000)
    try:
        found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            return "SQLite finds it damaged"
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
    finally:
        db.set_progress_handler(None, 0)
    return _tail_complaint(db)


def _tail_complaint(db: sqlite3.Connection) -> str | None:
    row = db.execute("SELECT id, sent, pruned, pruned_digest FROM journal").fetchone()
    if row is None:
        return "its own record is missing"
    name, sent, pruned, digest = row
    newest = list(islice(rows(db, name, "ORDER BY seq DESC", ()), TAIL_EVENTS))[::-1]
    last = newest[-1].seq if newest else pruned
    if sent > last:
        return f"delivered up to event {sent}, but it ends with {last}"
    after = Link(pruned, digest) if newest and newest[0].seq <= pruned + 1 else None
    found = next(verify(newest, after=after), None)
    return found.detail if found else None


def rows(db: sqlite3.Connection, journal: str, rest: str, values: tuple[Any, ...]) -> Iterator[StoredEvent]:
    """Stored events; `rest` is the end of the statement, from WHERE on, with `values` for its marks."""
    for seq, kind, data in db.execute(f"SELECT seq, type, data FROM event {rest}", values):  # noqa: S608 - fixed texts of this room
        yield StoredEvent(journal=journal, seq=seq, type=kind, data=data)


def refusals(db: sqlite3.Connection, after_seq: int, limit: int) -> tuple[Refusal, ...]:
    """What the broker refuses beyond a number, oldest first; neighbours with one reason are one entry."""
    ask = """
        SELECT min(seq), max(seq), why
        FROM (SELECT seq, why, seq - row_number() OVER (PARTITION BY why ORDER BY seq) AS island
            FROM refused WHERE seq > ?)
        GROUP BY why, island ORDER BY 1 LIMIT ?"""
    return tuple(Refusal(*row) for row in db.execute(ask, (after_seq, limit)))


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file's content is to blame, or the sectors it lies on; not a lock, a permission, room."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB} or code in _UNREADABLE


def words(error: BaseException) -> str:
    """An error of SQLite or the system for people; never holds content."""
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return f"{error} ({name})"
