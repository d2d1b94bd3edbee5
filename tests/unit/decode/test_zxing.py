from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.decode.zxing import Zxing, _is_square_enough
from tests.support.codes import Held, code, scene

SQUARE = ((0.0, 0.0), (40.0, 0.0), (40.0, 40.0), (0.0, 40.0))


@given(st.floats(0, 360), st.floats(0.3, 20), st.sampled_from([1, -1]))
def test_a_square_is_one_however_it_is_turned_enlarged_or_mirrored(
    degrees: float, scale: float, down: int
) -> None:
    across, along = (scale * part(math.radians(degrees)) for part in (math.cos, math.sin))
    a, b, c, d = ((x * across - y * along, (x * along + y * across) * down) for x, y in SQUARE)
    assert _is_square_enough((a, b, c, d))


@pytest.mark.parametrize(
    "quad",
    [
        ((0.0, 0.0),) * 4,
        ((281.0, 388.0),) * 4,
        ((0.0, 0.0), (5.0, 0.0), (5.0, 5.0), (0.0, 5.0)),
        ((0.0, 0.0), (100.0, 0.0), (100.0, 15.0), (0.0, 15.0)),
        ((0.0, 0.0), (40.0, 40.0), (40.0, 0.0), (0.0, 40.0)),
        ((0.0, 0.0), (40.0, 0.0), (10.0, 10.0), (0.0, 40.0)),
    ],
    ids=["nowhere", "a point", "a speck", "a bar", "crossed", "dented"],
)
def test_what_cannot_be_a_code_is_not_told_as_one(quad: tuple[tuple[float, float], ...]) -> None:
    a, b, c, d = quad
    assert not _is_square_enough((a, b, c, d))


def test_what_is_seen_and_not_read_has_a_place() -> None:
    spoilt = code("a code of some length, which nobody can read any more")
    spoilt[50:, 50:] = 255 - spoilt[50:, 50:]
    frame = scene((spoilt, (400, 360), Held()), (code("good"), (900, 360), Held()))
    findings = Zxing().read(frame)
    assert {finding.content for finding in findings} == {None, b"good"}
    for finding in findings:
        assert _is_square_enough(finding.corners)
