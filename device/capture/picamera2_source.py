"""The camera of a Raspberry Pi, by picamera2.

Promises kept here, each for a failure that others have met in the field:

* The camera object is made and configured once per `open` and never switched to another mode: every
  re-configuration risks running out of contiguous memory. At most four buffers, for the same reason.
* Every wait has an end. `capture_request` without a timeout blocks for ever when a cable comes loose; so
  do, now and then, starting and closing the camera, which therefore run in threads of their own.
* A wait that timed out keeps its job. picamera2 would otherwise carry out the forgotten job with the
  next frame and never get that buffer back; after four of these no frame comes any more (seen with 0.3.38).
* Focus and exposure change on the running camera. A control set while picamera2's own thread hands a
  buffer back can be lost (it takes all that were set, then forgets them), so each is set more than once.
* Brightness is taken straight from the first plane of YUV420: no colour is ever computed.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from device.capture.aside import aside, finished
from device.capture.camera_controls import can_steer, possible_controls, steered_controls, wanted_controls
from device.capture.loop import CLOSE_WITHIN_S, OPEN_WITHIN_S
from device.capture.moments import captured_at
from device.capture.picamera2_library import explain, innermost, load_picamera2
from device.errors import CameraStalled, CameraUnavailable
from device.model import Controls, Frame

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    import numpy as np
    import numpy.typing as npt

    from device.capture.camera_controls import ControlValue
    from device.capture.picamera2_library import Camera, Library, Mapper, Request
    from device.runtime import Clock

log = logging.getLogger(__name__)

# More would take contiguous memory from the rest of the system without a frame more per second.
_BUFFERS = 4
# How often a change of focus or exposure is set again, with one frame each: the moment in which one can
# be lost is shorter than a thousandth of a frame.
_SET_AGAIN = 2
# Formats whose first rows are the brightness plane. The Pi gives YUV420; libcamera's test pipeline NV12.
_PLANAR = frozenset({"YUV420", "YVU420", "NV12", "NV21"})


@dataclass(frozen=True, slots=True)
class _Session:
    """A camera that runs, and how to read it."""

    camera: Camera
    mapped: Mapper
    main: tuple[int, int]
    lores: tuple[int, int] | None


class Picamera2Source:
    """A `FrameSource` on picamera2.

    Args:
        clock: for frames that carry no time of their own.
        index: which camera, as `rpicam-hello --list-cameras` counts them.
        width: of the picture, pixels, even.
        height: of the picture, pixels, even.
        frames_per_second: fixed rate; it also bounds the exposure.
        exposure_us: exposure time, microseconds; None lets the camera decide.
        gain: analogue gain; None lets the camera decide.
        focus_dioptres: lens position, 1/metre; None leaves the lens where the camera puts it.
        lores_width: width of the small picture for the motion gate, pixels; None for no small picture.
        library: gives the module; for tests.
        open_within_s: how long starting the camera may take.
        close_within_s: how long stopping it may take.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        index: int,
        width: int,
        height: int,
        frames_per_second: float,
        exposure_us: int | None = None,
        gain: float | None = None,
        focus_dioptres: float | None = None,
        lores_width: int | None = None,
        library: Callable[[], Library] = load_picamera2,
        open_within_s: float = OPEN_WITHIN_S,
        close_within_s: float = CLOSE_WITHIN_S,
    ) -> None:
        self.name = f"camera {index}"
        self._clock = clock
        self._index = index
        self._size = (width, height)
        self._lores_size = None if lores_width is None else _scaled(width, height, lores_width)
        self._period_us = 1e6 / frames_per_second
        self._wanted = wanted_controls(
            frames_per_second=frames_per_second,
            exposure_us=exposure_us,
            gain=gain,
            focus_dioptres=focus_dioptres,
        )
        self._library = library
        self._open_within_s = open_within_s
        self._close_within_s = close_within_s
        self._session: _Session | None = None
        self._job: object | None = None
        self._steered = Controls()
        self._changes: dict[str, ControlValue] = {}
        self._set_again = 0
        self._gain: float | None = None
        self._opening: Future[_Session] | None = None
        self._closing: Future[None] | None = None
        self._sequence = 0
        self._last_at: float | None = None
        self._told = False

    def open(self) -> None:
        if self._closing is not None and not self._closing.done():
            raise CameraUnavailable(
                f"{self.name} has not come back from closing; only a restart of the process frees it"
            )
        if self._opening is None:
            self._opening = aside(f"{self.name} opens", self._begin)
        # One that timed out is waited for again: a second one would find the camera in use, by us.
        if not finished(self._opening, self._open_within_s):
            raise CameraUnavailable(
                f"{self.name} did not start within {self._open_within_s:g} s: check cable and power supply"
            )
        opening, self._opening = self._opening, None
        self._session = opening.result()
        self._last_at = None
        self._steered = Controls()
        self._set_again = 0

    def read(self, timeout_s: float) -> Frame | None:
        session = self._session
        if session is None:
            raise CameraUnavailable(f"{self.name} is not open")
        try:
            if self._job is None:
                self._job = session.camera.capture_request(wait=False)
            request = session.camera.wait(self._job, timeout=timeout_s)
            self._job = None
            try:
                if self._set_again:
                    self._set_again -= 1
                    session.camera.set_controls(self._changes)
                return self._frame(session, request)
            finally:
                request.release()
        except TimeoutError as error:
            raise CameraStalled(f"{self.name} gave no frame within {timeout_s:.1f} s") from error
        except Exception as error:
            raise CameraUnavailable(f"{self.name} broke down: {innermost(error)}") from error

    def steer(self, controls: Controls) -> bool:
        session = self._session
        if session is None:
            return False
        try:
            offered = session.camera.camera_controls
            self._changes = steered_controls(
                self._wanted, offered, before=self._steered, after=controls, gain=self._gain
            )
            session.camera.set_controls(self._changes)
        except Exception as error:  # noqa: BLE001 - whatever the library throws: `read` says what is broken
            log.warning("%s could not be steered: %s", self.name, innermost(error))
            return False
        self._steered = controls
        self._set_again = _SET_AGAIN
        return can_steer(offered, controls)

    def close(self) -> None:
        session, job = self._session, self._job
        self._session = self._job = None
        if session is None:
            return
        self._closing = aside(f"{self.name} closes", partial(_shut, session.camera, job))
        if not finished(self._closing, self._close_within_s):
            log.error("%s does not come back from closing", self.name)
        elif (error := self._closing.exception()) is not None:
            log.warning("%s did not close properly: %s", self.name, error)

    def _begin(self) -> _Session:
        """Makes, configures and starts the camera. Runs in a thread of its own and may hang there."""
        library = self._library()
        try:
            camera = library.Picamera2(self._index)
        except Exception as error:
            raise CameraUnavailable(explain(error, self.name)) from error
        try:
            return self._configured(library, camera)
        except Exception as error:
            with contextlib.suppress(Exception):  # the first error is the one to tell
                camera.close()
            if isinstance(error, CameraUnavailable):
                raise
            raise CameraUnavailable(explain(error, self.name)) from error

    def _configured(self, library: Library, camera: Camera) -> _Session:
        lores = None if self._lores_size is None else {"size": self._lores_size, "format": "YUV420"}
        camera.configure(
            camera.create_video_configuration(
                main={"size": self._size, "format": "YUV420"},
                lores=lores,
                buffer_count=_BUFFERS,
                display=None,
                encode=None,
            )
        )
        # Limits depend on the sensor's mode, so they are right only now.
        offered = camera.camera_controls
        controls, notes = possible_controls(self._wanted, offered)
        # What was steered before may have stayed in the sensor or in libcamera.
        back = steered_controls(self._wanted, offered, before=self._steered, after=Controls(), gain=None)
        camera.set_controls(back | controls)
        main = _planar_size(camera, "main", self.name)
        small = None if lores is None else _planar_size(camera, "lores", self.name)
        notes += [
            f"gives {got[0]}x{got[1]} where {asked[0]}x{asked[1]} was asked"
            for got, asked in ((main, self._size), (small, self._lores_size))
            if got is not None and asked is not None and got != asked
        ]
        camera.start()
        if notes and not self._told:
            self._told = True
            log.info("%s: %s", self.name, "; ".join(notes))
        return _Session(camera, library.MappedArray, main, small)

    def _frame(self, session: _Session, request: Request) -> Frame:
        metadata = request.get_metadata()
        self._gain = metadata.get("AnalogueGain")
        luma = _plane(session, request, "main", session.main)
        lores = None if session.lores is None else _plane(session, request, "lores", session.lores)
        stamp_ns = metadata.get("SensorTimestamp")
        at = captured_at(None if stamp_ns is None else stamp_ns / 1e9, self._clock.monotonic())
        # No driver counts all losses (sensor, kernel, library); the sensor's even rate tells them.
        if self._last_at is None:
            self._sequence += 1
        else:
            period_s = metadata.get("FrameDuration", self._period_us) / 1e6
            self._sequence += max(1, round((at - self._last_at) / period_s))
        self._last_at = at
        return Frame(luma=luma, sequence=self._sequence, captured_at=at, lores=lores)


def _scaled(width: int, height: int, small_width: int) -> tuple[int, int]:
    """A smaller size of the same shape; libcamera wants even numbers."""
    return (small_width - small_width % 2, max(2, round(height * small_width / width / 2) * 2))


def _planar_size(camera: Camera, stream: str, name: str) -> tuple[int, int]:
    """Size of a stream as configured, in a format whose first rows are brightness."""
    config = camera.stream_configuration(stream)
    if config["format"] not in _PLANAR:
        raise CameraUnavailable(
            f"{name} gives {config['format']}, not YUV420: a USB camera belongs under camera.source v4l2"
        )
    width, height = config["size"]
    return (width, height)


def _plane(session: _Session, request: Request, stream: str, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """A copy of the brightness plane: the buffer goes back to the camera."""
    width, height = size
    with session.mapped(request, stream, write=False) as mapped:
        return mapped.array[:height, :width].copy()


def _shut(camera: Camera, job: object | None) -> None:
    """Stops and frees the camera. Runs in a thread of its own and may hang there."""
    camera.cancel_all_and_flush()
    if job is not None:
        with contextlib.suppress(Exception):  # a job that was cancelled, or is not done, holds no request
            camera.wait(job, timeout=0).release()
    camera.close()
