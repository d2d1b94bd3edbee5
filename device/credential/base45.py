"""Base45 (RFC 9285), strictly: no white space around, no lower case, no group out of range.

Written out because the package of that name forgives a line end, and forgiveness lets two different
codes mean the same.
"""

from __future__ import annotations

from device.credential.flaw import Flawed

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_BASE = 45


def decode(text: str) -> bytes:
    """The bytes. Raises Flawed."""
    try:
        values = [_VALUES[character] for character in text]
    except KeyError:
        raise Flawed("base45") from None
    out = bytearray()
    for at in range(0, len(values), 3):
        group = values[at : at + 3]
        number = sum(value * _BASE**place for place, value in enumerate(group))
        size = len(group) - 1
        if size == 0 or number >= 256**size:
            raise Flawed("base45")
        out += number.to_bytes(size, "big")
    return bytes(out)


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
