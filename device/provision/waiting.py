"""A device without a configuration: camera, decoder and panel only, until a card has brought one."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from device.errors import DecoderDied
from device.model import Cue
from device.provision.lookout import CardLookout
from device.runtime import LatestSlot, Supervisor, Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.capture.loop import CaptureLoop
    from device.gpio.panel import GpioPanel
    from device.model import Frame
    from device.runtime import Clock
    from device.scan import Decoder

log = logging.getLogger(__name__)

FRAME_WAIT_S: Final = 0.25
"""How long one turn waits for a frame: a request to stop is heard after it."""

PANEL_DEADLINE_S: Final = 5.0
"""Its thread wakes at least once a second."""

CUE_S: Final = 1.2
"""As long as the answer is seen and heard, before the pins are given back."""

SHOWING_ENDS_AFTER_S: Final = 1.0
"""As at a gate that runs: a code out of view for this long is answered anew when it returns."""


def wait(
    *,
    capture: Callable[[LatestSlot[Frame], threading.Event], CaptureLoop],
    decoder: Decoder,
    panel: GpioPanel,
    answer: Callable[[bytes], bool],
    meanwhile: Callable[[], bool],
    clock: Clock,
    stop: threading.Event,
) -> bool:
    """Whether a card has configured the device; False when asked to stop or a replayed scene has ended.

    Blocks until then.

    Args:
        capture: makes the capture loop, for a slot and an event set at the end of a finite source.
        decoder: started.
        panel: its lines are closed at the end.
        answer: of each code that calls itself a card or a part of one; whether it was the one.
        meanwhile: called several times a second; whether something is under way that is worth the wait.
        clock: for beats and showings.
        stop: set when the process is asked to stop.

    Raises:
        WorkerDied: camera or panel.
        GateError: what `answer` raises.
    """
    slot: LatestSlot[Frame] = LatestSlot()
    ended = threading.Event()
    camera = capture(slot, ended)
    handed: list[bytes] = []

    def hand(content: bytes) -> bool:
        handed.append(content)
        return True

    lookout = CardLookout(decoder=decoder, hand=hand, ends_after_s=SHOWING_ENDS_AFTER_S, clock=clock)
    workers = Supervisor(
        [
            Worker("capture", camera.body, deadline_s=camera.silence_s, clock=clock, join_s=camera.stop_s),
            Worker("panel", panel.body, deadline_s=PANEL_DEADLINE_S, clock=clock, wake=panel.wake),
        ]
    )
    panel.rest(Cue.STARTING)
    workers.start()
    configured = False
    try:
        while not stop.is_set() and not (ended.is_set() and slot.empty):
            workers.check()
            if not meanwhile() and configured:
                stop.wait(CUE_S)
                return True
            frame = slot.take(FRAME_WAIT_S)
            if frame is not None:
                _look(lookout, frame)
            while handed and not configured:
                configured = answer(handed.pop(0))
        if configured:
            stop.wait(CUE_S)
        return configured
    finally:
        workers.stop()


def _look(lookout: CardLookout, frame: Frame) -> None:
    try:
        lookout.look(frame)
    except DecoderDied as error:
        log.warning("a frame was lost: %s", error)
