"""The card that brings a network: at a gate that runs, and at a device without a configuration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.credential import cbor
from device.credential.pseudonym import Pseudonyms
from device.errors import JournalError, JournalUnusable, WirelessError
from device.model import (
    CardEvent,
    CardKind,
    CardReason,
    CheckupEvent,
    Cue,
    Event,
    LifecycleEvent,
    Occasion,
    StoredEvent,
)
from device.privacy.sealing import OpeningKey, SealingKey
from device.provision.card import Card
from device.provision.desk import CardDesk
from device.provision.envelope import close
from device.provision.first import FirstConfiguration
from device.provision.joining import Joining
from device.provision.memory import Memory
from device.provision.network import network_of, pack_network
from device.provision.parts import PIECE_BYTES
from device.runtime import Worker
from device.wifi.network import Network
from tests.support.cards import DEVICE_KEY, Provisioner, Radio
from tests.support.clock import ManualClock

HERE = "phu-vang/market/north-door"
OFFICE = Provisioner()
SEAL = SealingKey(DEVICE_KEY.public_pem)
MARKET = Network(b"market", "correct horse battery", hidden=True)


def card(network: Network = MARKET, *, gate: str = HERE, seal: SealingKey | None = SEAL) -> bytes:
    body = pack_network(network, serial=OFFICE.serial + 1, gate=gate, seal=seal)
    return OFFICE.card(CardKind.WIFI, gate=gate, body=body)


class Box:
    """A device; every step goes into one list, in order."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.radio = ManualClock(), Radio()
        self.steps: list[str] = []
        self.fails: JournalError | None = None
        memory = Memory(folder / "cards.json", OFFICE.key.kid.hex())
        self.joining = Joining(wireless=self.radio, recorder=self, panel=self, clock=self.clock, version="0")
        self.desk = CardDesk(
            keys=OFFICE.keys,
            opens=DEVICE_KEY,
            gate=HERE,
            memory=memory,
            pseudonyms=Pseudonyms(b"k" * 32),
            checkup=lambda: CheckupEvent(Occasion.CARD, (), (), (), (), "0", self.clock.reading()),
            report=lambda: None,
            joining=self.joining,
            recorder=self,
            panel=self,
            clock=self.clock,
        )
        self.first = FirstConfiguration(
            keys=OFFICE.keys,
            opens=DEVICE_KEY,
            into=folder,
            memory=memory,
            joining=self.joining,
            recorder=self,
            panel=self,
            clock=self.clock,
        )

    def append(self, event: Event) -> StoredEvent:
        if self.fails:
            raise self.fails
        match event:
            case CardEvent():
                self.steps.append(f"{event.kind} {event.reason or event.outcome}")
            case LifecycleEvent():
                self.steps.append(f"{event.what} {event.detail}")
        return StoredEvent("j", len(self.steps), "t", b"{}")

    def show(self, cue: Cue) -> None:
        self.steps.append(cue.value)


def answer_at_a_gate(box: Box, content: bytes) -> None:
    box.desk.answer(content)


def answer_at_a_bare_device(box: Box, content: bytes) -> None:
    assert not box.first.answer(content)


Answer: TypeAlias = Callable[[Box, bytes], None]
both = pytest.mark.parametrize("answer", [answer_at_a_gate, answer_at_a_bare_device])


@both
def test_a_network_is_recorded_then_tried_and_what_became_of_it_is_recorded_and_shown(
    tmp_path: Path, answer: Answer
) -> None:
    box = Box(tmp_path)
    answer(box, card())
    assert box.radio.asked == [MARKET]
    assert box.steps == ["wifi done", "trying"]
    assert box.joining.look()
    box.radio.ends = True
    assert not box.joining.look()
    assert not box.joining.look()
    assert box.steps[2:] == ["network_joined wifi", "taken"]


@both
@pytest.mark.parametrize("word", ["no_manager", "not_allowed", "no_radio", "radio_off"])
def test_a_network_that_cannot_even_be_tried_is_told_by_light_and_event(
    tmp_path: Path, answer: Answer, word: str
) -> None:
    box = Box(tmp_path)
    box.radio.begins = WirelessError(word, "so it is")
    answer(box, card())
    assert box.steps == ["wifi done", "trying", f"network_failed {word}", "attention"]
    assert not box.joining.look()


@both
def test_a_wrong_key_is_told_when_it_shows(tmp_path: Path, answer: Answer) -> None:
    box = Box(tmp_path)
    answer(box, card())
    box.radio.ends = WirelessError("wrong_key", "reason 7")
    assert not box.joining.look()
    assert box.steps[2:] == ["network_failed wrong_key", "attention"]


@both
def test_a_card_for_another_device_another_kind_of_body_or_shown_again_is_refused(
    tmp_path: Path, answer: Answer
) -> None:
    box = Box(tmp_path)
    other = SealingKey(OpeningKey(OpeningKey.generate()).public_pem)
    good = card()
    empty = OFFICE.card(CardKind.WIFI, gate=HERE)
    cases = {"done": good, "used": good, "other_device": card(seal=other), "malformed": empty}
    for reason, content in cases.items():
        box.steps.clear()
        answer(box, content)
        assert box.steps == [f"wifi {reason}", "trying" if reason == "done" else "attention"]
    assert len(box.radio.asked) == 1


def test_a_card_used_at_a_bare_device_is_used_at_the_gate_that_it_became(tmp_path: Path) -> None:
    box, good = Box(tmp_path), card()
    answer_at_a_bare_device(box, good)
    later = Box(tmp_path)
    answer_at_a_gate(later, good)
    assert later.steps == ["wifi used", "attention"]


def test_another_card_meanwhile_gives_up_the_first(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.desk.answer(card())
    box.desk.answer(card(Network(b"other")))
    assert box.radio.given_up == 1
    assert box.steps[2:] == ["wifi done", "network_failed given_up", "attention", "trying"]


def test_a_gate_that_stops_gives_up_and_goes_back(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.desk.hand(card())
    worker = Worker("cards", box.desk.body, deadline_s=60, clock=box.clock)
    worker.ask_to_stop()
    box.desk.body(worker)
    assert (box.radio.given_up, box.steps[-2]) == (1, "network_failed given_up")


def test_what_cannot_be_recorded_is_not_tried(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.fails = JournalError("no room")
    box.desk.answer(card())
    assert (box.radio.asked, box.steps) == ([], ["fault"])


def test_a_card_that_fills_up_meanwhile_shows_a_fault(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.desk.answer(card())
    box.fails, box.radio.ends = JournalError("no room"), True
    box.joining.look()
    assert box.steps[-1] == "fault"
    box.desk.answer(card())
    box.fails = None
    box.desk.answer(card())
    box.fails = JournalUnusable("damaged")
    with pytest.raises(JournalUnusable):
        box.joining.look()


def test_neither_name_nor_passphrase_is_in_a_log_or_a_repr(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    box = Box(tmp_path)
    with caplog.at_level("DEBUG"):
        box.desk.answer(card())
        box.radio.ends = True
        box.joining.look()
    told = caplog.text + repr(MARKET) + repr(Card(CardKind.WIFI, 1, body=b"horse"))
    assert len(caplog.records) == 2
    assert not any(word in told for word in ("market'", "horse", "battery"))


@given(
    name=st.binary(min_size=1, max_size=32),
    passphrase=st.one_of(st.just(""), st.from_regex(r"[ -~]{8,63}", fullmatch=True)),
    hidden=st.booleans(),
    sealed=st.booleans(),
)
def test_a_network_comes_out_as_it_went_in_sealed_or_not(
    name: bytes,
    passphrase: str,
    hidden: bool,  # noqa: FBT001 - hypothesis gives it
    sealed: bool,  # noqa: FBT001 - likewise
) -> None:
    network = Network(name, passphrase, hidden)
    body = pack_network(network, serial=7, gate=HERE, seal=SEAL if sealed else None)
    assert network_of(Card(CardKind.WIFI, 7, HERE, body=body), DEVICE_KEY) == network
    if passphrase and sealed:
        assert passphrase.encode() not in body


def test_a_network_sealed_fits_into_one_code() -> None:
    assert len(card(Network("Chợ Phú Vang tầng 2".encode(), "correct horse battery 7"))) <= PIECE_BYTES


@pytest.mark.parametrize(
    "said",
    [
        {"name": b"", "passphrase": "", "hidden": False},
        {"name": b"a", "passphrase": "short", "hidden": False},
        {"name": b"a", "passphrase": "x" * 65, "hidden": False},
        {"name": b"a", "passphrase": "line\nline", "hidden": False},
        {"name": b"a" * 33, "passphrase": "", "hidden": False},
        {"name": "text", "passphrase": "", "hidden": False},
        {"name": b"a", "passphrase": "", "hidden": False, "more": 1},
        {"name": b"a"},
        [],
    ],
)
def test_what_is_no_network_is_malformed(said: cbor.Plain) -> None:
    body = close(said, serial=7, gate=HERE, seal=None)
    assert network_of(Card(CardKind.WIFI, 7, HERE, body=body), DEVICE_KEY) is CardReason.MALFORMED


@given(st.binary(max_size=200))
def test_whatever_is_signed_is_an_answer(body: bytes) -> None:
    assert isinstance(network_of(Card(CardKind.WIFI, 7, HERE, body=body), DEVICE_KEY), CardReason)
