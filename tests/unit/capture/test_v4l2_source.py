from __future__ import annotations

import logging
import queue
import threading
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from device.capture.v4l2_source import V4l2Source
from device.capture.v4l2_video import brightness, open_video
from device.errors import CameraStalled, CameraUnavailable
from device.model import Controls
from device.runtime import SystemClock
from tests.support.frame_source_contract import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

# A device that exists everywhere; the stand-in for OpenCV's capture makes a camera of it.
DEVICE = "/dev/null"
SIZE = (64, 48)
PATIENCE_S = 20.0


class Webcam:
    """A USB camera as OpenCV shows it: says yes to every setting, and takes what it can."""

    def __init__(self, *formats: str, size: tuple[int, int] = SIZE) -> None:
        self.formats = formats or ("GREY",)
        self.sizes = dict.fromkeys(self.formats, size)
        self.pictures: queue.Queue[npt.NDArray[np.uint8] | None] = queue.Queue()
        self.waits = threading.Condition()
        self.grabs = self.shown = 0
        self.released = threading.Event()
        self.usable = True
        self.settings: dict[int, float] = {cv2.CAP_PROP_POS_MSEC: 0.0}
        self.picture: npt.NDArray[np.uint8] | None = None

    def show(self, *pictures: npt.NDArray[np.uint8]) -> None:
        """Returns when the source has them."""
        for picture in pictures:
            self.pictures.put(picture)
            with self.waits:
                self.shown += 1
                assert self.waits.wait_for(lambda: self.grabs > self.shown, PATIENCE_S)

    def unplug(self) -> None:
        self.pictures.put(None)

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.usable

    def get(self, propId: int) -> float:  # noqa: N803 - OpenCV's name
        return self.settings.get(propId, 0.0)

    def set(self, propId: int, value: float) -> bool:  # noqa: N803 - OpenCV's name
        self.settings[propId] = value
        if propId == cv2.CAP_PROP_FOURCC:
            asked = int(value).to_bytes(4, "little").decode()
            taken = asked if asked in self.formats else self.formats[0]
            self.settings[propId] = int.from_bytes(taken.encode(), "little")
        fourcc = int(self.settings.get(cv2.CAP_PROP_FOURCC, 0)).to_bytes(4, "little").decode()
        if fourcc in self.sizes:
            width, height = self.sizes[fourcc]
            self.settings |= {cv2.CAP_PROP_FRAME_WIDTH: width, cv2.CAP_PROP_FRAME_HEIGHT: height}
        return True

    def grab(self) -> bool:
        with self.waits:
            self.grabs += 1
            self.waits.notify_all()
        self.picture = self.pictures.get(timeout=PATIENCE_S)
        return self.picture is not None

    def retrieve(self) -> tuple[bool, Any]:
        return True, self.picture

    def release(self) -> None:
        self.released.set()


def source_on(*webcams: Webcam, device: str = DEVICE, within_s: float = 10.0) -> V4l2Source:
    """A source that finds the next of these each time it opens the device."""
    waiting = list(webcams)
    return V4l2Source(
        clock=SystemClock(),
        device=device,
        width=SIZE[0],
        height=SIZE[1],
        frames_per_second=30,
        video=lambda _: waiting.pop(0),
        open_within_s=within_s,
        close_within_s=within_s,
    )


def grey(level: int) -> npt.NDArray[np.uint8]:
    return np.full(SIZE[::-1], level, np.uint8)


@pytest.fixture
def webcam() -> Iterator[Webcam]:
    camera = Webcam()
    yield camera
    camera.unplug()


def test_the_newest_picture_wins_and_lost_ones_leave_a_gap(webcam: Webcam) -> None:
    with opened(source_on(webcam)) as source:
        webcam.show(grey(1), grey(2), grey(3))
        frame = source.read(1)
        webcam.unplug()
    assert frame is not None
    assert (frame.sequence, int(frame.luma[0, 0])) == (3, 3)


def test_a_silent_camera_is_a_stall_and_its_next_picture_is_not_lost(webcam: Webcam) -> None:
    with opened(source_on(webcam)) as source:
        with pytest.raises(CameraStalled, match="no frame within"):
            source.read(0.01)
        webcam.show(grey(7))
        frame = source.read(PATIENCE_S)
        assert frame is not None
        assert frame.luma[0, 0] == 7
        webcam.unplug()


def test_an_unplugged_camera_is_gone_and_may_come_back(webcam: Webcam) -> None:
    again = Webcam()
    source = source_on(webcam, again)
    with opened(source):
        webcam.unplug()
        for _ in range(2):
            with pytest.raises(CameraUnavailable, match="/dev/null"):
                source.read(PATIENCE_S)
    with opened(source):
        again.show(grey(1))
        assert source.read(PATIENCE_S) is not None
        again.unplug()


def test_numbers_go_on_after_opening_again(webcam: Webcam) -> None:
    again = Webcam()
    source = source_on(webcam, again)
    numbers = []
    for camera in (webcam, again):
        with opened(source):
            camera.show(grey(1))
            frame = source.read(PATIENCE_S)
            assert frame is not None
            numbers.append(frame.sequence)
            camera.unplug()
    assert numbers == [1, 2]


def test_closing_does_not_wait_for_a_driver_that_hangs_and_opening_says_so(
    webcam: Webcam, caplog: pytest.LogCaptureFixture
) -> None:
    again = Webcam()
    source = source_on(webcam, again, within_s=0.02)
    source.open()
    source.close()
    assert "silent" in caplog.text
    with pytest.raises(CameraUnavailable, match="has not come back from its last use"):
        source.open()
    webcam.unplug()
    assert webcam.released.wait(PATIENCE_S)
    patient = source_on(again)
    with opened(patient):
        again.unplug()


def test_a_camera_that_does_not_start_is_given_up_in_time() -> None:
    let_go = threading.Event()
    webcam = Webcam()

    def slow(_: str) -> Webcam:
        let_go.wait(PATIENCE_S)
        return webcam

    source = V4l2Source(
        clock=SystemClock(),
        device=DEVICE,
        width=SIZE[0],
        height=SIZE[1],
        frames_per_second=30,
        video=slow,
        open_within_s=0.02,
    )
    with pytest.raises(CameraUnavailable, match="did not start within"):
        source.open()
    source.close()
    let_go.set()
    assert webcam.released.wait(PATIENCE_S)


def test_a_device_that_opencv_cannot_use_is_named_and_released(webcam: Webcam) -> None:
    webcam.usable = False
    with pytest.raises(CameraUnavailable, match="/dev/null cannot be used: no camera, or in use"):
        source_on(webcam).open()
    assert webcam.released.is_set()


def test_a_mistake_inside_opencv_is_a_camera_that_broke_down(webcam: Webcam) -> None:
    def fail() -> tuple[bool, Any]:
        raise cv2.error("bad argument")

    webcam.retrieve = fail  # type: ignore[method-assign] # the library raising is the point here
    with opened(source_on(webcam)) as source:
        webcam.pictures.put(grey(1))
        with pytest.raises(CameraUnavailable):
            source.read(PATIENCE_S)


def test_damaged_pictures_are_passed_over_told_once_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    webcam = Webcam("MJPG")
    damaged = np.frombuffer(b"\xff\xd8 cut off", np.uint8).reshape(1, -1)
    sound = cv2.imencode(".jpg", grey(200))[1].reshape(1, -1)
    source = source_on(webcam)
    with opened(source):
        for _ in range(3):
            webcam.show(damaged)
            with pytest.raises(CameraStalled):
                source.read(0.01)
        webcam.show(sound)
        frame = source.read(PATIENCE_S)
        webcam.unplug()
    assert frame is not None
    assert frame.luma.shape == SIZE[::-1]
    assert source.broken == 3
    assert caplog.text.count("damaged") == 1


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (("BGR3", "YUYV", "MJPG", "GREY"), "GREY"),
        (("BGR3", "YUYV", "MJPG"), "MJPG"),
        (("BGR3", "YUYV"), "YUYV"),
        (("BGR3",), "BGR3"),
    ],
)
def test_the_cheapest_format_that_the_camera_has_is_chosen(offered: tuple[str, ...], chosen: str) -> None:
    webcam = Webcam(*offered)
    with opened(source_on(webcam)):
        fourcc = int(webcam.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little").decode()
        assert fourcc == chosen
        assert webcam.get(cv2.CAP_PROP_CONVERT_RGB) == (chosen == "BGR3")
        webcam.unplug()


def test_a_format_that_has_the_size_is_preferred(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    webcam = Webcam("GREY", "YUYV")
    webcam.sizes["GREY"] = (32, 24)
    with opened(source_on(webcam)):
        webcam.unplug()
    assert f"gives {SIZE[0]}x{SIZE[1]} YUYV" in caplog.text


def test_a_camera_without_the_size_gives_its_own(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    webcam = Webcam("GREY", size=(32, 24))
    with opened(source_on(webcam)) as source:
        webcam.show(np.zeros((24, 32), np.uint8))
        frame = source.read(PATIENCE_S)
        webcam.unplug()
    assert frame is not None
    assert frame.luma.shape == (24, 32)
    assert "gives 32x24 GREY" in caplog.text


def packed(luma: npt.NDArray[np.uint8], fourcc: str) -> npt.NDArray[np.uint8]:
    chroma = np.full_like(luma, 128)
    match fourcc:
        case "YUYV":
            return np.dstack([luma, chroma])
        case "UYVY":
            return np.dstack([chroma, luma])
        case "NV12" | "YU12":
            return np.vstack([luma, chroma[: luma.shape[0] // 2]])
        case "MJPG":
            return cv2.imencode(".png", luma)[1].reshape(1, -1)  # lossless, and read by the same call
        case "BGR3":
            return np.dstack([luma] * 3)
        case _:
            return luma


@pytest.mark.parametrize("fourcc", ["GREY", "YUYV", "UYVY", "NV12", "YU12", "MJPG", "BGR3"])
def test_brightness_is_taken_from_every_format_unchanged(fourcc: str) -> None:
    luma = np.random.default_rng(1).integers(0, 256, SIZE[::-1], np.uint8)
    got = brightness(packed(luma, fourcc), fourcc, SIZE[1])
    assert got is not None
    assert got.flags.c_contiguous
    assert np.array_equal(got, luma)


def test_what_is_no_camera_device_is_named_before_opencv_is_asked(tmp_path: Path) -> None:
    (tmp_path / "video.avi").write_bytes(b"")
    with pytest.raises(CameraUnavailable, match=r"video\.avi is not a camera device"):
        source_on(device=str(tmp_path / "video.avi")).open()
    with pytest.raises(CameraUnavailable, match="does not exist: plug the camera in"):
        source_on(device=str(tmp_path / "video9")).open()


def test_opencv_itself_refuses_a_device_that_is_no_camera() -> None:
    source = V4l2Source(
        clock=SystemClock(),
        device=DEVICE,
        width=SIZE[0],
        height=SIZE[1],
        frames_per_second=30,
        video=open_video,
    )
    with pytest.raises(CameraUnavailable, match="cannot be used"):
        source.open()


def exposing(webcam: Webcam, mode: float, time: float) -> Webcam:
    webcam.settings |= {cv2.CAP_PROP_AUTO_EXPOSURE: mode, cv2.CAP_PROP_EXPOSURE: time}
    return webcam


def exposure(webcam: Webcam) -> tuple[float, float]:
    return webcam.settings[cv2.CAP_PROP_AUTO_EXPOSURE], webcam.settings[cv2.CAP_PROP_EXPOSURE]


@pytest.mark.parametrize(("mode", "time"), [(3, 156), (1, 80)])
def test_the_exposure_of_a_usb_camera_is_steered_and_set_back(
    webcam: Webcam, mode: float, time: float
) -> None:
    with opened(source_on(exposing(webcam, mode, time))) as source:
        assert source.steer(Controls(exposure_us=1250))
        webcam.show(grey(1), grey(2))
        assert exposure(webcam) == (1, 12)
        assert source.steer(Controls())
        webcam.show(grey(3), grey(4))
        assert exposure(webcam)[0] == mode
        assert mode != 1 or exposure(webcam)[1] == time
        webcam.unplug()


def test_a_steered_usb_camera_is_given_back_as_it_was(webcam: Webcam) -> None:
    with opened(source_on(exposing(webcam, 3, 156))) as source:
        source.steer(Controls(exposure_us=312))
        webcam.show(grey(1), grey(2))
        assert exposure(webcam) == (1, 3)
        webcam.unplug()
    assert webcam.released.wait(PATIENCE_S)
    assert exposure(webcam)[0] == 3


def test_the_lens_of_a_usb_camera_is_left_alone(webcam: Webcam) -> None:
    with opened(source_on(exposing(webcam, 3, 156))) as source:
        before = dict(webcam.settings)
        assert not source.steer(Controls(focus_dioptres=8))
        webcam.show(grey(1), grey(2))
        assert webcam.settings == before
        webcam.unplug()


def test_a_usb_camera_that_exposes_as_it_likes_says_so(webcam: Webcam) -> None:
    with opened(source_on(exposing(webcam, -1, -1))) as source:
        assert not source.steer(Controls(exposure_us=1250))
        assert not source.steer(Controls())
        webcam.unplug()
