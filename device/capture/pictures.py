"""Pictures and videos from files, as brightness: what a replay is made of. OpenCV's door for files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from device.errors import CameraUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Luma: TypeAlias = npt.NDArray[np.uint8]

# What OpenCV's wheel reads. A folder may hold other files beside the pictures: they are not looked at.
SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".pbm", ".pnm"}
)
# Around a smaller picture: neither print nor paper, so it makes no edge that looks like a code's.
_GROUND = 128


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture of a reel.

    Attributes:
        name: of the file, for messages.
        luma: brightness, in the picture's own size; None when the file cannot be read.
    """

    name: str
    luma: Luma | None


class PictureReel:
    """Picture files, one after the other. A file that cannot be read is met once and then left out."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = list(files)
        self._next = 0

    def take(self) -> Shot | None:
        """The next picture; None at the end."""
        if self._next >= len(self._files):
            return None
        file = self._files[self._next]
        luma = read_grey(file)
        if luma is None:
            del self._files[self._next]
        else:
            self._next += 1
        return Shot(file.name, luma)

    def pass_over(self, count: int) -> None:
        """Leaves out that many pictures, or as many as there are."""
        self._next = min(self._next + count, len(self._files))

    def rewind(self) -> None:
        """Back to the first picture."""
        self._next = 0

    def close(self) -> None:
        """Nothing is held open."""


class VideoReel:
    """The frames of a video file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._video = cv2.VideoCapture(str(file))
        if not self._video.isOpened():
            raise CameraUnavailable(f"{file} is neither a picture nor a video that can be read")

    def take(self) -> Shot | None:
        ok, picture = self._video.read()
        if not ok:
            return None
        grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)  # noqa: PLR2004
        return Shot(self._file.name, np.ascontiguousarray(grey, dtype=np.uint8))

    def pass_over(self, count: int) -> None:
        for _ in range(count):
            if not self._video.grab():
                return

    def rewind(self) -> None:
        # Seeking to frame 0 is inexact in some containers; opening again is not.
        self._video.release()
        self._video = cv2.VideoCapture(str(self._file))

    def close(self) -> None:
        self._video.release()


def open_reel(path: Path) -> PictureReel | VideoReel:
    """A folder of pictures in the order of their names, a single picture, or a video.

    Raises:
        CameraUnavailable: the path does not exist, may not be read, holds no picture, or is none.
    """
    try:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        pictures = [f for f in files if f.suffix.lower() in SUFFIXES and f.is_file()]
        if not path.is_dir():
            path.open("rb").close()
    except OSError as error:
        raise CameraUnavailable(f"{path} cannot be replayed: {error.strerror}") from error
    if pictures:
        return PictureReel(pictures)
    if path.is_dir():
        raise CameraUnavailable(f"{path} holds no pictures")
    return VideoReel(path)


def read_grey(file: Path) -> Luma | None:
    """Brightness of a picture file, turned upright as its EXIF says; None when it cannot be read."""
    try:
        luma = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    except cv2.error:  # larger than OpenCV reads, say
        return None
    return None if luma is None else np.ascontiguousarray(luma, dtype=np.uint8)


def fit(luma: Luma, width: int, height: int) -> Luma:
    """The whole picture in a frame of this size: made smaller where needed, never larger, centred on grey.

    Returns:
        A C-contiguous array of shape (height, width); the picture itself when it has that size.
    """
    high, wide = luma.shape
    if (wide, high) == (width, height):
        return luma
    scale = min(1.0, width / wide, height / high)
    if scale < 1.0:
        wide, high = max(1, int(wide * scale)), max(1, int(high * scale))
        luma = cv2.resize(luma, (wide, high), interpolation=cv2.INTER_AREA)
    frame = np.full((height, width), _GROUND, np.uint8)
    top, left = (height - high) // 2, (width - wide) // 2
    frame[top : top + high, left : left + wide] = luma
    return frame
