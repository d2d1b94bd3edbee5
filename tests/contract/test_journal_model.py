"""The journal against a model of it: a list, two numbers and a set, through any order of events."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from device.journal.chain import verify
from device.journal.reader import JournalReader
from device.journal.retention import BLOCK_EVENTS
from device.model import StoredEvent
from tests.support.clock import ManualClock
from tests.support.journal import append_many, copy_as_after_power_cut, open_journal, scan_event

KEEP_DAYS = 30


class JournalMachine(RuleBasedStateMachine):
    """Whatever happens, in whatever order, the journal says what the model says."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="journal-model-"))
        self.clock = ManualClock()
        self.path = self.folder / "0" / "journal.db"
        self.lives = 0
        self.events: list[StoredEvent] = []  # every event ever appended
        self.days: list[int] = []  # the day each was appended
        self.day = 0
        self.sent = 0
        self.refused: set[int] = set()
        self.pruned = 0

    @initialize()
    def begin(self) -> None:
        self.journal = open_journal(self.path, keep_days=KEEP_DAYS, clock=self.clock)

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.everything_is_read()
            self.journal.close()
        shutil.rmtree(self.folder)

    # -- what happens -----------------------------------------------------------------------------

    @rule(count=st.integers(1, 3))
    def append(self, count: int) -> None:
        for _ in range(count):
            self.events.append(self.journal.append(scan_event(len(self.events), self.clock.reading())))
            self.days.append(self.day)

    @rule()
    def a_busy_day(self) -> None:
        stored = append_many(self.journal, BLOCK_EVENTS // 2 + 1, self.clock.reading())
        self.events += sorted(stored, key=lambda e: e.seq)
        self.days += [self.day] * len(stored)

    @precondition(lambda self: self.events)
    @rule(draw=st.data())
    def acknowledge(self, draw: st.DataObject) -> None:
        through = draw.draw(st.integers(self.sent, len(self.events)))
        self.journal.acknowledge(through)
        self.sent = max(self.sent, through)
        self.settle()

    @precondition(lambda self: self.sent < len(self.events))
    @rule(draw=st.data())
    def set_aside(self, draw: st.DataObject) -> None:
        seq = draw.draw(st.integers(self.sent + 1, min(len(self.events), self.sent + 5)))
        self.journal.set_aside(seq, "0x87 not authorized")
        self.refused.add(seq)
        self.settle()

    @precondition(lambda self: self.refused)
    @rule(draw=st.data())
    def take_back(self, draw: st.DataObject) -> None:
        seqs = draw.draw(st.lists(st.sampled_from(sorted(self.refused)), unique=True))
        self.journal.take_back(seqs)
        self.refused -= {seq for seq in seqs if self.pruned < seq <= self.sent}

    @rule(days=st.integers(1, 40))
    def time_passes(self, days: int) -> None:
        self.clock.advance(days * 86_400)
        self.day += days

    @rule()
    def prune(self) -> None:
        before = self.pruned
        while self.pruned < self.sent and self.is_past(self.pruned + 1):
            self.pruned += 1
        assert self.journal.prune() == self.pruned - before

    @rule()
    def restart(self) -> None:
        self.journal.close()
        self.journal = open_journal(self.path, keep_days=KEEP_DAYS, clock=self.clock)
        assert self.journal.replaced is None

    @rule()
    def the_power_goes(self) -> None:
        self.lives += 1
        after = copy_as_after_power_cut(self.path, self.folder / str(self.lives))
        self.journal.close()
        self.path = after
        self.journal = open_journal(self.path, keep_days=KEEP_DAYS, clock=self.clock)
        assert self.journal.replaced is None
        sent = self.journal.stats().acknowledged_through
        assert self.pruned <= sent <= self.sent  # forgotten deliveries are repeated, none is invented
        self.sent = sent
        # Refusals are as lazily written; one too many is offered once more.
        self.refused = {event.seq for event, _ in self.journal.refused(1000)}

    @rule()
    def everything_is_read(self) -> None:
        held = self.journal.read(1, 100_000)
        assert list(held) == self.events[self.pruned :]
        assert list(verify(held)) == []
        with JournalReader(self.path) as reader:
            found = reader.verify(10)
        assert found.whole
        assert found.events == len(self.events) - self.pruned

    # -- what always holds ------------------------------------------------------------------------

    @invariant()
    def it_tells_what_the_model_tells(self) -> None:
        stats = self.journal.stats()
        waiting = [e for e in self.events[self.sent :] if e.seq not in self.refused]
        assert stats.last_seq == len(self.events)
        assert stats.stored == len(self.events) - self.pruned
        assert stats.acknowledged_through == self.sent
        assert stats.pending == len(waiting)
        assert stats.set_aside == sum(seq > self.pruned for seq in self.refused)
        assert (stats.pruned, stats.dropped) == (self.pruned, 0)
        assert list(self.journal.pending(10)) == waiting[:10]
        kept = sorted(seq for seq in self.refused if seq > self.pruned)
        assert [event.seq for event, _ in self.journal.refused(1000)] == kept
        spans = self.journal.refusals(1000)
        assert [seq for span in spans for seq in range(span.first, span.last + 1)] == kept

    # -- the model --------------------------------------------------------------------------------

    def settle(self) -> None:
        while self.sent + 1 in self.refused:
            self.sent += 1

    def is_past(self, seq: int) -> bool:
        return self.day - self.days[seq - 1] > KEEP_DAYS


TestJournalMachine = pytest.mark.slow(JournalMachine.TestCase)
TestJournalMachine.settings = settings(max_examples=15, stateful_step_count=30, deadline=None)
