"""Reed-Solomon correction as QR codes use it: GF(256) by x^8+x^4+x^3+x^2+1, roots a^0, a^1... Pure.

The engines correct errors only. Here a codeword may also be declared *erased* (burnt out by glare,
say): it then costs one check codeword instead of two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_FIELD = 255
_MODULUS = 0x11D


def _tables() -> tuple[list[int], list[int]]:
    powers = [0] * (2 * _FIELD)
    logs = [0] * (_FIELD + 1)
    value = 1
    for exponent in range(_FIELD):
        powers[exponent] = powers[exponent + _FIELD] = value
        logs[value] = exponent
        value <<= 1
        if value > _FIELD:
            value ^= _MODULUS
    return powers, logs


_POWERS, _LOGS = _tables()
_POWERS_ARRAY = np.array(_POWERS[:_FIELD], np.uint8)
_LOGS_ARRAY = np.array(_LOGS, np.int64)


def _times(a: int, b: int) -> int:
    return _POWERS[_LOGS[a] + _LOGS[b]] if a and b else 0


def _inverse(a: int) -> int:
    return _POWERS[_FIELD - _LOGS[a]]


# Row `a` holds a times every value: what `bytes.translate` takes to multiply a whole polynomial at once.
_MULTIPLES = tuple(bytes(_times(a, b) for b in range(_FIELD + 1)) for a in range(_FIELD + 1))


def _added(a: bytes, b: bytes) -> bytes:
    """Sum of two polynomials, lowest power first."""
    total = int.from_bytes(a, "little") ^ int.from_bytes(b, "little")
    return total.to_bytes(max(len(a), len(b)), "little")


def _product(a: Sequence[int], b: Sequence[int]) -> list[int]:
    """Product of two polynomials, lowest power first."""
    out = [0] * (len(a) + len(b) - 1)
    for i, left in enumerate(a):
        if left:
            for j, right in enumerate(b):
                out[i + j] ^= _times(left, right)
    return out


def syndromes(block: Sequence[int], checks: int) -> list[int]:
    """The block's value at each root; all zero when it is a codeword."""
    values = np.asarray(block, np.uint8)
    places = np.flatnonzero(values)
    exponents = len(values) - 1 - places
    logs = _LOGS_ARRAY[values[places]]
    terms = _POWERS_ARRAY[(logs + np.arange(checks)[:, None] * exponents) % _FIELD]
    out: list[int] = np.bitwise_xor.reduce(terms, axis=1).tolist()
    return out


def _locator(found: list[int], erasures: list[int]) -> list[int] | None:
    """Error and erasure locator by Berlekamp-Massey, lowest power first; None when there are too many."""
    locator = b"\x01"
    for exponent in erasures:
        locator = _added(locator, b"\0" + locator.translate(_MULTIPLES[_POWERS[exponent]]))
    previous = locator
    length = len(erasures)
    for step in range(len(erasures), len(found)):
        previous = b"\0" + previous
        gap = 0
        for factor, value in zip(locator, found[step::-1], strict=False):  # either may be the longer
            gap ^= _MULTIPLES[factor][value]
        if not gap:
            continue
        changed = _added(locator, previous.translate(_MULTIPLES[gap]))
        if 2 * length <= step + len(erasures):
            length = step + len(erasures) + 1 - length
            previous = locator.translate(_MULTIPLES[_inverse(gap)])
        locator = changed
    locator = locator.rstrip(b"\0")
    return list(locator) if len(locator) - 1 == length else None


def _value(polynomial: Sequence[int], at: int) -> int:
    out = 0
    for factor in reversed(polynomial):
        out = _times(out, at) ^ factor
    return out


def _roots(locator: Sequence[int], size: int) -> list[int]:
    """Indices of a block of so many codewords that the locator points at."""
    factors = np.array(locator, np.int64)
    powers = np.flatnonzero(factors)
    exponents = (np.arange(size)[:, None] - (size - 1)) * powers
    terms = _POWERS_ARRAY[(_LOGS_ARRAY[factors[powers]] + exponents) % _FIELD]
    out: list[int] = np.flatnonzero(np.bitwise_xor.reduce(terms, axis=1) == 0).tolist()
    return out


def correct(block: Sequence[int], checks: int, erased: Collection[int] = ()) -> list[int] | None:
    """The block corrected, or None when it is beyond correction.

    Args:
        block: data codewords, then `checks` error correction codewords.
        checks: how many of them are error correction.
        erased: indices of codewords whose value is not to be trusted.

    Twice the errors outside `erased`, plus the erasures, may be at most `checks`. The more of that is
    used up, the likelier is a wrong "correction": the caller keeps some in reserve.
    """
    if len(erased) > checks:
        return None
    found = syndromes(block, checks)
    if not any(found):
        return list(block)
    last = len(block) - 1
    locator = _locator(found, [last - i for i in erased])
    if locator is None:
        return None
    places = _roots(locator, len(block))
    if len(places) != len(locator) - 1:
        return None
    evaluator = _product(found, locator)[:checks]
    slope = [factor if power % 2 else 0 for power, factor in enumerate(locator)][1:]
    out = list(block)
    for place in places:
        root = _POWERS[last - place]
        below = _value(slope, _inverse(root))
        if not below:
            return None
        out[place] ^= _times(root, _times(_value(evaluator, _inverse(root)), _inverse(below)))
    return out if not any(syndromes(out, checks)) else None
