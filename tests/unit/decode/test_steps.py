from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.decode.finding import Luma
from device.decode.steps import Step, further_steps
from tests.support.codes import Held, code, scene

STEPS = further_steps(("zxing", "zbar"))
CARD = b"046090123456|191234567|a card as they are held up at a gate|12072021"


def _named(name: str) -> Step:
    (step,) = (step for step in STEPS if step.name == name)
    return step


@given(st.integers(2, 400), st.integers(2, 400), st.sampled_from(STEPS))
def test_every_preparation_keeps_the_shape_of_a_region_or_leaves_it(wide: int, high: int, step: Step) -> None:
    region: Luma = np.full((high, wide), 128, np.uint8)
    prepared = step.prepare(region)
    assert prepared is not None
    assert prepared.dtype == np.uint8
    scale = prepared.shape[1] / wide
    # A pixel by which the width was rounded is this many in the height.
    assert abs(prepared.shape[0] - high * scale) <= 1 + scale + high / wide


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_no_engine_gets_more_than_a_bounded_picture(step: Step) -> None:
    frame: Luma = np.full((720, 1280), 128, np.uint8)
    prepared = step.prepare(frame)
    assert prepared is None or prepared.size <= frame.size


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_part_of_a_frame_is_prepared_as_well_as_a_picture_of_its_own(step: Step) -> None:
    frame = np.random.default_rng(1).integers(0, 256, (200, 300), dtype=np.uint8)
    part = frame[20:120, 30:190]
    prepared, alone = step.prepare(part), step.prepare(part.copy())
    assert prepared is not None
    assert alone is not None
    assert prepared.flags.c_contiguous
    assert (prepared == alone).all()


def test_faint_print_under_uneven_light_is_read_at_half_size() -> None:
    frame = scene((code(CARD), (640, 360), Held(turn_deg=20)))
    light = np.linspace(0.3, 1.0, 1280, dtype=np.float32)
    faint = 20 + (0.15 * frame.astype(np.float32) + 60) * light
    luma = np.clip(faint, 0, 255).astype(np.uint8)
    step = _named("zxing/half-relief")
    prepared = step.prepare(luma)
    assert prepared is not None
    assert prepared.shape == (360, 640)
    assert [f.content for f in step.engine.read(prepared)] == [CARD]


def test_what_is_too_large_for_a_slow_engine_is_made_smaller_and_read_all_the_same() -> None:
    large = cv2.resize(code(CARD, scale=12), (700, 700), interpolation=cv2.INTER_AREA)
    step = _named("zbar")
    prepared = step.prepare(np.asarray(large, np.uint8))
    assert prepared is not None
    assert prepared.size <= 250_000
    assert [f.content for f in step.engine.read(prepared)] == [CARD]


def test_a_large_region_is_not_enlarged() -> None:
    assert _named("zxing/enlarged").prepare(np.zeros((500, 500), np.uint8)) is None


def test_a_code_in_the_dark_is_read_with_its_darks_spread() -> None:
    frame = scene((code(CARD), (640, 360), Held(light=0.12)))
    step = _named("zxing/darks")
    prepared = step.prepare(frame)
    assert prepared is not None
    assert [f.content for f in step.engine.read(prepared)] == [CARD]
