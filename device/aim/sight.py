"""One frame with what was found in it, and its form between the gate and whoever aims. Pure.

On the socket the watcher asks with a line of JSON, what it wants of the camera or nothing, and gets one
sight: a length, a JSON header, the pixels. So nothing queues, however slow the watcher is.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from device.model import Controls

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from device.model import Cause, Corners, Frame
    from device.scan import Look

HEADER: Final = struct.Struct("!I")
"""Length of the JSON that follows."""

MAX_HEADER_BYTES: Final = 65_536
"""A few codes take a few hundred bytes each."""

MAX_PIXELS: Final = 4608 * 2592
"""The largest picture a configuration allows."""

MAX_REQUEST_BYTES: Final = 200
"""Two numbers and their names."""


@dataclass(frozen=True, slots=True)
class SeenCode:
    """A code in the frame, without what it holds.

    Attributes:
        corners: pixels of the frame.
        kind: what it was read as; empty when it was not read.
        outcome: what the gate answers; empty likewise.
        reason: why; of a code that was not read, the measured cause.
    """

    corners: Corners
    kind: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A frame and what was found.

    Attributes:
        luma: as in `Frame`.
        sequence: as in `Frame`.
        captured_at: as in `Frame`.
        codes: read ones first.
        steerable: whether the camera can be asked for another focus or exposure.
    """

    luma: npt.NDArray[np.uint8]
    sequence: int
    captured_at: float
    codes: tuple[SeenCode, ...]
    steerable: bool


def sight_of(
    frame: Frame,
    look: Look,
    *,
    answer: Callable[[bytes], tuple[str, str, str]],
    diagnose: Callable[[npt.NDArray[np.uint8], Corners], Cause],
    steerable: bool,
) -> Sight:
    """What a frame and the look at it come to.

    Args:
        frame: the frame.
        look: what was found.
        answer: kind, outcome and reason the gate has for a code.
        diagnose: why a code was not read.
        steerable: whether the camera can be asked for another focus or exposure.
    """
    read = (SeenCode(symbol.corners, *answer(symbol.content)) for symbol in look.symbols)
    unread = (SeenCode(corners, "", "", diagnose(frame.luma, corners).value) for corners in look.unread)
    return Sight(frame.luma, frame.sequence, frame.captured_at, (*read, *unread), steerable)


class Garbled(ValueError):
    """Not what the other end of the socket says."""


def pack_sight(sight: Sight) -> tuple[bytes, memoryview]:
    """Head and pixels, to be sent one after the other."""
    height, width = sight.luma.shape
    told = {
        "width": width,
        "height": height,
        "sequence": sight.sequence,
        "captured_at": sight.captured_at,
        "steerable": sight.steerable,
        "codes": [asdict(code) for code in sight.codes],
    }
    header = json.dumps(told).encode()
    return HEADER.pack(len(header)) + header, np.ascontiguousarray(sight.luma).data.cast("B")


def read_sight(receive: Callable[[int], bytes]) -> Sight:
    """The next sight; `receive` gives exactly so many bytes.

    Raises:
        Garbled: it is none.
    """
    (length,) = HEADER.unpack(receive(HEADER.size))
    if not 0 < length <= MAX_HEADER_BYTES:
        raise Garbled("no sight begins like this")
    try:
        told = json.loads(receive(length))
        width, height = int(told["width"]), int(told["height"])
        codes = tuple(_code(code) for code in told["codes"])
        sequence, captured_at = int(told["sequence"]), float(told["captured_at"])
        steerable = bool(told["steerable"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Garbled("no header of a sight") from None
    if not (width > 0 and height > 0 and width * height <= MAX_PIXELS):
        raise Garbled("no size of a picture")
    luma = np.frombuffer(receive(width * height), np.uint8).reshape(height, width)
    return Sight(luma, sequence, captured_at, codes, steerable)


def pack_request(controls: Controls | None) -> bytes:
    """Asks for the next sight; with controls, for those of the camera first."""
    return json.dumps(None if controls is None else asdict(controls)).encode() + b"\n"


def read_request(line: bytes) -> Controls | None:
    """What the camera is to be asked for; None for nothing new.

    Raises:
        Garbled: it is no request.
    """
    try:
        told = json.loads(line)
        if told is None:
            return None
        focus, exposure = told["focus_dioptres"], told["exposure_us"]
        return Controls(
            focus_dioptres=None if focus is None else float(focus),
            exposure_us=None if exposure is None else int(exposure),
        )
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        raise Garbled("no request") from None


def _code(told: dict[str, Any]) -> SeenCode:
    a, b, c, d = ((int(x), int(y)) for x, y in told["corners"])
    return SeenCode((a, b, c, d), str(told["kind"]), str(told["outcome"]), str(told["reason"]))
