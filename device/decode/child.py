"""The process that looks at pictures: started as `python -m device.decode.child`, never imported.

It inherits three things: a socket for requests and replies, the shared memory with the picture, and
standard error until it is ready. It ends when the socket closes, and with the daemon in any case.
"""

from __future__ import annotations

import argparse
import mmap
import os
import socket
import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np

from device.decode.confine import confine, die_with
from device.decode.finding import Look
from device.decode.ladder import Ladder
from device.decode.picture import grey, look_at
from device.decode.repair import clean_picture
from device.decode.steps import first_step, further_steps
from device.decode.wire import (
    NOT_A_PICTURE,
    READY,
    READY_UNFILTERED,
    FrameRequest,
    PictureRequest,
    pack_reply,
    unpack_request,
)
from device.decode.zxing import Zxing
from device.runtime import WorkClock

if TYPE_CHECKING:
    from collections.abc import Sequence

ENGINES = ("zbar", "zxing")
# A request is a few dozen bytes.
_MAX_REQUEST_BYTES = 256
_STDERR = 2
# Work is counted in processor time. A machine that gives the child less than this is overloaded: then a
# budget lasts no longer than 1/0.4 times as long, three quarters of the deadline it is made from.
_LEAST_SHARE = 0.4
# Every step once, however slow the machine is.
_WARM_UP_MS = 10_000.0
# A QR code with the text "gate", one row of modules a number.
_WARM_UP_CODE = (
    *(0x1FCD7F, 0x105641, 0x17455D, 0x174B5D, 0x17555D, 0x104141, 0x1FD57F, 0x000F00, 0x154612, 0x14A04B),
    *(0x19DD1F, 0x01AC41, 0x1B655B, 0x0012A3, 0x1FCAE7, 0x1047B2, 0x175AE3, 0x174C62, 0x17591D, 0x104C6A),
    0x1FD957,
)


def main() -> int:
    """Serves requests until the socket closes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parent", type=int, required=True, help="process id of the daemon")
    parser.add_argument("--socket", type=int, required=True, help="file descriptor")
    parser.add_argument("--memory", type=int, required=True, help="file descriptor")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, required=True)
    options = parser.parse_args()
    die_with(options.parent)
    cv2.setNumThreads(1)  # the pool's children are the parallelism
    ladder = _ladder(options.engines)
    with socket.socket(fileno=options.socket) as channel:
        memory = mmap.mmap(options.memory, 0, prot=mmap.PROT_READ)
        os.close(options.memory)
        _warm(options.engines)
        null = os.open(os.devnull, os.O_WRONLY)  # nothing can be opened later
        ready = READY if confine() else READY_UNFILTERED
        # From here on libraries see strangers' pictures: nothing they print may reach the log.
        os.dup2(null, _STDERR)
        os.close(null)
        channel.sendall(ready)
        _serve(channel, memory, ladder)
    return 0


def _ladder(engines: Sequence[str]) -> Ladder:
    return Ladder(
        first=first_step(engines),
        further=further_steps(engines),
        reader=Zxing(thorough=False, unread=False),
        clock=WorkClock(least_share=_LEAST_SHARE),
    )


def _warm(engines: Sequence[str]) -> None:
    """Has every library load what it loads at its first code: later there is no time, and no right, to.

    On a ladder of its own: what such first calls cost must not be taken for the usual.
    """
    noise = np.random.default_rng(1).integers(0, 256, (64, 64), dtype=np.uint8)
    grid = np.array([[row >> bit & 1 for bit in range(20, -1, -1)] for row in _WARM_UP_CODE], np.bool_)
    code = clean_picture(grid)
    for step in (first_step(engines), *further_steps(engines)):
        prepared = step.prepare(code)
        if prepared is not None:
            step.engine.read(prepared)
    grid[9:13, 7:] ^= True  # too much for an engine: the repairs come in
    ladder = _ladder(engines)
    for picture in (noise, clean_picture(grid)):
        ladder.look(picture, budget_ms=_WARM_UP_MS)


def _serve(channel: socket.socket, memory: mmap.mmap, ladder: Ladder) -> None:
    while message := channel.recv(_MAX_REQUEST_BYTES):
        match unpack_request(message):
            case FrameRequest(sequence, width, height, budget_ms):
                luma = np.frombuffer(memory, np.uint8, width * height).reshape(height, width)
                channel.sendall(pack_reply(sequence, (width, height), ladder.look(luma, budget_ms=budget_ms)))
            case PictureRequest() as request:
                channel.sendall(_look_at_picture(request, memory, ladder))


def _look_at_picture(request: PictureRequest, memory: mmap.mmap, ladder: Ladder) -> bytes:
    picture = grey(np.frombuffer(memory, np.uint8, request.length))
    if picture is None:
        return pack_reply(request.sequence, NOT_A_PICTURE, Look())
    height, width = picture.shape
    look = look_at(picture, ladder, frames=request.frames, budget_ms=request.budget_ms)
    return pack_reply(request.sequence, (width, height), look)


if __name__ == "__main__":
    sys.exit(main())
