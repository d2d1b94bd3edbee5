from __future__ import annotations

import random
from itertools import pairwise
from statistics import mean
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.model import Cause, Controls, Frame, Unread
from device.steering import (
    DARK_EXPOSURES_US,
    FOCUS_STEPS_DIOPTRES,
    LONGEST_TRY_S,
    MAX_PLACES,
    PAUSE_S,
    REMEMBERED_S,
    SETTLE_FRAMES,
    SHORTER,
    Steering,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.model import Corners

FRAME_S = 1 / 30
FOCUS, EXPOSURE_US = 5.0, 5_000
CONFIGURED = Controls()
NOTHING = np.zeros((2, 2), np.uint8)


def square(x: int = 300, y: int = 200, side: int = 100) -> Corners:
    return (x, y), (x + side, y), (x + side, y + side), (x, y + side)


def blurred(x: int = 300) -> Unread:
    return Unread(square(x), Cause.BLURRED)


class Camera:
    """Frames and what is asked in between; a setting shows after some frames, and a look takes some time.

    Args:
        late_frames: from asking to the first frame that shows it.
        look_s: of the decoder; frames in between are lost, as at the gate.
    """

    def __init__(
        self,
        *,
        focus: float | None = FOCUS,
        exposure_us: int | None = EXPOSURE_US,
        late_frames: int = 4,
        look_s: float = 0.0,
    ) -> None:
        self.steering = Steering(
            focus_dioptres=focus, exposure_us=exposure_us, frame_s=FRAME_S, suspects=self._suspects
        )
        self.late_s = late_frames * FRAME_S
        self.look_s = look_s
        self.now = 1000.0
        self.asked: list[tuple[float, Controls]] = [(0.0, CONFIGURED)]
        self.searches = 0
        self.suspect: tuple[Unread, ...] = ()

    def _suspects(self, luma: object) -> tuple[Unread, ...]:
        self.searches += 1
        return self.suspect

    def shown(self) -> Controls:
        """The setting of the frame that is taken now."""
        return next(controls for at, controls in reversed(self.asked) if at + self.late_s <= self.now)

    def frame(self, *unread: Unread, read: bool = False) -> Controls | None:
        self.now += FRAME_S
        frame = Frame(NOTHING, 1, self.now)
        self.now += self.look_s
        controls = self.steering.observe(frame, unread, read=read, now=self.now)
        if controls is not None:
            self.asked.append((self.now, controls))
        return controls

    def hold(
        self, *unread: Unread, seconds: float, read_at: Callable[[Controls], bool] = lambda _: False
    ) -> float | None:
        """Holds something up; after how many seconds it was read first."""
        begun, first = self.now, None
        while self.now - begun < seconds:
            read = read_at(self.shown())
            if read and first is None:
                first = self.now - begun
            self.frame(*(() if read else unread), read=read)
        return first

    @property
    def settings(self) -> list[Controls]:
        return [controls for _, controls in self.asked[1:]]


def at_focus(*wanted: float) -> Callable[[Controls], bool]:
    return lambda shown: (FOCUS if shown.focus_dioptres is None else shown.focus_dioptres) in wanted


SWEEP = [Controls(focus_dioptres=focus) for focus in (4.0, 6.5, 8.0)]


def test_a_blurred_code_gets_one_focus_after_the_other_and_then_the_configured_one() -> None:
    camera = Camera()
    camera.hold(blurred(), seconds=1.9)
    assert camera.settings == [*SWEEP, CONFIGURED]


def test_nothing_is_asked_before_a_code_was_unread_for_a_while() -> None:
    camera = Camera()
    camera.hold(blurred(), seconds=0.25)
    camera.hold(seconds=2.0)
    assert camera.settings == []


def test_each_setting_is_held_until_it_was_seen_in_a_few_frames() -> None:
    camera = Camera()
    camera.hold(blurred(), seconds=1.9)
    for (asked_at, _), (next_at, _) in pairwise(camera.asked[1:5]):
        assert next_at - asked_at >= (SETTLE_FRAMES + 2) * FRAME_S
        assert next_at - asked_at <= (SETTLE_FRAMES + 4) * FRAME_S


def test_a_setting_that_takes_away_the_blur_is_held_for_longer() -> None:
    camera = Camera()
    better = Unread(square(), Cause.DAMAGED)
    while len(camera.asked) < 4:
        camera.frame(better if camera.shown() == SWEEP[1] else blurred())
    held = camera.asked[3][0] - camera.asked[2][0]
    assert held > (SETTLE_FRAMES + 8) * FRAME_S


def test_a_slow_decoder_still_gets_through_a_round() -> None:
    camera = Camera(look_s=1.0)
    camera.hold(blurred(), seconds=30)
    assert camera.settings[:4] == [*SWEEP, CONFIGURED]
    rounds = [at for at, controls in camera.asked if controls == CONFIGURED]
    assert rounds[1] - camera.asked[1][0] <= 3 * (LONGEST_TRY_S + SETTLE_FRAMES * FRAME_S + 1.0 + FRAME_S)


def test_what_reads_is_kept_while_it_reads_and_left_when_the_code_is_gone() -> None:
    camera = Camera()
    assert camera.hold(blurred(), seconds=5, read_at=at_focus(6.5)) is not None
    assert camera.settings == SWEEP[:2]
    camera.hold(blurred(), seconds=20, read_at=at_focus(6.5))
    assert camera.settings == SWEEP[:2]
    camera.hold(seconds=1.2)
    assert camera.settings == [*SWEEP[:2], CONFIGURED]


def test_a_reading_in_a_frame_of_the_setting_before_goes_back_to_that_one() -> None:
    camera = Camera(late_frames=1)
    while camera.frame(blurred()) != SWEEP[1]:
        pass
    assert camera.frame(read=True) == SWEEP[0]
    assert [camera.frame(read=True) for _ in range(20)] == [None] * 20


def test_a_code_that_is_read_now_and_then_is_not_swept_for() -> None:
    camera = Camera()
    for number in range(300):
        camera.frame(blurred(), read=number % 8 == 0)
    assert camera.settings == []


def test_a_second_code_is_not_swept_for_while_the_first_is_read() -> None:
    camera = Camera()
    for _ in range(300):
        camera.frame(blurred(), read=True)
    assert camera.settings == []


def test_the_setting_that_read_last_is_tried_first_for_a_while() -> None:
    camera = Camera()
    camera.hold(blurred(), seconds=3, read_at=at_focus(8.0))
    camera.hold(seconds=3)
    del camera.asked[1:]
    camera.hold(blurred(600), seconds=1.9)
    assert camera.settings == [SWEEP[2], SWEEP[0], SWEEP[1], CONFIGURED]
    camera.hold(seconds=REMEMBERED_S)
    del camera.asked[1:]
    camera.hold(blurred(), seconds=1.9)
    assert camera.settings == [*SWEEP, CONFIGURED]


def test_a_burnt_out_code_gets_shorter_exposures_and_a_dark_one_longer() -> None:
    for cause, exposures_us in ((Cause.GLARE, [1250, 312]), (Cause.DARK, [10_000])):
        camera = Camera()
        camera.hold(Unread(square(), cause), seconds=1.2)
        assert camera.settings == [*(Controls(exposure_us=us) for us in exposures_us), CONFIGURED]
    short = Camera(exposure_us=1250)
    short.hold(Unread(square(), Cause.DARK), seconds=1.2)
    assert short.settings == [Controls(exposure_us=5000), Controls(exposure_us=10_000), CONFIGURED]


@pytest.mark.parametrize("cause", [Cause.CUT_OFF, Cause.TOO_SMALL, Cause.DAMAGED])
def test_what_only_the_person_can_help_asks_nothing_of_the_camera(cause: Cause) -> None:
    camera = Camera()
    camera.hold(Unread(square(), cause), seconds=10)
    assert camera.settings == []


def test_a_lens_that_is_not_configured_is_left_alone() -> None:
    camera = Camera(focus=None)
    camera.hold(blurred(), seconds=10)
    assert camera.settings == []


def test_a_poster_is_tried_less_and_less_often() -> None:
    camera = Camera()
    camera.hold(blurred(), seconds=1800)
    begun = [at for at, controls in camera.asked if controls == SWEEP[0]]
    pauses = [b - a for a, b in pairwise(begun)]
    assert pauses == sorted(pauses)
    assert len(begun) <= 12


def test_a_poster_does_not_keep_the_next_person_waiting() -> None:
    camera = Camera()
    camera.hold(blurred(), seconds=100)
    del camera.asked[1:]
    camera.hold(blurred(), blurred(800), seconds=1.0)
    assert camera.settings[:1] == SWEEP[:1]


def test_a_poster_that_somebody_stood_in_front_of_is_still_the_same() -> None:
    camera = Camera()
    camera.hold(blurred(), seconds=100)
    camera.hold(seconds=20)
    del camera.asked[1:]
    camera.hold(blurred(), seconds=10)
    assert camera.settings == []


def test_places_no_engine_takes_for_a_code_are_searched_for_now_and_then_and_swept_for() -> None:
    camera = Camera()
    camera.suspect = (blurred(),)
    camera.hold(seconds=1.9)
    assert camera.settings == [*SWEEP, CONFIGURED]
    assert camera.searches <= 6


def test_no_place_is_searched_for_while_a_code_is_seen_or_read() -> None:
    camera = Camera()
    camera.hold(Unread(square(), Cause.DAMAGED), seconds=2)
    for _ in range(60):
        camera.frame(read=True)
    assert camera.searches == 0


def test_a_wall_of_almost_codes_is_followed_up_to_the_bound() -> None:
    camera = Camera()
    wall = [Unread(square(x * 300, y * 300), Cause.DAMAGED) for x in range(10) for y in range(10)]
    camera.hold(*wall, seconds=1)
    assert len(camera.steering._places) == MAX_PLACES


def seconds_to_read(cards: list[float], *, memory: bool) -> float:
    """The mean over a queue of people whose cards need these foci, each shown until read."""
    camera = Camera()
    took = []
    for number, focus in enumerate(cards):
        first = camera.hold(blurred(number % 2 * 500), seconds=10, read_at=at_focus(focus))
        assert first is not None
        took.append(first)
        camera.hold(seconds=1.5)
        if not memory:
            camera.steering._remembered = CONFIGURED
    return mean(took)


def test_remembering_helps_a_queue_with_similar_cards_and_costs_a_mixed_one_little() -> None:
    chance = random.Random(5)
    foci = [s.focus_dioptres or 0.0 for s in SWEEP]
    similar = [8.0 if chance.random() < 0.8 else chance.choice(foci) for _ in range(60)]
    mixed = [chance.choice(foci) for _ in range(60)]
    assert seconds_to_read(similar, memory=True) < 0.8 * seconds_to_read(similar, memory=False)
    assert seconds_to_read(mixed, memory=True) < 1.1 * seconds_to_read(mixed, memory=False)


CAUSES = st.sampled_from(Cause)
SIGHTS = st.lists(
    st.builds(
        lambda x, side, cause: Unread(square(x, side=side), cause),
        st.integers(0, 1000),
        st.integers(20, 300),
        CAUSES,
    ),
    max_size=3,
)
SCENE = st.lists(st.tuples(SIGHTS, st.booleans(), st.integers(1, 25)), max_size=25)


@given(scene=SCENE, late_frames=st.integers(0, 8), look_s=st.floats(0, 0.5))
def test_whatever_happens_only_known_settings_are_asked_seldom_and_the_camera_comes_back(
    scene: list[tuple[list[Unread], bool, int]], late_frames: int, look_s: float
) -> None:
    camera = Camera(late_frames=late_frames, look_s=look_s)
    known = {
        CONFIGURED,
        *(Controls(focus_dioptres=FOCUS + step) for step in FOCUS_STEPS_DIOPTRES),
        *(Controls(exposure_us=EXPOSURE_US // by) for by in SHORTER),
        *(Controls(exposure_us=us) for us in DARK_EXPOSURES_US),
    }
    for sights, read, frames in scene:
        for _ in range(frames):
            asked = camera.frame(*sights, read=read)
            # While something is read, the only change is back to what read it.
            assert not read or asked is None or asked in {camera.asked[-2][1], camera.asked[-3][1]}
    assert set(camera.settings) <= known
    assert all(a != b for (_, a), (_, b) in pairwise(camera.asked))
    camera.hold(seconds=8 + 3 * (LONGEST_TRY_S + look_s))
    assert camera.asked[-1][1] == CONFIGURED


@given(scene=SCENE)
def test_rounds_keep_their_distance(scene: list[tuple[list[Unread], bool, int]]) -> None:
    camera = Camera()
    for sights, _, frames in scene:
        for _ in range(frames):
            camera.frame(*sights)
    for (ended_at, ended), (begun_at, _) in pairwise(camera.asked[1:]):
        assert ended != CONFIGURED or begun_at - ended_at >= PAUSE_S
