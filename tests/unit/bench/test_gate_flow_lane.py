from __future__ import annotations

import argparse
import math
import os
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.gate_flow import added, at_least_three, cell, finite, hold, told
from bench.lane.hand import FRAMES_PER_SECOND, GIVE_UP_S, Condition, Manner, Person, Thing, Trouble
from bench.lane.people import held, person
from bench.lane.play import (
    ANSWER_S,
    LEAD_S,
    REACT_S,
    Answer,
    Film,
    Marks,
    cycle_s,
    frames_between,
    marks_of,
    newest_frame,
    per_minute,
    percentile,
    play,
    summary,
    waited,
)
from bench.lane.readers import STEP_UP_S, Ours, Reading, _processor_s
from tests.support.codes import shown

if TYPE_CHECKING:
    from bench.lane.picture import Luma

answers = st.builds(
    Answer,
    at_s=st.none() | st.floats(0, GIVE_UP_S),
    right=st.booleans(),
    looked=st.integers(1, 200),
    busy_s=st.floats(0, 6),
    present_s=st.floats(0.1, 7),
)


class Scripted:
    """A reader that takes as long as it is told, and reads from a given look on."""

    name = "scripted"

    def __init__(self, text: bytes = b"", *, busy_s: float = 0.0, reads_at_look: int | None = None) -> None:
        self.text, self.busy_s, self.reads_at_look = text, busy_s, reads_at_look
        self.looked = 0

    def read(self, luma: Luma, at_s: float) -> Reading:
        self.looked += 1
        reads = self.reads_at_look is not None and self.looked >= self.reads_at_look
        return Reading((self.text,) if reads else (), self.busy_s, self.busy_s)


class Blank(Film):
    """A person whose pictures nobody looks at."""

    def __init__(self, somebody: Person | None = None) -> None:
        self.person = somebody or person(1, Manner.PREPARED, Condition.ORDINARY, Thing.CARD)
        self.indexes: list[int] = []

    def luma(self, index: int) -> Luma:
        self.indexes.append(index)
        return np.zeros((1, 1), np.uint8)


def answered(at_s: float | None, *, right: bool = True) -> Answer:
    return Answer(at_s, right=right, looked=1, busy_s=0.1, present_s=1.0)


def marked(whole_s: float, sharp_s: float) -> Marks:
    return Marks(1, Manner.PREPARED, Condition.ORDINARY, Thing.CARD, (), whole_s, sharp_s)


def test_a_quick_reader_looks_at_every_frame() -> None:
    film, reader = Blank(), Scripted(busy_s=0.001)
    answer = play(reader, film)
    assert answer.at_s is None
    assert film.indexes == list(
        range(round(-LEAD_S * FRAMES_PER_SECOND), round(GIVE_UP_S * FRAMES_PER_SECOND))
    )
    assert answer.looked == len(film.indexes)


def test_a_slow_reader_gets_the_newest_frame_each_time_and_never_an_old_one() -> None:
    film, reader = Blank(), Scripted(busy_s=0.1)
    play(reader, film)
    steps = {after - before for before, after in zip(film.indexes, film.indexes[1:], strict=False)}
    assert steps == {3}


def test_the_answer_comes_when_the_work_is_done() -> None:
    film = Blank()
    reader = Scripted(film.person.text, busy_s=0.1, reads_at_look=3)
    answer = play(reader, film)
    assert answer.served
    assert answer.at_s == pytest.approx(-LEAD_S + 3 * 0.1)
    assert answer.busy_s == pytest.approx(0.3)


def test_another_text_than_the_code_holds_is_wrong() -> None:
    answer = play(Scripted(b"something else", reads_at_look=1), Blank())
    assert answer.at_s is not None
    assert not answer.served


@given(st.integers(-30, 300), st.floats(0, 0.033))
def test_the_newest_frame_is_the_last_one_taken(index: int, later_s: float) -> None:
    assert newest_frame(index / FRAMES_PER_SECOND + later_s) == index


def test_a_lane_is_stepping_up_holding_up_the_answer_and_the_reaction() -> None:
    assert cycle_s(answered(0.5)) == pytest.approx(STEP_UP_S + 0.5 + ANSWER_S + REACT_S)
    assert cycle_s(answered(None)) == pytest.approx(STEP_UP_S + GIVE_UP_S)
    assert per_minute([answered(0.5)]) == pytest.approx(60 / (STEP_UP_S + 0.5 + ANSWER_S + REACT_S))


def test_who_is_not_served_costs_time_and_counts_for_nothing() -> None:
    lane = [answered(0.5), answered(None), answered(0.5, right=False)]
    assert per_minute(lane) == pytest.approx(60 / sum(map(cycle_s, lane)))


@given(st.lists(answers, min_size=1, max_size=20))
def test_no_lane_passes_more_people_than_stepping_up_and_reacting_allow(lane: list[Answer]) -> None:
    assert 0 <= per_minute(lane) <= 60 / (STEP_UP_S + ANSWER_S + REACT_S) + 1e-9


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-6


def test_waiting_is_counted_in_frames_and_never_read_is_for_ever() -> None:
    assert waited(0.4, answered(0.5)) == pytest.approx(3)
    assert waited(0.6, answered(0.5)) == 0
    assert waited(None, answered(0.5)) == 0
    assert waited(0.4, answered(None)) == math.inf
    assert waited(0.4, answered(0.5, right=False)) == math.inf


def test_frames_between_two_moments_are_counted_one_way_only() -> None:
    assert frames_between(0.1, 0.2) == pytest.approx(3)
    assert frames_between(0.2, 0.1) == 0
    assert frames_between(None, 0.1) == frames_between(0.1, None) == math.inf


def test_a_summary_tells_the_never_read_from_the_wrongly_read() -> None:
    played = [
        (marked(0.2, 0.3), answer) for answer in (answered(0.5), answered(None), answered(0.5, right=False))
    ]
    figures = summary(played)
    assert figures.people == 3
    assert figures.wrong == 1
    assert figures.never == pytest.approx(1 / 3)
    assert figures.p95 == math.inf
    assert figures.load == pytest.approx(0.1)
    assert finite(figures)["p95"] is None


def test_marks_say_when_the_code_is_whole_and_when_sharp() -> None:
    somebody = person(2, Manner.PREPARED, Condition.ORDINARY, Thing.PAPER)
    marks = marks_of(2, Manner.PREPARED, Condition.ORDINARY, somebody)
    assert marks.whole_s is not None
    assert marks.sharp_s is not None
    assert 0 < marks.whole_s <= marks.sharp_s < GIVE_UP_S
    assert not somebody.in_field(marks.whole_s - 1 / FRAMES_PER_SECOND)


def test_a_held_code_is_read_from_the_first_frame_or_from_a_later_one() -> None:
    film = Blank(held(1, Trouble.NONE))
    text = film.person.text
    assert hold(Scripted(text, reads_at_look=3), film, 5) == (True, True, False)  # two empty frames go before
    assert hold(Scripted(text, reads_at_look=5), film, 5) == (False, True, False)
    assert hold(Scripted(text, reads_at_look=99), film, 5) == (False, False, False)
    assert hold(Scripted(b"other", reads_at_look=1), film, 5) == (False, False, True)


def test_tables_speak_of_frames() -> None:
    assert told(2.04) == "2.0"
    assert told(math.inf) == "never"
    assert added([1, 2, 3], (True, False, True)) == [2, 2, 4]
    assert cell([1, 2, 0], 4) == "25% / 50%   0"


def test_a_group_needs_one_person_with_each_thing() -> None:
    assert at_least_three("3") == 3
    with pytest.raises(argparse.ArgumentTypeError, match="at least 3"):
        at_least_three("2")


def test_this_process_can_be_asked_for_its_processor_time() -> None:
    assert _processor_s(os.getpid()) == pytest.approx(time.process_time(), abs=0.1)


@pytest.mark.slow
def test_what_is_done_beside_is_told_when_the_modelled_machine_has_done_it() -> None:
    spoilt = shown("a code nobody can read any more", None)
    spoilt[330:400, 600:680] = 128
    with Ours(factor=40.0) as ours:
        ours.read(spoilt, 0.0)
        begun = ours.read(shown("next"), 0.5)
    assert begun.texts == (b"next",)  # read at once, though the climb for the frame before goes on
