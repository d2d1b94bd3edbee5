"""When a frame was taken, by the driver's word where that is believable."""

from __future__ import annotations

# A frame waits in a driver's buffers for tenths of a second at most; older stamps are of another clock.
_OLDEST_S = 2.0
# Kernels round, and the two clocks are not read at one instant.
_AHEAD_S = 0.1


def captured_at(stamp_s: float | None, now: float) -> float:
    """`Clock.monotonic()` time of capture.

    Drivers stamp frames with CLOCK_MONOTONIC or CLOCK_BOOTTIME, which are the same until a machine was
    suspended, or with nothing useful at all. A stamp that is not of the last moments is not believed.

    Args:
        stamp_s: the driver's stamp, seconds; None when it gives none.
        now: `Clock.monotonic()` at delivery.

    Returns:
        The stamp, never later than `now`; or `now` when there is no believable one.
    """
    if stamp_s is None or not -_AHEAD_S <= now - stamp_s <= _OLDEST_S:
        return now
    return min(stamp_s, now)
