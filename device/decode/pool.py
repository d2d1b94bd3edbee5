"""Decoding in child processes that may crash or hang at no cost but a frame.

One child glances at every frame: a few milliseconds, which read most codes. What was seen and not read is
climbed for by the other one meanwhile, and told with a later frame: a hard code must not make the gate
blind for the sharp frame that comes next, or for the next person's code. On a machine with one core, and
while the other child is being replaced, one child does both in turn.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from device.decode.children import START_S, Children
from device.decode.finding import Look
from device.decode.motion import Effort, MotionGate
from device.decode.recall import Recall
from device.errors import DecoderDied

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.decode.children import Onlooker
    from device.decode.climb import Stopwatch
    from device.decode.finding import Luma
    from device.model import Frame, Symbol

_Answer = TypeVar("_Answer", bound=Look | None)

# The child counts the work it does, not the time that passes: on a busy machine this share of the deadline
# lasts for three quarters of it.
_BUDGET_SHARE = 0.3
# Nor does it climb longer than this: a better frame may be waiting, and is climbed from where this one ended.
BUDGET_MS = 150.0
# A hand takes some frames to hold still. A glance costs a tenth of a climb and reads the first sharp frame,
# where a climb of a smeared one would let several sharp ones go by (measured in the simulated lane): a child
# that does both glances so often for each climb.
_GLANCES_A_CLIMB = 3


def usable_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0))


class Gate(Protocol):
    """Tells how much each frame is worth."""

    def effort(self, plane: Luma, *, unread: bool) -> Effort:
        """Of this one, after a look that has, or has not, left something unread."""
        ...

    def forget(self) -> None:
        """The next picture is worth climbing for, whatever it is."""
        ...


@dataclass(frozen=True, slots=True)
class PoolStats:
    """What the pool has done since it started.

    Attributes:
        frames: looked at, lost ones included.
        unchanged: of these, not looked at because nothing had changed.
        climbs: of these, handed to the child beside.
        lost: frames that nobody could look at: they cost a child, or none had loaded yet.
        failures: exceptions inside engines, which cost only their own findings.
        children: processes started.
    """

    frames: int
    unchanged: int
    climbs: int
    lost: int
    failures: int
    children: int


class _StillLoadingError(DecoderDied):
    """Costs a frame and no child: killed for it, the next one would begin again and take as long."""


@dataclass(frozen=True, slots=True)
class _Climb:
    """What the child beside is doing."""

    child: Onlooker
    captured_at: float
    until: float


class DecoderPool:
    """Looks at frames in two child processes, each of which takes over when the other dies.

    `decode`, `look` and `look_at_file` are called from one thread; `close` and `stats` from any.

    Args:
        child: starts a child process, without waiting for it.
        deadline_ms: a child that has not answered by then is killed; the frame is lost.
        clock: for deadlines.
        budget_ms: the longest climb for one frame.
        cores: with one only, the second child is but a spare.
        gate: tells frames worth a look; None for the usual one.
    """

    def __init__(
        self,
        *,
        child: Callable[[], Onlooker],
        deadline_ms: float,
        clock: Stopwatch,
        budget_ms: float = BUDGET_MS,
        cores: int,
        gate: Gate | None = None,
    ) -> None:
        self._budget_ms = min(deadline_ms * _BUDGET_SHARE, budget_ms)
        self._deadline_s = deadline_ms / 1000
        self._clock = clock
        self._cores = cores
        self._children = Children(child, clock=clock)
        self._gate: Gate = gate or MotionGate()
        self._glanced = self._last = Look()
        self._recall = Recall()
        self._under_way: _Climb | None = None
        self._glances = 0
        self._frames = self._unchanged = self._climbs = self._lost = self._failures = 0

    @property
    def stats(self) -> PoolStats:
        """Counters so far."""
        return PoolStats(
            self._frames,
            self._unchanged,
            self._climbs,
            self._lost,
            self._failures,
            self._children.started,
        )

    @property
    def children(self) -> tuple[Onlooker, ...]:
        """The one that glances, then the one beside it."""
        return self._children.alive

    @property
    def filtered(self) -> bool:
        """Whether the kernel filters the children's system calls; known after `start`."""
        return all(child.filtered for child in self.children)

    def start(self) -> None:
        """Starts both children; blocks until the first is ready, a minute at most.

        Raises:
            DecoderDied: it does not start: a library is missing, say. Its own words are on standard error.
        """
        self._children.fill()
        try:
            self._await_loaded(self._children.front(), START_S)
        except DecoderDied:
            self.close()
            raise

    def close(self) -> None:
        """Ends the children. Idempotent; blocks a few seconds at most; a `decode` under way raises."""
        self._children.close()

    def decode(self, frame: Frame) -> tuple[Symbol, ...]:
        """Every code in this one frame, climbed for at once. Blocks up to the deadline.

        Raises:
            DecoderDied: this frame is lost; the next call works again.
        """
        until = self._clock.monotonic() + self._deadline_s
        self._collect(frame.captured_at)
        return self._look(frame, self._budget_ms, until).symbols

    def look(self, frame: Frame) -> Look:
        """What this frame of many gives, and what was seen and not read. Blocks up to the deadline.

        A frame that shows what the one before showed gets the same answer without being looked at. What
        a climb has read since the last call is told now, with the corners it was read at.

        Raises:
            DecoderDied: this frame is lost; the next call works again.
        """
        until = self._clock.monotonic() + self._deadline_s
        climbed = self._collect(frame.captured_at)
        plane = frame.luma if frame.lores is None else frame.lores
        effort = self._gate.effort(plane, unread=bool(self._last.unread))
        if effort is not Effort.NONE:
            self._glanced, own = self._glance(frame, effort, until)
            climbed = climbed or own
        else:
            self._frames += 1
            self._unchanged += 1
            if climbed is None:
                return self._last
        self._last = self._recall.joined(self._glanced, climbed)
        return self._last

    def _glance(self, frame: Frame, effort: Effort, until: float) -> tuple[Look, Look | None]:
        """A glance; and a climb, begun beside, or when nobody can do it beside, finished in its place."""
        beside = self._children.beside() if self._cores > 1 else None
        if beside is None:
            climbs = self._is_turn(effort)
            look = self._look(frame, self._budget_ms if climbs else 0.0, until)
            return look, look if climbs else None
        glanced = self._look(frame, 0.0, until)
        if effort is Effort.CLIMB and (glanced.unread or not glanced.symbols):
            self._climb_beside(frame)
        return glanced, None

    def look_at_file(self, content: bytes, *, frames: int) -> Look | None:
        """What is in a picture file, held up for so many frames; None when it is no picture.

        Blocks up to `frames` deadlines. Corners are in pixels of the picture.

        Raises:
            DecoderDied: the picture cost the child its life; the next call works again.
            ValueError: the file is empty, or larger than the child was started for.
        """
        if not content:
            raise ValueError("a picture file has at least one byte")
        budget_ms = self._deadline_s * 1000 * _BUDGET_SHARE
        file = np.frombuffer(content, np.uint8)
        until = self._clock.monotonic() + self._deadline_s * frames
        self._collect(0.0)
        return self._ask(
            lambda child: child.look_at_file(
                file, sequence=self._frames, frames=frames, budget_ms=budget_ms, until=until
            ),
            until,
        )

    def _is_turn(self, effort: Effort) -> bool:
        """Whether a child that does everything is to climb for this frame."""
        if effort is not Effort.CLIMB:
            return False
        self._glances = (self._glances + 1) % (_GLANCES_A_CLIMB + 1)
        return self._glances == 0

    def _look(self, frame: Frame, budget_ms: float, until: float) -> Look:
        def question(child: Onlooker) -> Look:
            child.begin(frame.luma, sequence=frame.sequence, budget_ms=budget_ms)
            return child.finish(until)

        return self._ask(question, until)

    def _ask(self, question: Callable[[Onlooker], _Answer], until: float) -> _Answer:
        """The answer of the child in front; one that dies of it is replaced."""
        self._frames += 1
        child = self._children.front()
        try:
            self._await_loaded(child, until - self._clock.monotonic())
            answer = question(child)
        except _StillLoadingError:
            self._lost += 1
            raise
        except DecoderDied as error:
            self._bury(child, error)
            raise
        self._failures += answer.failures if answer is not None else 0
        return answer

    def _await_loaded(self, child: Onlooker, timeout_s: float) -> None:
        if not child.await_ready(timeout_s):
            self._children.check_start(child)
            raise _StillLoadingError("the decoder is still loading")

    def _climb_beside(self, frame: Frame) -> None:
        """Has the other child climb for this frame, unless it is still busy with an earlier one."""
        child = self._children.beside()
        if child is None or self._under_way is not None:
            return
        try:
            child.begin(frame.luma, sequence=frame.sequence, budget_ms=self._budget_ms)
        except DecoderDied as error:
            self._bury(child, error)
            return
        self._climbs += 1
        until = self._clock.monotonic() + self._deadline_s
        self._under_way = _Climb(child, frame.captured_at, until)

    def _collect(self, now: float) -> Look | None:
        """What a climb beside has given, once it has ended; a frame captured `now` is asked about next."""
        climb = self._under_way
        if climb is None:
            return None
        # The child that glanced has died and this one has its place: nothing else can be done meanwhile.
        promoted = climb.child is self._children.front()
        overran = self._clock.monotonic() >= climb.until
        if not (promoted or overran or climb.child.finished()):
            return None
        self._under_way = None
        try:
            look = climb.child.finish(climb.until)
        except DecoderDied as error:
            self._bury(climb.child, error)
            return None
        self._failures += look.failures
        return replace(look, behind_s=max(0.0, now - climb.captured_at))

    def _bury(self, child: Onlooker, error: DecoderDied) -> None:
        """Replaces a child that has cost a frame."""
        self._lost += 1
        self._gate.forget()
        self._children.replace(child, str(error))
