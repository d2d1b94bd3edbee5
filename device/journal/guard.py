"""The journal's files in this process's hands: still the same ones, open or closed, whole or damaged."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from typing import TYPE_CHECKING

from device.errors import JournalError, JournalUnusable
from device.journal import damage
from device.journal.database import is_damage, words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Guard:
    """What every part of an open journal asks before and after it touches the files. From any thread.

    Attributes:
        path: of the database.
        writing: held by whoever writes, through the flush; taken before any other lock of the journal.

    Args:
        path: of the database.
        lock: file descriptor that says to other processes that this one writes.
    """

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self.writing = threading.Lock()
        self._lock: int | None = lock
        self._log = path.with_name(f"{path.name}-wal")
        self._files = (path, self._log, path.with_name(f"{path.name}-shm"))
        self._inode = path.stat().st_ino

    @contextlib.contextmanager
    def translated(self) -> Iterator[None]:
        """SQLite's and the system's errors become ours here, and only here.

        Raises:
            JournalUnusable: the file is damaged; the next start replaces it.
            JournalError: the disk is full or refuses, or the journal is closed.
        """
        if self._lock is None:
            raise JournalError(f"{self.path}: the journal is closed")
        try:
            yield
        except JournalError:
            raise
        except (sqlite3.Error, OSError) as error:
            if isinstance(error, sqlite3.Error) and is_damage(error):
                self.mark_suspect()
                raise JournalUnusable(f"{self.path}: the file is damaged: {words(error)}") from error
            raise JournalError(f"{self.path}: {words(error)}") from error

    def log_bytes(self) -> int:
        """Length of the write-ahead log, after a look whether the files are still those that were opened.

        Raises:
            JournalUnusable: somebody moved or deleted them; what is written now nobody would find again.
        """
        try:
            same, length = self.path.stat().st_ino == self._inode, self._log.stat().st_size
        except FileNotFoundError:
            same, length = False, 0
        if not same:
            raise JournalUnusable(f"{self.path}: the file was moved or deleted while in use")
        return length

    def bytes(self) -> int:
        """What the files take, together."""
        total = 0
        for file in self._files:
            with contextlib.suppress(OSError):
                total += file.stat().st_size
        return total

    def mark_suspect(self) -> None:
        """Has the next start replace the file."""
        with contextlib.suppress(OSError):
            damage.mark_suspect(self.path)

    @property
    def closed(self) -> bool:
        """Whether nothing may be done any more."""
        return self._lock is None

    def release(self) -> None:
        """Lets another process write."""
        if self._lock is not None:
            os.close(self._lock)
        self._lock = None
