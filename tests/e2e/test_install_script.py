"""`install.sh` without root: what it would do and what it refuses. `make test-install` has it do it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
RASPBERRY_PI_OS = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_CODENAME=bookworm\n'


def install(folder: Path, *flags: str, system: str = RASPBERRY_PI_OS) -> subprocess.CompletedProcess[str]:
    """Runs it on a system that calls itself so."""
    release = folder / "os-release"
    release.write_text(system, encoding="utf-8")
    environ = {**os.environ, "OS_RELEASE": str(release)}
    return subprocess.run(
        [str(ROOT / "install.sh"), *flags],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def commands(said: str) -> list[str]:
    return [line.strip().removeprefix("$ ") for line in said.splitlines() if line.startswith("    $ ")]


def units() -> list[Path]:
    """In the order they are put in place: the gate, its card reader, then the report."""
    kinds = ("scanner.service", "provision.service", "report.service", "report.timer")
    return [ROOT / "systemd" / f"gate-{kind}" for kind in kinds]


def test_a_dry_run_names_every_step_in_order_and_does_none(tmp_path: Path) -> None:
    done = install(tmp_path, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "nothing was changed" in done.stdout
    told = "\n".join(commands(done.stdout))
    steps = (
        "apt-get -qq install",
        "-m venv --system-site-packages /opt/gate-scanner.d/",
        "--constraint",
        "/etc/sysusers.d/gate-scanner.conf",
        "/etc/tmpfiles.d/gate-scanner.conf",
        "/etc/polkit-1/rules.d/50-gate-scanner.rules",
        "/etc/systemd/system.conf.d/50-gate-scanner.conf",
        "mv -T /opt/gate-scanner.new /opt/gate-scanner",
        *(f"/etc/systemd/system/{path.name}" for path in units()),
        "systemctl enable --quiet gate-scanner.service gate-provision.service",
    )
    places = [told.find(step) for step in steps]
    assert -1 not in places, told
    assert places == sorted(places)


def test_a_dry_run_of_removing_keeps_the_events(tmp_path: Path) -> None:
    done = install(tmp_path, "--dry-run", "--uninstall")
    assert done.returncode == 0, done.stderr
    assert "Configuration, events and keys stay" in done.stdout
    assert not any("/var/lib/gate-scanner" in command for command in commands(done.stdout))


def test_every_unit_of_the_project_is_among_those_that_are_installed() -> None:
    assert set(units()) == {
        path for kind in ("service", "timer") for path in (ROOT / "systemd").glob(f"*.{kind}")
    }


def test_a_device_that_shall_wait_for_its_card_is_given_first_yaml_alone(tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    done = install(tmp_path, "--dry-run", "--config", str(given))
    assert done.returncode == 1
    assert "neither gate.yaml nor first.yaml" in done.stderr
    for name in ("first.yaml", "provisioner.pub"):
        (given / name).touch()
    done = install(tmp_path, "--dry-run", "--config", str(given))
    assert done.returncode == 0, done.stderr
    copied = [line.split()[-2] for line in commands(done.stdout) if line.endswith(" /etc/gate-scanner/")]
    assert {Path(file).name for file in copied} == {"first.yaml", "provisioner.pub"}


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--purge-journal", "--dry-run"], "goes with --uninstall"),
        (["--config", "/nowhere", "--dry-run"], "--config needs a folder"),
        (["--config"], "--config needs a folder"),
        (["--frobnicate"], "what is --frobnicate?"),
        (["--upgrade", "--dry-run"], "nothing to upgrade"),
        (["--rollback", "--dry-run"], "no release to go back to"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(flags: list[str], said: str, tmp_path: Path) -> None:
    done = install(tmp_path, *flags)
    assert done.returncode == 1
    assert said in done.stderr


@pytest.mark.parametrize(
    "system",
    [
        'PRETTY_NAME="Fedora Linux 41"\nID=fedora\n',
        'PRETTY_NAME="Raspbian GNU/Linux 11 (bullseye)"\nID=raspbian\nVERSION_CODENAME=bullseye\n',
    ],
)
def test_another_system_is_named_and_left_alone(system: str, tmp_path: Path) -> None:
    done = install(tmp_path, "--dry-run", system=system)
    assert done.returncode == 1
    assert system.split('"')[1] in done.stderr
    assert commands(done.stdout) == []


def scripts() -> list[str]:
    """Every shell script of the project."""
    folders = (
        ROOT,
        ROOT / ".ci",
        *(ROOT / f for f in ("scripts", "packaging/deb", "tests/install", "tests/vm")),
    )
    found = (path for folder in folders for path in folder.iterdir() if path.is_file())
    return [str(path.relative_to(ROOT)) for path in found if path.read_bytes().startswith(b"#!/bin/")]


def test_shellcheck_finds_nothing() -> None:
    assert {"install.sh", "packaging/deb/postinst", "tests/vm/run"} <= set(scripts())
    done = subprocess.run(
        ["shellcheck", "-x", *scripts()], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
