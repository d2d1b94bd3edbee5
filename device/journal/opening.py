"""Opens the journal's file, or puts a damaged one aside and begins a new one."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from device.durable import sync_folder
from device.errors import JournalUnusable
from device.journal import damage
from device.journal.chain import Link
from device.journal.database import (
    BUSY_TIMEOUT_S,
    PAGE_BYTES,
    WAL_ROOM_BYTES,
    complaint,
    connect,
    is_damage,
    migrate,
    pragma,
    words,
)
from device.journal.salvage import beyond, delivered_through
from device.journal.state import Head
from device.journal.writer import last_link

if TYPE_CHECKING:
    from pathlib import Path

    from device.journal.damage import Replaced
    from device.runtime import Clock

# Below this there is no room for the write-ahead log and a day of events.
MIN_BYTES: Final = 2 * 1024 * 1024
# The whole file is checked at start for so long; the gate must open again within 2 s.
CHECK_S: Final = 1.0
# The technician's group may read what happened; nobody else.
FILE_MODE: Final = 0o640
# SQLite's index of the write-ahead log, at the length the log has here.
SHM_BYTES: Final = 32 * 1024
# Pages above the bound that only making room may use: a deletion can need a page before it frees one.
_SPARE_PAGES: Final = 16


@dataclass(frozen=True, slots=True)
class Opened:
    """The parts of an open journal.

    Attributes:
        writer: appends, each commit synced.
        keeper: cursor, refusals, pruning, lazily written. Never used while the writer is inside a commit.
        reader: reads, never writes.
        head: what the file says.
        replaced: the damaged file that had to make way, if one had.
        lock: file descriptor that says to other processes that this one writes.
    """

    writer: sqlite3.Connection
    keeper: sqlite3.Connection
    reader: sqlite3.Connection
    head: Head
    replaced: Replaced | None
    lock: int


def page_limit(max_bytes: int) -> int:
    """How many pages the database may have, so that file, log and index stay within `max_bytes`."""
    return (max_bytes - WAL_ROOM_BYTES - SHM_BYTES) // PAGE_BYTES - _SPARE_PAGES


def open_parts(path: Path, *, max_bytes: int, clock: Clock) -> Opened:
    """Opens or creates the file. Blocks for 2 s at most on a card that answers.

    Raises:
        JournalUnusable: it cannot be opened and not even begun anew, it belongs to another process or to
            a later version of this program.
        ValueError: `max_bytes` is less than `MIN_BYTES`.
    """
    if max_bytes < MIN_BYTES:
        raise ValueError(f"a journal needs at least {MIN_BYTES} bytes")
    lock = _lock(path)
    try:
        replaced = _put_aside_if_unfit(path, journal=_id_in(lock), clock=clock)
        parts = _connect_all(path, page_limit(max_bytes), replaced, lock)
        _write_id(lock, parts.head.journal)
        damage.clear_suspect(path)
    except (sqlite3.Error, OSError) as error:
        os.close(lock)
        if isinstance(error, JournalUnusable):
            raise
        raise JournalUnusable(f"{path}: {words(error)}") from error
    return parts


def _lock(path: Path) -> int:
    """Takes the right to write: two writers would each believe to know the newest event."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    except OSError as error:
        raise JournalUnusable(f"{path}: {words(error)}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise JournalUnusable(f"{path}: another process writes this journal") from error
    return lock


def is_written(path: Path) -> bool:
    """Whether another process has the journal at `path` open for writing: the running gate."""
    try:
        lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


def _id_in(lock: int) -> str:
    """The id of the journal that was last open here: known even when the file cannot be read any more."""
    found = os.pread(lock, 64, 0).decode("ascii", "replace").strip()
    return found if found.isascii() and found.isalnum() else ""


def _write_id(lock: int, journal: str) -> None:
    if _id_in(lock) != journal:
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{journal}\n".encode("ascii"), 0)
        os.fsync(lock)


def _put_aside_if_unfit(path: Path, *, journal: str, clock: Clock) -> Replaced | None:
    """Checks the existing file; one that fails makes way."""
    if damage.is_suspect(path):
        return damage.keep_aside(path, "it was found damaged while running", journal=journal)
    if not path.exists():
        return None
    until = clock.monotonic() + CHECK_S
    db = None
    try:
        # The page limit of an unchecked file does not matter: nothing is written to it here.
        db = connect(path, synced=True, max_pages=0, timeout_s=BUSY_TIMEOUT_S)
        why = complaint(db, out_of_time=lambda: clock.monotonic() > until) or _lost_end(db, path)
        return damage.keep_aside(path, why, journal=journal) if why else None
    except sqlite3.Error as error:
        if not is_damage(error):
            raise
        return damage.keep_aside(path, words(error), journal=journal)
    finally:
        if db:
            db.close()


def _lost_end(db: sqlite3.Connection, path: Path) -> str | None:
    """Whether the log holds promised events beyond the newest one that SQLite sees.

    From a damaged frame on SQLite ignores its log, as it must after a power cut in the middle of a commit.
    The events of that commit were never promised. But a commit begins only when the one before is on the
    card: where there are two, the first was promised, and its numbers must not be given again. Where even
    the tables are missing, one is enough: it came after them.
    """
    begun = pragma(db, "user_version") > 0
    last = last_link(db).seq if begun else 0
    found = beyond(path, last)
    if found.commits <= (1 if begun else 0):
        return None
    return f"it ends with event {last}, but its log goes up to {found.newest}"


def _connect_all(path: Path, max_pages: int, replaced: Replaced | None, lock: int) -> Opened:
    # Made before SQLite makes it: pseudonyms are for the gate and its group. The log takes over the mode.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE))
    made: list[sqlite3.Connection] = []
    try:
        for synced, pages in ((True, max_pages), (False, max_pages + _SPARE_PAGES), (False, 0)):
            made.append(connect(path, synced=synced, max_pages=pages, timeout_s=BUSY_TIMEOUT_S))
            if len(made) == 1:
                migrate(made[0])
                sync_folder(path.parent)
        writer, keeper, reader = made
        if replaced:
            row = (replaced.path.name, replaced.journal, delivered_through(replaced.path))
            writer.execute("INSERT OR IGNORE INTO rescue VALUES (?, ?, ?)", row)
        reader.execute("PRAGMA query_only = ON")
        return Opened(writer, keeper, reader, _head(writer), replaced, lock)
    except BaseException:
        for db in reversed(made):
            db.close()
        raise


def _head(db: sqlite3.Connection) -> Head:
    row = db.execute("SELECT id, sent, confirmed, pruned, pruned_digest FROM journal").fetchone()
    name, sent, confirmed, pruned, digest = row
    ahead = db.execute("SELECT seq FROM refused WHERE seq > ?", (sent,)).fetchall()
    return Head(
        journal=name,
        last=last_link(db),
        pruned=Link(pruned, digest),
        sent=sent,
        confirmed=confirmed,
        refused_ahead=frozenset(seq for (seq,) in ahead),
        refused=db.execute("SELECT count(*) FROM refused").fetchone()[0],
        dropped=db.execute("SELECT coalesce(sum(last - first + 1), 0) FROM dropped").fetchone()[0],
    ).settled()
