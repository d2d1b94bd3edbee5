"""The readers compared: ours as the daemon uses it, and what most projects do instead.

Each tells what a frame held and what it cost in processor time of a core, so that other work on this machine
does not count, times the factor by which the modelled machine is slower.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, Self

import cv2
import zxingcpp
from pyzbar import pyzbar

from device.decode.finding import Look
from device.decode.motion import Effort
from device.decode.pool import DecoderPool
from device.decode.process import Child
from device.errors import DecoderDied
from device.model import Frame
from device.runtime import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from bench.lane.picture import Luma

DEADLINE_MS = 1000.0
"""The project's default."""

STEP_UP_S = 0.75
"""Assumed: 0.8 m in a queue at 1.1 m/s; the next person's code comes no sooner."""

GIVEN_UP_S = 60.0
"""A child that has not answered here by then never will; what counts is the modelled deadline."""

# linux/posix-timers.h, CPUCLOCK_SCHED: which of a process's clocks is meant.
_PROCESS_CLOCK = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader made of one frame. Seconds are the modelled machine's.

    Attributes:
        texts: of every code read.
        took_s: until the answer.
        busy_s: of processors meanwhile begun, which is more where something is done beside.
        left_out: whether it did not look, because nothing had changed.
    """

    texts: tuple[bytes, ...] = field(repr=False)
    took_s: float
    busy_s: float
    left_out: bool = False


class Reader(Protocol):
    """Looks at one frame after another."""

    @property
    def name(self) -> str:
        """For the table."""
        ...

    def read(self, luma: Luma, at_s: float) -> Reading:
        """What it makes of a frame when it begins at that moment, seconds since the person's hand set out."""
        ...


class Plain:
    """One call of a library for each frame, nothing kept between them."""

    def __init__(self, name: str, look: Callable[[Luma], list[bytes]], *, factor: float) -> None:
        self.name = name
        self._look = look
        self._factor = factor

    def read(self, luma: Luma, at_s: float) -> Reading:  # noqa: ARG002 - it knows no time
        begun = time.thread_time()
        texts = tuple(self._look(luma))
        busy_s = (time.thread_time() - begun) * self._factor
        return Reading(texts, busy_s, busy_s)


class Machine:
    """The modelled machine: its clock, and what its processors have done.

    Args:
        factor: by how much it is slower than this one.
    """

    def __init__(self, factor: float) -> None:
        self.factor = factor
        self.now_s = 0.0
        self.busy_s = 0.0

    def monotonic(self) -> float:
        """As `Clock` has it."""
        return self.now_s


class ModelledChild:
    """A real decoder child whose answers come when the modelled machine would have them.

    It does its work as soon as it is asked; waiting moves the modelled clock.
    """

    def __init__(self, machine: Machine) -> None:
        self._clock = SystemClock()
        self._child = Child(engines=("zxing", "zbar"), capacity=1280 * 720, clock=self._clock)
        self._machine = machine
        self._due_s = 0.0
        self._answer: Look | DecoderDied = Look()
        self.await_ready(GIVEN_UP_S)

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def filtered(self) -> bool:
        return self._child.filtered

    def ready(self) -> bool:
        return self._child.ready()

    def await_ready(self, timeout_s: float) -> bool:
        return self._child.await_ready(max(timeout_s, GIVEN_UP_S))

    def begin(self, luma: Luma, *, sequence: int, budget_ms: float) -> None:
        begun = _processor_s(self.pid)
        self._child.begin(luma, sequence=sequence, budget_ms=budget_ms / self._machine.factor)
        try:
            self._answer = self._child.finish(self._clock.monotonic() + GIVEN_UP_S)
        except DecoderDied as error:
            self._answer, self._due_s = error, self._machine.now_s
            return
        busy_s = (_processor_s(self.pid) - begun) * self._machine.factor
        self._machine.busy_s += busy_s
        self._due_s = self._machine.now_s + busy_s

    def finished(self) -> bool:
        return self._machine.now_s >= self._due_s

    def finish(self, until: float) -> Look:
        self._machine.now_s = max(self._machine.now_s, min(self._due_s, until))
        if self._due_s > until:
            raise DecoderDied("the modelled child overran its deadline")
        if isinstance(self._answer, DecoderDied):
            raise self._answer
        return self._answer

    def look_at_file(
        self, file: Luma, *, sequence: int, frames: int, budget_ms: float, until: float
    ) -> Look | None:
        raise NotImplementedError("nobody holds up files in the lane")

    def kill(self) -> None:
        self._child.kill()


class NoGate:
    """Every frame is worth climbing for."""

    def effort(self, plane: Luma, *, unread: bool) -> Effort:  # noqa: ARG002 - whatever it shows
        return Effort.CLIMB

    def forget(self) -> None:
        pass


class Ours:
    """`DecoderPool` as the daemon asks it: child processes that remember what the frames before told.

    Args:
        factor: by how much the modelled machine is slower than this one.
        cores: it has.
        gated: whether the motion gate may leave frames out.
    """

    def __init__(self, *, factor: float, cores: int = 4, gated: bool = True) -> None:
        self.name = "gate-scanner" if gated else "without its gate"
        self._machine = Machine(factor)
        self._pool = DecoderPool(
            child=lambda: ModelledChild(self._machine),
            deadline_ms=DEADLINE_MS,
            clock=self._machine,
            cores=cores,
            gate=None if gated else NoGate(),
        )
        self._sequence = 0
        self._last_s = self._ahead_s = 0.0

    @property
    def lost(self) -> int:
        """Frames that cost a child."""
        return self._pool.stats.lost

    def read(self, luma: Luma, at_s: float) -> Reading:
        if at_s < self._last_s:
            # The next person's time begins anew, the machine's does not: of the frames between two people one
            # is enough for what is still being done.
            self._ahead_s = self._machine.now_s + STEP_UP_S - at_s
            self._look(luma, at_s + self._ahead_s - STEP_UP_S / 2)
        self._last_s = at_s
        at_s += self._ahead_s
        self._machine.busy_s = 0.0
        begun, unchanged = time.thread_time(), self._pool.stats.unchanged
        texts = self._look(luma, at_s)
        own_s = (time.thread_time() - begun) * self._machine.factor
        took_s, busy_s = self._machine.now_s - at_s + own_s, self._machine.busy_s + own_s
        return Reading(texts, took_s, busy_s, left_out=self._pool.stats.unchanged > unchanged)

    def _look(self, luma: Luma, at_s: float) -> tuple[bytes, ...]:
        self._sequence += 1
        self._machine.now_s = at_s
        try:
            look = self._pool.look(Frame(luma, self._sequence, at_s))
        except DecoderDied:
            return ()
        return tuple(symbol.content for symbol in look.symbols)

    def __enter__(self) -> Self:
        self._pool.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._pool.close()


def peers(factor: float, *, more: bool = False) -> tuple[Reader, ...]:
    """The naive loop first: all kinds of codes, as its documentation has it."""
    plain = (
        Plain("pyzbar loop", _pyzbar, factor=factor),
        Plain("zxing-cpp loop", _zxing, factor=factor),
    )
    if not more:
        return plain
    return (
        *plain,
        Plain("pyzbar QR only", _pyzbar_qr, factor=factor),
        Plain("OpenCV loop", _Opencv(), factor=factor),
    )


def _pyzbar(luma: Luma) -> list[bytes]:
    try:
        return [bytes(found.data) for found in pyzbar.decode(luma) if found.type == "QRCODE"]
    except ValueError:  # an orientation it does not know, on some pictures
        return []


def _pyzbar_qr(luma: Luma) -> list[bytes]:
    try:
        return [bytes(found.data) for found in pyzbar.decode(luma, symbols=[pyzbar.ZBarSymbol.QRCODE])]
    except ValueError:
        return []


def _zxing(luma: Luma) -> list[bytes]:
    found = zxingcpp.read_barcodes(luma, formats=zxingcpp.BarcodeFormat.QRCode)
    return [bytes(barcode.bytes) for barcode in found]


class _Opencv:
    def __init__(self) -> None:
        self._detector = cv2.QRCodeDetector()

    def __call__(self, luma: Luma) -> list[bytes]:
        try:
            text, _, _ = self._detector.detectAndDecode(luma)
        except (cv2.error, UnicodeDecodeError):
            return []
        return [text.encode()] if text else []


def _processor_s(pid: int) -> float:
    """Processor seconds of another process, all threads (clock_getcpuclockid(3) computes the same number)."""
    return time.clock_gettime((~pid << 3) | _PROCESS_CLOCK)
