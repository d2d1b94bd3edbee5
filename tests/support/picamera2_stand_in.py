"""The part of picamera2 that the production source uses, without a camera.

Names, parameters and defaults are picamera2's; `tests/contract/test_frame_source_stand_in.py` compares
them with its source. Where the library has a trap, so has the stand-in: frames go to the oldest waiting
job, whoever waits for it; four buffers not given back starve the camera; closing may hang; controls reach
the camera with the next buffer given back, and may be lost on the way.

A `Rig` is the world around it: what a test changes to make the camera fail. Time is the rig's clock,
which moves when the library would wait.
"""

# ruff: noqa: B006, FBT001, FBT002, PLR0917 - parameters and defaults are as picamera2 has them

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

if TYPE_CHECKING:
    from typing import Self

    import numpy.typing as npt

    from tests.support.clock import ManualClock

# Nothing in a test takes this long; a hanging thread is freed by the test's end.
_HANG_S = 60.0


def _offered() -> dict[str, tuple[Any, Any, Any]]:
    return {
        "FrameDurationLimits": (16971, 220417486, None),
        "ExposureTime": (13, 77193, 20000),
        "AnalogueGain": (1.0, 16.0, 1.0),
        "AeEnable": (False, True, True),
        "AfMode": (0, 2, 0),
        "LensPosition": (0.0, 15.0, 1.0),
    }


@dataclass
class Rig:
    """What is connected, and how it fails.

    Attributes:
        clock: moves when the library waits.
        cameras: how many there are.
        offered: least, greatest and default value by control.
        format: what the camera gives for YUV420.
        padding: bytes at the end of each row of a buffer.
        least_width: of a stream; a smaller one becomes the size of the main one.
        period_s: between frames.
        broken_by: raised by whatever touches the camera next.
        silent: no frames come.
        may_start: cleared, starting hangs.
        may_close: cleared, closing hangs.
        user: the open camera, if any.
        starts: how often a camera was started.
        buffers_out: requests not given back.
        controls: what the camera was told since it started, the newest value of each.
        gain: what the camera chooses while it chooses by itself.
        loses: how many of the next buffers given back drop the controls that should go with them.
        jobs: waiting for frames, oldest first.
    """

    clock: ManualClock
    cameras: int = 1
    offered: dict[str, tuple[Any, Any, Any]] = field(default_factory=_offered)
    format: str = "YUV420"
    padding: int = 0
    least_width: int = 0
    period_s: float = 1 / 30
    broken_by: Exception | None = None
    silent: bool = False
    may_start: threading.Event = field(default_factory=threading.Event)
    may_close: threading.Event = field(default_factory=threading.Event)
    user: Picamera2 | None = None
    starts: int = 0
    buffers_out: int = 0
    controls: dict[str, Any] = field(default_factory=dict)
    gain: float = 3.0
    loses: int = 0
    jobs: list[Job] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.may_start.set()
        self.may_close.set()

    def library(self) -> Library:
        """The module, as a source gets it."""
        return Library(self)


class Library:
    """What `import picamera2` gives."""

    def __init__(self, rig: Rig) -> None:
        self.Picamera2: type[Picamera2] = type("Picamera2", (Picamera2,), {"rig": rig})
        self.MappedArray = MappedArray


class Job:
    """A request for a frame that may come later."""

    def __init__(self) -> None:
        self.request: CompletedRequest | None = None
        self.cancelled = False


class CompletedRequest:
    """A frame in a buffer of the camera."""

    def __init__(self, camera: Picamera2, buffers: dict[str, npt.NDArray[np.uint8]]) -> None:
        self.camera = camera
        self.buffers = buffers
        self.taken_at = camera.rig.clock.monotonic()
        self.released = False

    def get_metadata(self) -> dict[str, Any]:
        return {
            "SensorTimestamp": int(self.taken_at * 1e9),
            "FrameDuration": round(self.camera.rig.period_s * 1e6),
            "AnalogueGain": self.camera.rig.controls.get("AnalogueGain") or self.camera.rig.gain,
        }

    def release(self) -> None:
        if self.released:
            raise RuntimeError("CompletedRequest: lock now has negative ref_count")
        self.released = True
        self.camera.rig.buffers_out -= 1
        self.camera._pass_on()


class MappedArray:
    """A stream's buffer as an array, for as long as it is entered."""

    def __init__(self, request: object, stream: str, reshape: bool = True, write: bool = True) -> None:
        assert reshape
        assert not write
        assert isinstance(request, CompletedRequest)
        self._request = request
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: object, exc_value: object, exc_traceback: object) -> None:
        self._stream = ""

    @property
    def array(self) -> npt.NDArray[np.uint8]:
        assert not self._request.released
        return self._request.buffers[self._stream]


class Picamera2:
    """The camera object; `rig` is given by the class that `Library` makes."""

    rig: ClassVar[Rig]

    def __init__(
        self,
        camera_num: int = 0,
        verbose_console: object = None,
        tuning: object = None,
        allocator: object = None,
    ) -> None:
        assert verbose_console is tuning is allocator is None
        if camera_num >= self.rig.cameras:
            raise RuntimeError(f"No camera number {camera_num} found")
        if self.rig.user is not None:
            busy = RuntimeError("Failed to acquire camera: Device or resource busy")
            raise RuntimeError("Camera __init__ sequence did not complete.") from busy
        self.rig.user = self
        self._config: dict[str, Any] = {}
        self._started = False
        self._frames = 0
        self._ring: list[dict[str, npt.NDArray[np.uint8]]] = []
        self._waiting: dict[str, Any] = {}

    @property
    def camera_controls(self) -> dict[str, tuple[Any, Any, Any]]:
        return self.rig.offered

    def create_video_configuration(
        self,
        main: dict[str, Any] = {},
        lores: dict[str, Any] | None = None,
        raw: dict[str, Any] | None = {},
        transform: object = ...,
        colour_space: object = None,
        buffer_count: int = 6,
        controls: dict[str, Any] = {},
        display: str | None = "main",
        encode: str | None = "main",
        queue: bool = True,
        sensor: dict[str, Any] | None = {},
        use_case: str = "video",
    ) -> dict[str, Any]:
        assert transform is ...
        assert colour_space is None
        assert not raw
        assert not controls
        assert not sensor
        assert queue
        assert use_case == "video"
        assert display is encode is None
        return {"main": main, "lores": lores, "buffer_count": buffer_count}

    def configure(self, camera_config: Any = ...) -> None:  # noqa: ANN401 - picamera2 takes much here
        assert isinstance(camera_config, dict)
        assert not self._config, "configured twice"
        for name in ("main", "lores"):
            if camera_config[name] and camera_config[name]["size"][0] < self.rig.least_width:
                camera_config[name]["size"] = camera_config["main"]["size"]
        self._config = camera_config
        for _ in range(camera_config["buffer_count"]):
            streams = {name: camera_config[name] for name in ("main", "lores") if camera_config[name]}
            self._ring.append({name: self._buffer(*stream["size"]) for name, stream in streams.items()})

    def stream_configuration(self, name: str = "main") -> dict[str, Any]:
        return {"format": self.rig.format, "size": self._config[name]["size"]}

    def set_controls(self, controls: dict[str, Any]) -> None:
        for control in controls:
            if control not in self.rig.offered:
                raise RuntimeError(f"Control {control} is not advertised by libcamera")
        self._waiting |= controls

    def start(self, config: object = None, show_preview: object = False) -> None:
        assert config is None
        assert not show_preview
        self.rig.may_start.wait(_HANG_S)
        self._fail()
        self._started = True
        self.rig.starts += 1
        self.rig.controls, self._waiting = self._waiting, {}

    def capture_request(
        self, wait: bool | float | None = None, signal_function: object = None, flush: object = None
    ) -> Job:
        assert wait is False, "anything else may block for ever"
        assert signal_function is flush is None
        self._fail()
        job = Job()
        self.rig.jobs.append(job)
        return job

    def wait(self, job: Job, timeout: float | None = None) -> CompletedRequest:
        assert timeout is not None, "waits for ever"
        self._fail()
        until = self.rig.clock.monotonic() + timeout
        while job.request is None and not job.cancelled:
            left = until - self.rig.clock.monotonic()
            starved = self.rig.buffers_out >= len(self._ring)
            if self.rig.silent or starved or left < self.rig.period_s:
                self.rig.clock.advance(max(0.0, left))
                raise TimeoutError
            self.rig.clock.advance(self.rig.period_s)
            self._deliver()
        assert job.request is not None, "cancelled"
        return job.request

    def cancel_all_and_flush(self) -> None:
        for job in self.rig.jobs:
            job.cancelled = True
        self.rig.jobs.clear()

    def close(self) -> None:
        self.rig.may_close.wait(_HANG_S)
        self._started = False
        self.rig.user = None

    def _pass_on(self) -> None:
        """A buffer is given back: what was set goes with it."""
        waiting, self._waiting = self._waiting, {}
        if self.rig.loses:
            self.rig.loses -= 1
        else:
            self.rig.controls |= waiting

    def _fail(self) -> None:
        if self.rig.broken_by is not None:
            raise self.rig.broken_by

    def _buffer(self, width: int, height: int) -> npt.NDArray[np.uint8]:
        return np.zeros((height * 3 // 2, width + self.rig.padding), np.uint8)

    def _deliver(self) -> None:
        """The oldest job gets the frame. Row n of the brightness plane holds frame number + n."""
        assert self._started
        self._frames += 1
        buffers = self._ring[self._frames % len(self._ring)]
        for buffer in buffers.values():
            rows = np.arange(buffer.shape[0], dtype=np.uint64) + self._frames
            buffer[:] = (rows % 256).astype(np.uint8)[:, None]
        self.rig.jobs.pop(0).request = CompletedRequest(self, buffers)
        self.rig.buffers_out += 1
