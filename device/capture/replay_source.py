"""Recorded pictures in the place of a camera: for the demonstration, for tests, for a bug report.

A replay behaves like a camera, not like a file: it runs in real time whether anybody looks or not. Each
picture has its moment, and one whose moment has passed is lost, as it would be at the gate.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from device.capture.pictures import fit, open_reel
from device.errors import CameraStalled, CameraUnavailable
from device.model import Frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.capture.pictures import Shot
    from device.model import Controls
    from device.runtime import Clock

log = logging.getLogger(__name__)

# Passing over a video's frames costs decoding them: whoever is later than this cannot catch up, so time
# goes on from there instead.
_CATCH_UP_S = 1.0


class Reel(Protocol):
    """Pictures in an order."""

    def take(self) -> Shot | None:
        """The next picture; None at the end."""
        ...

    def pass_over(self, count: int) -> None:
        """Leaves out that many, or as many as there are."""
        ...

    def rewind(self) -> None:
        """Back to the first."""
        ...

    def close(self) -> None:
        """Frees what is held open."""
        ...


class ReplaySource:
    """A `FrameSource` on a folder of pictures, one picture, or a video.

    Every frame has the size asked for, as from a camera: larger pictures are made smaller, smaller ones are
    centred on grey. Every picture or frame of the file is one frame, at the rate given here; a video's own
    rate is not looked at.

    Args:
        clock: sets the pace.
        path: the folder or file.
        repeat: begin again at the end, for ever.
        width: of the frames, pixels.
        height: of the frames, pixels.
        frames_per_second: how fast.
        wait: waits so many seconds; for tests, where a clock is moved instead.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        path: str | Path,
        repeat: bool,
        width: int,
        height: int,
        frames_per_second: float,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self.name = f"replay of {path}"
        self._clock = clock
        self._path = Path(path)
        self._repeat = repeat
        self._size = (width, height)
        self._period_s = 1 / frames_per_second
        self._wait = wait or threading.Event().wait
        self._reel: Reel | None = None
        self._due_at: float | None = None
        self._ended = False
        self._sequence = 0
        self._shown = 0
        self._unreadable = 0

    @property
    def unreadable(self) -> int:
        """How many pictures could not be read and were left out. Safe from any thread."""
        return self._unreadable

    def open(self) -> None:
        self._reel = open_reel(self._path)
        self._due_at = None
        self._ended = False
        self._shown = 0

    def read(self, timeout_s: float) -> Frame | None:
        reel = self._reel
        if reel is None:
            raise CameraUnavailable(f"{self.name} is not open")
        until = self._clock.monotonic() + timeout_s
        while not self._ended:
            self._await_turn(reel, until)
            shot = self._next(reel)
            if shot is None:
                self._ended = True
            elif shot.luma is None:
                self._unreadable += 1
                log.warning("%s in %s cannot be read and is left out", shot.name, self._path)
            else:
                self._shown += 1
                return Frame(
                    luma=fit(shot.luma, *self._size),
                    sequence=self._sequence,
                    captured_at=self._clock.monotonic(),
                )
        return None

    def steer(self, controls: Controls) -> bool:  # noqa: ARG002 - what was recorded stays as it is
        return False

    def close(self) -> None:
        reel, self._reel = self._reel, None
        if reel is not None:
            reel.close()

    def _await_turn(self, reel: Reel, until: float) -> None:
        """Waits for the next picture's moment, and passes over those whose moment has gone."""
        now = self._clock.monotonic()
        if self._due_at is None:
            self._due_at = now
        while now < self._due_at:
            if now >= until:
                raise CameraStalled(f"{self.name}: the next picture is not due yet")
            self._wait(min(self._due_at, until) - now)
            now = self._clock.monotonic()
        late_s = now - self._due_at
        late = int(min(late_s, _CATCH_UP_S) / self._period_s)
        if late:
            reel.pass_over(late)
            self._sequence += late
        self._due_at += late * self._period_s if late_s <= _CATCH_UP_S else late_s

    def _next(self, reel: Reel) -> Shot | None:
        """The next picture, from the beginning again where that is wanted; None at the end."""
        shot = reel.take()
        if shot is None and self._repeat:
            reel.rewind()
            shot = reel.take()
        if shot is None and (self._repeat or not self._shown):
            raise CameraUnavailable(f"{self._path}: none of its pictures can be read")
        if shot is not None and self._due_at is not None:
            self._sequence += 1
            self._due_at += self._period_s
        return shot
