"""The readers compared: ours as the daemon uses it, and what most projects do instead.

Each tells what a frame held and what it cost in processor time of one core, so that other work on the
machine does not count.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, Self

import cv2
import zxingcpp
from pyzbar import pyzbar

from device.decode.pool import BUDGET_MS, DecoderPool
from device.errors import DecoderDied
from device.model import Frame
from device.runtime import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from bench.lane.picture import Luma

DEADLINE_MS = 1000.0
"""The project's default; divided by the factor, because a budget in milliseconds is spent sooner here."""

STRETCH_SAMPLE_S = 0.3
"""Long enough to meet what else runs, short beside a group of people."""

# linux/posix-timers.h, CPUCLOCK_SCHED: which of a process's clocks is meant.
_PROCESS_CLOCK = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader made of one frame.

    Attributes:
        texts: of every code read.
        busy_s: processor seconds until the answer.
    """

    texts: tuple[bytes, ...] = field(repr=False)
    busy_s: float


class Reader(Protocol):
    """Looks at one frame after another."""

    @property
    def name(self) -> str:
        """For the table."""
        ...

    def read(self, luma: Luma) -> Reading:
        """Blocks until it is done."""
        ...


class Plain:
    """One call of a library for each frame, nothing kept between them."""

    def __init__(self, name: str, look: Callable[[Luma], list[bytes]]) -> None:
        self.name = name
        self._look = look

    def read(self, luma: Luma) -> Reading:
        begun = time.thread_time()
        texts = tuple(self._look(luma))
        return Reading(texts, time.thread_time() - begun)


class Ours:
    """`DecoderPool` as the daemon asks it: a child process that remembers what the frames before told.

    Args:
        factor: by how much the modelled machine is slower than this one.
        stretch: how much longer than its processor time work takes here at the moment, see `stretch`.
    """

    name = "gate-scanner"

    def __init__(self, *, factor: float, stretch: float) -> None:
        self._clock = SystemClock()
        self._deadline_s = DEADLINE_MS / 1000 / factor
        self._pool = DecoderPool(
            engines=("zxing", "zbar"),
            deadline_ms=DEADLINE_MS / factor * stretch,
            capacity=1280 * 720,
            clock=self._clock,
            budget_ms=BUDGET_MS / factor * stretch,
        )
        self._sequence = 0

    @property
    def lost(self) -> int:
        """Frames that cost a child: on a busy machine also ours, which a Pi by itself would not lose."""
        return self._pool.stats.lost

    def read(self, luma: Luma) -> Reading:
        self._sequence += 1
        pid = self._pool.children[0].pid
        begun, child_begun = time.thread_time(), _processor_s(pid)
        try:
            symbols = self._pool.look(Frame(luma, self._sequence, self._clock.monotonic())).symbols
        except DecoderDied:
            return Reading((), self._deadline_s)
        busy_s = time.thread_time() - begun + _processor_s(pid) - child_begun
        return Reading(tuple(symbol.content for symbol in symbols), busy_s)

    def __enter__(self) -> Self:
        self._pool.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._pool.close()


def stretch() -> float:
    """How much longer than its processor time work takes here: 1 on an idle machine.

    The pool's budget is wall-clock time; on a busy machine it would pay for less work than on a Pi by itself.
    """
    begun, wall_begun = time.thread_time(), time.perf_counter()
    while time.thread_time() - begun < STRETCH_SAMPLE_S:
        pass
    return max(1.0, (time.perf_counter() - wall_begun) / (time.thread_time() - begun))


def peers(*, more: bool = False) -> tuple[Reader, ...]:
    """The naive loop first: all kinds of codes, as its documentation has it."""
    plain = (Plain("pyzbar loop", _pyzbar), Plain("zxing-cpp loop", _zxing))
    if not more:
        return plain
    return (*plain, Plain("pyzbar QR only", _pyzbar_qr), Plain("OpenCV loop", _Opencv()))


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
