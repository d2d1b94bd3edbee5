from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.credential.pseudonym import Pseudonyms
from device.errors import JournalError, JournalUnusable
from device.model import CardEvent, CardKind, CheckupEvent, Cue, Event, Occasion, StoredEvent
from device.provision.card import Card
from device.provision.desk import WAITING, CardDesk
from device.provision.joining import Joining
from device.provision.memory import MAX_USED, Known, Memory
from device.provision.parts import split
from device.runtime import Worker
from tests.support.cards import DEVICE_KEY, Provisioner, Radio
from tests.support.clock import ManualClock

HERE = "phu-vang/market/north-door"
OFFICE = Provisioner()
NAMES = Pseudonyms(b"k" * 32)


class Gate:
    """A desk whose every step goes into one list, in order."""

    def __init__(self, folder: Path, office: Provisioner = OFFICE) -> None:
        self.clock = ManualClock()
        self.radio = Radio()
        self.steps: list[Event | Cue | str] = []
        self.fails: JournalError | None = None
        self.path = folder / "cards.json"
        self.memory = Memory(self.path, office.key.kid.hex())
        self.desk = CardDesk(
            keys=office.keys,
            opens=DEVICE_KEY,
            gate=HERE,
            memory=self.memory,
            pseudonyms=NAMES,
            checkup=lambda: CheckupEvent(Occasion.CARD, (), (), (), (), "0", self.clock.reading()),
            report=lambda: self.steps.append("report"),
            joining=Joining(wireless=self.radio, recorder=self, panel=self, clock=self.clock, version="0"),
            recorder=self,
            panel=self,
            clock=self.clock,
        )

    def append(self, event: Event) -> StoredEvent:
        if self.fails:
            raise self.fails
        self.steps.append(event)
        return StoredEvent("j", len(self.steps), "t", b"{}")

    def show(self, cue: Cue) -> None:
        self.steps.append(cue)

    def told(self, content: bytes) -> tuple[str, str | None, Any]:
        """Outcome and reason of the event, and the cue that came after it."""
        self.steps.clear()
        self.desk.answer(content)
        event, cue = self.steps[:2]
        assert isinstance(event, CardEvent)
        return event.outcome.value, event.reason, cue


@pytest.mark.parametrize("kind", [CardKind.SUSPEND, CardKind.RESUME, CardKind.REPORT])
def test_a_card_is_recorded_first_then_done_and_shown(tmp_path: Path, kind: CardKind) -> None:
    assert Gate(tmp_path).told(OFFICE.card(kind)) == ("done", None, Cue.TAKEN)


def test_a_gate_is_suspended_and_resumed_and_a_start_does_not_change_that(tmp_path: Path) -> None:
    Gate(tmp_path).told(OFFICE.card(CardKind.SUSPEND))
    later = Gate(tmp_path)
    assert later.memory.suspended()
    later.told(OFFICE.card(CardKind.RESUME))
    assert not later.memory.suspended()
    assert not Gate(tmp_path).memory.suspended()


def test_a_card_is_good_once_also_after_a_start(tmp_path: Path) -> None:
    gate, card = Gate(tmp_path), OFFICE.card(CardKind.SUSPEND)
    gate.told(card)
    gate.told(OFFICE.card(CardKind.RESUME))
    assert gate.told(card) == ("refused", "used", Cue.ATTENTION)
    again = Gate(tmp_path)
    assert again.told(card) == ("refused", "used", Cue.ATTENTION)
    assert not again.memory.suspended()


def test_a_card_with_an_end_is_good_until_then(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    ends = gate.clock.utc() + timedelta(hours=8)
    card = OFFICE.card(CardKind.REPORT, until=ends, once=False)
    assert gate.told(card)[0] == gate.told(card)[0] == "done"
    gate.clock.advance(8 * 3600)
    assert gate.told(card) == ("refused", "expired", Cue.ATTENTION)


def test_a_self_test_shows_the_lamps_and_records_what_the_gate_finds(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.desk.answer(OFFICE.card(CardKind.SELF_TEST))
    _, cue, checkup = gate.steps
    assert cue is Cue.SELF_TEST
    assert isinstance(checkup, CheckupEvent)
    assert checkup.occasion is Occasion.CARD


def test_a_report_is_asked_for_after_the_card_is_recorded(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.desk.answer(OFFICE.card(CardKind.REPORT))
    assert gate.steps[1:] == [Cue.TAKEN, "report"]


def test_who_signs_in_is_in_the_event_under_a_pseudonym(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.desk.answer(OFFICE.card(CardKind.SIGN_IN, body=b"guard-7"))
    event = gate.steps[0]
    assert isinstance(event, CardEvent)
    assert (event.subject, event.subject_key) == (NAMES.subject("guard-7"), NAMES.key_id)
    assert gate.told(OFFICE.card(CardKind.SIGN_IN)) == ("refused", "malformed", Cue.ATTENTION)


def test_why_a_card_is_refused_is_in_the_event(tmp_path: Path) -> None:
    gate, now = Gate(tmp_path), ManualClock().utc()
    card = OFFICE.card
    cases = {
        "malformed": b"GATECARD1:HELLO",
        "unknown_key": Provisioner().card(CardKind.RESUME),
        "other_gate": card(CardKind.RESUME, gate="phu-vang/market/south-door"),
        "not_yet": card(CardKind.RESUME, effective_from=now + timedelta(days=1)),
        "expired": card(CardKind.RESUME, until=now),
        "not_here": card(CardKind.CONFIGURATION),
    }
    said = {reason: gate.told(content) for reason, content in cases.items()}
    assert said == {reason: ("refused", reason, Cue.ATTENTION) for reason in cases}
    gate.clock.set_wall(now, trusted=False)
    assert gate.told(card(CardKind.RESUME, until=now))[1] == "clock_not_trusted"


def test_a_long_card_is_answered_with_its_last_part(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    *first, last = split(OFFICE.card(CardKind.CONFIGURATION, body=bytes(900)))
    for part in first:
        gate.desk.answer(part)
    assert gate.steps == []
    assert gate.told(last) == ("refused", "not_here", Cue.ATTENTION)


def test_what_cannot_be_recorded_is_not_done(tmp_path: Path) -> None:
    gate, card = Gate(tmp_path), OFFICE.card(CardKind.SUSPEND)
    gate.fails = JournalError("no room")
    gate.desk.answer(card)
    assert gate.steps == [Cue.FAULT]
    assert not gate.memory.suspended()
    gate.fails = None
    assert gate.told(card)[0] == "done"


def test_a_journal_damaged_while_running_ends_the_thread(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.fails = JournalUnusable("damaged")
    with pytest.raises(JournalUnusable):
        gate.desk.answer(OFFICE.card(CardKind.SUSPEND))
    assert not gate.memory.suspended()


def test_no_more_codes_wait_than_there_is_room_for_and_those_are_answered_at_the_end(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    taken = [gate.desk.hand(b"GATECARD1:%d" % n) for n in range(WAITING + 2)]
    assert taken == [True] * WAITING + [False] * 2
    assert gate.desk.turned_away == 2
    worker = Worker("cards", gate.desk.body, deadline_s=60, clock=gate.clock)
    worker.ask_to_stop()
    gate.desk.body(worker)
    assert sum(isinstance(step, CardEvent) for step in gate.steps) == WAITING


def test_the_text_of_a_card_is_in_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate(tmp_path)
    with caplog.at_level("DEBUG"):
        for content in (b"GATECARD1:VERY SECRET", OFFICE.card(CardKind.SIGN_IN, body=b"guard-7")):
            gate.desk.answer(content)
    assert len(caplog.records) == 2
    assert not any(word in caplog.text for word in ("SECRET", "guard-7", "GATECARD1"))


# -- memory ---------------------------------------------------------------------------------------


def test_cards_of_another_key_are_another_count_and_the_gate_stays_suspended(tmp_path: Path) -> None:
    Gate(tmp_path).told(OFFICE.card(CardKind.SUSPEND, serial=5))
    other = Provisioner()
    gate = Gate(tmp_path, other)
    assert gate.memory.suspended()
    assert gate.told(other.card(CardKind.RESUME, serial=5))[0] == "done"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b"\xff"),
        lambda path: path.write_text("[]"),
        lambda path: path.write_text(json.dumps({"key": "", "suspended": False, "used": ["1"], "floor": 0})),
        lambda path: path.mkdir(),
    ],
)
def test_a_memory_that_cannot_be_read_leaves_the_gate_suspended(
    tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    spoil(tmp_path / "cards.json")
    assert Gate(tmp_path).memory.suspended()


@given(st.lists(st.integers(1, 2000), max_size=1200, unique=True))
def test_a_card_that_is_good_once_is_never_taken_twice_and_the_memory_has_a_bound(serials: list[int]) -> None:
    known = Known("k")
    for serial in serials:
        card = Card(CardKind.REPORT, serial)
        if known.objection(card) is None:
            known = known.after(card)
        assert known.objection(card) is not None
    assert len(known.used) <= MAX_USED
    assert all(known.objection(Card(CardKind.REPORT, serial)) for serial in serials)
