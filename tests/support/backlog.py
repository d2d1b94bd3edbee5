"""A backlog in memory, with the journal's manners towards the uplink."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.model import Refusal, StoredEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from device.errors import JournalError


@dataclass(frozen=True)
class MemoryStats:
    journal: str
    first_seq: int
    last_seq: int
    acknowledged_through: int
    confirmed_through: int
    pending: int
    set_aside: int


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

    def refuse(self, seq: int, why: str) -> None:
        """This event was refused in an earlier life, and the cursor has passed it."""
        with self._changed:
            assert seq <= self._cursor
            self._aside[seq] = why

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
            self._settle()

    def set_aside(self, seq: int, why: str) -> None:
        self._fail()
        with self._changed:
            assert seq > self._cursor
            self._aside[seq] = why
            self._settle()

    def refused(self, limit: int, *, after_seq: int = 0) -> tuple[tuple[StoredEvent, str], ...]:
        self._fail()
        with self._changed:
            found = sorted((seq, why) for seq, why in self._aside.items() if seq > after_seq)
            return tuple((self._events[seq - 1], why) for seq, why in found[:limit])

    def refusals(self, limit: int, *, after_seq: int = 0) -> tuple[Refusal, ...]:
        self._fail()
        with self._changed:
            spans: list[Refusal] = []
            for seq, why in sorted((s, w) for s, w in self._aside.items() if s > after_seq):
                if spans and (spans[-1].last, spans[-1].why) == (seq - 1, why):
                    spans[-1] = Refusal(spans[-1].first, seq, why)
                else:
                    spans.append(Refusal(seq, seq, why))
            return tuple(spans[:limit])

    def take_back(self, seqs: Sequence[int]) -> None:
        self._fail()
        with self._changed:
            for seq in seqs:
                if seq <= self._cursor:
                    self._aside.pop(seq, None)
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
            ahead = sum(seq > self._cursor for seq in self._aside)
            return MemoryStats(
                journal=self._journal,
                first_seq=self._first,
                last_seq=len(self._events),
                acknowledged_through=self._cursor,
                confirmed_through=self.confirmed,
                pending=len(self._events) - self._cursor - ahead,
                set_aside=len(self._aside),
            )

    def _settle(self) -> None:
        while self._cursor + 1 in self._aside:
            self._cursor += 1
        self._changed.notify_all()

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
