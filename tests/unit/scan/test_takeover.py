from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from device.config.effective import digest
from device.config.loader import load_text
from device.config.model import Settings
from device.credential.pseudonym import Pseudonyms
from device.credential.signing import SigningKey
from device.credential.trust import Trust
from device.errors import ConfigError, GateError
from device.lists.library import Library
from device.model import Reason
from device.policy.judge import Judge, nowhere
from device.policy.lists import Lists
from device.privacy.sealing import SealingKey
from device.takeover import Takeover, needs_other_parts
from tests.support.clock import ManualClock
from tests.support.gate import ANNA

HEAD = "gate: {tenant: a, site: b, name: c}\nuplink: {enabled: false}\n"


def settings(text: str) -> Settings:
    return load_text(HEAD + text, base_dir=Path("/nowhere"))


@pytest.mark.parametrize(
    "text",
    [
        "policy: {suspended: true}",
        "policy: {repeat_s: 3, hours: [{from: 08:00, to: 17:00}]}",
        "policy: {deny_list: deny.txt, accept: [vn.cccd]}",
        "credentials: {poster_hosts: [example.vn], audiences: [X]}",
        "service: {log_level: debug}",
        "privacy: {controller: UBND, contact: 0234, purpose: An ninh}",
    ],
)
def test_rules_change_between_two_codes(text: str) -> None:
    assert not needs_other_parts(settings(""), settings(text))
    assert not needs_other_parts(settings(text), settings(""))


@pytest.mark.parametrize(
    "text",
    [
        "camera: {frames_per_second: 10}",
        "camera: {picamera2: {focus_dioptres: 8}}",
        "decode: {budget_ms: 100}",
        "inputs: {button: {pin: 5}}",
        "panel: {relay: {pin: 24}}",
        "journal: {keep_days: 3}",
        "privacy: {pseudonym_key_file: k}",
        "privacy: {keep_clear: true}",
        "policy: {passback: {forget_after_s: 60}}",
    ],
)
def test_other_parts_need_a_new_start(text: str) -> None:
    assert needs_other_parts(settings(""), settings(text))


@pytest.mark.parametrize("text", ["policy: {capacity: 5}", "credentials: {trust_list: t.json}"])
def test_a_rule_that_asks_the_past_needs_a_start_that_reads_it(text: str) -> None:
    assert needs_other_parts(settings(""), settings(text))
    assert not needs_other_parts(settings(text), settings(""))
    assert not needs_other_parts(settings(text), settings(f"{text}\nservice: {{log_level: debug}}"))


class FakeScan:
    def __init__(self) -> None:
        self.ruled: list[Judge] = []

    def rule_by(self, judge: Judge) -> None:
        self.ruled.append(judge)

    def look_after(self, library: Library, go_by: Callable[[Lists, Trust], None]) -> None:
        self.looked_after = library, go_by


class Gate:
    def __init__(self, folder: Path) -> None:
        self.config = folder / "gate.yaml"
        self.key = folder / "pseudonym.key"
        self.key.write_bytes(b"k" * 32)
        self.seal = folder / "seal.pub"
        self.seal.write_bytes(base64.b64encode(bytes(31) + b"\x09"))
        self.scan = FakeScan()
        self.suspended = False
        self.write("")
        self.takeover = Takeover(
            config=self.config,
            settings=load_text(self.config.read_text(encoding="utf-8"), base_dir=folder),
            clock=ManualClock(),
            pseudonyms=Pseudonyms(self.key.read_bytes()),
            sealed_to=SealingKey(self.seal.read_bytes()).key_id,
            presence=nowhere,
            suspended=lambda: self.suspended,
            card_keys=frozenset(),
            scan=self.scan,
            librarian=self.scan,
        )

    def write(self, text: str) -> None:
        text = f"{HEAD}privacy: {{pseudonym_key_file: pseudonym.key, seal_to: seal.pub}}\n{text}"
        self.config.write_text(text, encoding="utf-8")


def test_a_gate_that_a_card_has_suspended_stays_so_under_other_rules(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.suspended = True
    gate.write("policy: {repeat_s: 3}")
    apply = gate.takeover.look().apply
    assert apply is not None
    apply()
    assert gate.scan.ruled[0].judge(ANNA.encode(), lambda _: None).verdict.reason is Reason.SUSPENDED


def test_another_key_for_cards_needs_other_parts(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    (tmp_path / "cards.pub").write_bytes(SigningKey(SigningKey.generate()).public_pem)
    gate.write("credentials: {card_key_file: cards.pub}")
    assert gate.takeover.look().apply is None


def test_nothing_moves_before_it_is_applied(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    before = gate.takeover.digest
    gate.write("policy: {repeat_s: 3}")
    change = gate.takeover.look()
    assert (gate.takeover.digest, gate.scan.ruled) == (before, [])
    assert change.apply is not None
    change.apply()
    assert gate.takeover.digest == change.digest != before
    (judge,) = gate.scan.ruled
    assert gate.scan.looked_after[1] == judge.go_by


def test_another_pseudonym_key_needs_a_new_start(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.key.write_bytes(b"x" * 32)
    assert gate.takeover.look().apply is None


def test_another_key_to_seal_to_needs_a_new_start(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.seal.write_bytes(base64.b64encode(bytes(31) + b"\x08"))
    assert gate.takeover.look().apply is None


def test_a_broken_file_and_an_unreadable_list_change_nothing(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    before = gate.takeover.digest
    gate.write("policy: {repeat_s: soon}")
    with pytest.raises(ConfigError, match="repeat_s"):
        gate.takeover.look()
    gate.write("policy: {deny_list: deny.txt}")
    with pytest.raises(GateError):
        gate.takeover.look()
    assert (gate.takeover.digest, gate.scan.ruled) == (before, [])


def test_the_digest_is_that_of_the_settings_not_of_how_they_are_written() -> None:
    assert digest(settings("policy: {repeat_s: 10}")) == digest(settings("# nothing\n"))
    assert digest(settings("policy: {repeat_s: 11}")) != digest(settings(""))
