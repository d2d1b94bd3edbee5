from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.capture.pictures import PictureReel, fit, open_reel, read_grey
from device.errors import CameraUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt


def plain(width: int, height: int, level: int) -> npt.NDArray[np.uint8]:
    return np.full((height, width), level, np.uint8)


def save(path: Path, level: int = 200) -> Path:
    assert cv2.imwrite(str(path), plain(8, 6, level))
    return path


def test_a_picture_of_the_right_size_is_left_alone() -> None:
    picture = plain(64, 48, 9)
    assert fit(picture, 64, 48) is picture


def test_a_larger_picture_is_made_smaller_and_shown_whole() -> None:
    frame = fit(plain(200, 50, 0), 100, 100)
    assert frame[37:62].max() == 0
    assert frame[:37].min() == frame[62:].min() == 128


def test_a_smaller_picture_keeps_its_size_in_the_middle() -> None:
    frame = fit(plain(10, 10, 0), 100, 60)
    assert (frame == 0).sum() == 100
    assert frame[25:35, 45:55].max() == 0


@given(
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    into=st.tuples(st.integers(1, 90), st.integers(1, 90)),
)
def test_every_picture_fits_into_every_frame(size: tuple[int, int], into: tuple[int, int]) -> None:
    frame = fit(plain(*size, 0), *into)
    assert frame.shape == into[::-1]
    assert frame.flags.c_contiguous
    assert frame.min() == 0


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "webp", "tif", "pgm"])
def test_pictures_of_many_formats_are_read_as_brightness(tmp_path: Path, suffix: str) -> None:
    luma = read_grey(save(tmp_path / f"card.{suffix}"))
    assert luma is not None
    assert luma.dtype == np.uint8
    assert abs(int(luma.mean()) - 200) <= 2


def test_colour_becomes_brightness(tmp_path: Path) -> None:
    red = np.zeros((6, 8, 3), np.uint8)
    red[..., 2] = 255
    cv2.imwrite(str(tmp_path / "red.png"), red)
    luma = read_grey(tmp_path / "red.png")
    assert luma is not None
    assert luma.shape == (6, 8)
    assert luma[0, 0] == 76  # 0.299 of 255


def test_a_file_that_is_no_picture_gives_nothing(tmp_path: Path) -> None:
    (tmp_path / "card.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    assert read_grey(tmp_path / "card.png") is None
    assert read_grey(tmp_path / "missing.png") is None


def test_a_folder_is_read_in_the_order_of_names_and_other_files_are_not_looked_at(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "c.bmp"):
        save(tmp_path / name)
    (tmp_path / "expected.json").write_text("{}", encoding="utf-8")
    (tmp_path / "folder.png").mkdir()
    reel = open_reel(tmp_path)
    assert [shot.name for shot in iter(reel.take, None)] == ["a.JPG", "b.png", "c.bmp"]


def test_a_single_picture_is_a_reel_of_one(tmp_path: Path) -> None:
    reel = open_reel(save(tmp_path / "card.png"))
    assert isinstance(reel, PictureReel)
    assert reel.take() is not None
    assert reel.take() is None


def test_an_unreadable_picture_is_met_once_and_then_left_out(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        save(tmp_path / name)
    (tmp_path / "b.png").write_bytes(b"")
    reel = open_reel(tmp_path)
    first = [(shot.name, shot.luma is not None) for shot in iter(reel.take, None)]
    reel.rewind()
    second = [shot.name for shot in iter(reel.take, None)]
    assert first == [("a.png", True), ("b.png", False), ("c.png", True)]
    assert second == ["a.png", "c.png"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("missing", "No such file"),
        ("empty", "holds no pictures"),
        ("notes.txt", "neither a picture nor a video"),
    ],
)
def test_what_cannot_be_replayed_is_named_with_the_reason(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("hello", encoding="utf-8")
    with pytest.raises(CameraUnavailable, match=says) as raised:
        open_reel(tmp_path / name)
    assert str(tmp_path / name) in str(raised.value)
