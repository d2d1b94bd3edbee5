"""The V4L2 source on kernel video devices, by OpenCV. Runs inside the virtual machine:

    uml.py --share . --mem 768M --timeout 200 -- python3 -m tests.vm.usb_camera_source

`vivid` is a camera with a test pattern that can be unplugged; through `v4l2loopback` this program is the
camera and shows codes in any pixel format, or falls silent.
"""

from __future__ import annotations

import fcntl
import importlib
import logging
import os
import subprocess
import threading
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from device.capture.v4l2_source import V4l2Source
from device.errors import CameraStalled, CameraUnavailable
from device.runtime import SystemClock
from tests.support.codes import shown
from tests.support.frame_source_contract import CHECKS, Subject, next_frame, opened, refused
from tests.vm.guest_cameras import PATIENCE_S, capturing, read, seconds, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

PATTERN = "/dev/video7"
LOOP = "/dev/video9"
WIDTH, HEIGHT = 1280, 720
TEXT = "USB-TICKET"
CLOCK = SystemClock()


def camera(device: str) -> V4l2Source:
    return V4l2Source(clock=CLOCK, device=device, width=WIDTH, height=HEIGHT, frames_per_second=30)


class Player:
    """The far end of the loopback device: shows one picture again and again."""

    def __init__(self, fourcc: str, payload: bytes) -> None:
        self.silent = threading.Event()
        self.payload = payload
        self._stop = threading.Event()
        self._out = os.open(LOOP, os.O_RDWR)
        v4l2 = importlib.import_module("videodev2")
        form = v4l2.v4l2_format()
        form.type = v4l2.V4L2_BUF_TYPE_VIDEO_OUTPUT
        form.fmt.pix.width, form.fmt.pix.height = WIDTH, HEIGHT
        form.fmt.pix.pixelformat = int.from_bytes(fourcc.encode(), "little")
        form.fmt.pix.field = v4l2.V4L2_FIELD_NONE
        form.fmt.pix.sizeimage = WIDTH * HEIGHT * 2
        fcntl.ioctl(self._out, v4l2.VIDIOC_S_FMT, form)
        os.write(self._out, self.payload)  # only now the device says that it is a camera
        self._thread = threading.Thread(target=self._play, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(PATIENCE_S)
        os.close(self._out)

    def _play(self) -> None:
        while not self._stop.wait(1 / 20):
            if not self.silent.is_set():
                os.write(self._out, self.payload)


@contextmanager
def playing(fourcc: str, payload: bytes) -> Iterator[Player]:
    player = Player(fourcc, payload)
    try:
        yield player
    finally:
        player.close()


def packed(luma: npt.NDArray[np.uint8], fourcc: str) -> bytes:
    """The picture as a camera of that pixel format sends it."""
    grey = np.full_like(luma, 128)
    match fourcc:
        case "GREY":
            return luma.tobytes()
        case "YUYV":
            return np.dstack([luma, grey]).tobytes()
        case "UYVY":
            return np.dstack([grey, luma]).tobytes()
        case "NV12" | "YU12":
            return luma.tobytes() + grey[: HEIGHT // 2].tobytes()
        case "MJPG":
            return cv2.imencode(".jpg", cv2.cvtColor(luma, cv2.COLOR_GRAY2BGR))[1].tobytes()
        case _:
            return np.dstack([luma] * 3).tobytes()


def codes_come_out_readable_from(fourcc: str) -> str:
    luma = shown(TEXT)
    with playing(fourcc, packed(luma, fourcc)), opened(camera(LOOP)) as source:
        for _ in range(30):
            frame = next_frame(source)
            if read(frame) == {TEXT}:
                break
        else:
            raise AssertionError("no code")
    apart = float(np.mean(np.abs(frame.luma.astype(int) - luma)))
    assert apart < 2, f"the brightness is off by {apart}"
    return f"brightness off by {apart:.2f} grey levels"


def damaged_pictures_are_passed_over_and_counted() -> str:
    source = camera(LOOP)
    with playing("MJPG", b"\xff\xd8 no picture") as player, opened(source):
        with refused(CameraStalled, "no frame"):
            source.read(1.0)
        player.payload = packed(shown(TEXT), "MJPG")
        assert read(next_frame(source)) == {TEXT}
    assert source.broken > 0
    return f"{source.broken} of them"


def a_camera_in_use_is_named() -> str:
    second = camera(PATTERN)
    with opened(camera(PATTERN)) as first:
        next_frame(first)
        with refused(CameraUnavailable, "in use by another program"):
            second.open()
        next_frame(first)
    with opened(second):
        next_frame(second)
    return "and opens once it is free"


def a_camera_that_is_unplugged_comes_back_when_plugged_in() -> str:
    with capturing(camera(PATTERN)) as running:
        running.wait_for(lambda s: s.frames >= 10, "frames")
        subprocess.run(["v4l2-ctl", "-d", PATTERN, "-c", "disconnect=1"], check=True)
        running.wait_for(lambda s: s.reopened >= 1, "frames again")
    assert running.worker.error is None
    return str(running.stats)


def a_camera_that_falls_silent_is_closed_and_opened_again() -> str:
    with playing("YUYV", packed(shown(TEXT), "YUYV")) as player:
        with capturing(camera(LOOP), stall_s=1.0) as running:
            running.wait_for(lambda s: s.frames >= 5, "frames")
            player.silent.set()
            running.wait_for(lambda s: s.stalls >= 1, "a stall")
            player.silent.clear()
            running.wait_for(lambda s: s.reopened >= 1, "frames again")
            assert running.worker.complaint() is None
        assert running.worker.error is None
    return str(running.stats)


def closing_a_silent_camera_does_not_wait_for_the_driver() -> str:
    source = camera(LOOP)
    with playing("YUYV", packed(shown(TEXT), "YUYV")) as player:
        source.open()
        next_frame(source)
        player.silent.set()
        with refused(CameraStalled, "no frame"):
            for _ in range(100):
                source.read(0.5)
        took = seconds(source.close)
        assert took < 5, took
        with opened(source):  # waits until the driver has let go
            player.silent.clear()
            next_frame(source)
    return f"{took:.1f} s"


def main() -> None:
    logging.basicConfig(level="INFO", format="        %(name)s: %(message)s")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    subprocess.run(["modprobe", "vivid", "n_devs=1", "node_types=0x1", "vid_cap_nr=7"], check=True)
    subprocess.run(["modprobe", "v4l2loopback", "devices=1", "video_nr=9", "exclusive_caps=1"], check=True)
    assert Path(PATTERN).is_char_device()
    subject = Subject(
        make=partial(camera, PATTERN),
        absent=partial(camera, "/dev/video77"),
        absent_name="/dev/video77 does not exist",
        size=(WIDTH, HEIGHT),
        clock=CLOCK,
    )
    for check in CHECKS:
        told(check.__name__, partial(check, subject))
    for fourcc in ("GREY", "MJPG", "YUYV", "UYVY", "NV12", "YU12", "BGR3"):
        told(f"codes come out readable from {fourcc}", partial(codes_come_out_readable_from, fourcc))
    for own in (
        damaged_pictures_are_passed_over_and_counted,
        a_camera_in_use_is_named,
        a_camera_that_is_unplugged_comes_back_when_plugged_in,
        a_camera_that_falls_silent_is_closed_and_opened_again,
        closing_a_silent_camera_does_not_wait_for_the_driver,
    ):
        told(own.__name__, own)
    print("usb camera source: all well")


if __name__ == "__main__":
    main()
