"""Compressed payloads with a bound: a QR code can hold 2,860 bytes that inflate to 2.9 MB."""

from __future__ import annotations

import zlib

from device.credential.flaw import Flawed

MAX_INFLATED_BYTES = 64 * 1024
"""Certificates inflate to 1-2 KB; what goes beyond this means harm."""

_HEAD_BYTES = 2
"""Method and flags, at the beginning of a zlib stream."""

_CHECKSUM_BYTES = 4
"""Adler-32, at the end of a zlib stream."""

_RAW = -zlib.MAX_WBITS


def inflate(data: bytes, *, raw: bool = False) -> bytes:
    """The inflated bytes of a zlib stream, or of a raw DEFLATE one. Raises Flawed.

    Nothing may follow the stream, and it may not be cut short. The bits of a zlib stream that mean nothing,
    behind the head of a stored block and before the checksum, are zero, as every compressor leaves them:
    otherwise a text could be changed and still be the same certificate.
    """
    out = _inflated(data, raw=raw)
    if not raw and (_begins_with_stray_bits(data) or _ends_in_stray_bits(data, out)):
        raise Flawed("compression")
    return out


def _begins_with_stray_bits(data: bytes) -> bool:
    """Whether the first block is a stored one (RFC 1951, section 3.2.4) and not all of its head is used."""
    head = data[_HEAD_BYTES]
    return head >> 1 & 0b11 == 0 and head >> 3 != 0


def _ends_in_stray_bits(data: bytes, out: bytes) -> bool:
    """Whether the highest bit set in the last byte before the checksum could be cleared just as well."""
    last = data[-1 - _CHECKSUM_BYTES]
    if not last:
        return False
    without = bytearray(data)
    without[-1 - _CHECKSUM_BYTES] ^= 1 << last.bit_length() - 1
    try:
        return _inflated(bytes(without), raw=False) == out
    except Flawed:
        return False


def _inflated(data: bytes, *, raw: bool) -> bytes:
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
