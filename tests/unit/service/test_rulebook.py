from __future__ import annotations

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
from tests.support.gate import ANNA, REFUSED

GATE = """\
gate: {tenant: t, site: s, name: n}
journal: {path: state/journal.db}
policy: {deny_list: deny.txt}
uplink: {enabled: false}
"""


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
