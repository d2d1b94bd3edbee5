"""The capture thread: frames from a source into the slot, with a bounded number of second chances.

What must keep moving here is frames, not turns of a loop: a camera that is open and silent is the most
common way for a gate to be dead while everything looks well.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from device.errors import CameraError, CameraStalled
from device.runtime import LatestSlot

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.model import Controls, Frame
    from device.runtime import Clock, Worker

log = logging.getLogger(__name__)

# A first import of picamera2 on a Zero 2 W takes most of 10 s, starting the camera 1-2 s more.
OPEN_WITHIN_S = 20.0
# picamera2 needs 0.5 s to close; the whole process has 5 s to stop.
CLOSE_WITHIN_S = 3.0
# How late a stop may be noticed: the longest single wait for a frame.
_LOOK_EVERY_S = 0.5
# A USB camera that was re-plugged is back within a second; the pauses then double.
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 8.0
# Frames for this long make earlier trouble forgotten: a camera that stalls more often is not well.
_STEADY_AFTER_S = 60.0


class FrameSource(Protocol):
    """Something that gives frames: a camera, or a replay of recorded pictures.

    All calls come from one thread, the capture thread, in the order open, read..., close, and that again
    any number of times. No call blocks longer than the bound it names.
    """

    @property
    def name(self) -> str:
        """What a technician would call it, for logs: `camera 0`, `/dev/video0`. Does not change."""
        ...

    def open(self) -> None:
        """Makes it ready to give frames. Called only while closed. Blocks at most about `OPEN_WITHIN_S`.

        A new object each time where the library wants that; the settings stay those of the constructor.

        Raises:
            CameraUnavailable: absent, taken, forbidden, or not usable; the message says what to do. The
                source is closed then, and `open` may be tried again.
        """
        ...

    def read(self, timeout_s: float) -> Frame | None:
        """The newest frame not given before; None when a finite source has ended, and from then on.

        Waits at most `timeout_s` for it. `sequence` rises over the whole life of the object, re-opening
        included, and leaves gaps where frames were lost. The frame's arrays belong to the caller alone.

        Raises:
            CameraStalled: no frame within `timeout_s`. The source stays open, and a frame that comes
                later is not lost: `read` may be called again.
            CameraUnavailable: the camera is gone or broke down; only `close` and `open` help. Also
                when the source is not open.
        """
        ...

    def steer(self, controls: Controls) -> bool:
        """Asks the running camera for another focus or exposure; what is None is as configured.

        Never blocks, never raises, never interrupts the frames: the change shows some frames later. It
        holds until the next call; `open` begins with what is configured.

        Returns:
            Whether any of it can be done here and was passed on; for `Controls()`, whether the camera can
            be steered at all. False when the source is not open.
        """
        ...

    def close(self) -> None:
        """Gives the camera back. May be called at any time, also twice; never raises.

        Blocks at most about `CLOSE_WITHIN_S`. Where the driver does not return within that, the source
        counts as closed and the next `open` says so: then only the end of the process frees the camera.
        """
        ...


@dataclass(frozen=True, slots=True)
class CaptureStats:
    """Counters since start.

    Attributes:
        frames: frames put into the slot.
        missed: frames that the source lost before they could be read, told by gaps in `sequence`.
        stalls: how often the camera was silent for too long.
        reopened: how often frames came again after trouble.
        steered: how often the camera took another focus or exposure.
        trouble: what is wrong with the camera now, in words for a technician; empty while frames come.
    """

    frames: int = 0
    missed: int = 0
    stalls: int = 0
    reopened: int = 0
    steered: int = 0
    trouble: str = ""


class CaptureLoop:
    """The body of the capture worker.

    A camera that stalls or breaks down is closed and opened again, at most `reopen_attempts` times in a
    row with growing pauses; then the last error is raised, the process ends, and systemd starts it anew.

    Args:
        source: where frames come from.
        slot: where they go; the newest wins.
        clock: for silence and steadiness.
        stall_s: silence that counts as a stall, seconds.
        reopen_attempts: how often opening is tried again before giving up; 0 for never.
        on_first_frame: called once, in the capture thread, after the first frame lies in the slot.
        on_end: called once, in the capture thread, when a finite source has ended. The loop then waits
            to be stopped: what the end means is the application's business.
    """

    def __init__(
        self,
        *,
        source: FrameSource,
        slot: LatestSlot[Frame],
        clock: Clock,
        stall_s: float,
        reopen_attempts: int,
        on_first_frame: Callable[[], None],
        on_end: Callable[[], None],
    ) -> None:
        self._source = source
        self._slot = slot
        self._clock = clock
        self._stall_s = stall_s
        self._reopen_attempts = reopen_attempts
        self._on_first_frame = on_first_frame
        self._on_end = on_end
        self._stats = CaptureStats()
        self._asked: LatestSlot[Controls] = LatestSlot()
        self._told_fixed = False
        self._failures = 0
        self._heard_at = 0.0
        self._last_sequence: int | None = None

    @property
    def stats(self) -> CaptureStats:
        """A snapshot. Safe from any thread."""
        return self._stats

    @property
    def silence_s(self) -> float:
        """The longest time between two beats while all bounds hold: the least `deadline_s` of the worker."""
        return max(OPEN_WITHIN_S, self._stall_s + _LOOK_EVERY_S + CLOSE_WITHIN_S, _LONGEST_PAUSE_S) + 1.0

    @property
    def stop_s(self) -> float:
        """How long stopping may take once the camera is open: the least `join_s` of the worker."""
        return _LOOK_EVERY_S + CLOSE_WITHIN_S + 0.5

    def steer(self, controls: Controls) -> None:
        """Asks for another focus or exposure, from the next frame read. Safe from any thread; never blocks.

        The newest request wins. A camera that is opened again begins with what is configured, and requests
        from before are forgotten.
        """
        self._asked.put(controls)

    def body(self, worker: Worker) -> None:
        """Runs until `worker.stopping` is set; beats once per frame, and once per step of re-opening.

        Raises:
            CameraError: the camera could not be brought back.
        """
        self._heard_at = self._clock.monotonic()
        try:
            while not worker.stopping.is_set():
                try:
                    worker.beat()
                    self._source.open()
                    worker.beat()
                    self._stream(worker)
                except CameraError as error:
                    self._source.close()
                    if not worker.stopping.is_set():
                        worker.beat()
                        self._answer(error, worker)
        finally:
            self._source.close()

    def _stream(self, worker: Worker) -> None:
        """Moves frames until asked to stop, or the source ended and stopping was asked for after that."""
        opened_at = listening_since = self._clock.monotonic()
        self._asked.take(0)
        while not worker.stopping.is_set():
            self._pass_on()
            try:
                frame = self._source.read(min(_LOOK_EVERY_S, self._stall_s))
            except CameraStalled as error:
                silent_s = self._clock.monotonic() - listening_since
                if silent_s < self._stall_s:
                    continue
                raise CameraStalled(f"{self._source.name} gave no frame for {silent_s:.1f} s") from error
            if frame is None:
                self._finish(worker)
                return
            worker.beat()
            listening_since = self._clock.monotonic()
            if listening_since - opened_at >= _STEADY_AFTER_S:
                self._failures = 0
            self._deliver(frame)

    def _pass_on(self) -> None:
        """Hands the newest request to the camera."""
        controls = self._asked.take(0)
        if controls is None:
            return
        if self._source.steer(controls):
            self._stats = replace(self._stats, steered=self._stats.steered + 1)
        elif not self._told_fixed:
            self._told_fixed = True
            log.info("%s cannot change focus or exposure while it runs", self._source.name)

    def _deliver(self, frame: Frame) -> None:
        self._slot.put(frame)
        quiet_s = self._clock.monotonic() - self._heard_at
        self._heard_at += quiet_s
        gap = 0 if self._last_sequence is None else frame.sequence - self._last_sequence - 1
        self._last_sequence = frame.sequence
        stats = self._stats
        self._stats = replace(stats, frames=stats.frames + 1, missed=stats.missed + gap)
        if stats.frames == 0:
            height, width = frame.luma.shape
            log.info("first frame from %s, %dx%d", self._source.name, width, height)
            self._on_first_frame()
        if stats.trouble:
            log.info("%s gives frames again after %.1f s", self._source.name, quiet_s)
            self._stats = replace(self._stats, reopened=stats.reopened + 1, trouble="")

    def _answer(self, error: CameraError, worker: Worker) -> None:
        """Counts the failure and pauses, or gives up by raising it."""
        stalls = self._stats.stalls + isinstance(error, CameraStalled)
        self._stats = replace(self._stats, stalls=stalls, trouble=str(error))
        self._failures += 1
        if self._failures > self._reopen_attempts:
            raise error
        pause_s = min(_FIRST_PAUSE_S * 2.0 ** (self._failures - 1), _LONGEST_PAUSE_S)
        log.warning(
            "%s; opening it again in %.1f s (%d of %d)",
            error,
            pause_s,
            self._failures,
            self._reopen_attempts,
        )
        worker.stopping.wait(pause_s)

    def _finish(self, worker: Worker) -> None:
        """A finite source has ended: nothing is wrong, so the worker goes on beating until it is stopped."""
        log.info("%s has ended after %d frames", self._source.name, self._stats.frames)
        self._source.close()
        self._on_end()
        while not worker.stopping.wait(_LOOK_EVERY_S):
            worker.beat()
