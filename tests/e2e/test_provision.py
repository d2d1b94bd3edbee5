"""Cards of the provisioner, drawn, held up to the real daemon's camera, read by its real decoder."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
import zxingcpp

from device.keyring import card_keys
from device.model import CardKind
from device.provision.card import Card, read
from tests.support.bare import Bare, run
from tests.support.cards import Provisioner
from tests.support.daemon import Daemon
from tests.support.gate import ANNA, Gate
from tests.support.network_manager import MessageBus, NetworkManagerStandIn

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


def test_a_card_brings_a_gate_its_network_and_nothing_of_it_is_told(tmp_path: Path) -> None:
    gate = Gate(tmp_path, fps=5)
    run("provision", "keys", tmp_path / "key.pem", tmp_path / "cards.pub")
    gate.changes = {"credentials.card_key_file": "cards.pub", "uplink.enabled": False}
    public = tmp_path / "device.pub"
    public.write_text(run("provision", "export", "--config", gate.write(), "--form", "seal").stdout)
    (tmp_path / "word").write_text("cho phu vang 2026\n")
    words: list[str | Path] = ["--passphrase-file", tmp_path / "word", "--key", tmp_path / "key.pem"]
    words += ["--seal-to", public, "--out", tmp_path / "wifi.png"]
    made = run("provision", "wifi", "Chợ Phú Vang", *words)
    assert made.returncode == 0, made.stderr
    luma = cv2.imread(str(tmp_path / "wifi.png"), cv2.IMREAD_GRAYSCALE)
    (symbol,) = zxingcpp.read_barcodes(luma)
    gate.hold(symbol.text)
    name = "Chợ Phú Vang".encode()
    with (
        MessageBus(tmp_path),
        NetworkManagerStandIn(reach={name: "cho phu vang 2026"}) as manager,
        Daemon(gate.write(), tmp_path) as daemon,
    ):
        manager.at_home()
        daemon.wait_until_ready()
        daemon.wait_for(
            lambda _: any(event.get("what") == "network_joined" for event in gate.stored()), "not joined"
        )
        assert manager.network == name
        said = daemon.text() + str(gate.stored()) + made.stdout + made.stderr
    assert cards(gate)[0] == ("wifi", None)
    assert not any(word in said for word in ("cho phu vang 2026", "Chợ Phú Vang", symbol.text[:40]))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["market"], "secret: seal the card"),
        (["market", "--in-clear"], "nobody can be asked here"),
        (["market", "--in-clear", "--passphrase-file", "-"], "the passphrase is empty"),
        (["m" * 33, "--open"], "1 to 32 bytes"),
    ],
)
def test_a_network_that_makes_no_card_is_told_why(tmp_path: Path, words: list[str], told: str) -> None:
    run("provision", "keys", tmp_path / "p.pem", tmp_path / "p.pub")
    made = run("provision", "wifi", *words, "--key", tmp_path / "p.pem")
    assert (made.returncode, told in made.stderr) == (2, True), made.stderr


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
