"""Which number was probably meant: `500ms`, `0,5`, `1 000`, `GPIO17`, `512MB`. Pure; raises nothing.

Each function takes what is written (a short text) and gives an advice, or nothing. A wrong advice is worse
than none.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOOSE: Final = re.compile(r"([+-]?[0-9][0-9 _.,']*(?:[eE][+-]?[0-9]{1,2}(?![0-9]))?)\s*([^\W\d_]*)\.?")
_HEXADECIMAL: Final = re.compile(r"0[xX]([0-9a-fA-F]{1,8})")
_FRACTION: Final = re.compile(r"1/([1-9][0-9]{0,4}) ?s?")
_GROUPED: Final = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:[ _',][0-9]{3})+")
_GROUPED_BY_POINTS: Final = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+")
_NO_NUMBER: Final = frozenset({"auto", "automatic", "default", "none", "off", "no", "unlimited"})


def _units(**sizes: str) -> Mapping[str, Decimal]:
    return {word: Decimal(size) for word, size in sizes.items()}


_PLAIN: Final = _units(px="1", pixel="1", pixels="1", fps="1", hz="1", dpt="1", d="1", x="1")
_DAY: Final = _units(d="1", day="1", days="1", ngày="1", w="7", week="7", weeks="7", year="365", years="365")
_SECOND: Final = _units(
    h="3600",
    hour="3600",
    hours="3600",
    m="60",
    min="60",
    minute="60",
    minutes="60",
    phút="60",
    s="1",
    sec="1",
    second="1",
    seconds="1",
    giây="1",
    ms="0.001",
    us="0.000001",
    µs="0.000001",
)


def whole(found: str) -> str:
    """For a whole number that counts something."""
    return _advice(found, _PLAIN, whole_only=True)


def number(found: str) -> str:
    """For a number that is no duration."""
    return _advice(found, _PLAIN)


def days(found: str) -> str:
    """For a whole number of days."""
    return _advice(found, _DAY, "days", whole_only=True)


def seconds(found: str) -> str:
    """For a number of seconds."""
    return _advice(found, _SECOND, "seconds")


def whole_seconds(found: str) -> str:
    """For a whole number of seconds."""
    return _advice(found, _SECOND, "seconds", whole_only=True)


def milliseconds(found: str) -> str:
    """For a whole number of milliseconds."""
    return _advice(found, _times(1_000), "milliseconds", whole_only=True)


def microseconds(found: str) -> str:
    """For a whole number of microseconds; photographers write 1/200."""
    fraction = _FRACTION.fullmatch(found)
    if fraction:
        return f"the unit is microseconds: write {1_000_000 // int(fraction[1])}"
    return _advice(found, _times(1_000_000), "microseconds", whole_only=True)


def _times(factor: int) -> Mapping[str, Decimal]:
    return {word: size * factor for word, size in _SECOND.items()}


def _advice(found: str, units: Mapping[str, Decimal], unit: str = "", *, whole_only: bool = False) -> str:
    if found.casefold() in _NO_NUMBER:
        return "leave the line out to have the default"
    hexadecimal = _HEXADECIMAL.fullmatch(found)
    if hexadecimal:
        return f"write {int(hexadecimal[1], 16)}"
    loose = _LOOSE.fullmatch(found)
    suffix = loose[2].casefold() if loose else ""
    count = _decimal(loose[1].strip(), whole_only=whole_only) if loose else None
    if count is None or (suffix and suffix not in units):
        return ""
    count *= units.get(suffix, Decimal(1))
    if whole_only and count != count.to_integral_value():
        return f"it takes no decimals: write {count.to_integral_value():f}"
    return f"the unit is {unit}: write {_plain(count)}" if suffix and unit else f"write {_plain(count)}"


def _decimal(text: str, *, whole_only: bool) -> Decimal | None:
    """`0,5` is a half; `1,000` and `1 000` are a thousand, and so is `1.000` where there are no decimals."""
    if _GROUPED.fullmatch(text) or (whole_only and _GROUPED_BY_POINTS.fullmatch(text)):
        text = re.sub(r"[ _',.]", "", text)
    try:
        return Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None


def _plain(count: Decimal) -> str:
    text = f"{count:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# -- sizes ----------------------------------------------------------------------------------------

_SIZE: Final = re.compile(r"([0-9]{1,9}(?:[.,][0-9]{1,3})?) ?([kmg])(?:i?b|ib?|bytes)?", re.IGNORECASE)
_SIZE_UNITS: Final = ("KiB", "MiB", "GiB")


def size(found: str) -> str:
    """For a size in bytes: `512MB`, `1.5G`."""
    loose = _SIZE.fullmatch(found)
    if loose is None:
        return whole(found)
    count, power = Decimal(loose[1].replace(",", ".")), "kmg".index(loose[2].lower())
    while count != count.to_integral_value() and power:
        count, power = count * 1024, power - 1
    return f"write {_plain(count)} {_SIZE_UNITS[power]}" if count == count.to_integral_value() else ""


# -- pins -----------------------------------------------------------------------------------------

_WIRED: Final = (
    "3=2 5=3 7=4 8=14 10=15 11=17 12=18 13=27 15=22 16=23 18=24 19=10 21=9 22=25 "
    "23=11 24=8 26=7 27=0 28=1 29=5 31=6 32=12 33=13 35=19 36=16 37=26 38=20 40=21"
)
HEADER: Final[Mapping[int, int]] = MappingProxyType(
    {int(place): int(bcm) for place, bcm in (pair.split("=") for pair in _WIRED.split())}
)
"""Places of the 40-pin header and the BCM numbers wired to them; the other places are supply and ground."""

_NAMED_PIN: Final = re.compile(r"(?:gpio|bcm|pin|d)[ _]?([0-9]{1,2})", re.IGNORECASE)
_PLACE: Final = re.compile(r"(?:2[89]|3[0-9]|40)")
_LAST_PIN: Final = 27


def pin(found: str) -> str:
    """For a BCM number. Beyond 27 somebody has counted the places of the header."""
    named = _NAMED_PIN.fullmatch(found)
    if named and int(named[1]) <= _LAST_PIN:
        return f"write {int(named[1])}"
    if not _PLACE.fullmatch(found):
        return whole(found)
    bcm = HEADER.get(int(found))
    meant = "ground" if bcm is None else f"BCM pin {bcm}"
    return f"counted along the header, place {int(found)} is {meant}"
