"""A device without a configuration, and the laptop that makes its card."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from tests.support.certificates import Authority


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """A command of ours; nobody can be asked."""
    return subprocess.run(
        [sys.executable, "-m", "device", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


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
