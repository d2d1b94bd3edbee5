from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from device.errors import DecoderDied, JournalFull, JournalUnusable
from device.model import (
    Cause,
    Controls,
    Corners,
    Credential,
    CredentialRef,
    Cue,
    Direction,
    Event,
    Frame,
    Outcome,
    Reason,
    ScanEvent,
    Standing,
    StoredEvent,
    Symbol,
    Unread,
    UnreadEvent,
    Verdict,
)
from device.policy.judge import Answer
from device.presentation import Tracker
from device.privacy.keeping import IdentityKeeper
from device.runtime import LatestSlot
from device.scan import ScanLoop, cue_for
from device.steering import Steering
from device.unread import UnreadWatch
from tests.support.clock import ManualClock


def square(x: int, side: int = 100) -> Corners:
    return (x, 0), (x + side, 0), (x + side, side), (x, side)


@dataclass(frozen=True)
class Found:
    symbols: tuple[Symbol, ...]
    unread: tuple[Corners, ...]
    behind_s: float = 0.0


@dataclass
class SceneDecoder:
    """Finds what the test put in view."""

    in_view: tuple[bytes, ...] = ()
    unreadable: int = 0
    dies: bool = False

    def look(self, frame: Frame) -> Found:
        if self.dies:
            raise DecoderDied("took too long")
        symbols = tuple(
            Symbol(content, "QRCode", "zxing", square(at * 200)) for at, content in enumerate(self.in_view)
        )
        return Found(symbols, tuple(square(at * 200 + 100) for at in range(self.unreadable)))


@dataclass
class ListRecorder:
    """Keeps events in a list, or refuses."""

    happened: list[str]
    refuses: bool = False
    damaged: bool = False
    events: list[Event] = field(default_factory=list)

    def append(self, event: Event) -> StoredEvent:
        if self.damaged:
            raise JournalUnusable("malformed")
        if self.refuses:
            raise JournalFull("no space left")
        self.events.append(event)
        self.happened.append("recorded")
        return StoredEvent("j1", len(self.events), "gate.scan.v1", b"{}")


@dataclass
class ListPanel:
    happened: list[str]

    def show(self, cue: Cue) -> None:
        self.happened.append(cue)


RULES = "0" * 16


class WordJudge:
    """Content `no...` is denied, `odd...` is a wrong kind, everything else is granted."""

    def judge(self, content: bytes, granted_at: Callable[[str], float | None]) -> Answer:
        ref = CredentialRef("test.word", Standing.CLAIMED, subject=None)
        verdict = Verdict(Outcome.GRANTED, Reason.OK)
        if content.startswith(b"no"):
            verdict = Verdict(Outcome.DENIED, Reason.DENIED_BY_LIST)
        elif content.startswith(b"odd"):
            verdict = Verdict(Outcome.ATTENTION, Reason.WRONG_KIND)
        elif granted_at(content.hex()) is not None:
            verdict = Verdict(Outcome.GRANTED, Reason.ALREADY_SHOWN)
        return Answer(ref, verdict, content.hex(), Credential(ref.kind, ref.standing), RULES)


class Gate:
    """A scan loop with everything around it made for the test."""

    def __init__(self, *, admit_unrecorded: bool = False) -> None:
        self.clock = ManualClock()
        self.happened: list[str] = []
        self.decoder = SceneDecoder()
        self.recorder = ListRecorder(self.happened)
        self.asked: list[Controls] = []
        self.followed: list[ScanEvent] = []
        self.suspects: tuple[Unread, ...] = ()
        self.loop = ScanLoop(
            slot=LatestSlot(),
            decoder=self.decoder,
            tracker=Tracker(showing_ends_after_s=1.0),
            unread_watch=UnreadWatch(tell_after_s=0.3, ends_after_s=1.0),
            diagnose=lambda luma, corners: Cause.GLARE,
            steering=Steering(
                focus_dioptres=5.0, exposure_us=5000, frame_s=1 / 30, suspects=lambda luma: self.suspects
            ),
            steer=self.asked.append,
            identities=IdentityKeeper(source="gate/v1/t/s/g"),
            judge=WordJudge(),
            recorder=self.recorder,
            panel=ListPanel(self.happened),
            clock=self.clock,
            direction=Direction.IN,
            followers=[self.followed.append],
            admit_unrecorded=admit_unrecorded,
        )

    def show(self, *contents: bytes, frames: int = 1) -> None:
        """Holds up codes for some frames of a tenth of a second."""
        self.decoder.in_view = contents
        for _ in range(frames):
            taken = self.clock.monotonic()
            self.clock.advance(0.1)
            self.loop.look(Frame(np.zeros((4, 4), np.uint8), 1, taken))

    def pause(self, seconds: float) -> None:
        self.show(frames=round(seconds * 10))

    def reasons(self) -> list[Reason]:
        return [event.reason for event in self.recorder.events if isinstance(event, ScanEvent)]


def test_the_event_is_recorded_before_anything_moves() -> None:
    gate = Gate()
    gate.show(b"anna")
    assert gate.happened == ["recorded", Cue.GRANTED]


def test_what_could_not_be_recorded_is_not_followed() -> None:
    gate = Gate(admit_unrecorded=True)
    gate.show(b"anna")
    gate.recorder.refuses = True
    gate.show(b"binh")
    assert gate.followed == gate.recorder.events
    assert len(gate.followed) == 1


def test_one_showing_is_one_event_however_long_it_is_held() -> None:
    gate = Gate()
    gate.show(b"anna", frames=100)
    assert gate.reasons() == [Reason.OK]


def test_a_code_shown_again_is_already_shown() -> None:
    gate = Gate()
    gate.show(b"anna")
    gate.pause(2)
    gate.show(b"anna")
    assert gate.reasons() == [Reason.OK, Reason.ALREADY_SHOWN]
    assert gate.happened[-1] == Cue.ALREADY_SHOWN


def test_showing_a_code_again_does_not_prolong_the_hold_off() -> None:
    gate = Gate()
    gate.show(b"anna")
    granted_at = gate.loop._granted_at.copy()
    gate.pause(2)
    gate.show(b"anna")
    assert gate.loop._granted_at == granted_at


def test_a_refused_code_shown_again_is_decided_anew() -> None:
    gate = Gate()
    gate.show(b"nobody")
    gate.pause(2)
    gate.show(b"nobody")
    assert gate.reasons() == [Reason.DENIED_BY_LIST, Reason.DENIED_BY_LIST]


def test_when_nothing_can_be_recorded_nobody_is_granted() -> None:
    gate = Gate()
    gate.recorder.refuses = True
    gate.show(b"anna")
    assert gate.happened == [Cue.FAULT]
    assert not gate.loop.stats().recording


def test_a_journal_damaged_while_running_ends_the_scan_thread_and_grants_nobody() -> None:
    gate = Gate(admit_unrecorded=True)
    gate.recorder.damaged = True
    with pytest.raises(JournalUnusable):
        gate.show(b"anna")
    assert gate.happened == [Cue.FAULT]


def test_a_grant_that_was_not_recorded_is_not_remembered() -> None:
    gate = Gate()
    gate.recorder.refuses = True
    gate.show(b"anna")
    gate.recorder.refuses = False
    gate.pause(2)
    gate.show(b"anna")
    assert gate.reasons() == [Reason.OK]
    assert gate.loop.stats().recording


def test_people_pass_unrecorded_only_when_the_technician_said_so() -> None:
    gate = Gate(admit_unrecorded=True)
    gate.recorder.refuses = True
    gate.show(b"anna")
    gate.show(b"nobody")
    assert gate.happened == [Cue.GRANTED, Cue.DENIED]


def test_a_decoder_that_dies_costs_one_frame() -> None:
    gate = Gate()
    gate.decoder.dies = True
    gate.show(b"anna")
    gate.decoder.dies = False
    gate.show(b"anna")
    assert gate.reasons() == [Reason.OK]
    assert gate.loop.stats().lost_frames == 1


def test_two_people_at_once_are_two_events() -> None:
    gate = Gate()
    gate.show(b"anna", b"nobody")
    assert sorted(gate.reasons()) == [Reason.DENIED_BY_LIST, Reason.OK]
    stats = gate.loop.stats()
    assert (stats.presented, stats.granted, stats.denied) == (2, 1, 1)


def test_a_code_seen_and_not_read_is_told_and_recorded_once_with_its_cause() -> None:
    gate = Gate()
    gate.decoder.unreadable = 1
    gate.show(frames=20)
    assert gate.happened == ["recorded", Cue.ATTENTION]
    (event,) = gate.recorder.events
    assert isinstance(event, UnreadEvent)
    assert (event.cause, event.side_px) == (Cause.GLARE, 100)
    assert gate.loop.stats().unread == 1


def test_a_person_is_told_to_hold_still_even_when_nothing_can_be_recorded() -> None:
    gate = Gate()
    gate.recorder.refuses = True
    gate.decoder.unreadable = 1
    gate.show(frames=20)
    assert gate.happened == [Cue.ATTENTION]


def test_a_code_seen_and_not_read_makes_the_camera_try_other_settings() -> None:
    gate = Gate()
    gate.decoder.unreadable = 1
    gate.show(frames=15)
    assert gate.asked == [Controls(exposure_us=1250), Controls(exposure_us=312), Controls()]


def test_what_only_looks_like_a_blurred_code_is_tried_and_told_to_nobody() -> None:
    gate = Gate()
    gate.suspects = (Unread(square(100), Cause.BLURRED),)
    gate.show(frames=10)
    assert gate.asked[:1] == [Controls(focus_dioptres=4.0)]
    assert gate.happened == []


def test_the_camera_is_left_alone_while_a_code_is_read() -> None:
    gate = Gate()
    gate.decoder.unreadable = 1
    gate.show(b"anna", frames=50)
    assert gate.asked == []


def test_a_poster_that_is_always_read_does_not_keep_the_camera_from_helping() -> None:
    gate = Gate()
    gate.show(b"poster", frames=650)
    gate.decoder.unreadable = 1
    gate.show(b"poster", frames=10)
    assert gate.asked[:1] == [Controls(exposure_us=1250)]


def test_of_several_codes_at_once_the_nearest_is_the_one_that_shows() -> None:
    gate = Gate()
    gate.decoder.look = lambda frame: Found(  # type: ignore[method-assign]  # one frame of a special kind
        (
            Symbol(b"nobody near", "QRCode", "zxing", square(0, side=300)),
            Symbol(b"anna far", "QRCode", "zxing", square(500, side=60)),
        ),
        (),
    )
    gate.show()
    assert gate.happened == ["recorded", Cue.GRANTED, "recorded", Cue.DENIED]


def test_an_event_tells_its_latency_from_the_frame() -> None:
    gate = Gate()
    gate.show(b"anna")
    event = gate.recorder.events[0]
    assert isinstance(event, ScanEvent)
    assert event.latency_ms == 100


def test_no_more_grants_are_remembered_than_the_bound() -> None:
    gate = Gate()
    for number in range(4100):
        gate.show(b"person %d" % number)
    assert len(gate.loop._granted_at) == 4096


@pytest.mark.parametrize(
    ("outcome", "reason", "cue"),
    [
        (Outcome.GRANTED, Reason.OK, Cue.GRANTED),
        (Outcome.GRANTED, Reason.ALREADY_SHOWN, Cue.ALREADY_SHOWN),
        (Outcome.DENIED, Reason.EXPIRED, Cue.DENIED),
        (Outcome.ATTENTION, Reason.WRONG_KIND, Cue.ATTENTION),
    ],
)
def test_every_verdict_has_its_cue(outcome: Outcome, reason: Reason, cue: Cue) -> None:
    assert cue_for(Verdict(outcome, reason)) is cue
