"""Decoder pools for tests: real child processes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from device.decode.pool import DecoderPool
from device.decode.process import Child
from device.runtime import SystemClock

if TYPE_CHECKING:
    from collections.abc import Sequence


def decoder_pool(
    *,
    engines: Sequence[str] = ("zxing", "zbar"),
    deadline_ms: float = 5000,
    capacity: int = 1280 * 720,
    cores: int = 2,
) -> DecoderPool:
    """A pool, not yet started."""
    clock = SystemClock()
    child = partial(Child, engines=engines, capacity=capacity, clock=clock)
    return DecoderPool(child=child, deadline_ms=deadline_ms, clock=clock, cores=cores)
