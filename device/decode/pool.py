"""Decoding in a child process that may crash or hang at no cost but a frame."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from device.decode.finding import Look
from device.decode.motion import Effort, MotionGate
from device.decode.process import Child
from device.errors import DecoderDied

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from device.model import Frame, Symbol
    from device.runtime import Clock

_Answer = TypeVar("_Answer", bound=Look | None)

log = logging.getLogger(__name__)

# Loading numpy, OpenCV and the engines takes 0.3 s on a desktop, some 3 s on a Pi with a cold card.
START_S = 20.0
# The child counts the work it does, not the time that passes: on a busy machine this share of the deadline
# lasts for three quarters of it.
_BUDGET_SHARE = 0.3
# Nor does it climb longer than this: a better frame may be waiting, and is climbed from where this one ended.
BUDGET_MS = 150.0
# A hand takes some frames to hold still. A glance costs a tenth of a climb and reads the first sharp frame,
# where a climb of a smeared one would let several sharp ones go by (measured in the simulated lane).
_GLANCES_A_CLIMB = 3


@dataclass(frozen=True, slots=True)
class PoolStats:
    """What the pool has done since it started.

    Attributes:
        frames: looked at, lost ones included.
        unchanged: of these, not looked at because nothing had changed.
        lost: frames that cost a child.
        failures: exceptions inside engines, which cost only their own findings.
        children: processes started.
    """

    frames: int
    unchanged: int
    lost: int
    failures: int
    children: int


class DecoderPool:
    """Looks at frames in a child process; a spare one, loaded and waiting, replaces it when it dies.

    `decode` and `look` are called from one thread; `close` and `stats` from any.

    Args:
        engines: `zxing`, `zbar`: which ones, in the order they are asked.
        deadline_ms: a child that has not answered by then is killed; the frame is lost.
        capacity: bytes of the largest frame or picture file.
        clock: for deadlines.
        budget_ms: the longest climb for one frame.
    """

    def __init__(
        self,
        *,
        engines: Sequence[str],
        deadline_ms: float,
        capacity: int,
        clock: Clock,
        budget_ms: float = BUDGET_MS,
    ) -> None:
        self._engines = tuple(engines)
        self._budget_ms = min(deadline_ms * _BUDGET_SHARE, budget_ms)
        self._deadline_s = deadline_ms / 1000
        self._capacity = capacity
        self._clock = clock
        self._lock = threading.Lock()
        self._children: list[Child] = []
        self._closed = False
        self._gate = MotionGate()
        self._last = Look()
        self._glances = 0
        self._frames = self._unchanged = self._lost = self._failures = self._started = 0

    @property
    def stats(self) -> PoolStats:
        """Counters so far."""
        return PoolStats(self._frames, self._unchanged, self._lost, self._failures, self._started)

    @property
    def children(self) -> tuple[Child, ...]:
        """The one at work, then its spare."""
        with self._lock:
            return tuple(self._children)

    def start(self) -> None:
        """Starts a child and its spare; blocks until the first is ready, 20 s at most.

        Raises:
            DecoderDied: it does not start: a library is missing, say. Its own words are on standard error.
        """
        self._fill()
        try:
            self._front().await_ready(START_S)
        except DecoderDied:
            self.close()
            raise

    def close(self) -> None:
        """Ends the children. Idempotent; blocks a few seconds at most; a `decode` under way raises."""
        with self._lock:
            self._closed = True
            children, self._children = self._children, []
        for child in children:
            child.kill()

    def decode(self, frame: Frame) -> tuple[Symbol, ...]:
        """Every code in this one frame, climbed for at once. Blocks up to the deadline.

        Raises:
            DecoderDied: this frame is lost; the next call works again.
        """
        return self._look(frame, self._budget_ms).symbols

    def look(self, frame: Frame) -> Look:
        """What this frame of many gives, and what was seen and not read. Blocks up to the deadline.

        A frame that shows what the one before showed gets the same answer without being looked at; of
        those where something is to be climbed for, most get a glance.

        Raises:
            DecoderDied: this frame is lost; the next call works again.
        """
        plane = frame.luma if frame.lores is None else frame.lores
        # What was seen and not read is climbed for as long as it is there.
        effort = Effort.CLIMB if self._last.unread else self._gate.effort(plane)
        if effort is Effort.NONE:
            self._frames += 1
            self._unchanged += 1
            return self._last
        return self._look(frame, self._budget_ms if self._climbs(effort) else 0.0)

    def _climbs(self, effort: Effort) -> bool:
        """Whether it is this frame's turn to be climbed for."""
        if effort is not Effort.CLIMB or (self._last.symbols and not self._last.unread):
            self._glances = 0
            return effort is Effort.CLIMB
        self._glances = (self._glances + 1) % (_GLANCES_A_CLIMB + 1)
        return self._glances == 0

    def _look(self, frame: Frame, budget_ms: float) -> Look:
        self._last = self._ask(
            lambda child, until: child.look(
                frame.luma, sequence=frame.sequence, budget_ms=budget_ms, until=until
            ),
            self._deadline_s,
        )
        return self._last

    def look_at_file(self, content: bytes, *, frames: int) -> Look | None:
        """What is in a picture file, held up for so many frames; None when it is no picture.

        Blocks up to `frames` deadlines. Corners are in pixels of the picture.

        Raises:
            DecoderDied: the picture cost the child its life; the next call works again.
            ValueError: the file is larger than `MAX_BYTES`, or empty.
        """
        if not 0 < len(content) <= self._capacity:
            raise ValueError(f"a picture file has at least one byte and at most {self._capacity}")
        budget_ms = self._deadline_s * 1000 * _BUDGET_SHARE
        file = np.frombuffer(content, np.uint8)
        return self._ask(
            lambda child, until: child.look_at_file(
                file, sequence=self._frames, frames=frames, budget_ms=budget_ms, until=until
            ),
            self._deadline_s * frames,
        )

    def _ask(self, question: Callable[[Child, float], _Answer], within_s: float) -> _Answer:
        self._frames += 1
        until = self._clock.monotonic() + within_s
        child = self._front()
        try:
            child.await_ready(within_s)
            answer = question(child, until)
        except DecoderDied as error:
            self._lost += 1
            self._gate.forget()
            self._replace(child, str(error))
            raise
        self._failures += answer.failures if answer is not None else 0
        return answer

    def _front(self) -> Child:
        with self._lock:
            if not self._children:
                raise DecoderDied("the decoder is closed")
            return self._children[0]

    def _replace(self, child: Child, why: str) -> None:
        """Takes the child out, lets the spare take over and starts a new spare."""
        with self._lock:
            if self._closed:
                return
            self._children.remove(child)
        log.warning("decoder replaced: %s", why)
        child.kill()
        self._fill()

    def _fill(self) -> None:
        """Brings the children up to two: one at work, one spare."""
        with self._lock:
            while not self._closed and len(self._children) < 2:  # noqa: PLR2004 - the docstring's two
                child = Child(engines=self._engines, capacity=self._capacity, clock=self._clock)
                self._children.append(child)
                self._started += 1
