"""What tests/vm/wifi_cards.sh finds: keys, configurations, and the pictures of cards that a camera sees.

python -m tests.vm.wifi_given FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2

from device.credential.signing import SigningKey
from device.model import CardKind
from device.privacy.sealing import OpeningKey, SealingKey
from device.provision.card import Card, write
from device.provision.network import pack_network
from device.wifi.network import Network
from tests.support.codes import empty, shown

MARKET, KEY = "Chợ Phú Vang".encode(), "cho phu vang 2026"
CARDS = {
    "wrong": Network(MARKET, "not its passphrase"),
    "right": Network(MARKET, KEY),
    "elsewhere": Network(b"elsewhere", "whatever it may be"),
    "hidden": Network(b"back office", "behind the curtain", hidden=True),
    "again": Network(MARKET, KEY),
    "bare": Network(MARKET, KEY),
}
SETTINGS = """gate: {tenant: phu-vang, site: market, name: north-door}
camera: {source: replay, frames_per_second: 5, replay: {path: /srv/wifi/scene, repeat: true}}
credentials: {card_key_file: provisioner.pub}
panel: {driver: mock, lights: {yellow: {pin: 27}, blue: {pin: 23}}}
uplink: {enabled: false}
"""


def main(folder: Path) -> None:
    """Writes all of it."""
    signs, opens = SigningKey(SigningKey.generate()), OpeningKey.generate()
    seal = SealingKey(OpeningKey(opens).public_pem)
    (folder / "provisioner.pub").write_bytes(signs.public_pem)
    (folder / "provision.key").write_bytes(opens)
    for name in ("gate.yaml", "first.yaml"):
        (folder / name).write_text(SETTINGS, encoding="utf-8")
    for serial, (name, network) in enumerate(CARDS.items(), 1):
        scene = folder / "scenes" / name
        scene.mkdir(parents=True)
        body = pack_network(network, serial=serial, gate="", seal=seal)
        text = write(Card(CardKind.WIFI, serial, body=body), signs).decode()
        for number in range(10):
            cv2.imwrite(str(scene / f"{number:02}.png"), shown(text) if number in {3, 4, 5} else empty())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
