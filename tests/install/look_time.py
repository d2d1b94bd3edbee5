"""look_time PICTURE: how long the decoder's child takes to start, and to look at this picture."""

from __future__ import annotations

import statistics
import sys

import cv2

from device.decode.children import START_S
from device.decode.process import Child
from device.runtime import SystemClock

LOOKS = 30
# A look on an emulated processor whose host is busy.
LOOK_S = 60.0


def main(picture: str) -> None:
    """Prints both, and whether system calls are filtered."""
    luma = cv2.imread(picture, cv2.IMREAD_GRAYSCALE)
    if luma is None:
        raise SystemExit(f"{picture}: not a picture")
    clock = SystemClock()
    began = clock.monotonic()
    child = Child(engines=("zxing", "zbar"), capacity=luma.size, clock=clock)
    child.await_ready(START_S)
    started = clock.monotonic() - began
    spent = []
    for number in range(LOOKS):
        began = clock.monotonic()
        child.begin(luma, sequence=number, budget_ms=0.0)
        look = child.finish(clock.monotonic() + LOOK_S)
        spent.append(clock.monotonic() - began)
        if not look.symbols:
            raise SystemExit("nothing was read")
    child.kill()
    sys.stdout.write(
        f"decoder: ready after {started:.2f} s; a look with a code {statistics.median(spent) * 1000:.1f} ms "
        f"(median of {LOOKS}); system calls {'filtered' if child.filtered else 'not filtered'}\n"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
