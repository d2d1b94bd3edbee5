from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.gpio.patterns import OPENS, PERMANENT, TEMPORARY, Lamp, Pattern, state_at
from device.model import Cue
from device.wifi.manager import JOIN_WITHIN_S

ALL = [*TEMPORARY.items(), *PERMANENT.items()]
NAMES = [f"{cue}-{'permanent' if pattern.repeats else 'temporary'}" for cue, pattern in ALL]

every_pattern = pytest.mark.parametrize(("cue", "pattern"), ALL, ids=NAMES)


def sounds(pattern: Pattern) -> list[tuple[int, int]]:
    """(frequency, duration) of every tone."""
    return [(step.tone_hz, step.duration_ms) for step in pattern.steps if step.tone_hz]


def times_lit(pattern: Pattern, lamp: Lamp, passes: int) -> list[int]:
    """When the lamp goes on, in ms, over several passes."""
    steps = pattern.steps * passes
    begins = [0, *accumulate(step.duration_ms for step in steps)]
    before = [frozenset[Lamp](), *(step.lamps for step in steps)]
    return [at for at, old, step in zip(begins, before, steps, strict=False) if lamp in step.lamps - old]


def test_every_cue_has_a_pattern_and_only_a_fault_has_both_kinds() -> None:
    assert set(TEMPORARY) | set(PERMANENT) == set(Cue)
    assert set(TEMPORARY) & set(PERMANENT) == {Cue.FAULT}
    assert not any(pattern.repeats for pattern in TEMPORARY.values())
    assert all(pattern.repeats for pattern in PERMANENT.values())


@every_pattern
def test_every_step_lasts(cue: Cue, pattern: Pattern) -> None:
    assert all(step.duration_ms > 0 for step in pattern.steps), cue


@every_pattern
def test_tones_are_where_a_small_buzzer_is_loud_and_old_ears_hear(cue: Cue, pattern: Pattern) -> None:
    assert all(500 <= hz <= 3000 for hz, _ in sounds(pattern)), cue


@every_pattern
def test_no_lamp_flashes_more_than_three_times_in_any_second(cue: Cue, pattern: Pattern) -> None:
    for lamp in Lamp:
        on = times_lit(pattern, lamp, passes=5 if pattern.repeats else 1)
        for first in on:
            assert sum(first <= at < first + 1000 for at in on) <= 3, (cue, lamp)


@every_pattern
def test_something_is_seen_within_the_first_step(cue: Cue, pattern: Pattern) -> None:
    assert pattern.steps[0].lamps, cue


def test_permanent_states_are_quiet() -> None:
    assert not any(sounds(pattern) for pattern in PERMANENT.values())


def test_temporary_cues_are_over_before_the_next_person_has_come() -> None:
    # 30 prepared people a minute are the goal: 2 s each.
    # A network is tried for as long as it takes; a person's answer ends that.
    answers = {cue: pattern for cue, pattern in TEMPORARY.items() if cue is not Cue.TRYING}
    assert all(pattern.length_ms <= 2000 for pattern in answers.values())
    assert TEMPORARY[Cue.TRYING].length_ms >= JOIN_WITHIN_S * 1000


def test_every_temporary_cue_is_told_by_sound_alone() -> None:
    heard = [tuple(sounds(pattern)) for pattern in TEMPORARY.values()]
    assert len(set(heard)) == len(heard)
    assert all(heard)


def test_every_cue_is_told_by_position_or_rhythm_without_its_colour_name() -> None:
    def rhythm(pattern: Pattern) -> tuple[bool, tuple[tuple[int, int], ...]]:
        return pattern.repeats, tuple((step.duration_ms, len(step.lamps)) for step in pattern.steps)

    assert len({rhythm(pattern) for _, pattern in ALL}) == len(ALL)


def test_granted_is_green_for_1200_ms_with_one_high_tone_of_150_ms() -> None:
    pattern = TEMPORARY[Cue.GRANTED]
    assert all(step.lamps == {Lamp.GREEN} for step in pattern.steps)
    assert pattern.length_ms == 1200
    assert sounds(pattern) == [(1200, 150)]


def test_denied_is_red_flashing_twice_a_second_for_2_s_with_two_low_tones_of_250_ms() -> None:
    pattern = TEMPORARY[Cue.DENIED]
    assert all(step.lamps <= {Lamp.RED} for step in pattern.steps)
    assert times_lit(pattern, Lamp.RED, passes=1) == [0, 500, 1000, 1500]
    assert pattern.length_ms == 2000
    assert sounds(pattern) == [(500, 250), (500, 250)]


def test_the_wrong_kind_of_code_is_yellow_with_one_long_low_tone() -> None:
    pattern = TEMPORARY[Cue.ATTENTION]
    assert all(step.lamps <= {Lamp.YELLOW} for step in pattern.steps)
    assert sounds(pattern) == [(500, 800)]


def test_already_shown_is_green_then_yellow_with_two_short_tones() -> None:
    pattern = TEMPORARY[Cue.ALREADY_SHOWN]
    lamps = [step.lamps for step in pattern.steps]
    assert list(dict.fromkeys(lamps)) == [{Lamp.GREEN}, {Lamp.YELLOW}]
    assert len(sounds(pattern)) == 2
    assert all(ms < 150 for _, ms in sounds(pattern))


def test_green_is_lit_only_by_cues_that_open_and_as_the_last_lamp_of_a_self_test() -> None:
    green = {cue for cue, pattern in ALL if any(Lamp.GREEN in step.lamps for step in pattern.steps)}
    assert green - {Cue.SELF_TEST} == OPENS == {Cue.GRANTED, Cue.ALREADY_SHOWN}


def test_a_self_test_shows_each_lamp_by_itself_and_is_heard() -> None:
    steps = TEMPORARY[Cue.SELF_TEST].steps
    assert [lamp for step in steps for lamp in step.lamps] == [Lamp.BLUE, Lamp.YELLOW, Lamp.RED, Lamp.GREEN]
    assert sounds(TEMPORARY[Cue.SELF_TEST])


def test_a_gate_in_trouble_is_never_dark_like_one_without_power() -> None:
    assert all(step.lamps for step in PERMANENT[Cue.FAULT].steps)


@given(st.sampled_from(list(TEMPORARY.values())), st.floats(0, 10_000))
def test_a_temporary_pattern_is_over_exactly_at_its_length(pattern: Pattern, elapsed_ms: float) -> None:
    assert (state_at(pattern, elapsed_ms) is None) == (elapsed_ms >= pattern.length_ms)


@given(st.sampled_from([pattern for _, pattern in ALL]), st.integers(0, 10_000_000))
def test_a_step_stays_until_the_moment_it_was_said_to_end(pattern: Pattern, elapsed_ms: int) -> None:
    found = state_at(pattern, elapsed_ms)
    if found is None:
        return
    step, left_ms = found
    assert 0 < left_ms <= step.duration_ms
    assert state_at(pattern, elapsed_ms + left_ms - 0.5) == (step, 0.5)
    after = state_at(pattern, elapsed_ms + left_ms)
    assert after is None or after[1] == after[0].duration_ms


@given(st.sampled_from(list(PERMANENT.values())), st.floats(0, 1e9))
def test_a_permanent_pattern_is_never_over(pattern: Pattern, elapsed_ms: float) -> None:
    assert state_at(pattern, elapsed_ms) is not None
