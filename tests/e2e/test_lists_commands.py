"""From a file of identifiers to a list that a running gate takes, by commands alone."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.commands import gate_scanner
from tests.support.daemon import Daemon
from tests.support.gate import ANNA, Gate

pytestmark = pytest.mark.slow

ANNAS_NUMBER = "046190123456"


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A folder with the district's keys."""
    assert gate_scanner(tmp_path, "keys", "district", "district.pem", "district.pub").returncode == 0
    (tmp_path / "pseudonym.key").write_bytes(b"k" * 32)
    return tmp_path


def make(folder: Path, kind: str, *arguments: str, given: str) -> subprocess.CompletedProcess[str]:
    common = ("--pseudonym-key", "pseudonym.key", "--out", f"{kind}.list")
    return gate_scanner(folder, "list", "make", kind, "-", *common, *arguments, given=given)


def test_a_running_gate_takes_a_newer_list_and_no_other(office: Path) -> None:
    signed = ("--key", "district.pem")
    assert make(office, "deny", *signed, "--version", "1", given="079088000111").returncode == 0
    gate = Gate(
        office,
        changes={"policy.deny_list": "deny.list", "policy.list_keys": ["district.pub"], "policy.repeat_s": 0},
    )
    gate.hold(ANNA)
    with Daemon(gate.write(), office) as daemon:
        daemon.wait_for(lambda d: any(scan["outcome"] == "granted" for scan in d.scans()), "granted at first")
        assert make(office, "deny", *signed, "--version", "2", given=ANNAS_NUMBER).returncode == 0
        daemon.wait_for(lambda d: d.scans()[-1]["reason"] == "denied_by_list", "denied by the newer list")
        list_2 = (office / "deny.list").read_bytes()
        (office / "deny.list").write_bytes(list_2[:-1])
        daemon.wait_for(
            lambda d: "(its file is refused: damaged)" in d.notifications[-1], "told in the status"
        )
    (office / "deny.list").unlink()
    with Daemon(gate.write(), office) as daemon:
        before = len(daemon.scans())
        daemon.wait_for(lambda d: len(d.scans()) > before, "answered after a kill")
        assert daemon.scans()[-1]["reason"] == "denied_by_list"
    stored = gate.stored()
    assert [e["detail"] for e in stored if e.get("what") == "list_taken"] == ["deny 2"]
    assert [e["detail"] for e in stored if e.get("what") == "list_refused"] == ["deny damaged"]
    scans = [event for event in stored if "reason" in event and "lists" in event]
    assert {(scan["reason"], scan["lists"][0]["version"]) for scan in scans} == {
        ("ok", 1),
        ("denied_by_list", 2),
    }
    assert all(scan["lists"][0]["name"] == "deny" for scan in scans)
    assert ANNAS_NUMBER.encode() not in b"".join(path.read_bytes() for path in (office / "lists").iterdir())


def test_a_list_is_told_and_asked_for_one_person(office: Path) -> None:
    assert make(office, "roster", given=f"{ANNAS_NUMBER},2026-03-02,2026-03-03").returncode == 0
    told = json.loads(gate_scanner(office, "list", "inspect", "roster.list", "--json").stdout)
    assert (told["kind"], told["count"], told["verified"]) == ("roster", 1, False)
    asked = ("list", "inspect", "roster.list", "--pseudonym-key", "pseudonym.key", "--has")
    assert gate_scanner(office, *asked, ANNAS_NUMBER).stdout == "on it\n"
    assert gate_scanner(office, *asked, "079088000111").returncode == 1


def test_the_version_grows_by_itself(office: Path) -> None:
    versions = []
    for _ in range(3):
        assert make(office, "deny", given=ANNAS_NUMBER).returncode == 0
        versions.append(json.loads((office / "deny.list").read_bytes().split(b"\n")[0])["version"])
    assert versions == sorted(set(versions))


def test_an_altered_list_does_not_verify(office: Path) -> None:
    assert make(office, "deny", "--key", "district.pem", given=ANNAS_NUMBER).returncode == 0
    verify = ("list", "verify", "deny.list", "--public", "district.pub")
    good = gate_scanner(office, *verify)
    assert (good.returncode, "signature: good" in good.stdout) == (0, True)
    raw = bytearray((office / "deny.list").read_bytes())
    raw[-1] ^= 1
    (office / "deny.list").write_bytes(raw)
    assert gate_scanner(office, *verify).returncode == 1


@pytest.mark.parametrize(
    ("arguments", "given", "remedy"),
    [
        ((), f"{ANNAS_NUMBER}\n46190123456\n", "line 2: 11 digits"),
        (("--column", "CCCD"), f"Name,Number\nAn,{ANNAS_NUMBER}\n", "the first row has: Name, Number"),
        (("--version", "0"), ANNAS_NUMBER, "greater ones only"),
        (("--key", "district.pub"), ANNAS_NUMBER, "private key"),
        (("--column", "Number"), f'Name,Number\n"An,{ANNAS_NUMBER}\n', "no table"),
    ],
)
def test_a_slip_is_answered_and_makes_no_list(
    office: Path, arguments: tuple[str, ...], given: str, remedy: str
) -> None:
    told = make(office, "deny", *arguments, given=given)
    assert (told.returncode, told.stdout) == (1, "")
    assert remedy in told.stderr
    assert "Traceback" not in told.stderr
    assert not (office / "deny.list").exists()
