"""The unit files as systemd itself sees it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

FOLDER = Path("systemd")
GATE, PROVISION, REPORT = (FOLDER / f"gate-{name}.service" for name in ("scanner", "provision", "report"))
SERVICES, TIMER = (GATE, PROVISION, REPORT), FOLDER / "gate-report.timer"

# Hundredths of the level systemd-analyze prints; the daemons this one is compared with stand at 920 and more.
EXPOSURE_AT_MOST = 13


@pytest.fixture(params=SERVICES, ids=lambda path: path.stem)
def installed(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A service beside the others, with a program that exists here, since `verify` looks for it."""
    for one in SERVICES:
        text = one.read_text(encoding="utf-8").replace("/opt/gate-scanner/bin/gate-scanner", "/bin/true")
        (tmp_path / one.name).write_text(text, encoding="utf-8")
    chosen: Path = request.param
    return tmp_path / chosen.name


def test_no_unit_is_forgotten_here() -> None:
    assert {*SERVICES, TIMER} == {path for kind in ("service", "timer") for path in FOLDER.glob(f"*.{kind}")}


def test_systemd_finds_nothing_wrong_with_the_unit(installed: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", str(installed)], capture_output=True, text=True, check=False
    )
    ours = [line for line in done.stderr.splitlines() if installed.name in line]
    assert (done.returncode, ours) == (0, [])


def test_systemd_finds_nothing_wrong_with_the_timer(tmp_path: Path) -> None:
    timer = tmp_path / TIMER.name
    timer.write_text(TIMER.read_text(encoding="utf-8"), encoding="utf-8")
    timer.with_suffix(".service").write_text("[Service]\nExecStart=/bin/true\n", encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(timer)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_mistake_in_the_unit_would_be_found(installed: Path) -> None:
    installed.write_text(
        installed.read_text(encoding="utf-8").replace("UMask=00", "UMask=mixd"), encoding="utf-8"
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


@pytest.mark.parametrize("unit", [GATE, PROVISION], ids=lambda path: path.stem)
def test_camera_and_pins_stay_usable_inside_the_sandbox(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    for device in ("char-gpiochip rw", "char-video4linux rw", "char-media rw", "char-dma_heap rw"):
        assert f"DeviceAllow={device}" in text
    assert "PrivateDevices=yes" not in text
    assert "AF_NETLINK" in text


def test_waiting_for_a_card_is_confined_as_the_gate_is_but_for_its_folder() -> None:
    def settings(unit: Path) -> set[str]:
        lines = unit.read_text(encoding="utf-8").split("# Files.")[1].splitlines()
        return {line for line in lines if line and not line.startswith("#")}

    assert settings(PROVISION) - settings(GATE) == {"ReadWritePaths=/etc/gate-scanner"}
    assert settings(GATE) - settings(PROVISION) == {
        "ConfigurationDirectory=gate-scanner",
        "ConfigurationDirectoryMode=0750",
    }


@pytest.mark.parametrize(
    ("there", "started"),
    [((), GATE), (("first",), PROVISION), (("gate",), GATE), (("first", "gate"), GATE)],
)
def test_one_of_gate_and_card_reader_runs_and_a_device_without_files_is_told_so(
    there: tuple[str, ...], started: Path, tmp_path: Path
) -> None:
    for name in there:
        (tmp_path / f"{name}.yaml").touch()
    assert [unit for unit in (GATE, PROVISION) if _starts(unit, tmp_path)] == [started]


def _starts(unit: Path, folder: Path) -> bool:
    """What systemd itself makes of the unit's conditions, with this folder for the configuration's."""
    lines = unit.read_text(encoding="utf-8").replace("/etc/gate-scanner", str(folder)).splitlines()
    conditions = [line for line in lines if line.startswith("Condition")]
    done = subprocess.run(
        ["systemd-analyze", "condition", *conditions], capture_output=True, text=True, check=False
    )
    assert "ConditionPathExists" in done.stderr + done.stdout, done.stderr
    return done.returncode == 0
