from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.cli import main
from device.model import Cause, Outcome
from device.service.report.figures import Figures, Passed, figures
from device.service.report.words import as_csv, as_json, as_text
from device.service.trace.records import of_journal, of_store
from device.service.trace.stretches import Doing
from tests.support.gate_life import HE, SHE, DistrictsCopy, GateLife, at
from tests.support.uplinks import ADDRESS

THERE = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.fixture
def life(tmp_path: Path) -> Iterator[GateLife]:
    life = GateLife(tmp_path)
    yield life
    life.journal.close()


def day(life: GateLife, *, begin: str = "00:00", end: str = "23:00", now: str = "23:00") -> Figures:
    with ExitStack() as parts:
        records = of_journal(life.path, gate="t/s/g", parts=parts)
        return figures(records, begin=at(begin), end=at(end), zone=UTC, now=at(now))


def a_busy_hour(life: GateLife) -> None:
    life.live_until("10:10")
    life.show(HE)
    life.walk_through(granted=True)
    life.live_until("10:20")
    life.show(SHE, Outcome.DENIED)
    life.walk_through(granted=False)
    life.fail_to_read(Cause.GLARE)
    life.live_until("11:05")
    life.show(HE)
    life.walk_through(granted=True)
    life.show(None, Outcome.ATTENTION)
    life.live_until("12:00")
    life.stop()


def test_a_day_is_counted_from_its_events(life: GateLife) -> None:
    a_busy_hour(life)
    found = day(life)
    assert (found.scans, found.persons) == (4, 2)
    assert found.outcomes == {"granted": 2, "denied": 1, "attention": 1}
    assert found.kinds == {"vn.cccd": 3, "wrong.payment": 1}
    assert found.unread == {"glare": 1}
    assert found.hours == {at("10:00"): 2, at("11:00"): 2}
    assert (found.missing, found.undated) == (0, 0)


def test_the_share_of_people_passing_who_had_been_let_through_is_told(life: GateLife) -> None:
    a_busy_hour(life)
    assert day(life).passed == Passed(3, 1)
    assert "67 %" in as_text(day(life), UTC, "en")


def test_a_gate_without_a_barrier_says_nothing_of_who_passed(life: GateLife) -> None:
    life.live_until("10:10")
    assert day(life).passed is None
    assert "went through" not in as_text(day(life), UTC, "en")


def test_the_gates_own_time_is_accounted_for_without_a_gap(life: GateLife) -> None:
    life.live_until("10:30")
    life.live_until("10:45", seeing=False)
    life.stop()
    life.be_away(15 * 60)
    life.boot()
    life.live_until("12:00")
    found = day(life, begin="10:00", end="12:00")
    assert sum(found.doing.values(), timedelta()) == timedelta(hours=2)
    assert abs(found.doing[Doing.BLIND] - timedelta(minutes=15)) < timedelta(seconds=10)
    assert abs(found.doing[Doing.DOWN] - timedelta(minutes=15)) < timedelta(seconds=60)


def test_what_is_outside_the_day_is_not_counted(life: GateLife) -> None:
    a_busy_hour(life)
    assert day(life, begin="10:15", end="11:00").outcomes == {"denied": 1}


def test_what_has_not_been_yet_is_not_held_against_the_gate(life: GateLife) -> None:
    a_busy_hour(life)
    found = day(life, end="23:00", now="12:00")
    assert found.end == at("12:00")


def test_at_the_district_missing_events_are_told_so_that_nobody_trusts_the_counts(
    tmp_path: Path, life: GateLife
) -> None:
    a_busy_hour(life)
    copy = DistrictsCopy(tmp_path / "events.db", life.clock)
    copy.take(life, last=3)
    copy.take(life, first=6)
    with ExitStack() as parts:
        records = of_store(tmp_path / "events.db", gate="", parts=parts)
        found = figures(records, begin=at("00:00"), end=at("23:00"), zone=UTC, now=at("23:00"))
    assert found.missing == 2
    assert "too low" in as_text(found, UTC, "en")
    assert "còn thiếu" in as_text(found, UTC, "vi")


def test_what_the_district_does_not_have_for_certain_is_counted_at_the_gate(life: GateLife) -> None:
    a_busy_hour(life)
    assert day(life).outstanding == 4
    life.journal.acknowledge(life.journal.stats().last_seq)
    life.journal.confirm(life.journal.stats().journal, life.journal.stats().last_seq)
    assert day(life).outstanding == 0


def test_a_spreadsheet_has_one_line_a_gate_under_one_head(life: GateLife) -> None:
    a_busy_hour(life)
    rows = list(csv.DictReader(io.StringIO(as_csv([day(life), day(life)]))))
    assert len(rows) == 2
    assert (rows[0]["granted"], rows[0]["passed"], rows[0]["scanned_percent"]) == ("2", "3", "67")
    assert sum(int(rows[0][f"{doing}_s"]) for doing in Doing) == 23 * 3600


def test_programs_get_the_same_figures_and_more(life: GateLife) -> None:
    a_busy_hour(life)
    told = json.loads(json.dumps(as_json(day(life))))
    assert told["reasons"]["denied_by_list"] == 1
    assert told["hours"] == {"2026-03-02T10:00:00+00:00": 2, "2026-03-02T11:00:00+00:00": 2}


@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_pseudonym_is_in_a_report(life: GateLife, language: str) -> None:
    a_busy_hour(life)
    text = as_text(day(life), UTC, "vi" if language == "vi" else "en")
    assert HE not in text
    assert SHE not in text


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_share_is_a_share(persons: int, without: int) -> None:
    share = Passed(persons, without).scanned_percent
    assert share is None if persons == 0 else share is not None and 0 <= share <= 100


# -- the command ------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path, life: GateLife) -> Path:
    a_busy_hour(life)
    DistrictsCopy(tmp_path / "events.db", life.clock).take(life)
    return tmp_path / "events.db"


def test_a_days_report_of_all_gates_goes_into_a_file_named_by_the_day(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "reports"
    told = ["--day", "2026-03-02", "--timezone", "Asia/Ho_Chi_Minh", "--format", "csv", "--out", str(out)]
    assert main(["report", "--store", str(store), *told]) == 0
    assert capsys.readouterr().out.strip() == str(out / "report-2026-03-02.csv")
    (row,) = csv.DictReader(io.StringIO((out / "report-2026-03-02.csv").read_text(encoding="utf-8")))
    assert (row["gate"], row["scans"]) == (ADDRESS.path, "4")


def test_a_report_in_vietnamese_for_a_person(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = ["--day", "2026-03-02", "--timezone", "Asia/Ho_Chi_Minh", "--language", "vi"]
    assert main(["report", "--store", str(store), *told]) == 0
    said = capsys.readouterr().out
    assert "lượt mã được trả lời" in said
    assert "17:00" in said


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--day", "tomorrow"], "yesterday"),
        (["--day", "2999-01-01"], "not been yet"),
        (["--days", "0"], "1 to 366"),
        (["--gate", "no-such"], "knows 1"),
    ],
)
def test_a_question_that_cannot_be_answered_is_told_why(
    store: Path, arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "--store", str(store), *arguments]) == 1
    assert word in capsys.readouterr().err


def test_days_begin_at_midnight_of_the_place(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # 11:00 UTC is midnight in Auckland in its summer.
    for day_there, scans in (("2026-03-02", 2), ("2026-03-03", 2)):
        where = ["--timezone", "Pacific/Auckland", "--day", day_there, "--format", "json"]
        assert main(["report", "--store", str(store), *where]) == 0
        assert json.loads(capsys.readouterr().out)["scans"] == scans
