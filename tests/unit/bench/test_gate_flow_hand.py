from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.lane.hand import (
    FOCAL_PX,
    FOCUS_MM,
    FRAMES_PER_SECOND,
    GIVE_UP_S,
    HEIGHT,
    WIDTH,
    Condition,
    Manner,
    Person,
    Thing,
    Trouble,
    least_jerk,
    projection,
    seen_at,
)
from bench.lane.people import CODE_MM, held, payload, person
from bench.lane.picture import LENS_SIGMA_PX, Showing, spread
from bench.lane.readers import peers

people = st.builds(
    person,
    seed=st.integers(0, 500),
    manner=st.sampled_from(Manner),
    condition=st.sampled_from(Condition),
    thing=st.sampled_from(Thing),
)
few = settings(max_examples=8, deadline=None)


def fastest_mm_s(somebody: Person) -> float:
    times = np.arange(0, GIVE_UP_S, 1 / 120)
    places = np.array([somebody.pose(at_s)[:3] for at_s in times])
    return float(np.linalg.norm(np.diff(places, axis=0), axis=1).max() * 120)


@few
@given(people)
def test_the_code_starts_outside_and_no_hand_is_faster_than_a_reach(somebody: Person) -> None:
    assert not somebody.in_field(0)
    # A reach of 20-60 cm in half a second peaks below 2.5 m/s; far wrong places lie farther off.
    assert fastest_mm_s(somebody) < 2500


@few
@given(people)
def test_a_code_that_has_arrived_is_held_within_what_a_hand_wavers(somebody: Person) -> None:
    last = somebody.stops[len(somebody.detour) + 1]
    begin, end = last.arrives_s, min(last.arrives_s + 1.0, GIVE_UP_S)
    places = np.array([somebody.pose(at_s)[:3] for at_s in np.arange(begin, end, 1 / 60)])
    assert np.ptp(places, axis=0).max() < 40


@few
@given(st.integers(0, 500), st.sampled_from(Thing))
def test_the_prepared_hold_the_whole_code_in_the_picture_once_they_are_there(seed: int, thing: Thing) -> None:
    somebody = person(seed, Manner.PREPARED, Condition.ORDINARY, thing)
    there = somebody.stops[1].arrives_s + 0.05
    corners = somebody.corners(there)
    assert corners.min() > -20
    assert corners[:, 0].max() < WIDTH + 20
    assert corners[:, 1].max() < HEIGHT + 20
    assert 1.7 < somebody.module_px(there) < 13


@few
@given(people)
def test_the_same_arguments_give_the_same_person(somebody: Person) -> None:
    again = person(
        somebody.seed,
        Manner.UNPREPARED if somebody.detour else Manner.PREPARED,
        Condition.ORDINARY if somebody.look.exposure_s == 1 / 500 else Condition.DIFFICULT,
        somebody.thing,
    )
    assert again.text == somebody.text
    assert again.stops == somebody.stops
    assert again.look == somebody.look
    assert (again.sway == somebody.sway).all()


@given(st.floats(-1, 2))
def test_a_reach_begins_and_ends_at_rest_and_never_turns_back(share: float) -> None:
    assert 0 <= least_jerk(share) <= 1
    assert least_jerk(share) <= least_jerk(share + 0.01)


def test_a_code_straight_ahead_lies_around_the_middle_at_its_size() -> None:
    corners = seen_at(
        projection(np.array([0, 0, 280.0, 0, 0, 0])),
        np.array([(-7.0, -7.0), (7.0, -7.0), (7.0, 7.0), (-7.0, 7.0)]),
    )
    half = FOCAL_PX * 7 / 280
    middle = np.array([(WIDTH - 1) / 2, (HEIGHT - 1) / 2])
    assert np.allclose(corners - middle, [(-half, -half), (half, -half), (half, half), (-half, half)])


def test_smear_is_speed_times_exposure() -> None:
    somebody = person(4, Manner.PREPARED, Condition.ORDINARY, Thing.CARD)
    at_s, step = 0.25, 1e-4
    before, after = somebody.corners(at_s - step).mean(axis=0), somebody.corners(at_s + step).mean(axis=0)
    speed = (after - before) / (2 * step)
    assert somebody.smear_px(at_s) == pytest.approx(speed * somebody.look.exposure_s, rel=0.05, abs=0.3)


def test_the_lens_is_sharp_at_its_focus_only() -> None:
    somebody = held(1, Trouble.NONE)
    distances = [
        (abs(1 / somebody.pose(t)[2] - 1 / FOCUS_MM), somebody.defocus_px(t)) for t in np.arange(0, 3, 0.1)
    ]
    ordered = [disc for _, disc in sorted(distances)]
    assert ordered == sorted(ordered)


@pytest.mark.parametrize("thing", Thing)
def test_the_code_is_drawn_where_it_is_said_to_be(thing: Thing) -> None:
    somebody = person(2, Manner.PREPARED, Condition.ORDINARY, thing)
    at = round((somebody.stops[1].arrives_s + 0.1) * FRAMES_PER_SECOND)
    assert somebody.sharp(at / FRAMES_PER_SECOND)
    luma = Showing(somebody).luma(at)
    # Seen face on again, the dark modules are dark and the light ones light.
    modules = len(somebody.modules)
    corners = somebody.corners(at / FRAMES_PER_SECOND).astype(np.float32)
    side = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32) * modules * 8
    flat = cv2.warpPerspective(luma, cv2.getPerspectiveTransform(corners, side), (modules * 8, modules * 8))
    means = flat[3::8, 3::8].astype(float)
    dark, light = means[somebody.modules], means[~somebody.modules]
    assert (dark < np.median(means)).mean() + (light > np.median(means)).mean() > 1.75


def test_zxing_reads_an_easy_one() -> None:
    somebody = held(1, Trouble.NONE)
    _, zxing = peers(1.0)
    assert somebody.text in zxing.read(Showing(somebody).luma(0), 0.0).texts


def test_frames_come_out_the_same_in_any_order() -> None:
    somebody = person(3, Manner.PREPARED, Condition.DIFFICULT, Thing.PHONE)
    one, other = Showing(somebody), Showing(somebody)
    late = one.luma(20)
    assert (one.luma(12) == other.luma(12)).all()
    assert (other.luma(20) == late).all()


def test_frames_before_the_hand_sets_out_are_empty_and_one_after_it_is_not() -> None:
    showing = Showing(person(3, Manner.PREPARED, Condition.ORDINARY, Thing.PAPER))
    before, earlier, held_up = (showing.luma(index).astype(int) for index in (-1, -2, 25))
    assert np.abs(before - earlier).mean() < 4
    assert np.abs(held_up - before).mean() > 15
    assert held_up.shape == (HEIGHT, WIDTH)


@given(st.integers(0, 80), st.integers(-60, 60), st.integers(-60, 60))
@few
def test_a_blurred_point_keeps_its_light_and_grows_with_the_blur(disc: int, across: int, down: int) -> None:
    point = spread(disc, across, down)
    assert point.sum() == pytest.approx(1, abs=1e-4)
    ys, xs = np.mgrid[: point.shape[0], : point.shape[1]] - point.shape[0] // 2
    width = math.sqrt(float((point * (xs**2 + ys**2)).sum()))
    expected = math.sqrt(2 * LENS_SIGMA_PX**2 + (disc / 8) ** 2 / 2 + (across**2 + down**2) / 4 / 12)
    assert width == pytest.approx(expected, rel=0.2, abs=0.35)


@pytest.mark.parametrize("trouble", Trouble)
def test_every_trouble_is_drawn_with_the_whole_code_in_the_picture(trouble: Trouble) -> None:
    somebody = held(5, trouble)
    assert somebody.in_field(0)
    assert somebody.detour == (trouble,)
    assert Showing(somebody).luma(0).std() > 5


@given(st.integers(0, 200), st.sampled_from(Thing))
def test_codes_are_of_the_kinds_people_carry(seed: int, thing: Thing) -> None:
    text = payload(thing, np.random.default_rng(seed))
    assert 20 < len(text) < 240
    if thing is Thing.CARD:
        assert text.decode().count("|") == 6
    assert CODE_MM[thing] > 10
