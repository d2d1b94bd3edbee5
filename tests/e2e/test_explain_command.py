"""`gate-scanner explain`, as a technician asks it: a text or a picture, and the line that decided."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from tests.support.codes import shown
from tests.support.gate import ANNA, PAYMENT, REFUSED, Gate

pytestmark = pytest.mark.slow


def explain(folder: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "device", "explain", *arguments],
        cwd=folder,
        input=given,
        capture_output=True,
        check=False,
        timeout=60,
    )


def told(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, object]]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Gate(tmp_path, changes={"policy.hours": [{"from": "07:00", "to": "18:00"}]}).write()
    return tmp_path


def test_a_picture_is_answered_as_its_text_is_with_the_line_that_decided(folder: Path) -> None:
    cv2.imwrite(str(folder / "card.png"), shown(REFUSED))
    at_noon = ("--config", "gate.yaml", "--at", "2026-03-02T12:00:00+07:00", "--json")
    by_picture, by_text = told(explain(folder, *at_noon, "card.png", REFUSED))
    assert by_picture == by_text
    assert (by_text["outcome"], by_text["reason"]) == ("denied", "denied_by_list")
    place = str(by_text["place"])
    line = (folder / "gate.yaml").read_text(encoding="utf-8").splitlines()[int(place.split(":")[1]) - 1]
    assert (by_text["rule"], line.strip()) == ("policy.deny_list", "deny_list: deny.txt")


def test_another_time_is_another_answer_by_another_line(folder: Path) -> None:
    at_night = ("--config", "gate.yaml", "--at", "2026-03-02T22:00:00+07:00", "--json")
    (answer,) = told(explain(folder, *at_night, ANNA))
    assert (answer["reason"], answer["rule"]) == ("outside_hours", "policy.hours")
    assert str(answer["place"]).startswith("gate.yaml:")


def test_many_codes_come_from_standard_input_and_none_is_repeated(folder: Path) -> None:
    lines = b"\n".join(base64.b64encode(text.encode()) for text in (ANNA, PAYMENT, "\x00"))
    done = explain(folder, "--json", "--b64", "-", given=lines)
    assert [answer["kind"] for answer in told(done)] == ["vn.cccd", "wrong.payment", "wrong.binary"]
    assert b"046190123456" not in done.stdout


def test_who_only_asks_leaves_nothing_behind(folder: Path) -> None:
    before = sorted(folder.iterdir())
    assert explain(folder, "--config", "gate.yaml", ANNA).returncode == 0
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("--b64", "???"), 2, b"base64"),
        (("missing.png",), 1, b"no such file"),
        (("gate.yaml",), 1, b"gate.yaml: "),
        (("--at", "soon", "x"), 2, b"a time like"),
    ],
)
def test_a_slip_is_answered_in_one_sentence(
    folder: Path, arguments: tuple[str, ...], code: int, word: bytes
) -> None:
    done = explain(folder, *arguments)
    assert (done.returncode, done.stdout) == (code, b"")
    assert word in done.stderr.splitlines()[-1]
