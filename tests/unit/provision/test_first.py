from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from device.errors import JournalError
from device.model import CardEvent, CardKind, Cue, Event, StoredEvent
from device.privacy.sealing import OpeningKey, SealingKey
from device.provision.bundle import CONFIGURATION, pack
from device.provision.first import FirstConfiguration
from device.provision.joining import Joining
from device.provision.memory import Memory
from device.provision.parts import split
from tests.support.cards import Provisioner, Radio
from tests.support.clock import ManualClock

OFFICE = Provisioner()
KEY = OpeningKey(OpeningKey.generate())
YAML = b"""gate: {tenant: a, site: b, name: c}
uplink: {host: mqtt.example, username: u, password_file: password, tls: {}}
"""


class Device:
    def __init__(self, folder: Path) -> None:
        self.clock, self.steps = ManualClock(), list[Event | Cue]()
        self.folder, self.fails = folder, False
        self.written_before_recorded: list[str] = []
        self.radio = Radio()
        self.joining = Joining(wireless=self.radio, recorder=self, panel=self, clock=self.clock, version="0")
        self.first = FirstConfiguration(
            keys=OFFICE.keys,
            opens=KEY,
            into=folder,
            memory=Memory(folder.with_name(f"{folder.name}.cards.json"), OFFICE.key.kid.hex()),
            joining=self.joining,
            recorder=self,
            panel=self,
            clock=self.clock,
        )

    def append(self, event: Event) -> StoredEvent:
        if self.fails:
            raise JournalError("no room")
        self.written_before_recorded += self.files()
        self.steps.append(event)
        return StoredEvent("j", len(self.steps), "t", b"{}")

    def show(self, cue: Cue) -> None:
        self.steps.append(cue)

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def refusal(self, content: bytes) -> str | None:
        """Why the card is refused; None when it is taken."""
        self.steps.clear()
        done = self.first.answer(content)
        event, cue = self.steps
        assert isinstance(event, CardEvent)
        assert (done, cue) == ((True, Cue.TAKEN) if event.reason is None else (False, Cue.ATTENTION))
        return event.reason


def card(
    yaml: bytes = YAML,
    *,
    serial: int | None = None,
    gate: str = "a/b/c",
    seal: SealingKey | None = None,
    password: bytes | None = b"hidden",
    days: int = 0,
) -> bytes:
    number = OFFICE.serial + 1 if serial is None else serial
    files = {CONFIGURATION: yaml} | ({"password": password} if password else {})
    body = pack(files, serial=number, gate=gate, seal=seal)
    starts = ManualClock().utc() + timedelta(days=days) if days else None
    return OFFICE.card(CardKind.CONFIGURATION, serial=number, gate=gate, body=body, effective_from=starts)


def test_a_card_that_can_be_used_is_recorded_then_written_for_the_gates_eyes(tmp_path: Path) -> None:
    device = Device(tmp_path)
    assert device.refusal(card(seal=SealingKey(KEY.public_pem))) is None
    assert device.files() == [".provisioned.json", CONFIGURATION, "password"]
    assert (tmp_path / CONFIGURATION).read_bytes() == YAML
    assert (tmp_path / "password").read_bytes() == b"hidden"
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o640}
    assert device.written_before_recorded == []


def test_a_card_over_several_codes_is_taken_with_the_last_of_them(tmp_path: Path) -> None:
    device = Device(tmp_path)
    *some, last = split(card(YAML + b"# " + bytes(range(48, 90)) * 40))
    assert [device.first.answer(part) for part in reversed(some)] == [False] * len(some)
    assert device.refusal(last) is None


def test_cards_that_cannot_be_used_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    device = Device(tmp_path)
    other = SealingKey(OpeningKey(OpeningKey.generate()).public_pem)
    cases = {
        "malformed": b"GATECARD1:HELLO",
        "unknown_key": Provisioner().card(CardKind.CONFIGURATION),
        "not_here": OFFICE.card(CardKind.SUSPEND),
        "not_yet": card(days=1),
        "other_device": card(seal=other),
    }
    assert {reason: device.refusal(content) for reason, content in cases.items()} == {r: r for r in cases}
    assert device.refusal(card(YAML + b"camera: {wdith: 3}\n")) == "unusable"
    assert device.refusal(card(password=None)) == "unusable"
    assert device.refusal(card(gate="a/b/other")) == "unusable"
    assert device.files() == []


def test_an_older_card_is_refused_and_the_same_one_too(tmp_path: Path) -> None:
    device = Device(tmp_path)
    older, newer = card(serial=5), card(YAML + b"service: {log_level: debug}\n", serial=6)
    assert device.refusal(newer) is None
    assert device.refusal(older) == "older"
    assert Device(tmp_path).refusal(newer) == "used"
    assert device.refusal(card(serial=7)) is None


def test_what_cannot_be_recorded_is_not_written(tmp_path: Path) -> None:
    device = Device(tmp_path)
    device.fails = True
    with pytest.raises(JournalError):
        device.first.answer(card())
    assert device.files() == []
    assert device.steps == [Cue.FAULT]


def test_mistakes_are_logged_by_their_place_and_never_by_what_stands_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        Device(tmp_path).first.answer(card(YAML + b"camera: {width: verysecret}\n"))
    assert "gate.yaml, line 3: camera.width" in caplog.text
    assert "verysecret" not in caplog.text
    assert "GATECARD1" not in caplog.text
