"""`gate-scanner trace` as it is typed."""

from __future__ import annotations

import argparse
import io
import json
import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from device.cli import main
from device.commands.trace import _moment
from device.credential.pseudonym import subject_of
from tests.support.gate import Gate
from tests.support.gate_life import DistrictsCopy, GateLife, at

ID = "046190123456"
KEY = b"k" * 32
AT = "2026-03-02T10:32:00Z"


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A folder with a gate's configuration, key and journal, in which ID was let in at 10:31:40."""
    Gate(tmp_path).write()
    (tmp_path / "scene").mkdir()
    life = GateLife(tmp_path)
    life.live_until("10:31:40")
    life.show(subject_of(ID, key=KEY))
    life.live_until("10:45")
    life.journal.acknowledge(life.journal.stats().last_seq)
    DistrictsCopy(tmp_path / "events.db", life.clock).take(life)
    life.journal.close()
    return tmp_path


def test_the_gates_own_configuration_is_enough(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "--config", str(gate / "gate.yaml"), "--at", AT, "--id", ID]) == 0
    said = capsys.readouterr().out
    assert said.startswith("test-district/test-site/door-1, Mon 02 Mar 2026, ")
    assert "\nGRANTED\n" in said
    assert ID not in said


def test_a_journal_on_a_desk_needs_the_key_beside_it(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["trace", "--journal", str(gate / "journal.db"), "--at", AT, "--timezone", "Asia/Ho_Chi_Minh"]
    key = ["--pseudonym-key", str(gate / "pseudonym.key")]
    assert main([*where, *key, "--id", ID]) == 0
    assert "17:31:40  granted (ok), vn.cccd" in capsys.readouterr().out
    assert main([*where, "--subject", str(subject_of(ID, key=KEY))]) == 0
    with pytest.raises(SystemExit):
        main([*where, "--id", ID])
    assert "--pseudonym-key" in capsys.readouterr().err


def test_a_districts_store_answers_for_programs_too(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["trace", "--store", str(gate / "events.db"), "--at", AT, "--json"]
    assert main([*where, "--pseudonym-key", str(gate / "pseudonym.key"), "--id", "001085000222"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["answer"], found["sure"]) == ("not_presented", True)
    assert found["gate"] == "gate/v1/tenant/site/gate"


def test_an_answer_that_may_change_ends_with_1(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    late = ["--at", "2026-03-02T11:32:00Z", "--subject", "0" * 32]
    assert main(["trace", "--store", str(gate / "events.db"), *late]) == 1
    assert "NOT DELIVERED YET" in capsys.readouterr().out


def test_an_identifier_need_not_stand_on_the_command_line(
    gate: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{ID}\n"))
    assert main(["trace", "--config", str(gate / "gate.yaml"), "--at", AT, "--id", "-"]) == 0
    assert "GRANTED" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--at", "25:00"], "no such time of day"),
        (["--at", "noon"], "a time like 10:32"),
        (["--at", "2999-01-01"], "has not been yet"),
        (["--at", AT, "--within", "0"], "more than 0 minutes"),
        (["--at", AT, "--subject", ID], "an identifier goes to --id"),
        (["--at", AT, "--timezone", "Hue"], "a time zone like"),
    ],
)
def test_what_makes_no_sense_is_told(
    gate: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    with pytest.raises(SystemExit):
        main(["trace", "--journal", str(gate / "journal.db"), *arguments])
    assert said in re.sub(r"\s+", " ", capsys.readouterr().err)


def test_what_is_no_journal_and_no_store_is_told(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "--store", str(gate / "journal.db"), "--at", AT]) == 1
    assert "this is no store" in capsys.readouterr().err
    assert main(["trace", "--journal", str(gate / "events.db"), "--at", AT]) == 1
    assert "this is not a journal" in capsys.readouterr().err


def test_a_gate_that_has_no_key_yet_can_find_nobody(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (gate / "gate.yaml").read_text("utf-8").replace("pseudonym_key_file: pseudonym.key", "")
    (gate / "gate.yaml").write_text(text.replace("privacy:", "privacy: {}"), "utf-8")
    (gate / "pseudonym.key").unlink()
    assert main(["trace", "--config", str(gate / "gate.yaml"), "--at", AT, "--id", ID]) == 1
    assert "without the gate's key" in capsys.readouterr().err
    assert not (gate / "pseudonym.key").exists()


def test_a_gate_without_a_broker_has_nothing_to_deliver(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Gate(tmp_path, changes={"uplink.enabled": False}).write()
    life = GateLife(tmp_path)
    life.live_until("10:32")
    life.show(subject_of(ID, key=KEY))
    life.journal.close()
    assert main(["trace", "--config", str(tmp_path / "gate.yaml"), "--at", AT, "--id", ID]) == 0
    assert "\nGRANTED\n" in capsys.readouterr().out


def test_a_time_of_day_is_the_last_one_there_was() -> None:
    zone, now = ZoneInfo("Asia/Ho_Chi_Minh"), at("10:00")
    parser = argparse.ArgumentParser()

    def moment(text: str) -> datetime:
        return _moment(parser, text, zone, now)

    assert moment("16:59:30") == at("09:59:30")
    assert moment("17:30").isoformat() == "2026-03-01T17:30:00+07:00"
    assert moment("2026-03-02T08:00").isoformat() == "2026-03-02T08:00:00+07:00"
    assert moment("2026-03-02T08:00:00Z") == at("08:00")
