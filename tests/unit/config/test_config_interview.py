"""A first file from a few answers: accepted by `check`, or answered in the words of the model."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.cli import main
from device.config.boot import boot_defaults
from device.config.effective import difference, show
from device.config.interview import complaint, text_of
from device.config.loader import load, load_text
from device.config.questions import QUESTIONS, questions_after

HERE = Path("/etc/gate-scanner")
NAMED = {"gate.tenant": "phu-vang", "gate.site": "market", "gate.name": "north"}
FLAGS = ["--tenant", "phu-vang", "--site", "market", "--name", "north"]


def asked(answers: dict[str, str]) -> list[str]:
    """The paths that are asked when these are answered and everything else takes the usual."""
    paths = []
    answers = dict(answers)
    while (question := next(questions_after(answers), None)) is not None:
        paths.append(question.path)
        answers[question.path] = question.usual
    return paths


def test_every_question_is_about_a_setting_that_exists() -> None:
    shown = show(
        load_text(text_of({**NAMED, "panel.relay.pin": "24"}, file=HERE / "gate.yaml"), base_dir=HERE)
    )
    for question in QUESTIONS:
        last = question.path.rpartition(".")[2]
        assert f"{last}:" in shown or question.path.startswith("uplink.")


def test_the_relays_polarity_is_asked_only_where_there_is_a_relay() -> None:
    assert "panel.relay.active_high" not in asked({"panel.relay.pin": ""})
    assert "panel.relay.active_high" in asked({"panel.relay.pin": "24"})


def test_a_gate_without_a_broker_is_asked_nothing_about_it() -> None:
    assert [path for path in asked({"uplink.host": ""}) if path.startswith("uplink.")] == []


def test_port_1883_means_no_tls() -> None:
    plain = {**NAMED, "uplink.host": "mqtt.example.vn", "uplink.port": "1883"}
    assert "uplink.tls.ca_file" not in asked(plain)
    assert load_text(text_of(plain, file=HERE / "gate.yaml"), base_dir=HERE).uplink.tls is None
    other = {**plain, "uplink.port": "8883"}
    assert load_text(text_of(other, file=HERE / "gate.yaml"), base_dir=HERE).uplink.tls is not None


@pytest.mark.parametrize(
    ("path", "answer", "said"),
    [
        ("gate.tenant", "Phú Vang", "phu-vang"),
        ("panel.relay.pin", "17", "already used by panel.lights.green"),
        ("panel.relay.pin", "GPIO24", "24"),
        ("gate.direction", "inn", "did you mean in"),
        ("uplink.host", "mqtts://broker:8883", "host name"),
        ("uplink.port", "99999", "65535"),
    ],
)
def test_an_answer_is_judged_like_a_file(path: str, answer: str, said: str) -> None:
    assert said in complaint(path, {"uplink.host": "h", path: answer}, folder=HERE)


@given(st.dictionaries(st.sampled_from([q.path for q in QUESTIONS]), st.text(max_size=40)))
def test_whatever_is_answered_is_refused_or_written_as_it_was_meant(answers: dict[str, str]) -> None:
    answers = {**NAMED, **{path: text.strip() for path, text in answers.items() if text.strip()}}
    if any(complaint(path, answers, folder=HERE) for path in answers):
        return
    text = text_of(answers, file=HERE / "gate.yaml")
    settings = load_text(text, base_dir=HERE)
    assert settings.gate.tenant == answers["gate.tenant"]
    if settings.uplink.enabled:
        assert settings.uplink.username == answers.get("uplink.username")


def test_the_file_is_written_once_and_never_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "gate.yaml"
    command = ["config", "init", str(file), *FLAGS, "--relay-pin", "24", "--relay-active-high", "no"]
    assert main(command) == 0
    assert "worth a second look" in capsys.readouterr().out
    before = file.read_bytes()
    settings = load(file)
    assert settings.panel.relay is not None
    assert not settings.panel.relay.active_high
    assert file.stat().st_mode & 0o777 == 0o640
    assert main(command) == 1
    assert "there already" in capsys.readouterr().err
    assert file.read_bytes() == before


def test_files_that_are_still_to_come_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "gate.yaml"
    assert main(["config", "init", str(file), *FLAGS, "--broker", "b.vn", "--ca-file", "ca.pem"]) == 0
    assert "ca.pem is not there" in capsys.readouterr().out
    assert main(["check", str(file)]) == 78
    assert main(["check", "--no-files", str(file)]) == 0


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--tenant", "a"], "--site is needed"),
        ([*FLAGS, "--port", "1"], "--port does not go with"),
        ([*FLAGS, "--relay-pin", "40"], "--relay-pin: "),
    ],
)
def test_flags_that_cannot_be_used_write_nothing(
    flags: list[str],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "gate.yaml"
    with open(os.devnull, encoding="utf-8") as nothing:  # noqa: PTH123 - a device, not a file
        monkeypatch.setattr(sys, "stdin", nothing)
        assert main(["config", "init", str(file), *flags]) == 1
    assert said in capsys.readouterr().err
    assert not file.exists()


@pytest.mark.slow
def test_on_a_terminal_it_asks_and_asks_again_when_an_answer_cannot_be_used(tmp_path: Path) -> None:
    file = tmp_path / "gate.yaml"
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "device", "config", "init", str(file), "--site", "market"]
    answers = "Phú Vang\nphu-vang\nnorth\n\n\n24\nno\n\n"
    with subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        os.write(ours, answers.encode())
        said, _ = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0, said
    assert "(write phu-vang)" in said
    assert "--site" not in said
    settings = load(file)
    assert (settings.gate.tenant, settings.gate.name, settings.uplink.enabled) == ("phu-vang", "north", False)


def test_the_difference_is_what_was_answered() -> None:
    settings = load_text(text_of({**NAMED, "gate.direction": "in"}, file=HERE / "gate.yaml"), base_dir=HERE)
    text = difference(settings)
    assert "  direction: in  # default: both\n" in text
    assert "camera" not in text
    assert load_text(text, base_dir=HERE) == settings


def test_pins_rest_where_nothing_moves() -> None:
    answers = {**NAMED, "panel.relay.pin": "24", "panel.relay.active_high": "no"}
    settings = load_text(text_of(answers, file=HERE / "gate.yaml"), base_dir=HERE)
    assert list(boot_defaults(settings)) == [
        "gpio=24=op,dh",
        "gpio=18=op,dl",
        "gpio=17=op,dl",
        "gpio=27=op,dl",
        "gpio=22=op,dl",
        "gpio=23=op,dl",
    ]


def test_a_mock_panel_has_no_pins_at_boot() -> None:
    head = "gate: {tenant: a, site: b, name: c}\nuplink: {enabled: false}\n"
    text = f"{head}panel: {{driver: mock, relay: {{pin: 24}}}}\n"
    assert list(boot_defaults(load_text(text, base_dir=HERE))) == []
