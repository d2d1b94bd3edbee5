"""From nothing to a pass that a gate verifies, by commands alone."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import gate_scanner

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A folder with an issuer's key and a trust list."""
    made = gate_scanner(tmp_path, "keys", "issuer", "office.pem", "--name", "office", "--trust", "trust.json")
    assert (made.returncode, made.stdout) == (0, "")
    return tmp_path


def test_an_issued_pass_is_drawn_read_and_verified(office: Path) -> None:
    issued = gate_scanner(
        office,
        *("pass", "issue", "--key", "office.pem", "--holder", "1042", "--gate", "gate-a"),
        *("--days", "30", "--out", "pass.png"),
    )
    assert (issued.returncode, issued.stdout) == (0, "")
    looked = gate_scanner(office, "pass", "inspect", "pass.png", "--trust", "trust.json", "--json")
    assert looked.returncode == 0
    found = json.loads(looked.stdout)
    assert (found["kind"], found["standing"], found["issuer"]) == ("cwt.pass", "verified", "office")
    assert (found["audience"], found["validity"]) == (["gate-a"], "valid")
    assert "1042" not in looked.stdout


def test_a_pass_goes_from_command_to_command_as_text(office: Path) -> None:
    issued = gate_scanner(office, "pass", "issue", "--key", "office.pem", "--days", "1", "--text")
    shown = gate_scanner(office, "pass", "show", "-", given=issued.stdout)
    assert shown.returncode == 0
    assert len(shown.stdout.splitlines()) > 20
    looked = gate_scanner(office, "pass", "inspect", "-", "--trust", "trust.json", given=issued.stdout)
    assert (looked.returncode, "signature: good, of office" in looked.stdout) == (0, True)
    forged = issued.stdout.replace(issued.stdout[-20], "0" if issued.stdout[-20] != "0" else "1")
    assert gate_scanner(office, "pass", "inspect", "-", "--trust", "trust.json", given=forged).returncode == 1


def test_a_rotating_pass_is_shown_with_the_code_of_now(tmp_path: Path) -> None:
    made = gate_scanner(
        tmp_path, "keys", "issuer", "key.pem", "--name", "visits", "--rotating", "--trust", "trust.json"
    )
    assert (made.returncode, "secret" in made.stderr) == (0, True)
    issued = gate_scanner(
        tmp_path, "pass", "issue", "--key", "key.pem", "--days", "1", "--rotating", "--text"
    )
    shown = gate_scanner(
        tmp_path, "pass", "show", "-", "--trust", "trust.json", "--text", given=issued.stdout
    )
    looked = gate_scanner(tmp_path, "pass", "inspect", "-", "--trust", "trust.json", given=shown.stdout)
    assert "changing code: current" in looked.stdout


def test_a_key_is_its_owners_only_and_not_replaced_by_accident(office: Path) -> None:
    key = office / "office.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    again = gate_scanner(office, "keys", "issuer", "office.pem", "--name", "office")
    assert (again.returncode, "--force" in again.stderr) == (1, True)
    assert key.read_bytes() == before
    assert b"PRIVATE" not in (office / "trust.json").read_bytes()
    assert gate_scanner(office, "keys", "issuer", "office.pem", "--name", "office", "--force").returncode == 0
    assert key.read_bytes() != before


def test_without_a_list_the_entry_alone_goes_to_standard_output(office: Path) -> None:
    shown = gate_scanner(office, "keys", "show", "office.pem", "--name", "office")
    (listed,) = json.loads((office / "trust.json").read_text())["keys"]
    assert json.loads(shown.stdout) == listed


def test_a_broken_list_is_told_before_a_key_is_made(tmp_path: Path) -> None:
    (tmp_path / "trust.json").write_text("{}")
    made = gate_scanner(tmp_path, "keys", "issuer", "key.pem", "--name", "office", "--trust", "trust.json")
    assert (made.returncode, made.stderr.count("\n")) == (1, 1)
    assert not (tmp_path / "key.pem").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "remedy"),
    [
        (("pass", "issue", "--key", "no.pem", "--days", "1"), 1, "no.pem: No such file"),
        (("pass", "issue", "--key", "trust.json", "--days", "1"), 1, "gate-scanner keys"),
        (("pass", "issue", "--key", "office.pem", "--until", "2020-01-01"), 1, "--until"),
        (("pass", "issue", "--key", "office.pem", "--until", "soon"), 2, "2026-12-31"),
        (("pass", "issue", "--key", "office.pem", "--days", "0"), 2, "whole number"),
        (("pass", "issue", "--key", "office.pem", "--days", "1", "--out", "pass.gif"), 1, ".png or .svg"),
        (("pass", "issue", "--key", "office.pem", "--days", "1", "--rotating", "--form", "jws"), 1, "cwt"),
        (("pass", "show", "-"), 1, "standard input"),
        (("pass", "inspect", "missing.png"), 1, "missing.png: no such file"),
        (("pass", "inspect", "office.pem"), 1, "office.pem: "),
        (("keys", "issuer", "key.pem", "--name", "a b"), 2, "letters"),
    ],
)
def test_a_slip_is_answered_in_one_sentence(
    office: Path, arguments: tuple[str, ...], code: int, remedy: str
) -> None:
    told = gate_scanner(office, *arguments)
    assert (told.returncode, told.stdout) == (code, "")
    assert remedy in told.stderr.splitlines()[-1]
    assert "Traceback" not in told.stderr


def test_without_segno_the_text_still_comes_and_the_remedy_is_told(office: Path) -> None:
    without = (
        "-c",
        "import sys; sys.modules['segno'] = None\nfrom device.cli import main\nsys.exit(main(sys.argv[1:]))",
    )
    issue = ("pass", "issue", "--key", "office.pem", "--days", "1")
    drawn = gate_scanner(office, *issue, program=without)
    assert (drawn.returncode, "pip install" in drawn.stderr) == (1, True)
    written = gate_scanner(office, *issue, "--text", program=without)
    assert (written.returncode, len(written.stdout) > 100) == (0, True)
