from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from device.decode.motion import Effort, MotionGate
from tests.support.codes import Held, code, empty, scene

SCENE = empty(noise=0)


def _settled() -> MotionGate:
    gate = MotionGate()
    while gate.effort(SCENE) is not Effort.NONE:
        pass
    return gate


def _noisy(seed: int, light: float = 1.0) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    noise = np.random.default_rng(seed).normal(0, 4, SCENE.shape)
    return np.clip(SCENE * light + noise, 0, 255).astype(np.uint8)


def test_an_unchanged_scene_is_glanced_at_now_and_then_only() -> None:
    gate = _settled()
    efforts = [gate.effort(_noisy(seed)) for seed in range(60)]
    assert Effort.CLIMB not in efforts
    assert 10 <= efforts.count(Effort.GLANCE) <= 14


def test_a_lamp_that_flickers_is_no_motion() -> None:
    gate = MotionGate()
    bright = np.clip(SCENE.astype(int) + 9, 0, 255).astype(np.uint8)
    efforts = [gate.effort(bright if i % 2 else SCENE) for i in range(60)]
    assert efforts.count(Effort.CLIMB) < 10


@settings(max_examples=20)
@given(x=st.integers(60, 1220), y=st.integers(60, 660), tilt=st.integers(0, 50), seed=st.integers(0, 99))
def test_the_first_frame_with_a_code_is_looked_at(x: int, y: int, tilt: int, seed: int) -> None:
    gate = _settled()
    held = Held(module_px=2.0, tilt_deg=tilt, noise=3, seed=seed)
    assert gate.effort(scene((code("gate"), (x, y), held), background=110)) is Effort.CLIMB


def test_what_changes_slowly_is_noticed() -> None:
    gate = _settled()
    climbs = 0
    for step in range(14):
        picture = SCENE.copy()
        picture[200:400, 200:400] = np.clip(picture[200:400, 200:400].astype(int) + step, 0, 255)
        climbs += gate.effort(picture) is Effort.CLIMB
    assert climbs >= 4


def test_forgetting_makes_the_next_picture_worth_looking() -> None:
    gate = _settled()
    gate.forget()
    assert gate.effort(SCENE) is Effort.CLIMB


def test_what_is_unread_is_climbed_for_longer_but_not_for_ever() -> None:
    gate = MotionGate()
    efforts = [gate.effort(SCENE, unread=True) for _ in range(300)]
    assert efforts[:100] == [Effort.CLIMB] * 100
    assert Effort.CLIMB not in efforts[200:]
    assert Effort.GLANCE in efforts[200:]


@settings(max_examples=20)
@given(
    size=st.sampled_from([(1280, 720), (640, 480), (320, 240), (1920, 1080), (1000, 700)]),
    x=st.integers(0, 19),
    y=st.integers(0, 11),
)
def test_a_hand_anywhere_is_seen_at_every_size_of_picture(size: tuple[int, int], x: int, y: int) -> None:
    width, height = size
    still = empty(width=width, height=height, noise=2)
    gate = MotionGate()
    while gate.effort(still) is not Effort.NONE:
        pass
    hand = still.copy()
    left, top = x * width // 20, y * height // 12
    hand[top : top + height // 12, left : left + width // 20] = 20  # darker than any of the scene
    assert gate.effort(hand) is Effort.CLIMB
