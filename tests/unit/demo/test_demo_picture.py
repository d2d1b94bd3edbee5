from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from device.demo.picture import half_blocks, inked, shrink


def test_a_field_is_the_mean_of_its_pixels() -> None:
    picture = np.array([[0, 100, 10, 10], [100, 200, 10, 30]], np.uint8)
    assert shrink(picture, 2, 1).tolist() == [[100, 15]]


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 200), st.integers(1, 200))
def test_any_picture_fits_any_grid(columns: int, rows: int, width: int, height: int) -> None:
    picture = np.full((height, width), 77, np.uint8)
    shrunk = shrink(picture, columns, rows)
    assert shrunk.shape == (rows, columns)
    assert (shrunk == 77).all()


def test_a_cell_shows_two_pixels_above_each_other() -> None:
    text = half_blocks(np.array([[0, 0], [252, 252]], np.uint8), 2, 1)
    assert text.plain == "▀▀"
    (style, *_) = (span.style for span in text.spans)
    assert str(style) == "#000000 on #fcfcfc"


def test_without_colours_brightness_is_ink() -> None:
    text = inked(np.array([[0, 255], [255, 0]], np.uint8), 2, 2)
    assert text.plain == " @\n@ "
