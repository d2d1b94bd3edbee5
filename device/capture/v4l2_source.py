"""USB cameras, by OpenCV on Video4Linux.

OpenCV's V4L2 backend has no read timeout: `CAP_PROP_READ_TIMEOUT_MSEC` is refused and a read of a silent
camera returns after 10 s (measured with 5.0, a constant in its source). So a thread of its own drains the
device, the newest picture wins, and only pictures that are asked for are turned into brightness.
The same thread changes the exposure, between two pictures. The lens is left alone: these drivers know no
dioptres.
"""

from __future__ import annotations

import logging
import os
import stat
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from device.capture.aside import aside, finished
from device.capture.loop import CLOSE_WITHIN_S, OPEN_WITHIN_S
from device.capture.moments import captured_at
from device.capture.v4l2_video import brightness, configure, expose, exposure_of, grab, open_video
from device.errors import CameraStalled, CameraUnavailable
from device.model import Controls, Frame
from device.runtime import LatestSlot

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.capture.v4l2_video import Array, Exposure, Video
    from device.runtime import Clock

log = logging.getLogger(__name__)


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
        until = self._clock.monotonic() + self._open_within_s
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
        if not pump.started.wait(max(0.0, until - self._clock.monotonic())):
            pump.stop()
            raise CameraUnavailable(f"{self.name} did not start within {self._open_within_s:g} s")
        if pump.error is not None:
            raise pump.error
        self._pump = pump

    def read(self, timeout_s: float) -> Frame | None:
        pump = self._pump
        if pump is None:
            raise CameraUnavailable(f"{self.name} is not open")
        until = self._clock.monotonic() + timeout_s
        while True:
            newest = pump.newest.take(max(0.0, until - self._clock.monotonic()))
            if newest is None:
                raise CameraStalled(f"{self.name} gave no frame within {timeout_s:.1f} s")
            if isinstance(newest, CameraUnavailable):
                pump.newest.put(newest)  # for whoever asks again
                raise newest
            self._sequence = newest.sequence
            luma = brightness(newest.raw, pump.fourcc, pump.height)
            if luma is not None:
                return Frame(luma=luma, sequence=newest.sequence, captured_at=newest.captured_at)
            if self._broken == 0:
                log.warning("%s sends damaged pictures: check its cable and hub", self.name)
            self._broken += 1

    def steer(self, controls: Controls) -> bool:
        pump = self._pump
        if pump is None or pump.usual is None:
            return False
        pump.asked.put(controls)
        return controls.exposure_us is not None or controls == Controls()

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
        error: what ended it, if it did not end because it was asked to. Valid once started.
        ended: done when the device is released.
        fourcc: pixel format in use. Valid once started.
        height: of the picture. Valid once started.
        usual: how the camera exposes unasked; None when it cannot be told how to. Valid once started.
        asked: the newest exposure asked for.
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
        self.error: CameraUnavailable | None = None
        self.fourcc = ""
        self.height = size[1]
        self.usual: Exposure | None = None
        self.asked: LatestSlot[Controls] = LatestSlot()
        self._steered = False
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
            self._drain()
        except CameraUnavailable as error:
            self._fail(error)
        except Exception as error:
            self._fail(CameraUnavailable(f"{self._device} broke down: {error}"))
            raise
        finally:
            self.started.set()

    def _drain(self) -> None:
        video = self._video(self._device)
        try:
            self._configure(video)
            self.started.set()
            while not self._stop.is_set():
                self._expose(video, self.asked.take(0))
                self._pass_on(video)
        finally:
            if self._steered:
                self._expose(video, Controls())  # a driver keeps its settings when the device is closed
            video.release()

    def _configure(self, video: Video) -> None:
        if not video.isOpened():
            raise CameraUnavailable(
                f"{self._device} cannot be used: no camera, or in use by another program"
                f" (sudo fuser -v {self._device} names it)"
            )
        chosen = configure(video, self._size, self._rate)
        self.fourcc, self.height = chosen.fourcc, chosen.height
        self.usual = exposure_of(video)
        log.info("%s gives %s", self._device, chosen)

    def _expose(self, video: Video, controls: Controls | None) -> None:
        if controls is not None and self.usual is not None:
            expose(video, controls.exposure_us, self.usual)
            self._steered = controls.exposure_us is not None

    def _pass_on(self, video: Video) -> None:
        taken = grab(video)
        if taken is None:
            raise CameraUnavailable(f"{self._device} stopped giving frames: check its plug and hub")
        stamp_s, raw = taken
        self._sequence += 1
        if raw is not None:
            at = captured_at(stamp_s, self._clock.monotonic())
            self.newest.put(_Grab(raw, self._sequence, at))

    def _fail(self, error: CameraUnavailable) -> None:
        self.error = error
        self.newest.put(error)  # whoever waits for a picture must not go on waiting


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
