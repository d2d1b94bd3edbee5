"""The loop: frame -> symbols -> presentation -> credential -> verdict -> event on the card -> cue.

The order of the last two is the promise of the whole device: `Recorder.append` returns only after the
event is durable, and only then is the panel told. When nothing can be recorded nobody is granted, unless
the technician has decided otherwise.
"""

from __future__ import annotations

import logging
from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.errors import DecoderDied, JournalError, JournalUnusable
from device.model import Cue, Outcome, Reason, ScanEvent, Unread, UnreadEvent
from device.scenery import side_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import numpy.typing as npt

    from device.model import (
        Cause,
        Controls,
        Corners,
        Direction,
        Frame,
        StoredEvent,
        Verdict,
    )
    from device.presentation import Presentation, Tracker
    from device.runtime import Clock, LatestSlot, Worker
    from device.scan.ports import Decoder, IdentityKeeper, Judge, Panel, Recorder
    from device.steering import Steering
    from device.unread import UnreadWatch

log = logging.getLogger(__name__)

FRAME_WAIT_S = 0.5
"""How long one turn waits for a frame: well below the beat's deadline, so an idle camera is no fault here."""

REMEMBERED_GRANTS = 4096
"""Persons whose grant is remembered for the repeat hold-off; at 30 people a minute, more than two hours."""

DIAGNOSED_A_FRAME = 4
"""Nobody holds up more codes at once; each costs a fraction of a millisecond."""


@dataclass(frozen=True, slots=True)
class ScanStats:
    """What the scan loop has done since it started."""

    frames: int
    lost_frames: int
    presented: int
    granted: int
    denied: int
    attention: int
    unread: int
    unrecorded: int
    recording: bool


class ScanLoop:
    """Owns the scan thread's work. All methods but `stats` and `rule_by` belong to that thread.

    Args:
        slot: where the newest frame lies.
        decoder: see `Decoder`.
        tracker: turns symbols in successive frames into presentations.
        unread_watch: says when a person is to be told that the code is seen and not read.
        diagnose: why a code was not read, from the frame and where it is.
        steering: says what to ask the camera for when a code is not read.
        steer: passes that on to the camera. Never blocks.
        judge: see `Judge`; until `rule_by`.
        identities: see `IdentityKeeper`.
        recorder: see `Recorder`.
        panel: see `Panel`.
        clock: for latency, hold-off and the event's moment.
        direction: of the gate, written into each event.
        followers: told of every scan once it is on the card and signalled; quick, and raise nothing.
        admit_unrecorded: show the verdict even when its event could not be recorded.
    """

    def __init__(
        self,
        *,
        slot: LatestSlot[Frame],
        decoder: Decoder,
        tracker: Tracker,
        unread_watch: UnreadWatch,
        diagnose: Callable[[npt.NDArray[np.uint8], Corners], Cause],
        steering: Steering,
        steer: Callable[[Controls], None],
        judge: Judge,
        identities: IdentityKeeper,
        recorder: Recorder,
        panel: Panel,
        clock: Clock,
        direction: Direction,
        followers: Sequence[Callable[[ScanEvent], None]] = (),
        admit_unrecorded: bool = False,
    ) -> None:
        self._slot = slot
        self._decoder = decoder
        self._judge = judge
        self._direction = direction
        self._tracker = tracker
        self._unread_watch = unread_watch
        self._diagnose = diagnose
        self._steering = steering
        self._steer = steer
        self._identities = identities
        self._recorder = recorder
        self._panel = panel
        self._clock = clock
        self._followers = tuple(followers)
        self._admit_unrecorded = admit_unrecorded
        self._granted_at: OrderedDict[str, float] = OrderedDict()
        self._outcomes: Counter[Outcome] = Counter()
        self._frames = self._lost_frames = self._unread = self._unrecorded = 0
        self._recording = True

    def body(self, worker: Worker) -> None:
        """The scan thread: one frame after another until asked to stop."""
        while not worker.stopping.is_set():
            worker.beat()
            frame = self._slot.take(FRAME_WAIT_S)
            if frame is not None:
                self.look(frame)

    def look(self, frame: Frame) -> None:
        """Handles one frame; blocks for decoding and, when somebody is new, for the card."""
        self._frames += 1
        try:
            look = self._decoder.look(frame)
        except DecoderDied as error:
            self._lost_frames += 1
            log.warning("a frame was lost: %s", error)
            return
        now = self._clock.monotonic()
        # The newest cue is the one that shows: of several codes at once, the nearest is answered last.
        for presentation in reversed(self._tracker.observe(look.symbols, now)):
            self._answer(presentation, frame.captured_at - look.behind_s)
        sights = [Unread(c, self._diagnose(frame.luma, c)) for c in look.unread[:DIAGNOSED_A_FRAME]]
        for unread in self._unread_watch.observe(sights, look.symbols, now):
            self._tell_unread(unread)
        self._steer_for(frame, sights)

    def rule_by(self, judge: Judge) -> None:
        """Decides by other rules from the next code on. From any thread; never blocks."""
        self._judge = judge

    def preview(self, content: bytes) -> tuple[str, str, str]:
        """Kind, outcome and reason that a code would get now; nothing is recorded or shown."""
        answer = self._judge.judge(content, self._granted_at.get)
        return answer.ref.kind, answer.verdict.outcome.value, answer.verdict.reason.value

    def stats(self) -> ScanStats:
        """A snapshot, from any thread."""
        return ScanStats(
            frames=self._frames,
            lost_frames=self._lost_frames,
            presented=self._outcomes.total() + self._unrecorded,
            granted=self._outcomes[Outcome.GRANTED],
            denied=self._outcomes[Outcome.DENIED],
            attention=self._outcomes[Outcome.ATTENTION],
            unread=self._unread,
            unrecorded=self._unrecorded,
            recording=self._recording,
        )

    def _answer(self, presentation: Presentation, captured_at: float) -> None:
        answer = self._judge.judge(presentation.content, self._granted_at.get)
        verdict = answer.verdict
        now, reading = self._clock.monotonic(), self._clock.reading()
        event = ScanEvent(
            direction=self._direction,
            outcome=verdict.outcome,
            reason=verdict.reason,
            credential=self._identities.keep(answer.credential, answer.ref, verdict, reading),
            clock=reading,
            rules=answer.rules,
            engine=presentation.engine,
            latency_ms=round((now - captured_at) * 1000),
            lists=answer.lists,
        )
        try:
            stored = self._recorder.append(event)
        except JournalUnusable:
            # Damaged while running: only a new start can begin a new journal.
            self._panel.show(Cue.FAULT)
            raise
        except JournalError as error:
            self._not_recorded(error, verdict)
            return
        self._panel.show(cue_for(verdict))
        for follow in self._followers:
            follow(event)
        self._recorded(event, stored)
        if verdict.outcome is Outcome.GRANTED and verdict.reason is not Reason.ALREADY_SHOWN:
            self._remember(answer.identity, now)

    def _recorded(self, event: ScanEvent, stored: StoredEvent) -> None:
        self._outcomes[event.outcome] += 1
        if not self._recording:
            log.warning("events are recorded again, after %d that could not be", self._unrecorded)
        self._recording = True
        scan = {
            "seq": stored.seq,
            "kind": event.credential.kind,
            "outcome": event.outcome,
            "reason": event.reason,
            "latency_ms": event.latency_ms,
        }
        text = "%s (%s): %s, event %d"
        log.info(
            text,
            event.outcome,
            event.reason,
            event.credential.kind,
            stored.seq,
            extra={"fields": {"scan": scan}},
        )

    def _tell_unread(self, unread: Unread) -> None:
        self._unread += 1
        side_px = round(side_of(unread.corners))
        event = UnreadEvent(self._direction, unread.cause, side_px, self._clock.reading())
        try:
            stored = self._recorder.append(event)
        except JournalError as error:
            log.warning("a code that was not read could not be recorded: %s", error)
        else:
            fields = {"unread": {"seq": stored.seq, "cause": unread.cause, "side_px": side_px}}
            log.info("seen, not read: %s, event %d", unread.cause, stored.seq, extra={"fields": fields})
        # Asking somebody to hold still promises nothing, so it does not depend on the card.
        self._panel.show(Cue.ATTENTION)

    def _steer_for(self, frame: Frame, sights: list[Unread]) -> None:
        read, now = self._tracker.in_view, self._clock.monotonic()
        controls = self._steering.observe(frame, sights, read=read, now=now)
        if controls is not None:
            log.debug("asks the camera for %s", controls)
            self._steer(controls)

    def _not_recorded(self, error: JournalError, verdict: Verdict) -> None:
        self._unrecorded += 1
        if self._recording:
            log.error("an event could not be recorded: %s", error)
        self._recording = False
        self._panel.show(cue_for(verdict) if self._admit_unrecorded else Cue.FAULT)

    def _remember(self, identity: str, now: float) -> None:
        self._granted_at[identity] = now
        self._granted_at.move_to_end(identity)
        if len(self._granted_at) > REMEMBERED_GRANTS:
            self._granted_at.popitem(last=False)


def cue_for(verdict: Verdict) -> Cue:
    """What the panel shows for a recorded verdict."""
    match verdict.outcome:
        case Outcome.GRANTED:
            return Cue.ALREADY_SHOWN if verdict.reason is Reason.ALREADY_SHOWN else Cue.GRANTED
        case Outcome.DENIED:
            return Cue.DENIED
        case Outcome.ATTENTION:
            return Cue.ATTENTION
