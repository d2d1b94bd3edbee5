"""Threads and time: Clock, LatestSlot, Worker, Supervisor. Nothing here knows about gates.

Every thread of the process is a `Worker` (foreign libraries' threads excepted: paho's and gpiozero's).
A worker has a name, an owner (`Supervisor`), a stop event, a beat with a deadline and a join timeout.
A worker that ends by itself, or whose beat goes stale, ends the process: systemd starts it again and
the journal makes that harmless.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from device.errors import GateError, WorkerDied
from device.model import ClockReading

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

T = TypeVar("T")


# -- time -----------------------------------------------------------------------------------------


class Clock(Protocol):
    """Two clocks: one that never jumps, and one that people read."""

    def monotonic(self) -> float:
        """Seconds since boot, suspended time included; never jumps. For every duration."""
        ...

    def utc(self) -> datetime:
        """Wall time, aware, UTC. May jump by years when the network first sets it."""
        ...

    def trusted(self) -> bool:
        """Whether the kernel holds the wall clock to be synchronised."""
        ...

    def reading(self) -> ClockReading:
        """Both clocks in the form events keep."""
        ...


class _Timex(ctypes.Structure):
    """`struct timex` of adjtimex(2), as far as it is read; the rest is room for the kernel."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("_", ctypes.c_long * 3),
        ("status", ctypes.c_int),
        ("_room", ctypes.c_long * 40),
    )


_STA_UNSYNC = 0x0040


class SystemClock:
    """The machine's clocks. Safe from any thread; nothing blocks.

    `monotonic` is CLOCK_BOOTTIME, so that a duration and an event's uptime are the same scale.
    `trusted` asks the kernel (adjtimex needs no privilege to read): timesyncd and chrony both clear
    STA_UNSYNC there, while their own marker files differ.
    """

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()

    def monotonic(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def utc(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - this is the one place that may ask

    def trusted(self) -> bool:
        timex = _Timex()
        state: int = self._libc.adjtimex(ctypes.byref(timex))
        return state >= 0 and not timex.status & _STA_UNSYNC

    def reading(self) -> ClockReading:
        return ClockReading(
            wall=rfc3339(self.utc()),
            trusted=self.trusted(),
            boot=self._boot,
            uptime_ms=int(self.monotonic() * 1000),
        )


class WorkClock:
    """Seconds of work done by the calling thread: a busy machine takes nothing from anybody's budget of it.

    Only differences mean anything. To be used from one thread; nothing blocks.

    Args:
        least_share: of the time that passes, so much counts as work even when the processor was given to
            others: whoever waits for the answer does not wait for ever.
    """

    def __init__(self, *, least_share: float) -> None:
        self._least_share = least_share
        self._worked = time.thread_time()
        self._passed = time.monotonic()
        self._total = 0.0

    def monotonic(self) -> float:
        """Seconds; never runs backwards."""
        worked, passed = time.thread_time(), time.monotonic()
        self._total += max(worked - self._worked, self._least_share * (passed - self._passed))
        self._worked, self._passed = worked, passed
        return self._total


def rfc3339(moment: datetime) -> str:
    """UTC with milliseconds and `Z`, the one form times have on the wire."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# -- hand-off -------------------------------------------------------------------------------------


class LatestSlot(Generic[T]):
    """Holds one item; a newer one replaces it and the loss is counted. Safe from any thread.

    Newest wins: a late answer at a gate is a wrong answer, so frames are never queued.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._replaced = 0

    @property
    def replaced(self) -> int:
        """How many items were replaced before anybody took them."""
        return self._replaced

    def put(self, item: T) -> None:
        """Leaves the item, replacing what lies there. Never blocks."""
        with self._changed:
            if self._item is not None:
                self._replaced += 1
            self._item = item
            self._changed.notify()

    def take(self, timeout_s: float) -> T | None:
        """The newest item, or None when none came within `timeout_s`. Blocks up to that long."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None, timeout_s)
            item, self._item = self._item, None
            return item

    @property
    def empty(self) -> bool:
        """Whether nothing waits to be taken."""
        return self._item is None


# -- threads --------------------------------------------------------------------------------------


class Worker:
    """A named thread that beats, stops when asked, and is the process's death when it dies.

    The body is called once, in the thread, with the worker; it returns soon after `stopping` is set
    and calls `beat()` at least every `deadline_s`. Returning while not asked to stop counts as death.

    Args:
        name: of the thread, in logs and in the STATUS line.
        body: what the thread does.
        deadline_s: how old a beat may be before the process is not healthy any more.
        clock: for beats.
        join_s: how long `join` waits at stop.
        wake: called after `stopping` is set, to end a wait inside the body early.
    """

    def __init__(
        self,
        name: str,
        body: Callable[[Worker], None],
        *,
        deadline_s: float,
        clock: Clock,
        join_s: float = 2.0,
        wake: Callable[[], None] | None = None,
    ) -> None:
        self.name = name
        self.stopping = threading.Event()
        self.error: BaseException | None = None
        self._body = body
        self._deadline_s = deadline_s
        self._join_s = join_s
        self._clock = clock
        self._wake = wake
        self._beat_at = clock.monotonic()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._ended = threading.Event()

    def start(self) -> None:
        """Starts the thread. The first beat counts from here."""
        self.beat()
        self._thread.start()

    def beat(self) -> None:
        """Says that the body still makes progress. Called from the body's thread; never blocks."""
        self._beat_at = self._clock.monotonic()

    def ask_to_stop(self) -> None:
        """Sets `stopping` and wakes the body. Does not wait."""
        self.stopping.set()
        if self._wake:
            self._wake()

    def join(self) -> bool:
        """Waits up to `join_s` for the thread; whether it ended. A worker never started has ended."""
        if self._thread.ident is not None:
            self._thread.join(self._join_s)
        return not self._thread.is_alive()

    def complaint(self) -> str | None:
        """What is wrong with this worker, or None while it is healthy."""
        if self._ended.is_set():
            if self.error is not None:
                return f"{self.name} died: {type(self.error).__name__}: {self.error}"
            if not self.stopping.is_set():
                return f"{self.name} ended by itself"
            return None
        age = self._clock.monotonic() - self._beat_at
        return f"{self.name} has not moved for {age:.1f} s" if age > self._deadline_s else None

    def _run(self) -> None:
        _tell_kernel(self.name)
        try:
            self._body(self)
        except BaseException as error:  # whatever it was, the supervisor ends the process
            self.error = error
            # The supervisor tells in one line what was raised on purpose; a mistake of ours needs its trace.
            if not isinstance(error, GateError):
                log.critical("worker %s died", self.name, exc_info=error)
        finally:
            self._ended.set()


def _tell_kernel(name: str) -> None:
    """Names the calling thread for `top -H` and the like, as Python itself does from 3.14 on."""
    with contextlib.suppress(OSError):
        Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text(name, encoding="utf-8")


class Supervisor:
    """Owns the workers: starts them in order, watches them, stops them in reverse order.

    Used from the main thread only.
    """

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._workers = tuple(workers)

    def start(self) -> None:
        """Starts every worker, in the order given."""
        for worker in self._workers:
            worker.start()

    def check(self) -> None:
        """Looks at every worker once.

        Raises:
            WorkerDied: one ended by itself, or its beat is too old; caused by what it raised, if it did.
        """
        complaints = [c for w in self._workers if (c := w.complaint())]
        if complaints:
            raise WorkerDied("; ".join(complaints)) from next(
                (w.error for w in self._workers if w.error), None
            )

    def stop(self) -> list[str]:
        """Asks all to stop, then joins each; the names of those that would not end."""
        for worker in reversed(self._workers):
            worker.ask_to_stop()
        return [w.name for w in reversed(self._workers) if not w.join()]
