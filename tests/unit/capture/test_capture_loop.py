from __future__ import annotations

import logging
import threading
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.capture.loop import CLOSE_WITHIN_S, OPEN_WITHIN_S, CaptureLoop, CaptureStats
from device.errors import CameraError, CameraStalled, CameraUnavailable
from device.model import Controls, Frame
from device.runtime import LatestSlot, Worker
from tests.support.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PERIOD_S = 1 / 30
STALL_S = 3.0

# What a source does: so many frames; silence for so many seconds; gone; lost so many frames; its end.
FRAMES, SILENT, GONE, LOST, END, MINUTE = "frames", "silent", "gone", "lost", "end", "minute"
Act: TypeAlias = tuple[str, float]


class Actor:
    """A source that plays a script: one list of acts for each time it is opened; None where it cannot be.

    After its acts it is gone; after the last of all, the worker is asked to stop.
    """

    name = "camera 0"

    def __init__(self, clock: ManualClock, script: Iterable[list[Act] | None]) -> None:
        self.clock = clock
        self.script = list(script)
        self.acts: list[Act] = []
        self.is_open = False
        self.opened = 0
        self.sequence = 0
        self.first: int | None = None
        self.stop: Callable[[], None] = lambda: None
        self.open_s = self.close_s = 0.0
        self.on_read: Callable[[], None] = lambda: None
        self.steerable = True
        self.asked: list[tuple[int, Controls]] = []

    def open(self) -> None:
        assert not self.is_open
        self.opened += 1
        self.clock.advance(self.open_s)
        acts = self.script.pop(0) if self.script else []
        if acts is None:
            raise CameraUnavailable("camera 0 was not found: check its cable")
        self.acts = list(acts)
        self.is_open = True

    def read(self, timeout_s: float) -> Frame | None:
        assert self.is_open
        self.on_read()
        if not self.acts and not self.script:
            self.stop()
            return self.frame()
        act, amount = self.acts.pop(0) if self.acts else (GONE, 0)
        if act == SILENT:
            if amount > timeout_s:
                self.acts.insert(0, (SILENT, amount - timeout_s))
            self.clock.advance(min(amount, timeout_s))
            raise CameraStalled("nothing yet")
        if act == GONE:
            raise CameraUnavailable("camera 0 broke down")
        if act == END:
            self.acts.insert(0, (END, 0))
            return None
        if act == LOST:
            self.sequence += int(amount)
        if act == MINUTE:
            self.clock.advance(60)
        if act == FRAMES and amount > 1:
            self.acts.insert(0, (FRAMES, amount - 1))
        return self.frame()

    def steer(self, controls: Controls) -> bool:
        assert self.is_open
        self.asked.append((self.sequence, controls))
        return self.steerable

    def close(self) -> None:
        if self.is_open:
            self.clock.advance(self.close_s)
        self.is_open = False

    def frame(self) -> Frame:
        self.clock.advance(PERIOD_S)
        self.sequence += 1
        self.first = self.first or self.sequence
        return Frame(np.zeros((2, 4), np.uint8), self.sequence, self.clock.monotonic())


class Waits(threading.Event):
    """A stop event whose waits move the clock instead of lasting."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self.clock = clock
        self.waited: list[float] = []
        self.most = 1000

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        if not self.is_set():
            self.waited.append(timeout)
            self.clock.advance(timeout)
            if len(self.waited) >= self.most:
                self.set()
        return self.is_set()


class Diary(Worker):
    """A worker that keeps when it beat."""

    def __init__(self, loop: CaptureLoop, clock: ManualClock) -> None:
        super().__init__("capture", loop.body, deadline_s=loop.silence_s, clock=clock)
        self.clock = clock
        self.waits = Waits(clock)
        self.stopping = self.waits
        self.beats: list[float] = [clock.monotonic()]

    def beat(self) -> None:
        super().beat()
        self.beats.append(self.clock.monotonic())


class Stage:
    """A loop with a scripted source, run in the test's own thread."""

    def __init__(self, *script: list[Act] | None, reopen_attempts: int = 3) -> None:
        self.clock = ManualClock()
        self.source = Actor(self.clock, script)
        self.slot: LatestSlot[Frame] = LatestSlot()
        self.told: list[str] = []
        self.loop = CaptureLoop(
            source=self.source,
            slot=self.slot,
            clock=self.clock,
            stall_s=STALL_S,
            reopen_attempts=reopen_attempts,
            on_first_frame=lambda: self.told.append("empty" if self.slot.empty else "first frame"),
            on_end=lambda: self.told.append("end"),
        )
        self.worker = Diary(self.loop, self.clock)
        self.source.stop = self.worker.stopping.set

    def play(self) -> CaptureStats:
        self.loop.body(self.worker)
        assert not self.source.is_open
        return self.loop.stats

    @property
    def pauses(self) -> list[float]:
        return self.worker.waits.waited


def test_frames_go_into_the_slot_and_the_newest_wins() -> None:
    stage = Stage([(FRAMES, 5)])
    assert stage.play().frames == 6  # the last one came while stopping was asked for
    newest = stage.slot.take(0)
    assert newest is not None
    assert newest.sequence == 6
    assert stage.slot.replaced == 5


def test_the_first_frame_is_told_once_when_it_can_be_taken() -> None:
    stage = Stage([(FRAMES, 3), (GONE, 0)], [(FRAMES, 3)])
    stage.play()
    assert stage.told == ["first frame"]


def test_every_frame_is_a_beat_and_waiting_for_one_is_none() -> None:
    stage = Stage([(FRAMES, 1), (SILENT, 2.5), (FRAMES, 1)])
    stage.play()
    silence = max(b - a for a, b in pairwise(stage.worker.beats))
    assert silence == pytest.approx(2.5 + PERIOD_S)


def test_a_silence_shorter_than_a_stall_is_waited_out() -> None:
    stage = Stage([(FRAMES, 1), (SILENT, 2.9), (FRAMES, 1)])
    assert stage.play() == CaptureStats(frames=3)
    assert stage.source.opened == 1


def test_a_stalled_camera_is_closed_and_opened_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stage = Stage([(FRAMES, 2), (SILENT, 99)], [(FRAMES, 2)])
    assert stage.play() == CaptureStats(frames=5, stalls=1, reopened=1)
    assert stage.source.opened == 2
    assert "camera 0 gave no frame for 3.0 s; opening it again in 0.5 s (1 of 3)" in caplog.text
    assert "camera 0 gives frames again after 3.5 s" in caplog.text


def test_a_camera_that_is_not_there_at_first_is_asked_for_again() -> None:
    stage = Stage(None, None, [(FRAMES, 1)])
    assert stage.play() == CaptureStats(frames=2, reopened=1)
    assert stage.told == ["first frame"]


def test_the_pauses_between_attempts_grow_to_a_limit() -> None:
    stage = Stage(*[None] * 7, [], reopen_attempts=7)
    stage.play()
    assert stage.pauses == [0.5, 1, 2, 4, 8, 8, 8]


def test_after_the_last_attempt_the_error_is_raised_and_the_camera_closed() -> None:
    stage = Stage([(FRAMES, 1), (GONE, 0)], None, None, None, [(FRAMES, 1)])
    with pytest.raises(CameraUnavailable, match="was not found"):
        stage.play()
    assert stage.source.opened == 4
    assert not stage.source.is_open
    assert len(stage.pauses) == 3


def test_without_attempts_the_first_trouble_is_the_end() -> None:
    stage = Stage([(SILENT, 99)], reopen_attempts=0)
    with pytest.raises(CameraStalled):
        stage.play()
    assert stage.source.opened == 1
    assert stage.pauses == []


def test_a_minute_of_frames_makes_earlier_trouble_forgotten() -> None:
    hiccup: list[Act] = [(MINUTE, 0), (GONE, 0)]
    stage = Stage(*[hiccup] * 10, [], reopen_attempts=1)
    assert stage.play().reopened == 10
    assert set(stage.pauses) == {0.5}


def test_a_camera_that_breaks_down_again_and_again_is_given_up() -> None:
    stage = Stage(*[[(FRAMES, 30.0), (GONE, 0.0)]] * 10)
    with pytest.raises(CameraUnavailable):
        stage.play()
    assert stage.source.opened == 4


def test_the_end_of_a_finite_source_is_told_and_the_worker_stays_healthy() -> None:
    stage = Stage([(FRAMES, 2), (END, 0)])
    stage.worker.waits.most = 200
    assert stage.play() == CaptureStats(frames=2)
    assert stage.told == ["first frame", "end"]
    assert stage.worker.waits.waited == [0.5] * 200
    assert stage.worker.complaint() is None
    assert stage.worker.beats[-1] > stage.worker.beats[3] + 90


def test_stopping_in_a_pause_ends_at_once() -> None:
    stage = Stage(None, None)
    stage.worker.waits.most = 1
    stage.play()
    assert stage.source.opened == 1


def test_trouble_while_stopping_is_no_error() -> None:
    stage = Stage([(GONE, 0)], reopen_attempts=0)
    read = stage.source.read

    def stopped_meanwhile(timeout_s: float) -> Frame | None:
        stage.worker.stopping.set()
        return read(timeout_s)

    stage.source.read = stopped_meanwhile  # type: ignore[method-assign] # the moment is the point here
    assert stage.play() == CaptureStats()


def test_lost_frames_are_counted_over_an_interruption_too() -> None:
    stage = Stage([(FRAMES, 1), (LOST, 4), (FRAMES, 1), (GONE, 0)], [(LOST, 2), (FRAMES, 1)])
    assert stage.play().missed == 6


def test_a_mistake_of_ours_still_closes_the_camera() -> None:
    stage = Stage([(FRAMES, 1)])
    stage.source.frame = lambda: Frame(*())  # type: ignore[method-assign, call-arg] # any mistake will do
    with pytest.raises(TypeError):
        stage.play()
    assert not stage.source.is_open


NEAR, FAR = Controls(focus_dioptres=8), Controls(focus_dioptres=4)


def test_the_newest_steering_reaches_the_camera_once_before_the_next_frame() -> None:
    stage = Stage([(FRAMES, 5)])

    def ask() -> None:
        if stage.source.sequence == 2:
            stage.loop.steer(FAR)
            stage.loop.steer(NEAR)

    stage.source.on_read = ask
    assert stage.play().steered == 1
    assert stage.source.asked == [(3, NEAR)]


def test_a_camera_that_was_opened_again_is_not_steered_by_what_was_asked_before() -> None:
    stage = Stage([(FRAMES, 2), (GONE, 0)], [(FRAMES, 2)])

    def ask() -> None:
        if not stage.source.acts or stage.source.acts[0][0] == GONE:
            stage.loop.steer(NEAR)

    stage.source.on_read = ask
    stage.loop.steer(FAR)
    stage.play()
    assert stage.source.asked == []


def test_a_camera_that_cannot_be_steered_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stage = Stage([(FRAMES, 5)])
    stage.source.steerable = False
    stage.source.on_read = lambda: stage.loop.steer(NEAR)
    assert stage.play().steered == 0
    assert len(stage.source.asked) == 5
    assert caplog.text.count("camera 0 cannot change focus or exposure while it runs") == 1


ACTS = st.one_of(
    st.tuples(st.just(FRAMES), st.integers(1, 5)),
    st.tuples(st.just(SILENT), st.floats(0.01, 10)),
    st.tuples(st.just(GONE), st.just(0)),
    st.tuples(st.just(LOST), st.integers(1, 5)),
)


@given(
    script=st.lists(st.one_of(st.none(), st.lists(ACTS, max_size=6)), max_size=8),
    open_s=st.floats(0, OPEN_WITHIN_S),
    close_s=st.floats(0, CLOSE_WITHIN_S),
    attempts=st.integers(0, 4),
)
def test_whatever_the_camera_does_the_worker_beats_in_time_and_the_counters_add_up(
    script: list[list[Act] | None], open_s: float, close_s: float, attempts: int
) -> None:
    stage = Stage(*script, reopen_attempts=attempts)
    stage.source.open_s, stage.source.close_s = open_s, close_s
    gave_up = False
    try:
        stage.play()
    except CameraError:
        gave_up = True
    stats = stage.loop.stats
    beats = [*stage.worker.beats, stage.clock.monotonic()]
    assert max(b - a for a, b in pairwise(beats)) <= stage.loop.silence_s
    assert stats.frames + stats.missed == len(range(stage.source.first or 1, stage.source.sequence + 1))
    assert stats.frames == stage.slot.replaced + (not stage.slot.empty)
    assert stats.reopened <= len(stage.pauses) == stage.source.opened - 1
    if gave_up or stage.source.opened == 1:
        assert bool(stats.trouble) == gave_up
    assert not stage.source.is_open
