"""Compressed payloads with a bound: a QR code can hold 2,860 bytes that inflate to 2.9 MB."""

from __future__ import annotations

import zlib

from device.credential.flaw import Flawed

MAX_INFLATED_BYTES = 64 * 1024
"""Certificates inflate to 1-2 KB; what goes beyond this means harm."""

_RAW = -zlib.MAX_WBITS


def inflate(data: bytes, *, raw: bool = False) -> bytes:
    """The inflated bytes of a zlib stream, or of a raw DEFLATE one. Raises Flawed.

    Nothing may follow the stream, and it may not be cut short.
    """
    stream = zlib.decompressobj(_RAW if raw else zlib.MAX_WBITS)
    try:
        out = stream.decompress(data, MAX_INFLATED_BYTES + 1)
    except zlib.error:
        raise Flawed("compression") from None
    if len(out) > MAX_INFLATED_BYTES:
        raise Flawed("inflates_too_far")
    if not stream.eof or stream.unused_data:
        raise Flawed("compression")
    return out
