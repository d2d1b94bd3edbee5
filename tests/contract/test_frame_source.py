"""One contract for every source. The virtual machine runs the same checks on real ones: `tests/vm`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from device.capture.picamera2_source import Picamera2Source
from device.capture.replay_source import ReplaySource
from device.capture.v4l2_source import V4l2Source
from device.runtime import SystemClock
from tests.support.clock import ManualClock
from tests.support.frame_source_contract import CHECKS, Subject, opened
from tests.support.picamera2_stand_in import Rig

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from device.capture.loop import FrameSource

SIZE = (320, 180)


def folder_of_pictures(folder: Path) -> Path:
    folder.mkdir()
    for number in range(5):
        assert cv2.imwrite(str(folder / f"{number}.png"), np.full((180, 320), 40 * number, np.uint8))
    return folder


def video_file(path: Path, frames: int = 5) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, SIZE)
    for number in range(frames):
        writer.write(np.full((180, 320, 3), 40 * number, np.uint8))
    writer.release()
    return path


def replayed(path: Path, clock: ManualClock, *, repeat: bool = True) -> FrameSource:
    width, height = SIZE
    return ReplaySource(
        clock=clock,
        path=path,
        repeat=repeat,
        width=width,
        height=height,
        frames_per_second=30,
        wait=clock.advance,
    )


def a_replayed_folder(tmp_path: Path) -> Subject:
    clock = ManualClock()
    folder = folder_of_pictures(tmp_path / "scene")
    return Subject(
        make=lambda: replayed(folder, clock),
        absent=lambda: replayed(tmp_path / "elsewhere", clock),
        absent_name="elsewhere",
        size=SIZE,
        clock=clock,
    )


def a_replayed_video(tmp_path: Path) -> Subject:
    clock = ManualClock()
    video = video_file(tmp_path / "scene.avi")
    note = tmp_path / "notes.txt"
    note.write_text("not a video", encoding="utf-8")
    return Subject(
        make=lambda: replayed(video, clock),
        absent=lambda: replayed(note, clock),
        absent_name="notes.txt",
        size=SIZE,
        clock=clock,
    )


def a_pi_camera(_: Path) -> Subject:
    clock = ManualClock()
    rig = Rig(clock, padding=64)
    width, height = SIZE

    def source(index: int) -> FrameSource:
        return Picamera2Source(
            clock=clock,
            index=index,
            width=width,
            height=height,
            frames_per_second=30,
            lores_width=160,
            library=rig.library,
        )

    return Subject(
        make=lambda: source(0),
        absent=lambda: source(3),
        absent_name="camera 3",
        size=SIZE,
        clock=clock,
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", [a_replayed_folder, a_replayed_video, a_pi_camera])
def test_a_frame_source_keeps_its_contract(
    kind: Callable[[Path], Subject], check: Callable[[Subject], None], tmp_path: Path
) -> None:
    check(kind(tmp_path))


@pytest.mark.parametrize("make", [lambda t: folder_of_pictures(t / "s"), lambda t: video_file(t / "s.avi")])
def test_a_finite_source_ends_with_none_and_stays_ended(make: Callable[[Path], Path], tmp_path: Path) -> None:
    with opened(replayed(make(tmp_path), ManualClock(), repeat=False)) as source:
        for _ in range(5):
            assert source.read(1) is not None
        assert source.read(1) is None
        assert source.read(1) is None


def test_a_usb_camera_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = V4l2Source(
        clock=SystemClock(), device=str(tmp_path / "video9"), width=1280, height=720, frames_per_second=30
    )
    subject = Subject(
        make=lambda: missing, absent=lambda: missing, absent_name="video9", size=SIZE, clock=SystemClock()
    )
    CHECKS[-1](subject)
