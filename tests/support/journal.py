"""Events and journals for tests; damage to their files."""

from __future__ import annotations

import contextlib
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from device.errors import JournalFull
from device.journal.sqlite_journal import SqliteJournal
from device.journal.state import WhenFull
from device.model import (
    ClockReading,
    CredentialRef,
    Direction,
    Lifecycle,
    LifecycleEvent,
    Outcome,
    Reason,
    ScanEvent,
    Standing,
)
from tests.support.clock import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

    from device.model import StoredEvent
    from device.runtime import Clock

READING = ClockReading(
    wall="2026-03-02T08:00:00.000Z",
    trusted=True,
    boot="00000000-0000-4000-8000-000000000001",
    uptime_ms=1_000_000,
)


THREADS = 32
"""That append at once in `append_many`: the most events that share a commit."""


def scan_event(number: int = 1, clock: ClockReading = READING) -> ScanEvent:
    """A granted showing; `number` tells one event from another and comes back by `number_of`."""
    return ScanEvent(
        direction=Direction.IN,
        outcome=Outcome.GRANTED,
        reason=Reason.OK,
        credential=CredentialRef(kind="vn.cccd", standing=Standing.CLAIMED, subject=f"{number:032x}"),
        clock=clock,
        rules="0123456789abcdef",
        engine="zxing",
        latency_ms=number,
    )


def lifecycle_event(detail: str = "", clock: ClockReading = READING) -> LifecycleEvent:
    return LifecycleEvent(what=Lifecycle.STARTED, detail=detail, version="0.1.0", clock=clock)


def open_journal(
    path: Path,
    *,
    max_bytes: int = 16 << 20,
    keep_days: int = 30,
    when_full: WhenFull = WhenFull.REFUSE,
    clock: Clock | None = None,
) -> SqliteJournal:
    return SqliteJournal.open(
        path,
        max_bytes=max_bytes,
        keep_days=keep_days,
        when_full=when_full,
        clock=clock or ManualClock(),
    )


def append_many(journal: SqliteJournal, count: int, clock: ClockReading = READING) -> list[StoredEvent]:
    """Appends from many threads at once, which share commits: a tenth of the time of one by one."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda n: journal.append(scan_event(n, clock)), range(count)))


def fill(journal: SqliteJournal) -> int:
    """Appends until the bound is reached; how many events the journal then ever had."""
    with contextlib.suppress(JournalFull):
        while True:
            append_many(journal, 200)
    with contextlib.suppress(JournalFull):
        while True:
            journal.append(scan_event())
    return journal.stats().last_seq


def copy_as_after_power_cut(path: Path, folder: Path) -> Path:
    """What is left when nobody closes the files: the database and its log as they lie there now.

    Copied by another process: closing a database file here would drop this process's locks on it.
    """
    folder.mkdir(parents=True)
    files = [str(f) for f in (path, path.with_name(f"{path.name}-wal")) if f.exists()]
    subprocess.run(["cp", *files, str(folder)], check=True)
    return folder / path.name
