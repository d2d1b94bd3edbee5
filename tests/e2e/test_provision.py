"""Cards of the provisioner, drawn, held up to the real daemon's camera, read by its real decoder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import pytest
import zxingcpp

from device.keyring import card_keys
from device.model import CardKind
from device.provision.card import Card, read
from tests.support.cards import Provisioner
from tests.support.daemon import Daemon
from tests.support.gate import ANNA, Gate

pytestmark = pytest.mark.slow


def cards(gate: Gate) -> list[tuple[str, str | None]]:
    """Kind and reason of each card that stands in the journal."""
    told = [event for event in gate.stored() if event.get("outcome") in {"done", "refused"}]
    return [(event.get("kind", ""), event.get("reason")) for event in told]


def test_a_gate_is_suspended_and_resumed_by_cards_and_takes_each_once(tmp_path: Path) -> None:
    office, gate = Provisioner(), Gate(tmp_path, repeat=False, fps=5)
    (tmp_path / "cards.pub").write_bytes(office.key.public_pem)
    gate.changes = {"credentials.card_key_file": "cards.pub", "uplink.enabled": False}
    suspend = office.card(CardKind.SUSPEND, gate="test-district/test-site/door-1").decode()
    resume = office.card(CardKind.RESUME).decode()
    forged = Provisioner().card(CardKind.RESUME).decode()
    for held in (suspend, ANNA, forged, ANNA, resume, suspend, ANNA):
        gate.hold(held)
    with Daemon(gate.write(), tmp_path) as daemon:
        assert daemon.wait() == 0
        said = daemon.text()
    assert [scan["reason"] for scan in daemon.scans()] == ["suspended", "suspended", "ok"], said
    assert daemon.greens() == 1
    assert cards(gate) == [("suspend", None), ("", "unknown_key"), ("resume", None), ("suspend", "used")]
    assert not any(
        held[:40] in line["message"] for line in daemon.lines for held in (suspend, resume, forged)
    )


def test_a_suspended_gate_is_so_after_a_start_and_a_self_test_is_recorded(tmp_path: Path) -> None:
    office = Provisioner()
    (tmp_path / "cards.pub").write_bytes(office.key.public_pem)
    for held in (CardKind.SUSPEND, CardKind.SELF_TEST):
        gate = Gate(tmp_path, repeat=False, fps=5)
        gate.changes = {"credentials.card_key_file": "cards.pub", "uplink.enabled": False}
        for picture in tmp_path.glob("scene/*.png"):
            picture.unlink()
        gate.hold(office.card(held).decode())
        gate.hold(ANNA)
        with Daemon(gate.write(), tmp_path) as daemon:
            assert daemon.wait() == 0
            assert [scan["reason"] for scan in daemon.scans()] == ["suspended"], daemon.text()
    assert [e["occasion"] for e in Gate(tmp_path).stored() if "occasion" in e] == ["card"]


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "device", *map(str, words)], capture_output=True, text=True, check=False
    )


def test_the_provisioner_makes_keys_and_cards(tmp_path: Path) -> None:
    key, public = tmp_path / "p.pem", tmp_path / "p.pub"
    made = run("provision", "keys", key, public)
    assert (made.returncode, key.stat().st_mode & 0o777) == (0, 0o600)
    assert "credentials.card_key_file" in made.stderr
    picture = tmp_path / "suspend.png"
    card = run("provision", "service", "suspend", "--key", key, "--gate", "a/b/c", "--out", picture)
    assert card.returncode == 0, card.stderr
    assert "suspend card" in card.stderr
    luma = cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE)
    (symbol,) = zxingcpp.read_barcodes(luma)
    said = read(symbol.bytes, card_keys(public))
    assert isinstance(said, Card)
    assert (said.kind, said.gate, said.once) == (CardKind.SUSPEND, "a/b/c", True)
    assert run("provision", "service", "sign-in", "--key", key).returncode == 2
    assert run("provision", "service", "report", "--key", key, "--again").returncode == 2
    assert run("provision", "service", "report", "--key", key, "--gate", "door").returncode == 2
