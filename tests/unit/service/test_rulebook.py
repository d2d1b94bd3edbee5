from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from device.config.loader import load_text
from device.config.model import Settings
from device.credential.pseudonym import Pseudonyms
from device.errors import GateError
from device.keyring import pseudonyms_for_a_look, pseudonyms_of
from device.model import Reason
from device.policy.judge import never
from device.rulebook import judge_of
from tests.support.clock import ManualClock
from tests.support.gate import ANNA, BINH, REFUSED

GATE = """\
gate: {tenant: t, site: s, name: n}
journal: {path: state/journal.db}
policy: {deny_list: deny.txt}
uplink: {enabled: false}
"""
RULES_FROM_A_DAY_ON = (
    "hours: [{from: 08:00, to: 12:00, effective_from: 2026-03-02, effective_until: 2026-03-03}], "
    "closed_on: [2026-03-03]"
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "deny.txt").write_text("001085000222\n", encoding="utf-8")
    return load_text(GATE, base_dir=tmp_path)


def test_somebody_who_only_asks_leaves_nothing_behind(settings: Settings, tmp_path: Path) -> None:
    names = pseudonyms_for_a_look(settings)
    judge = judge_of(settings, ManualClock(), pseudonyms=names)
    assert judge.judge(REFUSED.encode(), never).verdict.reason is Reason.DENIED_BY_LIST
    assert judge.judge(ANNA.encode(), never).verdict.reason is Reason.OK
    assert not (tmp_path / "state").exists()


def test_the_gate_makes_its_key_once_and_others_then_use_it(settings: Settings, tmp_path: Path) -> None:
    names = pseudonyms_of(settings)
    assert pseudonyms_of(settings) == pseudonyms_for_a_look(settings) == names
    assert (tmp_path / "state" / "pseudonym.key").stat().st_mode & 0o777 == 0o600


def test_a_list_that_has_gone_is_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "deny.txt").unlink()
    with pytest.raises(GateError, match=r"deny\.txt: No such file"):
        judge_of(settings, ManualClock(), pseudonyms=Pseudonyms(b"k" * 32))


def test_hours_and_closed_days_of_the_file_are_those_of_the_gate(tmp_path: Path) -> None:
    text = GATE.replace("deny_list: deny.txt", RULES_FROM_A_DAY_ON)
    gate = load_text(text, base_dir=tmp_path)
    clock = ManualClock()
    judge = judge_of(gate, clock, pseudonyms=Pseudonyms(b"k" * 32))
    answers = {}
    for day in (1, 2, 3, 4):
        clock.set_wall(datetime(2026, 3, day, 3, tzinfo=UTC))  # 10:00 in Viet Nam
        answers[day] = judge.judge(ANNA.encode(), never).verdict.reason
    closed = Reason.OUTSIDE_HOURS
    assert answers == {1: closed, 2: Reason.OK, 3: closed, 4: closed}


def test_a_roster_admits_beside_the_allow_list(tmp_path: Path) -> None:
    (tmp_path / "allow.txt").write_text(f"{BINH.split('|')[0]}\n", encoding="utf-8")
    (tmp_path / "roster.txt").write_text(f"{ANNA.split('|')[0]}, 2026-03-02, 2026-03-02\n", encoding="utf-8")
    text = GATE.replace("deny_list: deny.txt", "allow_list: allow.txt, roster: roster.txt")
    clock = ManualClock()
    judge = judge_of(load_text(text, base_dir=tmp_path), clock, pseudonyms=Pseudonyms(b"k" * 32))
    answers = [judge.judge(who.encode(), never) for who in (ANNA, BINH, REFUSED)]
    assert [answer.verdict.reason for answer in answers] == [Reason.OK, Reason.OK, Reason.NOT_ON_LIST]
    assert [one.name for one in answers[0].lists or ()] == ["allow", "roster"]
    clock.advance(86_400)
    assert judge.judge(ANNA.encode(), never).verdict.reason is Reason.NOT_EXPECTED
