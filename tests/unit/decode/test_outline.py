from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.decode.outline import Colours, Mark, outlined, pack_marks

GREEN, AMBER = (80, 200, 40), (0, 160, 255)


def _grey(width: int, height: int) -> Colours:
    return np.full((height, width, 3), 128, np.uint8)


def _square(left: int, top: int, side: int, label: str = "1", *, was_read: bool = True) -> Mark:
    right, bottom = left + side, top + side
    return Mark(((left, top), (right, top), (right, bottom), (left, bottom)), label, was_read)


def _count(picture: Colours, colour: tuple[int, int, int]) -> int:
    return int((picture == colour).all(axis=2).sum())


def test_what_was_read_is_green_and_what_was_not_is_amber() -> None:
    marks = [_square(300, 300, 200), _square(700, 300, 200, "too small", was_read=False)]
    drawn = outlined(_grey(1280, 720), marks)
    assert tuple(drawn[300, 400]) == GREEN
    assert tuple(drawn[500, 800]) == AMBER
    assert tuple(drawn[400, 400]) == (128, 128, 128)  # the code itself stays as it was


def test_the_picture_given_is_not_drawn_upon() -> None:
    picture = _grey(1280, 720)
    outlined(picture, [_square(300, 300, 200)])
    assert (picture == 128).all()


@pytest.mark.parametrize(
    ("size", "drawn"), [((21, 21), (336, 336)), ((300, 200), (600, 400)), ((6000, 40), (3840, 26))]
)
def test_a_picture_is_drawn_in_a_size_that_suits_a_screen(
    size: tuple[int, int], drawn: tuple[int, int]
) -> None:
    assert outlined(_grey(*size), []).shape == (*drawn[::-1], 3)


def test_lines_are_as_thick_as_the_picture_is_large() -> None:
    small, large = (
        _count(outlined(_grey(width, 200), [_square(50, 50, 99)]), GREEN) for width in (1000, 3840)
    )
    assert large > 3 * small


@pytest.mark.parametrize("at", [(0, 0), (1180, 0), (0, 620), (1180, 620)])
def test_a_label_stays_in_the_picture(at: tuple[int, int]) -> None:
    with_word = outlined(_grey(1280, 720), [_square(*at, 99, "damaged", was_read=False)])
    without = outlined(_grey(1280, 720), [_square(*at, 99, "", was_read=False)])
    # The same ground everywhere, less what covers it.
    assert _count(with_word, AMBER) > _count(without, AMBER) + 1000


sizes = st.integers(1, 90)
points = st.tuples(st.integers(0, 89), st.integers(0, 89))
marks = st.builds(
    Mark, st.tuples(points, points, points, points), st.sampled_from(["1", "16", "too small"]), st.booleans()
)


@given(sizes, sizes, st.lists(marks, max_size=16))
def test_any_marks_can_be_drawn_on_any_picture(width: int, height: int, marks: list[Mark]) -> None:
    drawn = outlined(_grey(width, height), marks)
    assert drawn.shape[0] >= height
    assert drawn.shape[1] >= width


def test_marks_carry_nothing_but_places_and_words_of_ours() -> None:
    assert pack_marks([_square(1, 2, 3)]) == '[[[[1, 2], [4, 2], [4, 5], [1, 5]], "1", true]]'
