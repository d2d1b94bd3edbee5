"""The box itself: card, power, heat, memory, clock. Quick enough for every night, while the gate works."""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import tempfile
from typing import TYPE_CHECKING, Final

from device.doctor.finding import Finding, failed, ok, skipped, warned
from device.vitals import temperature_millis

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from device.runtime import Clock

FREE_MIN_BYTES: Final = 64 * 2**20
"""Logs and the journal's own temporary files; with less, Debian itself stops working."""

SLOW_S: Final = 0.1
"""A flush as slow as this is felt at the gate: the answer is due within half a second."""

TOO_SLOW_S: Final = 1.0
"""The person has gone on, or shows the code again."""

FLUSHES: Final = 8
"""Enough for a median; a card in trouble takes seconds for each."""

FLUSHES_WITHIN_S: Final = 3.0
"""A card in trouble is found out by then, and whoever waits has other things to do."""

FLUSH_BYTES: Final = 4096
"""An event's commit writes about as much."""

HOT_C: Final = 80.0
"""From here on a Raspberry Pi slows itself down (documentation, "Frequency management")."""

WARM_C: Final = 70.0
"""In a box in the sun it is hotter tomorrow."""

MEMORY_MIN_BYTES: Final = 64 * 2**20
"""Below it the kernel begins to kill."""

# Bits of the firmware's get_throttled (Raspberry Pi documentation, vcgencmd).
_UNDER_VOLTAGE_NOW: Final = 1 << 0
_UNDER_VOLTAGE_SINCE_BOOT: Final = 1 << 16
_THROTTLED_SINCE_BOOT: Final = 1 << 18


def free_space(folder: Path, *, journal_bytes: int, journal_max_bytes: int) -> Finding:
    """Whether the journal can grow to its bound."""
    check = "card_space"
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return failed(check, f"{folder}: {error.strerror}", "make the folder, or correct journal.path")
    still_needed = max(journal_max_bytes - journal_bytes, 0)
    told = f"{_mib(free)} free, the journal may still grow by {_mib(still_needed)}"
    if free < FREE_MIN_BYTES:
        return failed(check, told, "delete what does not belong to the gate, or use a larger card")
    if free < still_needed + FREE_MIN_BYTES:
        return warned(check, told, "lower journal.max_bytes, or use a larger card")
    return ok(check, told)


def write_latency(folder: Path, clock: Clock) -> Finding:
    """How long the card takes for what an event writes. Blocks for a few flushes."""
    check = "card_writes"
    try:
        spent_s = sorted(_flushes(folder, clock))
    except OSError as error:
        return failed(
            check, f"{folder}: {error.strerror}", "the folder must belong to the user the gate runs as"
        )
    median_ms, worst_ms = statistics.median(spent_s) * 1000, spent_s[-1] * 1000
    told = f"4 KiB and a flush take {median_ms:.1f} ms (median of {len(spent_s)}), {worst_ms:.0f} ms at worst"
    if spent_s[-1] >= TOO_SLOW_S:
        return failed(check, told, "the card is worn out or fake: replace it with one rated A1 or A2")
    if statistics.median(spent_s) >= SLOW_S:
        return warned(check, told, "a card rated A1 or A2 answers several times faster")
    return ok(check, told)


def _flushes(folder: Path, clock: Clock) -> Iterator[float]:
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        began = clock.monotonic()
        for _ in range(FLUSHES):
            before = clock.monotonic()
            if before - began > FLUSHES_WITHIN_S:
                return
            file.write(os.urandom(FLUSH_BYTES))
            os.fdatasync(file.fileno())
            yield clock.monotonic() - before


def power(sys: Path) -> Finding:
    """Whether the supply holds, as the firmware of a Raspberry Pi tells.

    Args:
        sys: /sys.
    """
    check = "power"
    bits = _throttled(sys / "devices/platform/soc/soc:firmware/get_throttled")
    if bits is None:
        return skipped(check, "this machine does not tell about its supply")
    if bits & _UNDER_VOLTAGE_NOW:
        remedy = "use the official supply, a shorter and thicker cable; unplug lamp and modem to find out"
        return failed(check, "under-voltage now: the card may lose what it writes", remedy)
    if bits & _UNDER_VOLTAGE_SINCE_BOOT:
        return warned(
            check, "under-voltage since the start", "use the official supply, a shorter and thicker cable"
        )
    if bits & _THROTTLED_SINCE_BOOT:
        return warned(check, "slowed down by heat since the start", "give the box air, or shade")
    return ok(check, "no under-voltage since the start")


def temperature(sys: Path) -> Finding:
    """How hot the processor is."""
    check = "temperature"
    millis = temperature_millis(sys / "class/thermal/thermal_zone0/temp")
    if millis is None:
        return skipped(check, "this machine does not tell its temperature")
    degrees = millis / 1000
    told = f"the processor has {degrees:.0f} °C"
    if degrees >= HOT_C:
        return failed(check, f"{told} and slows itself down", "give the box air, shade or a heat sink")
    if degrees >= WARM_C:
        return warned(check, told, "give the box air or shade: from 80 °C on it slows itself down")
    return ok(check, told)


def memory(proc: Path) -> Finding:
    """Whether the machine has memory left."""
    check = "memory"
    available = None
    with contextlib.suppress(OSError, ValueError, IndexError):
        text = (proc / "meminfo").read_text(encoding="ascii")
        line = next(line for line in text.splitlines() if line.startswith("MemAvailable:"))
        available = int(line.split()[1]) * 1024
    if available is None:
        return skipped(check, "this machine does not tell about its memory")
    told = f"{_mib(available)} of memory available"
    if available < MEMORY_MIN_BYTES:
        return warned(check, told, "stop what does not belong to the gate, or use a Pi with more memory")
    return ok(check, told)


def time_of_day(clock: Clock) -> Finding:
    """Whether the clock is set by somebody who knows."""
    check = "clock"
    now = f"{clock.utc():%Y-%m-%d %H:%M:%S} UTC"
    if clock.trusted():
        return ok(check, f"synchronised: {now}")
    remedy = (
        "check the network and `timedatectl`; until then events carry the time since the start and are "
        "dated once the clock is set"
    )
    return warned(check, f"not synchronised; it says {now}", remedy)


def _throttled(path: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return int(path.read_text(encoding="ascii"), 16)
    return None


def _mib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
