"""The aim page on real parts: beside the running daemon, in a real Chromium, on the screen of a phone."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import pytest

from tests.support.browser import Browser
from tests.support.codes import Held
from tests.support.daemon import Daemon
from tests.support.gate import ANNA, Gate

pytestmark = pytest.mark.slow

PHONE_PX = 360


@contextmanager
def aiming(config: Path, *arguments: str) -> Iterator[str]:
    """The command, and the link it prints."""
    command = [sys.executable, "-m", "device", "aim", "--config", str(config), "--port", "0", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, f"no link in {line!r}"
        yield found[0]
    finally:
        process.terminate()
        _, said = process.communicate(timeout=30)
    assert "Traceback" not in said, said


def test_beside_the_running_gate_a_phone_shows_what_it_sees(tmp_path: Path) -> None:
    gate = Gate(tmp_path, fps=10)
    gate.hold(ANNA, Held(module_px=6), seconds=5)
    with Daemon(gate.write(), tmp_path) as daemon:
        daemon.wait_until_ready()
        with aiming(tmp_path / "gate.yaml") as link, Browser() as phone:
            phone.open(f"{link}?lang=vi")
            phone.wait_for("document.querySelector('polygon.granted') !== null")
            phone.wait_for(
                "document.body.innerText.includes('Đọc được: vn.cccd; cổng trả lời: cho qua (ok)')"
            )
            assert not phone.overflows()
            assert phone.ask("document.documentElement.lang") == "vi"
            assert "046190123456" not in phone.ask("document.documentElement.outerHTML")
            phone.picture(tmp_path / "page.png")
            phone.ask("document.getElementById('language').click()")
            phone.wait_for("document.body.innerText.includes('frames a second')")
            scans = len(daemon.scans())
            daemon.wait_for(lambda d: len(d.scans()) > scans, "it does not scan while it is watched")
    seen = cv2.imread(str(tmp_path / "page.png"))
    assert seen is not None
    assert seen.shape[1] == PHONE_PX
    assert seen.std() > 20  # a page, not a blank one


def test_without_a_running_gate_the_camera_itself_is_shown(tmp_path: Path) -> None:
    gate = Gate(tmp_path, fps=10)
    gate.hold(ANNA, Held(module_px=6), seconds=20)
    with aiming(gate.write()) as link, Browser(width=1100) as laptop:
        laptop.open(f"{link}?lang=en")
        laptop.wait_for("document.body.innerText.includes('Read as vn.cccd; the gate answers: granted (ok)')")
        assert "cannot be steered" in laptop.ask("document.body.innerText")
        assert laptop.ask("document.querySelector('[data-setting=focus]').disabled")
        assert not laptop.overflows()


def test_it_ends_by_itself(tmp_path: Path) -> None:
    gate = Gate(tmp_path, fps=10)
    gate.hold(ANNA)
    command = [sys.executable, "-m", "device", "aim", "--config", str(gate.write()), "--port", "0"]
    done = subprocess.run(
        [*command, "--minutes", "0.02"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("aiming has ended\n")


def test_a_camera_that_is_not_there_is_told_without_a_page_that_hangs(tmp_path: Path) -> None:
    gate = Gate(tmp_path, changes={"camera.source": "v4l2", "camera.v4l2": {"device": "/dev/video99"}})
    gate.folder.joinpath("scene").mkdir()
    command = [sys.executable, "-m", "device", "aim", "--config", str(gate.write()), "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert "/dev/video99" in done.stderr
