from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.capture.replay_source import ReplaySource
from device.errors import CameraStalled, CameraUnavailable
from tests.support.clock import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

RATE = 10


def scene(folder: Path, pictures: int, broken: frozenset[int] = frozenset()) -> Path:
    """A folder whose pictures show their number as their brightness, in steps of ten."""
    folder.mkdir()
    for number in range(pictures):
        path = folder / f"{number:03d}.png"
        if number in broken:
            path.write_bytes(b"not a picture")
        else:
            assert cv2.imwrite(str(path), np.full((18, 32), 10 * number, np.uint8))
    return folder


def video(path: Path, frames: int) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for number in range(frames):
        writer.write(np.full((48, 64, 3), 10 * number, np.uint8))
    writer.release()
    return path


class Replay:
    """A source on a clock that moves when the source waits."""

    def __init__(self, path: Path, *, repeat: bool = False, size: tuple[int, int] = (32, 18)) -> None:
        self.clock = ManualClock()
        self.source = ReplaySource(
            clock=self.clock,
            path=path,
            repeat=repeat,
            width=size[0],
            height=size[1],
            frames_per_second=RATE,
            wait=self.clock.advance,
        )
        self.source.open()

    def next(self) -> tuple[int, int]:
        """Number of the picture shown, and the frame's sequence."""
        frame = self.source.read(10)
        assert frame is not None
        assert frame.captured_at == self.clock.monotonic()
        return round(int(frame.luma[0, 0]) / 10), frame.sequence


def test_pictures_come_at_the_pace_asked_for(tmp_path: Path) -> None:
    replay = Replay(scene(tmp_path / "s", 4))
    began = replay.clock.monotonic()
    assert [replay.next() for _ in range(4)] == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert replay.clock.monotonic() - began == pytest.approx(3 / RATE)


def test_the_first_picture_comes_at_once_however_late_the_first_look(tmp_path: Path) -> None:
    replay = Replay(scene(tmp_path / "s", 4))
    replay.clock.advance(100)
    assert replay.next() == (0, 1)


def test_pictures_whose_moment_has_passed_are_lost_and_leave_a_gap_in_the_numbers(tmp_path: Path) -> None:
    replay = Replay(scene(tmp_path / "s", 9))
    assert replay.next() == (0, 1)
    replay.clock.advance(0.45)
    assert replay.next() == (4, 5)
    assert replay.next() == (5, 6)


def test_a_reader_that_is_a_little_late_loses_nothing(tmp_path: Path) -> None:
    replay = Replay(scene(tmp_path / "s", 4))
    for number in range(4):
        assert replay.next() == (number, number + 1)
        replay.clock.advance(0.09)


def test_whoever_is_very_late_goes_on_from_there(tmp_path: Path) -> None:
    replay = Replay(scene(tmp_path / "s", 25))
    assert replay.next() == (0, 1)
    replay.clock.advance(3600)
    assert replay.next() == (11, 12)
    assert replay.next() == (12, 13)


def test_a_late_reader_of_a_video_gets_the_picture_of_the_moment(tmp_path: Path) -> None:
    replay = Replay(video(tmp_path / "s.avi", 9), size=(64, 48))
    assert replay.next() == (0, 1)
    replay.clock.advance(0.35)
    assert replay.next() == (3, 4)


def test_waiting_ends_in_time_and_the_picture_is_not_lost(tmp_path: Path) -> None:
    replay = Replay(scene(tmp_path / "s", 3))
    replay.next()
    before = replay.clock.monotonic()
    with pytest.raises(CameraStalled):
        replay.source.read(0.04)
    assert replay.clock.monotonic() == pytest.approx(before + 0.04)
    assert replay.next() == (1, 2)


@pytest.mark.parametrize("kind", ["folder", "video"])
def test_a_repeated_replay_begins_again_without_a_pause(tmp_path: Path, kind: str) -> None:
    if kind == "folder":
        replay = Replay(scene(tmp_path / "s", 3), repeat=True)
    else:
        replay = Replay(video(tmp_path / "s.avi", 3), repeat=True, size=(64, 48))
    assert [replay.next() for _ in range(7)] == [(n % 3, n + 1) for n in range(7)]


def test_late_at_the_end_of_a_round_the_next_round_begins(tmp_path: Path) -> None:
    replay = Replay(scene(tmp_path / "s", 3), repeat=True)
    replay.next()
    replay.clock.advance(0.55)
    assert replay.next()[0] == 0


def test_a_picture_that_cannot_be_read_is_left_out_told_once_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    replay = Replay(scene(tmp_path / "s", 4, broken=frozenset({1})), repeat=True)
    assert [replay.next()[0] for _ in range(9)] == [0, 2, 3] * 3
    assert replay.source.unreadable == 1
    assert [r.message for r in caplog.records if r.levelno >= logging.WARNING] == [
        f"001.png in {tmp_path / 's'} cannot be read and is left out"
    ]


@pytest.mark.parametrize("repeat", [True, False])
def test_a_folder_without_any_readable_picture_is_no_camera(tmp_path: Path, *, repeat: bool) -> None:
    replay = Replay(scene(tmp_path / "s", 3, broken=frozenset({0, 1, 2})), repeat=repeat)
    with pytest.raises(CameraUnavailable, match="none of its pictures can be read"):
        replay.source.read(10)


def test_pictures_of_any_size_come_in_the_size_asked_for(tmp_path: Path) -> None:
    replay = Replay(scene(tmp_path / "s", 1), size=(64, 64))
    frame = replay.source.read(1)
    assert frame is not None
    assert frame.luma.shape == (64, 64)


@given(delays=st.lists(st.floats(0, 3), max_size=20))
def test_however_late_the_reader_numbers_tell_the_truth_about_what_was_lost(
    delays: list[float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("scene") / "s"
    replay = Replay(scene(folder, 20), repeat=True)
    began, shown, lost, last = replay.clock.monotonic(), 0, 0, 0
    for delay in delays:
        _, sequence = replay.next()
        lost += sequence - last - 1
        shown += 1
        last = sequence
        replay.clock.advance(delay)
    slots = (replay.clock.monotonic() - began) * RATE + 1
    assert shown + lost <= slots + 1e-6
