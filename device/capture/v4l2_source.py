"""USB cameras, by OpenCV on Video4Linux.

OpenCV's V4L2 backend has no read timeout: `CAP_PROP_READ_TIMEOUT_MSEC` is refused and a read of a silent
camera returns after 10 s (measured with 5.0, a constant in its source). So a thread of its own drains the
device, the newest picture wins, and only pictures that are asked for are turned into brightness.
"""

from __future__ import annotations

import logging
import os
import stat
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from device.capture.aside import aside, finished
from device.capture.loop import CLOSE_WITHIN_S, OPEN_WITHIN_S
from device.capture.moments import captured_at
from device.errors import CameraStalled, CameraUnavailable
from device.model import Frame
from device.runtime import LatestSlot

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.runtime import Clock

log = logging.getLogger(__name__)

Array: TypeAlias = npt.NDArray[np.uint8]

# Brightness alone where a camera offers it; then JPEG, because uncompressed 720p does not fit through
# USB 2 at 30 frames a second; then what at least costs nothing to convert.
_PREFERRED = ("GREY", "MJPG", "YUYV", "UYVY", "NV12", "YU12")
# One is filled while the other is copied; with a single one many cameras give every second frame only.
_BUFFERS = 2


class Video(Protocol):
    """What is used of `cv2.VideoCapture`."""

    def isOpened(self) -> bool: ...  # noqa: N802 - OpenCV's name

    def get(self, propId: int) -> float: ...  # noqa: N803 - OpenCV's name

    def set(self, propId: int, value: float) -> bool: ...  # noqa: N803 - OpenCV's name

    def grab(self) -> bool: ...

    def retrieve(self) -> tuple[bool, Any]: ...

    def release(self) -> None: ...


def open_video(device: str) -> Video:
    """OpenCV's capture on a device path. May block for 10 s when another program streams from it."""
    video: Video = cv2.VideoCapture(device, cv2.CAP_V4L2)
    return video


@dataclass(frozen=True, slots=True)
class _Grab:
    """A picture as the camera sent it."""

    raw: Array
    sequence: int
    captured_at: float


class V4l2Source:
    """A `FrameSource` on a V4L2 device.

    Frames have the size the camera gives, which may be another than was asked for.

    Args:
        clock: for frames whose driver gives no time.
        device: path; `/dev/v4l/by-id/...` stays the same when other cameras come and go.
        width: asked for, pixels.
        height: asked for, pixels.
        frames_per_second: asked for.
        video: opens the device; for tests.
        open_within_s: how long starting the camera may take.
        close_within_s: how long stopping it may take.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        device: str,
        width: int,
        height: int,
        frames_per_second: float,
        video: Callable[[str], Video] = open_video,
        open_within_s: float = OPEN_WITHIN_S,
        close_within_s: float = CLOSE_WITHIN_S,
    ) -> None:
        self.name = device
        self._clock = clock
        self._size = (width, height)
        self._rate = frames_per_second
        self._video = video
        self._open_within_s = open_within_s
        self._close_within_s = close_within_s
        self._pump: _Pump | None = None
        self._last_pump: _Pump | None = None
        self._sequence = 0
        self._broken = 0

    @property
    def broken(self) -> int:
        """How many pictures came damaged and were passed over. Safe from any thread."""
        return self._broken

    def open(self) -> None:
        _look(self.name)
        # A read of a silent camera comes back by itself after 10 s; until then the device is still ours.
        if self._last_pump is not None and not finished(self._last_pump.ended, self._open_within_s):
            raise CameraUnavailable(
                f"{self.name} has not come back from its last use; pull its plug, or restart the process"
            )
        pump = _Pump(
            device=self.name,
            clock=self._clock,
            size=self._size,
            rate=self._rate,
            video=self._video,
            sequence=self._sequence,
        )
        self._last_pump = pump
        if not pump.started.wait(self._open_within_s):
            pump.stop()
            raise CameraUnavailable(f"{self.name} did not start within {self._open_within_s:g} s")
        if pump.ended.done() and (error := pump.ended.exception()) is not None:
            raise error
        self._pump = pump

    def read(self, timeout_s: float) -> Frame | None:
        pump = self._pump
        if pump is None:
            raise CameraUnavailable(f"{self.name} is not open")
        until = self._clock.monotonic() + timeout_s
        while True:
            left_s = 0.0 if pump.ended.done() else max(0.0, until - self._clock.monotonic())
            grab = pump.newest.take(left_s)
            if grab is None and not pump.ended.done():
                raise CameraStalled(f"{self.name} gave no frame within {timeout_s:.1f} s")
            if not isinstance(grab, _Grab):
                raise grab or CameraUnavailable(f"{self.name} gives no more frames")
            self._sequence = grab.sequence
            luma = brightness(grab.raw, pump.fourcc, pump.height)
            if luma is not None:
                return Frame(luma=luma, sequence=grab.sequence, captured_at=grab.captured_at)
            if self._broken == 0:
                log.warning("%s sends damaged pictures: check its cable and hub", self.name)
            self._broken += 1

    def close(self) -> None:
        pump, self._pump = self._pump, None
        if pump is None:
            return
        pump.stop()
        if not finished(pump.ended, self._close_within_s):
            log.warning("%s is silent and takes up to 10 s to close", self.name)


class _Pump:
    """Drains the device in a thread of its own, from opening to releasing it.

    Attributes:
        newest: the last picture not yet taken, or what ended them all.
        started: set when the device is open and configured, or when that failed.
        ended: done when the device is released; holds the error if there was one.
        fourcc: pixel format in use. Valid once started.
        height: of the picture. Valid once started.
    """

    def __init__(
        self,
        *,
        device: str,
        clock: Clock,
        size: tuple[int, int],
        rate: float,
        video: Callable[[str], Video],
        sequence: int,
    ) -> None:
        self.newest: LatestSlot[_Grab | CameraUnavailable] = LatestSlot()
        self.started = threading.Event()
        self.fourcc = ""
        self.height = size[1]
        self._device = device
        self._clock = clock
        self._size = size
        self._rate = rate
        self._video = video
        self._sequence = sequence
        self._stop = threading.Event()
        self.ended = aside(f"{device} reads", self._run)

    def stop(self) -> None:
        """Asks the thread to release the device. Does not wait."""
        self._stop.set()

    def _run(self) -> None:
        try:
            video = self._video(self._device)
            try:
                self._configure(video)
                self.started.set()
                while not self._stop.is_set():
                    self._pass_on(video)
            except CameraUnavailable as error:
                self.newest.put(error)  # whoever waits for a picture must not go on waiting
                raise
            except cv2.error as error:
                broken = CameraUnavailable(f"{self._device} broke down: {error}")
                self.newest.put(broken)
                raise broken from error
            finally:
                video.release()
        finally:
            self.started.set()

    def _configure(self, video: Video) -> None:
        if not video.isOpened():
            raise CameraUnavailable(
                f"{self._device} cannot be used: no camera, or in use by another program"
                f" (sudo fuser -v {self._device} names it)"
            )
        # The raw picture: brightness is in it, and computing colour would cost more than decoding the code.
        video.set(cv2.CAP_PROP_CONVERT_RGB, 0)
        self.fourcc = _choose_format(video, self._size)
        if self.fourcc not in _PREFERRED:
            video.set(cv2.CAP_PROP_CONVERT_RGB, 1)
        video.set(cv2.CAP_PROP_FPS, self._rate)
        video.set(cv2.CAP_PROP_BUFFERSIZE, _BUFFERS)
        width, self.height = _size_of(video)
        log.info(
            "%s gives %dx%d %s at %g frames a second",
            self._device,
            width,
            self.height,
            self.fourcc,
            video.get(cv2.CAP_PROP_FPS),
        )

    def _pass_on(self, video: Video) -> None:
        if not video.grab():
            raise CameraUnavailable(f"{self._device} stopped giving frames: check its plug and hub")
        now = self._clock.monotonic()
        stamp_ms = video.get(cv2.CAP_PROP_POS_MSEC)
        ok, raw = video.retrieve()
        self._sequence += 1
        if ok and raw is not None:
            self.newest.put(_Grab(raw, self._sequence, captured_at(stamp_ms / 1000, now)))


def brightness(raw: Array, fourcc: str, height: int) -> Array | None:
    """The brightness plane of a picture as the camera sent it; None when it is damaged.

    Args:
        raw: what OpenCV gives without conversion, or BGR for formats not named here.
        fourcc: V4L2's name of the pixel format.
        height: of the picture, pixels.
    """
    match fourcc:
        case "GREY":
            luma: Any = raw
        case "NV12" | "YU12":
            luma = raw[:height]
        case "YUYV":
            luma = cv2.extractChannel(raw, 0)
        case "UYVY":
            luma = cv2.extractChannel(raw, 1)
        case "MJPG":
            # Decoding to grey skips the colour planes.
            luma = cv2.imdecode(raw.reshape(-1), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION)
        case _:
            luma = cv2.cvtColor(raw, cv2.COLOR_BGR2GRAY)
    return None if luma is None else np.ascontiguousarray(luma, dtype=np.uint8)


def _choose_format(video: Video, size: tuple[int, int]) -> str:
    """Sets the best format that the camera has in this size, or else the best in any.

    What `set` returns says nothing: OpenCV silently takes another format. Only asking back tells.
    """
    second_best = None
    for fourcc in _PREFERRED:
        if _try_format(video, fourcc, size):
            if _size_of(video) == size:
                return fourcc
            second_best = second_best or fourcc
    if second_best:
        _try_format(video, second_best, size)
    return _fourcc_of(video)


def _try_format(video: Video, fourcc: str, size: tuple[int, int]) -> bool:
    video.set(cv2.CAP_PROP_FOURCC, int.from_bytes(fourcc.encode("ascii"), "little"))
    video.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
    video.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
    return _fourcc_of(video) == fourcc


def _fourcc_of(video: Video) -> str:
    return int(video.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little").decode("latin-1")


def _size_of(video: Video) -> tuple[int, int]:
    return int(video.get(cv2.CAP_PROP_FRAME_WIDTH)), int(video.get(cv2.CAP_PROP_FRAME_HEIGHT))


def _look(device: str) -> None:
    """Names the common reasons before OpenCV says only that it did not work.

    Raises:
        CameraUnavailable: absent, not a device, or forbidden.
    """
    try:
        mode = Path(device).stat().st_mode
    except OSError as error:
        raise CameraUnavailable(
            f"{device} does not exist: plug the camera in; ls /dev/v4l/by-id names those there are"
        ) from error
    if not stat.S_ISCHR(mode):
        raise CameraUnavailable(
            f"{device} is not a camera device; pictures belong under camera.source replay"
        )
    if not os.access(device, os.R_OK | os.W_OK):
        raise CameraUnavailable(f"{device} may not be used by this account: it must be in group video")
