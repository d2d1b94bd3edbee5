"""What the daemon and its decoder child say to each other. Pure.

The child handles hostile pictures, so the daemon believes nothing it says: every length, count and
number of a reply is checked, and a reply that breaks a rule is as good as a dead child.

Little-endian. A request names what lies in shared memory: a frame (width, height), or a picture file
(its length) to be decoded by the child and looked at as if held up for a number of frames. The reply:
magic, sequence, width, height, failures, spent, counts; then the symbols, each a header with its
corners, its step and its content; then the corners of what was seen and not read, each with its cause.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, TypeAlias

from device.decode.finding import SYMBOLOGY, Look
from device.model import Cause, Symbol

if TYPE_CHECKING:
    from device.model import Corners

# The child's first message: it has loaded its libraries and given up its privileges.
READY = b"gate-decoder ready 1"
# The same where the kernel cannot filter system calls.
READY_UNFILTERED = b"gate-decoder ready 1, unfiltered"

# What the child is asked to look at at once: a phone's 24 megapixels, or a file of that many bytes.
MAX_BYTES = 24_000_000
# Version 40-L, numeric, carries 7,089 digits: no QR code carries more bytes.
MAX_CONTENT_BYTES = 7_089
# More codes than people fit before a gate; a sheet of codes costs no more than this.
MAX_SYMBOLS = 16
MAX_UNREAD = 16
# Longest name of a step, `zxing/second-look` and the like.
MAX_STEP_BYTES = 40

# Width and height, pixels.
Size: TypeAlias = tuple[int, int]
NOT_A_PICTURE: Size = (0, 0)

_REQUEST = struct.Struct("<4sQIIIf")
_REPLY = struct.Struct("<4sQIIIfBB")
_SYMBOL = struct.Struct("<8HBH")
# Corners, and which of `_CAUSES`.
_UNREAD = struct.Struct("<8HB")
_CAUSES = (None, *Cause)
_FRAME_MAGIC = b"LOOK"
_PICTURE_MAGIC = b"FILE"
_REPLY_MAGIC = b"SEEN"

MAX_REPLY_BYTES = (
    _REPLY.size
    + MAX_SYMBOLS * (_SYMBOL.size + MAX_STEP_BYTES + MAX_CONTENT_BYTES)
    + MAX_UNREAD * _UNREAD.size
)
# Times beyond an hour are nonsense, and so is what is not a number.
_MAX_SPENT_MS = 3_600_000.0


class Garbled(ValueError):
    """A message breaks the rules above. Its text never holds any of the message."""


@dataclass(frozen=True, slots=True)
class FrameRequest:
    """One frame to look at, as a plane of brightness.

    Attributes:
        sequence: comes back in the reply.
        width: of the picture in shared memory, pixels.
        height: the same.
        budget_ms: after so long no further step is begun.
    """

    sequence: int
    width: int
    height: int
    budget_ms: float


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """One picture file to look at: JPEG, PNG and the like.

    Attributes:
        sequence: comes back in the reply.
        length: of the file, bytes.
        frames: how many times the picture is looked at.
        budget_ms: for each of them.
    """

    sequence: int
    length: int
    frames: int
    budget_ms: float


Request: TypeAlias = FrameRequest | PictureRequest


def pack_request(request: Request) -> bytes:
    """The request as one message."""
    match request:
        case FrameRequest(sequence, width, height, budget_ms):
            return _REQUEST.pack(_FRAME_MAGIC, sequence, width, height, 1, budget_ms)
        case PictureRequest(sequence, length, frames, budget_ms):
            return _REQUEST.pack(_PICTURE_MAGIC, sequence, length, 1, frames, budget_ms)


def unpack_request(message: bytes) -> Request:
    """The request in a message.

    Raises:
        Garbled: it is none.
    """
    if len(message) != _REQUEST.size:
        raise Garbled("request: wrong length")
    magic, sequence, width, height, frames, budget_ms = _REQUEST.unpack(message)
    if not 0 < width * height <= MAX_BYTES:
        raise Garbled("request: nothing, or too much")
    if magic == _FRAME_MAGIC:
        return FrameRequest(sequence, width, height, budget_ms)
    if magic == _PICTURE_MAGIC:
        return PictureRequest(sequence, width, frames, budget_ms)
    raise Garbled("request: wrong magic")


def pack_reply(sequence: int, size: Size, look: Look) -> bytes:
    """What was seen in a picture of that size, as one message. What exceeds the bounds is left out."""
    symbols = [s for s in look.symbols if 0 < len(s.content) <= MAX_CONTENT_BYTES][:MAX_SYMBOLS]
    unread = look.unread[:MAX_UNREAD]
    counts = (look.failures, look.spent_ms, len(symbols), len(unread))
    parts = [_REPLY.pack(_REPLY_MAGIC, sequence, *size, *counts)]
    for symbol in symbols:
        step = symbol.engine.encode("ascii")[:MAX_STEP_BYTES]
        numbers = (n for point in symbol.corners for n in point)
        parts += [_SYMBOL.pack(*numbers, len(step), len(symbol.content)), step, symbol.content]
    for quad, cause in zip_longest(unread, look.causes[: len(unread)]):
        parts.append(_UNREAD.pack(*(n for point in quad for n in point), _CAUSES.index(cause)))
    return b"".join(parts)


class _Reader:
    """Takes a message apart from its front."""

    def __init__(self, message: bytes) -> None:
        self._message = message
        self._at = 0

    def take(self, count: int) -> bytes:
        piece = self._message[self._at : self._at + count]
        if len(piece) != count:
            raise Garbled("reply: cut short")
        self._at += count
        return piece

    def end(self) -> None:
        if self._at != len(self._message):
            raise Garbled("reply: bytes left over")


def unpack_reply(message: bytes, request: Request) -> Look | None:
    """What the child saw in what it was asked about; None when the file is no picture.

    Raises:
        Garbled: the message is none, or answers another request, or breaks a bound.
    """
    reader = _Reader(message)
    magic, sequence, *size, failures, spent, symbols, unread = _REPLY.unpack(reader.take(_REPLY.size))
    width, height = size
    if magic != _REPLY_MAGIC or sequence != request.sequence:
        raise Garbled("reply: to another request")
    match request:
        case FrameRequest() if (width, height) != (request.width, request.height):
            raise Garbled("reply: to another frame")
        case PictureRequest() if width * height > MAX_BYTES:
            raise Garbled("reply: out of bounds")
    if symbols > MAX_SYMBOLS or unread > MAX_UNREAD or not 0.0 <= spent <= _MAX_SPENT_MS:
        raise Garbled("reply: out of bounds")
    seen = tuple(_symbol(reader, (width, height)) for _ in range(symbols))
    sights = tuple(_unread(reader, (width, height)) for _ in range(unread))
    reader.end()
    if not width * height:
        return None
    places = tuple(place for place, _ in sights)
    causes = tuple(cause for _, cause in sights if cause is not None)
    if len(causes) != (len(places) if isinstance(request, PictureRequest) else 0):
        raise Garbled("reply: causes")
    return Look(symbols=seen, unread=places, causes=causes, failures=failures, spent_ms=spent)


def _symbol(reader: _Reader, size: Size) -> Symbol:
    *numbers, step_length, length = _SYMBOL.unpack(reader.take(_SYMBOL.size))
    if not 0 < length <= MAX_CONTENT_BYTES or not 0 < step_length <= MAX_STEP_BYTES:
        raise Garbled("reply: out of bounds")
    step = reader.take(step_length)
    if not step.isascii() or not step.decode("ascii").isprintable():
        raise Garbled("reply: step")
    return Symbol(reader.take(length), SYMBOLOGY, step.decode("ascii"), _quad(tuple(numbers), size))


def _unread(reader: _Reader, size: Size) -> tuple[Corners, Cause | None]:
    *numbers, cause = _UNREAD.unpack(reader.take(_UNREAD.size))
    if cause >= len(_CAUSES):
        raise Garbled("reply: out of bounds")
    return _quad(tuple(numbers), size), _CAUSES[cause]


def _quad(numbers: tuple[int, ...], size: Size) -> Corners:
    if any(x >= size[0] for x in numbers[::2]) or any(y >= size[1] for y in numbers[1::2]):
        raise Garbled("reply: corner outside the picture")
    a, b, c, d = zip(numbers[::2], numbers[1::2], strict=True)
    return a, b, c, d
