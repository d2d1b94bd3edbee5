"""A clock that only moves when a test moves it, and one of another machine."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from device.model import ClockReading
from device.runtime import SystemClock, rfc3339


class ManualClock:
    """Implements `device.runtime.Clock`; both clocks stand still until told otherwise. Safe from any thread.

    Args:
        monotonic: where the monotonic clock begins, seconds.
        wall: where the wall clock begins; aware.
        trusted: what `trusted()` says until `set_wall` changes it.
        boot: the boot id that readings carry.
    """

    def __init__(
        self,
        *,
        monotonic: float = 1000.0,
        wall: datetime = datetime(2026, 3, 2, 8, 0, tzinfo=UTC),
        trusted: bool = True,
        boot: str = "00000000-0000-4000-8000-000000000001",
    ) -> None:
        self._lock = threading.Lock()
        self._monotonic = monotonic
        self._wall = wall
        self._trusted = trusted
        self._boot = boot

    def advance(self, seconds: float) -> None:
        """Lets time pass on both clocks. It never runs backwards."""
        if seconds < 0:
            raise ValueError("time does not run backwards; to set the wall clock use set_wall")
        with self._lock:
            self._monotonic += seconds
            self._wall += timedelta(seconds=seconds)

    def set_wall(self, wall: datetime, *, trusted: bool = True) -> None:
        """Sets the wall clock, as the network does some time after start. The monotonic one stays."""
        with self._lock:
            self._wall = wall
            self._trusted = trusted

    def reboot(self, boot: str) -> None:
        """Begins a new boot: the monotonic clock starts again at zero, the wall clock stays."""
        with self._lock:
            self._monotonic = 0.0
            self._boot = boot

    def monotonic(self) -> float:
        with self._lock:
            return self._monotonic

    def utc(self) -> datetime:
        with self._lock:
            return self._wall

    def trusted(self) -> bool:
        with self._lock:
            return self._trusted

    def reading(self) -> ClockReading:
        with self._lock:
            return ClockReading(
                wall=rfc3339(self._wall),
                trusted=self._trusted,
                boot=self._boot,
                uptime_ms=int(self._monotonic * 1000),
            )


class OtherMachine(SystemClock):
    """This machine's time, set, on a machine of another boot id."""

    def __init__(self, boot: str) -> None:
        super().__init__()
        self._boot = boot

    def trusted(self) -> bool:
        return True
