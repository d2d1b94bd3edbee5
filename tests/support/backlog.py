"""A backlog in memory, with the journal's manners towards the uplink."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.model import StoredEvent

if TYPE_CHECKING:
    from device.errors import JournalError


@dataclass(frozen=True)
class MemoryStats:
    journal: str
    first_seq: int
    acknowledged_through: int


class MemoryBacklog:
    """Implements `device.uplink.ports.Backlog`. Safe from any thread.

    Attributes:
        confirmed: the district's cursor.
        failure: raised by every method of the uplink's side while it is set.
    """

    def __init__(self, count: int = 0, *, journal: str = "j1") -> None:
        self.failure: JournalError | None = None
        self.confirmed = 0
        self._journal = journal
        self._changed = threading.Condition()
        self._events: list[StoredEvent] = []
        self._first = 1
        self._cursor = 0
        self._aside: dict[int, str] = {}
        self.append(count)

    @property
    def cursor(self) -> int:
        """Up to which seq everything is acknowledged."""
        return self._cursor

    @property
    def aside(self) -> dict[int, str]:
        """What was set aside, and why."""
        return dict(self._aside)

    @property
    def ids(self) -> list[str]:
        """The ids of everything appended."""
        return [event.id for event in self._events]

    def prune(self, first: int) -> None:
        """Events before this one are not kept any more."""
        with self._changed:
            self._first = first

    def append(self, count: int = 1, *, filler: str = "") -> None:
        """Adds events with the next seqs, about 300 bytes each, and `filler`."""
        with self._changed:
            for _ in range(count):
                seq = len(self._events) + 1
                self._events.append(StoredEvent(self._journal, seq, "gate.scan.v1", _data(seq, filler)))
            self._changed.notify_all()

    def wait_until_settled(self, timeout_s: float = 30.0) -> bool:
        """Waits until everything is acknowledged or set aside; whether it came true."""
        with self._changed:
            return self._changed.wait_for(self._settled, timeout_s)

    def wait_until(self, cursor: int, timeout_s: float = 30.0) -> bool:
        """Waits until the cursor has come so far; whether it has."""
        with self._changed:
            return self._changed.wait_for(lambda: self._cursor >= cursor, timeout_s)

    # -- the uplink's side ------------------------------------------------------------------------

    def pending(self, limit: int, *, after_seq: int = 0) -> tuple[StoredEvent, ...]:
        self._fail()
        with self._changed:
            first = max(self._cursor, after_seq)
            page = self._events[first : first + limit + len(self._aside)]
            return tuple(event for event in page if event.seq not in self._aside)[:limit]

    def acknowledge(self, through_seq: int) -> None:
        self._fail()
        with self._changed:
            assert self._cursor <= through_seq <= len(self._events)
            self._cursor = through_seq
            self._changed.notify_all()

    def set_aside(self, seq: int, why: str) -> None:
        self._fail()
        with self._changed:
            assert seq > self._cursor
            self._aside[seq] = why
            self._changed.notify_all()

    def wait_for_append(self, after_seq: int, timeout_s: float) -> bool:
        self._fail()
        with self._changed:
            return self._changed.wait_for(lambda: len(self._events) > after_seq, timeout_s)

    def confirm(self, journal: str, through_seq: int) -> bool:
        self._fail()
        with self._changed:
            if journal != self._journal:
                return False
            self.confirmed = max(self.confirmed, through_seq)
            self._changed.notify_all()
            return True

    def read(self, from_seq: int, limit: int) -> tuple[StoredEvent, ...]:
        self._fail()
        with self._changed:
            first = max(from_seq, self._first)
            return tuple(self._events[first - 1 : first - 1 + limit])

    def stats(self) -> MemoryStats:
        with self._changed:
            return MemoryStats(self._journal, self._first, self._cursor)

    def _settled(self) -> bool:
        return all(event.seq in self._aside for event in self._events[self._cursor :])

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


def _data(seq: int, filler: str) -> bytes:
    data = {
        "clock": {"boot": "b", "trusted": True, "uptime_ms": seq, "wall": "2026-03-02T08:00:00.000Z"},
        "direction": "in",
        "filler": filler,
        "outcome": "granted",
        "prev": f"{seq:064x}",
        "reason": "ok",
        "seq": seq,
    }
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()
