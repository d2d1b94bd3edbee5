"""What the camera checks in the virtual machine share: pictures with codes, counting, and telling."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import zxingcpp

from device.capture.loop import CaptureLoop, CaptureStats
from device.runtime import LatestSlot, SystemClock, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from device.capture.loop import FrameSource
    from device.model import Frame

# The machine is one process on a busy host.
PATIENCE_S = 60.0


@dataclass
class Running:
    """A capture worker at work on a real source."""

    loop: CaptureLoop
    worker: Worker
    slot: LatestSlot[Frame]
    first_frame: threading.Event = field(default_factory=threading.Event)

    @property
    def stats(self) -> CaptureStats:
        return self.loop.stats

    def frame(self) -> Frame:
        """The next frame from the slot."""
        frame = self.slot.take(PATIENCE_S)
        assert frame is not None, f"no frame: {self.worker.complaint()}"
        return frame

    def wait_for(self, reached: Callable[[CaptureStats], bool], what: str) -> None:
        """Waits until the counters say so."""
        until = time.monotonic() + PATIENCE_S
        pause = threading.Event()
        while not reached(self.stats):
            assert time.monotonic() < until, f"{what}: {self.stats}, {self.worker.complaint()}"
            pause.wait(0.02)


@contextmanager
def capturing(source: FrameSource, *, stall_s: float = 3.0, reopen_attempts: int = 5) -> Iterator[Running]:
    """Runs the production loop on a source, in a worker of its own; it must stop when asked."""
    clock = SystemClock()
    slot: LatestSlot[Frame] = LatestSlot()
    first_frame = threading.Event()
    loop = CaptureLoop(
        source=source,
        slot=slot,
        clock=clock,
        stall_s=stall_s,
        reopen_attempts=reopen_attempts,
        on_first_frame=first_frame.set,
        on_end=lambda: None,
    )
    worker = Worker("capture", loop.body, deadline_s=loop.silence_s, clock=clock, join_s=10)
    running = Running(loop, worker, slot, first_frame)
    worker.start()
    try:
        yield running
    finally:
        worker.ask_to_stop()
        assert worker.join(), "the capture worker does not stop"


def read(frame: Frame) -> set[str]:
    """The texts of the codes in a frame."""
    return {r.text for r in zxingcpp.read_barcodes(frame.luma)}


def seconds(work: Callable[[], object]) -> float:
    """How long a call takes."""
    start = time.monotonic()
    work()
    return time.monotonic() - start


def open_files() -> int:
    """How many file descriptors this process has."""
    return len(list(Path("/proc/self/fd").iterdir()))


def told(sentence: str, check: Callable[[], str | None]) -> None:
    """Runs one check and prints its sentence with what it found."""
    began = time.monotonic()
    found = check()
    took = time.monotonic() - began
    print(f"ok {took:6.2f} s  {sentence.replace('_', ' ')}{f': {found}' if found else ''}", flush=True)
