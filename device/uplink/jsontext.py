"""Raw text of the parts of a JSON document, one level deep. Pure.

`json.loads` gives values; a hash chain needs the bytes as they were sent. These two walk an array or an
object and hand out each part's own text, so nothing is ever written anew before it is checked.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPACE = " \t\r\n"


def no_constant(_: str) -> None:
    """For `parse_constant`: refuses what Python reads although JSON has no such numbers."""
    raise ValueError("NaN and Infinity are not JSON")


_DECODER = json.JSONDecoder(parse_constant=no_constant)


def elements(text: str) -> Iterator[str]:
    """The text of each element of an array.

    Raises:
        ValueError: it is not a JSON array, or something follows it.
        RecursionError: an element is nested too deeply.
    """
    mark, at = _expect(text, 0, "[")
    if text[at : at + 1] == "]":
        mark, at = _expect(text, at, "]")
    while mark != "]":
        _, end = _DECODER.raw_decode(text, at)
        yield text[at:end]
        mark, at = _expect(text, end, ",]")
    if at != len(text):
        raise ValueError("something follows the array")


def members(text: str) -> Iterator[tuple[str, str]]:
    """Name and text of each member of an object.

    Raises:
        ValueError: it is not a JSON object, a name occurs twice, or something follows it.
        RecursionError: a value is nested too deeply.
    """
    mark, at = _expect(text, 0, "{")
    if text[at : at + 1] == "}":
        mark, at = _expect(text, at, "}")
    seen: set[str] = set()
    while mark != "}":
        key, end = _DECODER.raw_decode(text, at)
        _, at = _expect(text, end, ":")
        _, end = _DECODER.raw_decode(text, at)
        if not isinstance(key, str) or key in seen:
            raise ValueError("a member's name is no string, or there twice")
        seen.add(key)
        yield key, text[at:end]
        mark, at = _expect(text, end, ",}")
    if at != len(text):
        raise ValueError("something follows the object")


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _expect(text: str, at: int, allowed: str) -> tuple[str, int]:
    at = _skip(text, at)
    if at >= len(text) or text[at] not in allowed:
        raise ValueError("not a JSON object or array")
    return text[at], _skip(text, at + 1)
