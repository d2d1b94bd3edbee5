"""The unit files as systemd itself sees it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

UNIT, PROVISION = Path("systemd/gate-scanner.service"), Path("systemd/gate-provision.service")

# Hundredths of the level systemd-analyze prints; the daemons this one is compared with stand at 920 and more.
EXPOSURE_AT_MOST = 13


@pytest.fixture(params=[UNIT, PROVISION], ids=lambda path: path.stem)
def installed(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A unit with a program that exists here, since `verify` looks for it."""
    one: Path = request.param
    text = one.read_text(encoding="utf-8").replace("/opt/gate-scanner/bin/gate-scanner", "/bin/true")
    unit = tmp_path / one.name
    unit.write_text(text, encoding="utf-8")
    return unit


def test_systemd_finds_nothing_wrong_with_the_unit(installed: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", str(installed)], capture_output=True, text=True, check=False
    )
    ours = [line for line in done.stderr.splitlines() if installed.name in line]
    assert (done.returncode, ours) == (0, [])


def test_a_mistake_in_the_unit_would_be_found(installed: Path) -> None:
    installed.write_text(
        installed.read_text(encoding="utf-8").replace("KillMode=mixed", "KillMode=mixd"), encoding="utf-8"
    )
    done = subprocess.run(
        ["systemd-analyze", "verify", str(installed)], capture_output=True, text=True, check=False
    )
    assert "mixd" in done.stderr


def test_the_unit_exposes_little(installed: Path) -> None:
    command = [
        "systemd-analyze",
        "security",
        "--offline=true",
        f"--threshold={EXPOSURE_AT_MOST}",
        str(installed),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout.splitlines()[-1:]


def test_camera_and_pins_stay_usable_inside_the_sandbox(installed: Path) -> None:
    text = installed.read_text(encoding="utf-8")
    for device in ("char-gpiochip rw", "char-video4linux rw", "char-media rw", "char-dma_heap rw"):
        assert f"DeviceAllow={device}" in text
    assert "PrivateDevices=yes" not in text
    assert "AF_NETLINK" in text
