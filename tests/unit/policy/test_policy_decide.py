from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.model import Credential, Outcome, Reason, Standing, Verdict
from device.policy.decide import Moment, decide
from device.policy.lists import Lists
from device.policy.rules import Hours, Rules, UntrustedClock
from device.policy.subjects import Roster, Subjects, window

ME = "00112233445566778899aabbccddeeff"
OTHER = "ff" * 16
EVERY_DAY = frozenset(range(7))
# Monday, 15:00 in Viet Nam.
NOW = Moment(utc=datetime(2026, 3, 2, 8, 0, tzinfo=UTC), trusted=True, monotonic=1000.0)
CARD = Credential(kind="vn.cccd", standing=Standing.CLAIMED, identifier="048095000111")
PASS = Credential(
    kind="cwt.pass",
    standing=Standing.VERIFIED,
    identifier="pass",
    not_before=NOW.utc - timedelta(hours=1),
    expires=NOW.utc + timedelta(hours=1),
)
OPEN = Rules(accept=frozenset({"vn.cccd", "cwt.pass"}))
CLOSED = replace(OPEN, hours=(Hours(EVERY_DAY, time(3), time(4)),))
EVERYBODY = Lists()


def answer(
    credential: Credential = CARD,
    *,
    subject: str | None = ME,
    rules: Rules = OPEN,
    lists: Lists = EVERYBODY,
    moment: Moment = NOW,
    last_granted_at: float | None = None,
) -> tuple[str, str, str]:
    verdict = decide(
        credential,
        subject=subject,
        rules=rules,
        lists=lists,
        moment=moment,
        last_granted_at=last_granted_at,
    )
    return verdict.outcome.value, verdict.reason.value, verdict.rule


def test_a_card_that_nothing_is_against_is_granted() -> None:
    assert answer() == ("granted", "ok", "policy.accept")


def test_a_wrong_kind_asks_for_another_code_even_where_everything_is_refused() -> None:
    wifi = Credential(kind="wrong.wifi", standing=Standing.WRONG_KIND)
    lists = Lists(allow=Subjects())
    assert answer(wifi, subject=None, rules=CLOSED, lists=lists) == ("attention", "wrong_kind", "")


def test_a_malformed_card_is_refused_with_the_word_that_says_why() -> None:
    broken = Credential(kind="vn.cccd", standing=Standing.MALFORMED, detail="impossible_date")
    verdict = decide(broken, subject=None, rules=OPEN, lists=EVERYBODY, moment=NOW)
    assert verdict == Verdict(Outcome.DENIED, Reason.MALFORMED, "impossible_date")


def test_a_kind_that_is_not_taken_here_asks_for_another_code() -> None:
    national = Credential(kind="vn.qr-national", standing=Standing.CLAIMED, identifier="1")
    assert answer(national) == ("attention", "kind_not_accepted", "policy.accept")


def test_the_deny_list_outranks_everything_time_can_change() -> None:
    lists = Lists(deny=Subjects([ME]), allow=Subjects([ME]))
    assert answer(lists=lists, rules=CLOSED) == ("denied", "denied_by_list", "policy.deny_list")
    assert answer(lists=lists, subject=OTHER)[1] == "not_on_list"


def test_an_allow_list_admits_its_members_only_and_nobody_without_identifier() -> None:
    lists = Lists(allow=Subjects([ME]))
    assert answer(lists=lists)[1] == "ok"
    assert answer(lists=lists, subject=OTHER) == ("denied", "not_on_list", "policy.allow_list")
    assert answer(lists=lists, subject=None) == ("denied", "not_on_list", "policy.allow_list")
    assert answer(lists=Lists(allow=Subjects()))[1] == "not_on_list"


@pytest.mark.parametrize(
    ("shift_s", "reason"),
    [(-3601, "not_yet_valid"), (-3600, "ok"), (0, "ok"), (3599, "ok"), (3600, "expired")],
)
def test_validity_begins_inclusive_and_ends_exclusive(shift_s: int, reason: str) -> None:
    moment = replace(NOW, utc=NOW.utc + timedelta(seconds=shift_s))
    assert answer(PASS, moment=moment)[1] == reason


def test_a_pass_for_other_gates_is_refused_and_one_for_any_name_of_this_gate_is_not() -> None:
    here = replace(OPEN, audiences=frozenset({"north-gate", "school"}))
    assert answer(replace(PASS, audience=("south-gate", "school")), rules=here)[1] == "ok"
    assert answer(replace(PASS, audience=("south-gate",)), rules=here) == (
        "denied",
        "wrong_gate",
        "gate.name",
    )
    assert answer(replace(PASS, audience=("south-gate",)), rules=OPEN)[1] == "wrong_gate"
    assert answer(PASS, rules=here)[1] == "ok"


@pytest.mark.parametrize("standing", [Standing.UNKNOWN_ISSUER, Standing.BAD_SIGNATURE])
def test_what_nobody_trusted_has_signed_is_refused_with_the_word_that_says_why(standing: Standing) -> None:
    claimed = Credential(kind="cwt.pass", standing=standing, detail="key_not_for_this_use")
    verdict = decide(claimed, subject=None, rules=OPEN, lists=EVERYBODY, moment=NOW)
    assert (verdict.outcome, verdict.reason.value) == (Outcome.DENIED, standing.value)
    assert verdict.detail == "key_not_for_this_use"
    assert answer(replace(claimed, kind="eu.dcc"))[1] == "kind_not_accepted"


def test_outside_hours_is_refused() -> None:
    assert answer(rules=CLOSED) == ("denied", "outside_hours", "policy.hours")


def test_hours_are_meant_in_the_time_zone_of_the_gate() -> None:
    rules = replace(OPEN, hours=(Hours(EVERY_DAY, time(14), time(16)),))
    assert answer(rules=rules)[1] == "ok"
    assert answer(rules=replace(rules, timezone=ZoneInfo("Europe/Berlin")))[1] == "outside_hours"


@pytest.mark.parametrize(
    ("local", "opened"),
    [
        (datetime(2026, 3, 2, 21, 59, tzinfo=UTC), False),  # Monday
        (datetime(2026, 3, 2, 22, 0, tzinfo=UTC), True),
        (datetime(2026, 3, 3, 5, 59, tzinfo=UTC), True),  # Tuesday, still Monday's night
        (datetime(2026, 3, 3, 6, 0, tzinfo=UTC), False),
        (datetime(2026, 3, 3, 23, 0, tzinfo=UTC), False),
        (datetime(2026, 3, 2, 3, 0, tzinfo=UTC), False),  # Sunday's night is not Monday's
    ],
)
def test_a_night_belongs_to_the_day_it_begins_on(local: datetime, *, opened: bool) -> None:
    assert Hours(frozenset({0}), time(22), time(6)).include(local) is opened


@pytest.mark.parametrize(
    ("day", "opened"),
    [(4, False), (5, True), (7, True), (8, False)],
    ids=["before", "first", "last", "after"],
)
def test_hours_hold_from_their_first_day_to_their_last(day: int, *, opened: bool) -> None:
    hours = Hours(EVERY_DAY, time(7), time(18), date(2026, 3, 5), date(2026, 3, 7))
    assert hours.include(datetime(2026, 3, day, 12, tzinfo=UTC)) is opened
    night = replace(hours, opens=time(22), closes=time(6))
    assert night.include(datetime(2026, 3, day, 23, tzinfo=UTC)) is opened
    assert night.include(datetime(2026, 3, day + 1, 5, tzinfo=UTC)) is opened


def test_new_hours_take_the_place_of_old_ones_on_their_day() -> None:
    old = Hours(EVERY_DAY, time(7), time(18), last_day=date(2026, 3, 2))
    new = Hours(EVERY_DAY, time(8), time(12), first_day=date(2026, 3, 3))
    rules = replace(OPEN, hours=(old, new))
    tomorrow = replace(NOW, utc=NOW.utc + timedelta(days=1))
    assert answer(rules=rules)[1] == "ok"
    assert answer(rules=rules, moment=tomorrow) == ("denied", "outside_hours", "policy.hours")


def test_on_a_closed_day_nobody_passes_whatever_the_hours() -> None:
    closed = replace(OPEN, closed_on=frozenset({date(2026, 3, 2)}))
    assert answer(rules=closed) == ("denied", "outside_hours", "policy.closed_on")
    hours = replace(closed, hours=(Hours(EVERY_DAY, time(0), time(0)),))
    assert answer(rules=hours) == ("denied", "outside_hours", "policy.hours")
    # 00:30 on the next day in Viet Nam.
    assert answer(rules=closed, moment=replace(NOW, utc=NOW.utc + timedelta(hours=9.5)))[1] == "ok"


# -- the roster -----------------------------------------------------------------------------------

EXPECTED = Roster([window(ME, NOW.utc - timedelta(hours=1), NOW.utc + timedelta(hours=1))])
LATER = Roster([window(ME, NOW.utc + timedelta(hours=1), None)])


def test_a_roster_admits_those_on_it_within_their_times() -> None:
    assert answer(lists=Lists(roster=EXPECTED))[1] == "ok"
    assert answer(lists=Lists(roster=LATER)) == ("denied", "not_expected", "policy.roster")
    assert answer(lists=Lists(roster=EXPECTED), subject=OTHER) == ("denied", "not_on_list", "policy.roster")


def test_who_is_on_the_allow_list_needs_no_roster() -> None:
    lists = Lists(allow=Subjects([ME]), roster=LATER)
    assert answer(lists=lists)[1] == "ok"
    assert answer(lists=lists, subject=OTHER) == ("denied", "not_on_list", "policy.allow_list")
    assert answer(lists=Lists(allow=Subjects([OTHER]), roster=EXPECTED))[1] == "ok"


def test_a_rosters_times_are_left_out_or_fail_while_the_clock_is_not_trusted() -> None:
    moment = replace(NOW, trusted=False)
    verdict = decide(CARD, subject=ME, rules=OPEN, lists=Lists(roster=LATER), moment=moment)
    assert (verdict.reason, verdict.detail) == (Reason.OK, "clock_not_trusted")
    strict = replace(OPEN, untrusted_clock=UntrustedClock.REFUSE)
    assert answer(rules=strict, lists=Lists(roster=LATER), moment=moment)[1] == "clock_not_trusted"
    assert answer(rules=strict, lists=Lists(roster=LATER), moment=moment, subject=OTHER)[1] == "not_on_list"
    allowed = Lists(roster=LATER, allow=Subjects([ME]))
    assert answer(rules=strict, lists=allowed, moment=moment)[1] == "ok"


@given(st.datetimes())
def test_midnight_to_midnight_is_the_whole_day(local: datetime) -> None:
    assert Hours(EVERY_DAY, time(0), time(0)).include(local)
    assert Hours(frozenset({local.weekday()}), time(0), time(0)).include(local)
    assert not Hours(frozenset(), time(0), time(0)).include(local)


def test_a_code_granted_a_moment_ago_is_granted_again_and_told_apart() -> None:
    rules = replace(OPEN, repeat_s=5.0)
    assert answer(rules=rules, last_granted_at=996.0) == ("granted", "already_shown", "policy.repeat_s")
    assert answer(rules=rules, last_granted_at=995.0)[1] == "ok"
    assert answer(rules=rules, last_granted_at=1001.0)[1] == "ok"  # before a reboot: another scale
    assert answer(rules=OPEN, last_granted_at=1000.0)[1] == "ok"


def test_a_code_that_was_granted_is_decided_anew() -> None:
    rules = replace(OPEN, repeat_s=5.0)
    lists = Lists(deny=Subjects([ME]))
    assert answer(rules=rules, lists=lists, last_granted_at=999.0)[1] == "denied_by_list"


def test_an_untrusted_clock_leaves_out_what_needs_it_and_says_so() -> None:
    moment = replace(NOW, trusted=False, utc=datetime(1970, 1, 1, tzinfo=UTC))
    for credential, rules in ((CARD, CLOSED), (PASS, OPEN)):
        verdict = decide(credential, subject=ME, rules=rules, lists=EVERYBODY, moment=moment)
        assert verdict == Verdict(Outcome.GRANTED, Reason.OK, "clock_not_trusted", "policy.accept")


def test_an_untrusted_clock_refuses_where_it_is_told_to_and_only_what_needs_it() -> None:
    moment = replace(NOW, trusted=False)
    strict = replace(CLOSED, untrusted_clock=UntrustedClock.REFUSE)
    assert answer(rules=strict, moment=moment) == ("denied", "clock_not_trusted", "policy.untrusted_clock")
    assert answer(rules=replace(strict, hours=()), moment=moment) == ("granted", "ok", "policy.accept")


def test_fingerprints_name_rules_and_lists() -> None:
    one = OPEN.fingerprint(EVERYBODY)
    assert len(bytes.fromhex(one)) == 8
    assert one == Rules(accept=frozenset({"cwt.pass", "vn.cccd"})).fingerprint(Lists())
    others = {
        CLOSED.fingerprint(EVERYBODY),
        replace(OPEN, repeat_s=1.0).fingerprint(EVERYBODY),
        replace(OPEN, timezone=ZoneInfo("UTC")).fingerprint(EVERYBODY),
        replace(OPEN, untrusted_clock=UntrustedClock.REFUSE).fingerprint(EVERYBODY),
        OPEN.fingerprint(Lists(deny=Subjects([ME]))),
        OPEN.fingerprint(Lists(allow=Subjects([ME]))),
        OPEN.fingerprint(Lists(allow=Subjects())),
        OPEN.fingerprint(Lists(roster=EXPECTED)),
        replace(OPEN, closed_on=frozenset({date(2026, 3, 2)})).fingerprint(EVERYBODY),
        replace(CLOSED, hours=(replace(CLOSED.hours[0], first_day=date(2026, 3, 2)),)).fingerprint(EVERYBODY),
    }
    assert len(others | {one}) == 11


@given(
    standing=st.sampled_from(Standing),
    kind=st.sampled_from(["vn.cccd", "cwt.pass", "wrong.wifi", "eu.dcc"]),
    subject=st.sampled_from([None, ME, OTHER]),
    lists=st.builds(
        Lists,
        deny=st.sampled_from([Subjects(), Subjects([ME])]),
        allow=st.sampled_from([None, Subjects(), Subjects([ME, OTHER])]),
    ),
    rules=st.sampled_from([OPEN, CLOSED, replace(CLOSED, untrusted_clock=UntrustedClock.REFUSE)]),
    trusted=st.booleans(),
    last_granted_at=st.none() | st.floats(),
)
def test_nobody_is_granted_against_standing_kind_or_list(
    *,
    standing: Standing,
    kind: str,
    subject: str | None,
    lists: Lists,
    rules: Rules,
    trusted: bool,
    last_granted_at: float | None,
) -> None:
    verdict = decide(
        Credential(kind=kind, standing=standing),
        subject=subject,
        rules=rules,
        lists=lists,
        moment=replace(NOW, trusted=trusted),
        last_granted_at=last_granted_at,
    )
    if verdict.outcome is Outcome.GRANTED:
        assert standing in {Standing.CLAIMED, Standing.VERIFIED}
        assert kind in rules.accept
        assert subject is None or subject not in lists.deny
        assert lists.allow is None or (subject is not None and subject in lists.allow)
        assert not (trusted and rules.hours)
