from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.model import (
    ClockReading,
    Credential,
    CredentialRef,
    Direction,
    Outcome,
    Reason,
    ScanEvent,
    Standing,
)
from device.policy.decide import Moment, decide
from device.policy.lists import Lists
from device.policy.occupancy import Occupancy, Presence, rebuild
from device.policy.rules import PassbackMode, Rules
from device.policy.subjects import Subjects
from tests.support.clock import ManualClock

ANNA, BINH = "a" * 32, "b" * 32
NIGHT_S = 43_200.0
CARD = Credential(kind="vn.cccd", standing=Standing.CLAIMED, identifier="048095000111")
ENTRANCE = Rules(accept=frozenset({"vn.cccd"}), direction=Direction.IN, repeat_s=10.0)
NOW = Moment(utc=ManualClock().utc(), trusted=True, monotonic=1000.0)


def passed(
    subject: str | None,
    direction: Direction,
    clock: ClockReading,
    *,
    outcome: Outcome = Outcome.GRANTED,
    reason: Reason = Reason.OK,
) -> ScanEvent:
    ref = CredentialRef("vn.cccd", Standing.CLAIMED, subject)
    return ScanEvent(direction, outcome, reason, ref, clock, "0" * 16, "zxing", 100)


HERE = ManualClock().reading()


def at(seconds: float, *, boot: str = HERE.boot, wall: str = HERE.wall, trusted: bool = True) -> ClockReading:
    return ClockReading(wall=wall, trusted=trusted, boot=boot, uptime_ms=int(seconds * 1000))


def occupancy_after(*events: ScanEvent, forget_after_s: float = NIGHT_S) -> Occupancy:
    occupancy = Occupancy(forget_after_s=forget_after_s)
    for event in events:
        occupancy.follow(event, event.clock.uptime_ms / 1000)
    return occupancy


def answer(presence: Presence, rules: Rules, last_granted_at: float | None = None) -> tuple[str, str, str]:
    verdict = decide(
        CARD,
        subject=ANNA,
        rules=rules,
        lists=Lists(),
        moment=NOW,
        last_granted_at=last_granted_at,
        presence=presence,
    )
    return verdict.outcome.value, verdict.reason.value, verdict.rule


# -- what is decided ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("direction", "inside", "reason"),
    [
        (Direction.IN, True, "passback"),
        (Direction.IN, False, "ok"),
        (Direction.IN, None, "ok"),
        (Direction.OUT, True, "ok"),
        (Direction.OUT, False, "passback"),
        (Direction.OUT, None, "ok"),
        (Direction.BOTH, True, "ok"),
        (Direction.BOTH, False, "ok"),
    ],
)
def test_the_same_way_twice_is_passback(*, direction: Direction, inside: bool | None, reason: str) -> None:
    hard = replace(ENTRANCE, direction=direction, passback=PassbackMode.HARD)
    outcome, why, rule = answer(Presence(inside, 1), hard)
    assert why == reason
    if reason == "passback":
        assert (outcome, rule) == ("denied", "policy.passback.mode")
        soft = replace(hard, passback=PassbackMode.SOFT)
        assert answer(Presence(inside, 1), soft) == ("granted", "passback", "policy.passback.mode")
    assert answer(Presence(inside, 1), replace(hard, passback=PassbackMode.OFF))[1] == "ok"


def test_a_code_held_up_again_at_once_is_no_passback() -> None:
    hard = replace(ENTRANCE, passback=PassbackMode.HARD)
    assert answer(Presence(inside=True, count=1), hard, last_granted_at=995.0)[1] == "already_shown"
    assert answer(Presence(inside=True, count=1), hard, last_granted_at=985.0)[1] == "passback"


def test_a_full_place_lets_nobody_in_and_everybody_out() -> None:
    full = replace(ENTRANCE, capacity=2)
    assert answer(Presence(None, 1), full)[1] == "ok"
    assert answer(Presence(None, 2), full) == ("denied", "full", "policy.capacity")
    assert answer(Presence(inside=True, count=2), full)[1] == "ok"
    for inside in (True, False, None):
        assert answer(Presence(inside, 9), replace(full, direction=Direction.OUT))[1] == "ok"
    both = replace(full, direction=Direction.BOTH)
    assert answer(Presence(inside=True, count=2), both)[1] == "ok"
    assert answer(Presence(inside=False, count=2), both)[1] == "full"


def test_a_pass_for_one_passage_is_refused_once_it_was_used_even_a_moment_later() -> None:
    once = Credential(kind="cwt.pass", standing=Standing.VERIFIED, identifier="office/01", once=True)
    rules = replace(ENTRANCE, accept=frozenset({"cwt.pass"}))
    for last_granted_at in (None, 999.0):
        for credential, seen, reason in (
            (once, True, Reason.REPLAYED),
            (once, False, None),
            (replace(once, once=False), True, None),
        ):
            verdict = decide(
                credential,
                subject=ANNA,
                rules=rules,
                lists=Lists(),
                moment=NOW,
                last_granted_at=last_granted_at,
                presence=Presence(seen=seen),
            )
            assert (verdict.reason is Reason.REPLAYED) == (reason is Reason.REPLAYED)
            assert verdict.detail == ("used_before" if reason else "")


def test_a_suspended_gate_says_so_unless_the_person_is_denied_anyway() -> None:
    suspended = replace(ENTRANCE, suspended=True)
    assert answer(Presence(), suspended) == ("denied", "suspended", "policy.suspended")
    denied = decide(CARD, subject=ANNA, rules=suspended, lists=Lists(deny=Subjects([ANNA])), moment=NOW)
    assert denied.reason is Reason.DENIED_BY_LIST


def test_rules_that_differ_in_any_of_it_have_another_fingerprint() -> None:
    different = (
        ENTRANCE,
        replace(ENTRANCE, suspended=True),
        replace(ENTRANCE, capacity=5),
        replace(ENTRANCE, passback=PassbackMode.HARD),
        replace(ENTRANCE, forget_after_s=60.0),
    )
    assert len({rules.fingerprint(Lists()) for rules in different}) == len(different)


# -- what is known --------------------------------------------------------------------------------


def test_somebody_who_went_in_is_inside_until_they_go_out() -> None:
    occupancy = occupancy_after(passed(ANNA, Direction.IN, at(10)), passed(BINH, Direction.IN, at(11)))
    assert occupancy.presence(ANNA, 20) == Presence(inside=True, count=2)
    occupancy.follow(passed(ANNA, Direction.OUT, at(30)), 30)
    assert occupancy.presence(ANNA, 40) == Presence(inside=False, count=1)
    assert occupancy.presence("c" * 32, 40) == Presence(inside=None, count=1)
    assert occupancy.presence(None, 40) == Presence(inside=None, count=1)


def test_at_a_gate_for_both_directions_everybody_changes_sides() -> None:
    occupancy = occupancy_after(passed(ANNA, Direction.BOTH, at(10)))
    assert occupancy.presence(ANNA, 10).inside is True
    occupancy.follow(passed(ANNA, Direction.BOTH, at(20)), 20)
    assert occupancy.presence(ANNA, 20).inside is False


@pytest.mark.parametrize(
    ("subject", "outcome", "reason"),
    [
        (None, Outcome.GRANTED, Reason.OK),
        (ANNA, Outcome.DENIED, Reason.PASSBACK),
        (ANNA, Outcome.GRANTED, Reason.ALREADY_SHOWN),
        (ANNA, Outcome.ATTENTION, Reason.KIND_NOT_ACCEPTED),
    ],
)
def test_only_a_grant_to_a_known_person_changes_anything(
    subject: str | None, outcome: Outcome, reason: Reason
) -> None:
    event = passed(subject, Direction.IN, at(10), outcome=outcome, reason=reason)
    assert occupancy_after(event).presence(ANNA, 10) == Presence()


def test_a_noted_passback_is_a_passage() -> None:
    event = passed(ANNA, Direction.IN, at(10), reason=Reason.PASSBACK)
    assert occupancy_after(event).presence(ANNA, 10).inside is True


def test_a_side_is_forgotten_after_its_time() -> None:
    occupancy = occupancy_after(passed(ANNA, Direction.IN, at(10)), forget_after_s=60)
    assert occupancy.presence(ANNA, 69.9).inside is True
    assert occupancy.presence(ANNA, 70) == Presence()


def test_the_oldest_is_forgotten_and_counted_when_too_many_are_on_a_side() -> None:
    occupancy = Occupancy(forget_after_s=NIGHT_S, max_remembered=2)
    for number in range(3):
        occupancy.follow(passed(f"{number:032x}", Direction.IN, at(number)), number)
    assert occupancy.presence(f"{0:032x}", 3) == Presence(inside=None, count=2)
    assert occupancy.forgotten == 1


NEW = "c" * 32
"""What Anna is called under the key that replaced the one she went in under."""


def test_somebody_who_came_in_under_the_key_before_is_still_inside_and_counted_once() -> None:
    occupancy = occupancy_after(passed(ANNA, Direction.IN, at(10)), passed(BINH, Direction.IN, at(11)))
    assert occupancy.presence(NEW, 20) == Presence(inside=None, count=2)
    assert occupancy.presence(NEW, 20, ANNA) == Presence(inside=True, count=2)
    occupancy.follow(passed(NEW, Direction.OUT, at(30)), 30)
    assert occupancy.presence(NEW, 30, ANNA) == Presence(inside=False, count=1)


def test_what_was_seen_under_the_new_key_counts_when_a_start_knows_both_names() -> None:
    occupancy = occupancy_after(passed(ANNA, Direction.IN, at(10)), passed(NEW, Direction.OUT, at(20)))
    assert occupancy.presence(BINH, 25).count == 1  # nobody can tell that the two are one
    assert occupancy.presence(NEW, 30, ANNA) == Presence(inside=False, count=0)


def test_a_new_name_changes_nothing_about_when_a_side_is_forgotten() -> None:
    events = passed(ANNA, Direction.IN, at(10)), passed(BINH, Direction.IN, at(40))
    occupancy = occupancy_after(*events, forget_after_s=60)
    assert occupancy.presence(NEW, 50, ANNA).inside is True
    assert occupancy.presence(NEW, 70, ANNA) == Presence(inside=None, count=1)


def test_a_pass_used_under_the_key_before_is_used() -> None:
    event = passed(ANNA, Direction.IN, at(10))
    signed = replace(event, credential=replace(event.credential, once=True))
    assert occupancy_after(signed).presence(NEW, 20, ANNA).seen


def test_passes_that_were_used_are_known_longer_than_sides() -> None:
    event = passed(ANNA, Direction.IN, at(10))
    signed = replace(event, credential=replace(event.credential, once=True))
    occupancy = Occupancy(forget_after_s=60, max_remembered=1)
    occupancy.follow(event, 10)
    assert not occupancy.presence(ANNA, 10).seen
    occupancy.follow(signed, 11)
    assert occupancy.presence(ANNA, 1000) == Presence(inside=None, count=0, seen=True)
    other = replace(signed, credential=replace(signed.credential, subject=BINH))
    occupancy.follow(other, 1001)
    assert not occupancy.presence(ANNA, 1001).seen
    assert occupancy.forgotten == 1


# -- after a start --------------------------------------------------------------------------------


def test_a_pass_that_was_used_long_ago_is_used_though_its_scan_is_not_among_the_newest() -> None:
    event = passed(ANNA, Direction.IN, at(10))
    used = replace(event, credential=replace(event.credential, once=True))
    occupancy = rebuild([], forget_after_s=60, now=at(5000), used=[used])
    assert occupancy.presence(ANNA, 5000) == Presence(inside=None, count=0, seen=True)
    assert not occupancy.presence(BINH, 5000).seen


@given(
    st.lists(st.tuples(st.sampled_from([ANNA, BINH, None]), st.sampled_from(Direction)), max_size=12),
    st.floats(1, 100),
)
def test_a_start_in_the_same_boot_knows_what_was_known_before(
    passages: list[tuple[str | None, Direction]], pause_s: float
) -> None:
    events = [
        passed(subject, direction, at(10 + pause_s * number))
        for number, (subject, direction) in enumerate(passages)
    ]
    end = 10 + pause_s * len(events)
    lived = occupancy_after(*events, forget_after_s=300)
    again = rebuild(events, forget_after_s=300, now=at(end))
    for subject in (ANNA, BINH):
        assert again.presence(subject, end) == lived.presence(subject, end)


def test_after_a_reboot_the_date_tells_how_long_ago_it_was() -> None:
    event = passed(ANNA, Direction.IN, at(5000, boot="before", wall="2026-03-02T07:59:00.000Z"))
    now = at(30)  # 08:00
    assert rebuild([event], forget_after_s=120, now=now).presence(ANNA, 30).inside is True
    assert rebuild([event], forget_after_s=120, now=now).presence(ANNA, 89).inside is True
    assert rebuild([event], forget_after_s=120, now=now).presence(ANNA, 91).inside is None


@pytest.mark.parametrize(("then", "now"), [(False, True), (True, False), (False, False)])
def test_without_a_date_it_counts_as_the_end_of_the_boot_before(*, then: bool, now: bool) -> None:
    event = passed(ANNA, Direction.IN, at(5000, boot="before", wall="2020-01-01T00:00:00.000Z", trusted=then))
    known = rebuild([event], forget_after_s=120, now=at(30, trusted=now))
    assert known.presence(ANNA, 119).inside is True
    assert known.presence(ANNA, 121).inside is None


def test_a_wall_clock_that_was_put_back_does_not_change_the_order() -> None:
    went_in = passed(ANNA, Direction.IN, at(5000, boot="one", wall="2026-03-02T07:59:50.000Z"))
    went_out = passed(ANNA, Direction.OUT, at(10, boot="two", wall="2026-03-02T07:00:00.000Z"))
    known = rebuild([went_in, went_out], forget_after_s=7200, now=at(30))
    assert known.presence(ANNA, 30).inside is False
