"""Several PNG pictures as one that moves: APNG, which every browser shows. Pure.

Portable Network Graphics, third edition (W3C, 2025), section 11.3.2: `acTL` before the first picture's data,
`fcTL` before each, and the data of all but the first as `fdAT`.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_HEADER_AND_CHECKSUM: Final = 12


def moving(pictures: Sequence[bytes], *, each_ms: int) -> bytes:
    """One picture that shows these in turn, over and over.

    Args:
        pictures: PNG files of one size and colour type; at least one.
        each_ms: how long each is shown.

    Raises:
        ValueError: they are of several sizes or types.
    """
    first = list(_chunks(pictures[0]))
    header = first[0][1]
    if any(next(_chunks(picture))[1] != header for picture in pictures):
        raise ValueError("pictures of one size and type move, others do not")
    width, height = struct.unpack(">II", header[:8])
    before = [(kind, data) for kind, data in first if kind not in {b"IDAT", b"IEND"}]
    # Of a palette and the like, the first picture's counts for all.
    out = [before[0], (b"acTL", struct.pack(">II", len(pictures), 0)), *before[1:]]
    number = 0
    for index, picture in enumerate(pictures):
        out.append(
            (b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, 0, 0, each_ms, 1000, 0, 0)),
        )
        number += 1
        for kind, data in _chunks(picture):
            if kind == b"IDAT" and index == 0:
                out.append((kind, data))
            elif kind == b"IDAT":
                out.append((b"fdAT", struct.pack(">I", number) + data))
                number += 1
    out.append((b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in out)


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(picture):
        (size,) = struct.unpack_from(">I", picture, at)
        yield picture[at + 4 : at + 8], picture[at + 8 : at + 8 + size]
        at += _HEADER_AND_CHECKSUM + size


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
