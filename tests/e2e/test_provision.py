"""Cards of the provisioner, drawn, held up to the real daemon's camera, read by its real decoder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp

from device.keyring import card_keys
from device.model import CardKind
from device.provision.card import Card, read
from tests.support.cards import Provisioner
from tests.support.certificates import Authority
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
    told = run("explain", "--config", tmp_path / "gate.yaml", ANNA)
    assert "suspended" in told.stdout, told.stderr
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


class Bare:
    """A device without a configuration, what its card will bring, and the pictures its camera sees."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.into, self.laptop = folder, folder / "etc", folder / "laptop"
        for made in (self.into, self.laptop, folder / "state"):
            made.mkdir()
        run("provision", "keys", folder / "p.pem", folder / "p.pub")
        self.first = folder / "first.yaml"
        self.first.write_text(
            "gate: {tenant: unset, site: unset, name: unset}\n"
            "camera: {source: replay, frames_per_second: 10, replay: {path: scene}}\n"
            "credentials: {card_key_file: p.pub}\n"
            "panel: {driver: mock, lights: {blue: {pin: 23}, yellow: {pin: 27}}}\n"
            "journal: {path: state/journal.db}\nuplink: {enabled: false}\n"
        )
        # What a technician has on the laptop: the commented sample, the district's authority, a password.
        self.config = self.laptop / "gate.yaml"
        sample = Path(__file__).parents[2] / "config/door.yaml"
        self.config.write_bytes(sample.read_bytes())
        (self.laptop / "mqtt.password").write_text("correct horse battery staple\n")
        (self.laptop / "district-ca.pem").write_bytes(Authority(folder).ca_file.read_bytes())

    def card(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        out = self.folder / "card.png"
        return run("provision", "card", self.config, "--key", self.folder / "p.pem", "--out", out, *words)

    def film(self, frames_each: int = 3) -> int:
        """The card's picture, played before the camera at 1280 x 720; how many codes it shows."""
        scene = self.folder / "scene"
        scene.mkdir()
        good, animation = cv2.imreadanimation(str(self.folder / "card.png"))
        assert good
        for number, picture in enumerate(animation.frames):
            frame = np.full((720, 1280), 110, np.uint8)
            frame[40:680, 320:960] = cv2.resize(picture, (640, 640), interpolation=cv2.INTER_AREA)
            for again in range(frames_each):
                cv2.imwrite(str(scene / f"{number:03d}-{again}.png"), frame)
        return len(animation.frames)

    def wait(self) -> subprocess.CompletedProcess[str]:
        return run("provision", "wait", "--config", self.first, "--into", self.into)


def test_a_bare_device_reads_its_configuration_from_a_screen_sealed_to_its_own_key(tmp_path: Path) -> None:
    bare = Bare(tmp_path)
    key = run("provision", "export", "--config", bare.first, "--form", "seal")
    (tmp_path / "device.pub").write_text(key.stdout)
    refused = bare.card()
    assert (refused.returncode, "mqtt.password" in refused.stderr) == (1, True)
    made = bare.card("--seal-to", tmp_path / "device.pub")
    assert made.returncode == 0, made.stderr
    assert bare.film() > 1
    waited = bare.wait()
    assert waited.returncode == 0, waited.stderr
    names = ["district-ca.pem", "gate.yaml", "mqtt.password"]
    assert {name: (bare.into / name).read_bytes() for name in names} == {
        name: (bare.laptop / name).read_bytes() for name in names
    }
    events = Gate(tmp_path / "state").stored()
    assert [(e["kind"], e["outcome"]) for e in events if "serial" in e] == [("configuration", "done")]
    assert "battery" not in waited.stderr
    # The same card once more: somebody has taken a photograph of it.
    again = bare.wait()
    assert (again.returncode, "a card is refused: used" in again.stderr) == (1, True), again.stderr


def test_a_device_says_which_keys_and_rights_are_its_own(tmp_path: Path) -> None:
    bare = Bare(tmp_path)
    told = run("provision", "export", "--config", bare.first)
    assert told.returncode == 0, told.stderr
    assert "BEGIN PUBLIC KEY" in told.stdout
    assert "user gate-unset-unset-unset" in told.stdout
    assert "PRIVATE" not in told.stdout
    assert run("provision", "export", "--config", bare.first).stdout == told.stdout
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "state").glob("*.key")} == {0o600}
