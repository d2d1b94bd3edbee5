from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.credential.pseudonym import Pseudonyms, subject_of
from device.credential.trust import NOBODY
from device.model import ListInForce, Outcome, Reason, Standing
from device.policy.judge import Judge, never
from device.policy.lists import Issue, Lists
from device.policy.rules import Rules
from device.policy.subjects import Subjects
from tests.support.clock import ManualClock

KEY = b"a key for tests, 32 bytes long.."
CARD = "048095000111||Hoàng Thử Mẫu|17031995|Nam|Tổ 9|03052021".encode()
RULES = Rules(accept=frozenset({"vn.cccd"}), repeat_s=5.0)


def judge(clock: ManualClock, lists: Lists | None = None, rules: Rules = RULES) -> Judge:
    return Judge(
        rules=rules,
        lists=lists or Lists(),
        pseudonyms=Pseudonyms(KEY),
        poster_hosts=frozenset({"poster.example"}),
        clock=clock,
    )


def test_an_event_keeps_kind_and_pseudonym_of_a_card_and_nothing_else() -> None:
    answer = judge(ManualClock()).judge(CARD, never)
    ref, verdict = answer.ref, answer.verdict
    assert (ref.kind, ref.standing, ref.issuer) == ("vn.cccd", Standing.CLAIMED, None)
    assert ref.subject == subject_of("048095000111", key=KEY)
    assert verdict.outcome is Outcome.GRANTED


def test_a_denied_person_is_denied_by_pseudonym() -> None:
    lists = Lists(deny=Subjects([subject_of("048095000111", key=KEY) or ""]))
    assert judge(ManualClock(), lists).judge(CARD, never).verdict.reason is Reason.DENIED_BY_LIST


@pytest.mark.parametrize(
    "content",
    [
        CARD.replace(b"||", b"|201234567|"),
        b"201234567|HOANG THU MAU|1995-03-17|0|163000000000000011|<1<<",
    ],
    ids=["chip card with the old number", "national code with the old number"],
)
def test_a_person_on_a_list_is_known_by_every_number_the_code_holds(content: bytes) -> None:
    listed = Subjects([subject_of("201234567", key=KEY) or ""])
    rules = replace(RULES, accept=frozenset({"vn.cccd", "vn.qr-national"}))
    denying, allowing = (
        judge(ManualClock(), one, rules) for one in (Lists(deny=listed), Lists(allow=listed))
    )
    assert denying.judge(content, never).verdict.reason is Reason.DENIED_BY_LIST
    assert allowing.judge(content, never).verdict.reason is Reason.OK
    assert allowing.judge(CARD, never).verdict.reason is Reason.NOT_ON_LIST


def test_a_repeat_is_measured_on_the_clock_that_never_jumps() -> None:
    clock = ManualClock(monotonic=100.0)
    gate = judge(clock)
    clock.advance(4.0)
    assert gate.judge(CARD, lambda _: 100.0).verdict.reason is Reason.ALREADY_SHOWN
    clock.advance(1.0)
    assert gate.judge(CARD, lambda _: 100.0).verdict.reason is Reason.OK


def test_a_repeat_goes_by_the_person_where_one_is_known() -> None:
    gate = judge(ManualClock())
    longer = CARD + b"||||"
    assert gate.judge(CARD, never).identity == gate.judge(longer, never).identity
    assert gate.judge(b"hello", never).identity != gate.judge(b"hello there", never).identity


def test_a_poster_of_the_configured_host_is_known() -> None:
    answer = judge(ManualClock()).judge(b"https://poster.example/1", never)
    assert (answer.ref.kind, answer.ref.subject, answer.verdict.reason) == (
        "wrong.poster",
        None,
        Reason.WRONG_KIND,
    )


def test_the_fingerprint_is_that_of_rules_and_lists() -> None:
    assert judge(ManualClock()).fingerprint == RULES.fingerprint(Lists())


@given(st.binary(max_size=400))
def test_no_content_makes_the_judge_raise(content: bytes) -> None:
    assert judge(ManualClock()).judge(content, never).verdict.outcome is not Outcome.GRANTED


OLD = KEY[::-1]


def in_an_overlap(clock: ManualClock, lists: Lists, *, days: int) -> Judge:
    pseudonyms = Pseudonyms(KEY, previous=OLD, until=clock.utc() + timedelta(days=days))
    return Judge(rules=RULES, lists=lists, pseudonyms=pseudonyms, poster_hosts=frozenset(), clock=clock)


@pytest.mark.parametrize("number", ["048095000111", "201234567"], ids=["number", "old number"])
def test_a_list_of_former_pseudonyms_matches_until_the_overlap_ends(number: str) -> None:
    clock = ManualClock()
    former = Lists(deny=Subjects([subject_of(number, key=OLD) or ""]))
    card = CARD.replace(b"||", b"|201234567|")
    answer = in_an_overlap(clock, former, days=1).judge(card, never)
    assert answer.verdict.reason is Reason.DENIED_BY_LIST
    assert in_an_overlap(clock, former, days=-1).judge(card, never).verdict.reason is Reason.OK


def test_an_event_carries_the_new_pseudonym_at_once_and_says_which_key_made_it() -> None:
    ref = in_an_overlap(ManualClock(), Lists(), days=1).judge(CARD, never).ref
    assert ref.subject == subject_of("048095000111", key=KEY)
    assert ref.subject_key == Pseudonyms(KEY).key_id
    nobody = in_an_overlap(ManualClock(), Lists(), days=1).judge(b"WIFI:S:x;;", never).ref
    assert (nobody.subject, nobody.subject_key) == (None, None)


def test_a_judge_goes_by_newer_lists_and_says_which() -> None:
    clock = ManualClock()
    gate = judge(clock)
    before = gate.judge(CARD, never)
    assert (before.verdict.reason, before.lists) == (Reason.OK, None)
    deny = Subjects([subject_of("048095000111", key=KEY) or ""])
    issue = Issue("deny", 7, clock.utc() - timedelta(hours=2))
    gate.go_by(Lists(deny=deny, issues=(issue,)), NOBODY)
    after = gate.judge(CARD, never)
    assert after.verdict.reason is Reason.DENIED_BY_LIST
    assert after.lists == (ListInForce("deny", 7, 7200),)
    assert before.rules != after.rules == gate.fingerprint
    clock.set_wall(clock.utc(), trusted=False)
    assert gate.judge(CARD, never).lists == (ListInForce("deny", 7, None),)
