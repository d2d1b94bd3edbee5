"""Base45 (RFC 9285), strictly: no white space around, no lower case, no group out of range.

Written out because the package of that name forgives a line end, and forgiveness lets two different
codes mean the same.
"""

from __future__ import annotations

import struct

from device.credential.flaw import Flawed

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_BASE = 45
_LARGEST_BYTE = 255


def decode(text: str) -> bytes:
    """The bytes. Raises Flawed."""
    try:
        values = [_VALUES[character] for character in text]
        whole = len(values) // 3 * 3
        groups = zip(values[0:whole:3], values[1:whole:3], values[2:whole:3], strict=True)
        pairs = struct.pack(f">{whole // 3}H", *(c + _BASE * d + _BASE**2 * e for c, d, e in groups))
        return pairs + _last_byte(values[whole:])
    except (KeyError, struct.error):
        # A character that is none of the 45, or a group beyond 65,535.
        raise Flawed("base45") from None


def _last_byte(values: list[int]) -> bytes:
    match values:
        case []:
            return b""
        case [c, d] if (number := c + _BASE * d) <= _LARGEST_BYTE:
            return bytes([number])
        case _:
            raise Flawed("base45")


def encode(data: bytes) -> str:
    """The text, of which `decode` gives back the bytes."""
    out = []
    for at in range(0, len(data), 2):
        pair = data[at : at + 2]
        number = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            number, value = divmod(number, _BASE)
            out.append(_ALPHABET[value])
    return "".join(out)
