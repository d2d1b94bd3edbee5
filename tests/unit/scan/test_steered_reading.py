"""Capture loop, ladder and scan loop together, before a camera whose pictures depend on its focus."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from device.capture.loop import CaptureLoop
from device.decode.blurred import blurred_places
from device.decode.cause import cause_of
from device.decode.ladder import Ladder
from device.decode.steps import first_step, further_steps
from device.decode.zxing import Zxing
from device.model import (
    Controls,
    Credential,
    CredentialRef,
    Cue,
    Direction,
    Outcome,
    Reason,
    ScanEvent,
    Standing,
    StoredEvent,
    Verdict,
)
from device.policy.judge import Answer
from device.presentation import Tracker
from device.privacy.keeping import IdentityKeeper
from device.runtime import LatestSlot, Worker
from device.scan import ScanLoop
from device.steering import Steering
from device.unread import UnreadWatch
from tests.support.clock import ManualClock
from tests.support.lens import PERIOD_S, Lens

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.decode.finding import Look
    from device.model import Event, Frame

# Real pictures through the real ladder: seconds.
pytestmark = pytest.mark.slow

CARD = "046090123456|191234567|Trần Văn Mẫu|05061990|Nam|Tổ 3, Phường Thử Nghiệm, Thành phố Ví Dụ|12072021"
FOCUS = 5.0
# A second and a half: a person's patience.
FRAMES = 45


class Ticking(ManualClock):
    """Every look at the clock takes a millisecond: the ladder's budget is spent alike on every machine."""

    def monotonic(self) -> float:
        self.advance(0.001)
        return super().monotonic()


class RealLadder:
    """The decoder as the child process runs it, in this process."""

    def __init__(self) -> None:
        engines = ("zxing", "zbar")
        self._ladder = Ladder(
            first=first_step(engines),
            further=further_steps(engines),
            reader=Zxing(thorough=False, unread=False),
            clock=Ticking(),
        )

    def look(self, frame: Frame) -> Look:
        return self._ladder.look(frame.luma, budget_ms=12)


class Everybody:
    """Grants."""

    def judge(self, content: bytes, granted_at: Callable[[str], float | None]) -> Answer:
        ref = CredentialRef("test.card", Standing.CLAIMED, subject=None)
        credential = Credential(ref.kind, ref.standing)
        return Answer(ref, Verdict(Outcome.GRANTED, Reason.OK), content.hex(), credential, "0" * 16)


@dataclass
class Kept:
    """Keeps events."""

    events: list[Event] = field(default_factory=list)

    def append(self, event: Event) -> StoredEvent:
        self.events.append(event)
        return StoredEvent("j1", len(self.events), "gate.scan.v1", b"{}")


class Dark:
    """A panel without lights."""

    def show(self, cue: Cue) -> None:
        pass


class Gate:
    """Everything from the lens to the verdict, one frame after the other in the test's own thread."""

    def __init__(self, *, steered: bool = True) -> None:
        self.clock = ManualClock()
        self.kept = Kept()
        self.slot: LatestSlot[Frame] = LatestSlot()
        self.lens = Lens(clock=self.clock, focus_dioptres=FOCUS, before_frame=self._turn)
        self.capture = CaptureLoop(
            source=self.lens,
            slot=self.slot,
            clock=self.clock,
            stall_s=3,
            reopen_attempts=0,
            on_first_frame=lambda: None,
            on_end=lambda: None,
        )
        self.scan = ScanLoop(
            slot=self.slot,
            decoder=RealLadder(),
            tracker=Tracker(1.0),
            unread_watch=UnreadWatch(tell_after_s=0.3, ends_after_s=1.0),
            diagnose=cause_of,
            steering=Steering(
                focus_dioptres=FOCUS, exposure_us=5000, frame_s=PERIOD_S, suspects=blurred_places
            ),
            steer=self.capture.steer if steered else lambda _: None,
            identities=IdentityKeeper(source="gate/v1/t/s/g"),
            judge=Everybody(),
            recorder=self.kept,
            panel=Dark(),
            clock=self.clock,
            direction=Direction.IN,
        )

        self._over: Callable[[], bool] = lambda: True
        self._worker = Worker("capture", self.capture.body, deadline_s=60, clock=self.clock)

    def frames_until_read(self, count: int, *, most: int) -> int:
        """How many frames the camera gave until so many codes were read; `most` when they never were."""
        return self._frames_until(lambda: self.read() >= count, most=most)

    def run(self, frames: int) -> int:
        """Runs for so many frames."""
        return self._frames_until(lambda: False, most=frames)

    def _frames_until(self, over: Callable[[], bool], *, most: int) -> int:
        begun = self.lens.sequence
        self._over = lambda: over() or self.lens.sequence - begun >= most
        self._worker = Worker("capture", self.capture.body, deadline_s=60, clock=self.clock)
        self.capture.body(self._worker)
        return self.lens.sequence - begun

    def read(self) -> int:
        return sum(isinstance(event, ScanEvent) for event in self.kept.events)

    def _turn(self) -> None:
        frame = self.slot.take(0)
        if frame is not None:
            self.scan.look(frame)
        if self._over():
            self._worker.stopping.set()


# 36, 13 and 11 cm from the lens.
@pytest.mark.parametrize(("dioptres", "module_px"), [(2.8, 2.0), (7.6, 2.7), (9.0, 2.7)])
def test_a_card_too_far_or_too_near_for_the_configured_focus_is_read_by_the_sweep(
    dioptres: float, module_px: float
) -> None:
    gate, fixed = Gate(), Gate(steered=False)
    for one in (gate, fixed):
        one.lens.hold(CARD, dioptres=dioptres, module_px=module_px)
    assert gate.frames_until_read(1, most=FRAMES) < FRAMES
    fixed.frames_until_read(1, most=2 * FRAMES)
    assert fixed.read() == 0


def test_a_card_at_the_configured_focus_is_read_at_once_and_the_lens_stays() -> None:
    gate = Gate()
    gate.lens.hold(CARD, dioptres=FOCUS, module_px=4)
    assert gate.frames_until_read(1, most=FRAMES) <= 3
    gate.run(FRAMES)
    assert gate.lens.asked == []


def test_one_showing_at_another_focus_is_one_event_and_the_next_person_begins_as_configured() -> None:
    gate = Gate()
    gate.lens.hold(CARD, dioptres=9.0, module_px=2.7)
    gate.run(3 * FRAMES)
    assert gate.read() == 1
    gate.lens.card = None
    gate.run(FRAMES)
    assert gate.lens.asked[-1] == Controls()
    assert gate.read() == 1


def test_the_next_of_a_queue_with_similar_cards_is_read_sooner() -> None:
    gate = Gate()
    frames = []
    for number in range(2):
        gate.lens.hold(CARD.replace("123456", f"{number:06}"), dioptres=9.0, module_px=2.7)
        frames.append(gate.frames_until_read(number + 1, most=FRAMES))
        gate.lens.card = None
        gate.run(2 * FRAMES)
    assert gate.read() == 2
    assert frames[1] < 0.7 * frames[0]
