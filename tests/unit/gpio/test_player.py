from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.gpio.patterns import OPENS, PERMANENT, TEMPORARY, Lamp
from device.gpio.player import LineState, PatternPlayer
from device.model import Cue

GREEN, YELLOW, RED, BLUE = (frozenset({lamp}) for lamp in (Lamp.GREEN, Lamp.YELLOW, Lamp.RED, Lamp.BLUE))


@dataclass
class Play:
    """Plays a player on a time of its own and keeps every change, as (seconds, state)."""

    player: PatternPlayer
    now: float = 0.0
    changes: list[tuple[float, LineState]] = field(default_factory=list)

    def until(self, end: float) -> None:
        while True:
            state, change_at = self.player.advance(self.now)
            assert change_at > self.now
            if not self.changes or self.changes[-1][1] != state:
                self.changes.append((round(self.now, 6), state))
            if change_at >= end:
                self.now = end
                return
            self.now = change_at


def play(relay_pulse_s: float = 0.5) -> Play:
    return Play(PatternPlayer(relay_pulse_s=relay_pulse_s, now=0.0))


def ready(relay_pulse_s: float = 0.5) -> Play:
    it = play(relay_pulse_s)
    it.player.rest(Cue.READY, 0.0)
    return it


def test_it_begins_with_the_starting_state_and_blinks_until_told_to_rest() -> None:
    it = play()
    it.until(1.9)
    it.player.rest(Cue.READY, it.now)
    it.until(5.0)
    assert it.changes == [
        (0.0, LineState(BLUE)),
        (0.5, LineState()),
        (1.0, LineState(BLUE)),
        (1.5, LineState()),
        (1.9, LineState(BLUE)),
    ]


def test_granted_is_green_with_a_tone_and_a_pulse_then_falls_back() -> None:
    it = ready()
    it.player.show(Cue.GRANTED, 0.0)
    it.player.pulse(0.0)
    it.until(3.0)
    assert it.changes == [
        (0.0, LineState(GREEN, 1200, relay=True)),
        (0.15, LineState(GREEN, None, relay=True)),
        (0.5, LineState(GREEN)),
        (1.2, LineState(BLUE)),
    ]


def test_a_second_cue_replaces_light_and_sound_at_once_and_leaves_the_pulse_alone() -> None:
    it = ready(relay_pulse_s=1.0)
    it.player.show(Cue.GRANTED, 0.0)
    it.player.pulse(0.0)
    it.until(0.1)
    it.player.show(Cue.DENIED, it.now)
    it.until(1.2)
    assert it.changes == [
        (0.0, LineState(GREEN, 1200, relay=True)),
        (0.1, LineState(RED, 500, relay=True)),
        (0.35, LineState(relay=True)),
        (0.6, LineState(RED, 500, relay=True)),
        (0.85, LineState(relay=True)),
        (1.0, LineState()),
        (1.1, LineState(RED)),
    ]


def test_another_pulse_makes_a_running_one_longer_without_a_gap() -> None:
    it = ready(relay_pulse_s=0.5)
    it.player.pulse(0.0)
    it.until(0.4)
    it.player.pulse(it.now)
    it.until(2.0)
    assert [(at, state.relay) for at, state in it.changes] == [(0.0, True), (0.9, False)]


def test_a_new_permanent_state_waits_for_the_end_of_a_cue() -> None:
    it = ready()
    it.player.show(Cue.ATTENTION, 0.0)
    it.until(0.5)
    it.player.rest(Cue.FAULT, it.now)
    it.until(3.5)
    assert it.changes == [
        (0.0, LineState(YELLOW, 500)),
        (0.8, LineState()),
        (1.0, LineState(YELLOW)),
        (1.8, LineState()),
        (2.0, LineState(RED)),
        (3.0, LineState(YELLOW)),
    ]


def test_resting_in_the_same_state_again_does_not_disturb_its_rhythm() -> None:
    it = play()
    for now in (0.1, 0.3, 0.6):
        it.until(now)
        it.player.rest(Cue.STARTING, now)
    it.until(1.2)
    assert [at for at, _ in it.changes] == [0.0, 0.5, 1.0]


def test_a_pulse_without_length_is_refused() -> None:
    with pytest.raises(ValueError, match="pulse"):
        PatternPlayer(relay_pulse_s=0.0, now=0.0)


waits = st.floats(0.001, 3.0)
actions = st.lists(st.tuples(waits, st.sampled_from([*TEMPORARY, Cue.READY, Cue.STARTING])), max_size=30)


# A self-test shows every lamp, green among them, to whoever asked for it.
visits = actions.map(lambda script: [(wait_s, cue) for wait_s, cue in script if cue is not Cue.SELF_TEST])


@given(visits, st.floats(0.05, 5.0), st.floats(0, 1e7))
def test_green_and_the_relay_are_on_only_within_their_time_after_a_cue_that_opens(
    script: list[tuple[float, Cue]], pulse_s: float, uptime_s: float
) -> None:
    it = Play(PatternPlayer(relay_pulse_s=pulse_s, now=uptime_s), now=uptime_s)
    opened: list[float] = []
    for wait_s, cue in script:
        it.until(it.now + wait_s)
        if cue in TEMPORARY:
            it.player.show(cue, it.now)
        else:
            it.player.rest(cue, it.now)
        if cue in OPENS:
            it.player.pulse(it.now)
            opened.append(it.now)
    it.until(it.now + 10.0)

    slack_s = 1e-5
    for (begin, state), (end, _) in zip(it.changes, [*it.changes[1:], (it.now, None)], strict=True):
        if state.relay:
            assert any(at - slack_s <= begin and end <= max(opened) + pulse_s + slack_s for at in opened)
        if Lamp.GREEN in state.lamps:
            assert any(at - slack_s <= begin and end <= at + 1.2 + slack_s for at in opened)
    for at in opened:
        during = [s for begin, s in it.changes if at + slack_s < begin < at + pulse_s - slack_s]
        assert all(state.relay for state in during)
    assert it.changes[-1][1].tone_hz is None
    assert not it.changes[-1][1].relay


@given(actions)
def test_whatever_happened_it_falls_back_to_the_last_permanent_state(script: list[tuple[float, Cue]]) -> None:
    it = play()
    permanent = Cue.STARTING
    for wait_s, cue in script:
        it.until(it.now + wait_s)
        if cue in TEMPORARY:
            it.player.show(cue, it.now)
        else:
            it.player.rest(cue, it.now)
            permanent = cue
    it.until(it.now + max(pattern.length_ms for pattern in TEMPORARY.values()) / 1000 + 0.1)
    state, _ = it.player.advance(it.now)
    assert state.lamps in {step.lamps for step in PERMANENT[permanent].steps}
