"""The checker: what people were shown, what the journal holds, what the district has."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from device.journal.reader import JournalReader
from device.model import EventType, Outcome
from device.runtime import SystemClock
from device.service.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from device.model import StoredEvent
    from tests.support.daemon import Daemon


@dataclass
class Reckoning:
    """Collects over all lives of a gate what it has promised.

    Attributes:
        greens: how often the green line went high, by the panel's own trace.
        told: number and outcome of each event that was signalled, as the daemon said after the cue.
    """

    greens: int = 0
    told: dict[int, str] = field(default_factory=dict)

    def note(self, daemon: Daemon) -> None:
        """Takes in a life that has ended."""
        self.greens += daemon.greens()
        self.told |= {scan["seq"]: scan["outcome"] for scan in daemon.scans()}

    def check_journal(self, path: Path) -> tuple[StoredEvent, ...]:
        """The journal is whole, and holds whatever was signalled and is not long delivered; its events."""
        with JournalReader(path) as reader:
            found = reader.verify(10)
            assert found.whole, found.breaks
            events = tuple(reader.events())
        kept = {e.seq: outcome for e in events if e.type == EventType.SCAN and (outcome := _outcome(e))}
        due = {seq: told for seq, told in self.told.items() if seq >= found.first_seq}
        missing = {seq: told for seq, told in due.items() if kept.get(seq) != told}
        assert missing == {}, f"signalled and not recorded: {missing}"
        granted = sum(outcome == Outcome.GRANTED for outcome in kept.values())
        assert granted >= self.greens, f"{self.greens} times green, {granted} grants recorded"
        return events

    def check_district(self, path: Path, store: Path, gate: str) -> None:
        """The district has every event there ever was, once, in order, byte for byte as the gate has it."""
        events = self.check_journal(path)
        with Store(store, clock=SystemClock()) as books:
            (book,) = (b for b in books.books if b.gate == gate)
            assert book.numbers.missing == ()
            assert books.counts(book).broken == 0
            have = tuple(books.events(gate, book.journal))
        assert [event.seq for event in have] == list(range(1, events[-1].seq + 1))
        assert have[events[0].seq - 1 :] == events


def _outcome(event: StoredEvent) -> str:
    return str(json.loads(event.data)["outcome"])
