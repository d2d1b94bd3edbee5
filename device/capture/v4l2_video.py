"""USB cameras as OpenCV shows them: opening, pixel formats, and the brightness in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.uint8]

# Brightness alone where a camera offers it; then JPEG, because uncompressed 720p does not fit through
# USB 2 at 30 frames a second; then what at least costs nothing to convert.
_PREFERRED = ("GREY", "MJPG", "YUYV", "UYVY", "NV12", "YU12")
# V4L2_EXPOSURE_MANUAL.
_MANUAL = 1
# Unit of V4L2_CID_EXPOSURE_ABSOLUTE.
_EXPOSURE_STEP_US = 100
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
class Chosen:
    """What a camera gives after it was configured.

    Attributes:
        fourcc: pixel format, by V4L2's name.
        width: of the picture, pixels.
        height: of the picture, pixels.
        rate: frames a second, as the camera says.
    """

    fourcc: str
    width: int
    height: int
    rate: float

    def __str__(self) -> str:
        return f"{self.width}x{self.height} {self.fourcc} at {self.rate:g} frames a second"


def configure(video: Video, size: tuple[int, int], rate: float) -> Chosen:
    """Asks for the cheapest format, this size and rate; what the camera made of it."""
    # The raw picture: brightness is in it, and computing colour would cost more than decoding the code.
    video.set(cv2.CAP_PROP_CONVERT_RGB, 0)
    fourcc = _choose_format(video, size)
    if fourcc not in _PREFERRED:
        video.set(cv2.CAP_PROP_CONVERT_RGB, 1)
    video.set(cv2.CAP_PROP_FPS, rate)
    video.set(cv2.CAP_PROP_BUFFERSIZE, _BUFFERS)
    return Chosen(fourcc, *_size_of(video), rate=video.get(cv2.CAP_PROP_FPS))


@dataclass(frozen=True, slots=True)
class Exposure:
    """How a camera exposes, in the driver's own numbers.

    Attributes:
        mode: manual, or one of the automatic ones.
        time: of exposure; of no meaning in an automatic mode.
    """

    mode: float
    time: float


def exposure_of(video: Video) -> Exposure | None:
    """How the camera exposes now; None for one that cannot be told how to."""
    mode, time = video.get(cv2.CAP_PROP_AUTO_EXPOSURE), video.get(cv2.CAP_PROP_EXPOSURE)
    # OpenCV answers -1 for what a driver has not.
    return Exposure(mode, time) if mode >= 0 and time > 0 else None


def expose(video: Video, exposure_us: int | None, usual: Exposure) -> None:
    """Sets an exposure time, which the driver keeps within its limits; None for what is usual."""
    if exposure_us is not None:
        video.set(cv2.CAP_PROP_AUTO_EXPOSURE, _MANUAL)
        video.set(cv2.CAP_PROP_EXPOSURE, max(1, round(exposure_us / _EXPOSURE_STEP_US)))
        return
    if usual.mode == _MANUAL:
        video.set(cv2.CAP_PROP_EXPOSURE, usual.time)
    video.set(cv2.CAP_PROP_AUTO_EXPOSURE, usual.mode)


def grab(video: Video) -> tuple[float, Array | None] | None:
    """Waits for the next picture, in OpenCV for up to 10 s.

    Returns:
        The driver's time stamp in seconds and the picture as the camera sent it; None when none came.
    """
    if not video.grab():
        return None
    stamp_s = video.get(cv2.CAP_PROP_POS_MSEC) / 1000
    ok, raw = video.retrieve()
    return stamp_s, raw if ok else None


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
