from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.credential.pseudonym import Pseudonyms
from device.model import KeptField, Outcome, Reason, Standing
from device.policy.decide import Moment
from device.policy.judge import Judge
from device.policy.lists import Issue, Lists
from device.policy.rules import Hours, Rules
from device.privacy.keeping import IdentityKeeper
from device.privacy.sealing import OpeningKey, SealingKey
from device.service.explain import Explanation, explain
from tests.support.clock import ManualClock

KEY = b"a key for tests, 32 bytes long.."
CARD = "048095000111|201234567|Hoàng Thử Mẫu|17031995|Nam|Tổ 9 Phường Ví Dụ|03052021".encode()
MONDAY = Moment(utc=datetime(2026, 3, 2, 8, 0, tzinfo=UTC), trusted=True, monotonic=0.0)
JUDGE = Judge(
    rules=Rules(accept=frozenset({"vn.cccd"}), hours=(Hours(frozenset({0}), time(7), time(18)),)),
    lists=Lists(),
    pseudonyms=Pseudonyms(KEY),
    poster_hosts=frozenset(),
    clock=ManualClock(),
)
SEAL = SealingKey(OpeningKey(OpeningKey.generate()).public_pem)
FIELDS = (KeptField.IDENTIFIER, KeptField.NAME)


PLACES = {"policy.hours": "gate.yaml:12:5"}


def test_the_setting_that_decided_is_named_with_its_place_in_the_file() -> None:
    sunday = Moment(utc=datetime(2026, 3, 1, 8, 0, tzinfo=UTC), trusted=True, monotonic=0.0)
    explanation = explain(CARD, judge=JUDGE, moment=sunday, places=PLACES)
    assert (explanation.outcome, explanation.reason) == (Outcome.DENIED, Reason.OUTSIDE_HOURS)
    assert (explanation.rule, explanation.place) == ("policy.hours", "gate.yaml:12:5")
    assert "decided by: policy.hours (gate.yaml:12:5)" in explanation.as_text()


def test_a_default_that_decided_is_told_as_one_and_so_is_a_code_that_is_wrong_everywhere() -> None:
    granted = explain(CARD, judge=JUDGE, moment=MONDAY, places=PLACES)
    assert (granted.rule, granted.place) == ("policy.accept", "")
    assert "decided by: policy.accept (not in the file: its default)" in granted.as_text()
    wifi = explain(b"WIFI:S:x;P:secret;;", judge=JUDGE, moment=MONDAY, places=PLACES)
    assert "decided by: the code itself, at every gate" in wifi.as_text()


def test_the_lists_in_force_are_told_with_their_ages() -> None:
    issue = Issue("deny", 7, MONDAY.utc - timedelta(hours=30))
    judge = Judge(
        rules=Rules(accept=frozenset({"vn.cccd"})),
        lists=Lists(issues=(issue,)),
        pseudonyms=Pseudonyms(KEY),
        poster_hosts=frozenset(),
        clock=ManualClock(),
    )
    explanation = explain(CARD, judge=judge, moment=MONDAY)
    assert explanation.as_json()["lists"] == [{"name": "deny", "version": 7, "age_s": 108_000}]
    assert "lists: deny 7, 30 h old" in explanation.as_text()


def test_fields_are_named_and_their_contents_never_shown() -> None:
    explanation = explain(CARD, judge=JUDGE, moment=MONDAY)
    assert explanation.found == ("identifier", "name", "date of birth")
    shown = explanation.as_text() + json.dumps(explanation.as_json(), ensure_ascii=False)
    for secret in ("048095000111", "201234567", "Hoàng", "1995", "Ví Dụ"):
        assert secret not in shown


def test_a_program_gets_the_words_of_the_wire() -> None:
    told = json.loads(json.dumps(explain(b"WIFI:S:x;P:secret;;", judge=JUDGE, moment=MONDAY).as_json()))
    assert (told["kind"], told["outcome"], told["reason"]) == ("wrong.wifi", "attention", "wrong_kind")
    assert told["subject"] is None


def test_warnings_are_told() -> None:
    explanation = explain(CARD.replace(b"048", b"999"), judge=JUDGE, moment=MONDAY)
    assert explanation.warnings == ("province_unknown",)
    assert "province unknown" in explanation.as_text()


@pytest.mark.parametrize(
    ("keeper", "kept", "form", "words"),
    [
        (None, [], "not", "kept of who it is: nothing"),
        (IdentityKeeper(source="s", fields=FIELDS), [], "not", "kept of who it is: nothing"),
        (
            IdentityKeeper(source="s", seal=SEAL, fields=FIELDS),
            ["identifier", "name"],
            "sealed",
            "kept of who it is: identifier, name; sealed: only the district can read it",
        ),
        (
            IdentityKeeper(source="s", clear=True, fields=(KeptField.BORN,)),
            ["born"],
            "clear",
            "kept of who it is: born; in clear",
        ),
    ],
    ids=["no configuration", "nothing", "sealed", "clear"],
)
def test_what_would_be_kept_is_named_and_never_shown(
    keeper: IdentityKeeper | None, kept: list[str], form: str, words: str
) -> None:
    explanation = explain(CARD, judge=JUDGE, moment=MONDAY, identities=keeper)
    assert words in explanation.as_text()
    assert explanation.as_json()["kept"] == kept
    assert explanation.as_json()["kept_as"] == form
    for secret in ("048095000111", "Hoàng", "1995"):
        assert secret not in explanation.as_text()


@given(st.sampled_from(Reason), st.sampled_from(Outcome), st.sampled_from(Standing))
def test_every_reason_outcome_and_standing_has_words(
    reason: Reason, outcome: Outcome, standing: Standing
) -> None:
    explanation = Explanation(
        kind="vn.cccd",
        about="card",
        standing=standing,
        outcome=outcome,
        reason=reason,
        detail="a_b",
        rule="",
        place="",
        found=(),
        warnings=(),
        subject=None,
        rules="0" * 16,
    )
    assert f", {reason}. " in explanation.as_text()
    assert "detail: a b" in explanation.as_text()


@given(st.binary(max_size=200))
def test_any_content_is_explained(content: bytes) -> None:
    assert all(
        line.isprintable() for line in explain(content, judge=JUDGE, moment=MONDAY).as_text().split("\n")
    )
