"""Codes as commands take them: texts, pictures of codes, or lines from standard input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from device.errors import GateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PICTURES = frozenset({".png", ".jpg", ".jpeg"})


def codes_of(arguments: Sequence[str]) -> Iterator[bytes]:
    """The contents of the codes named on the command line; `-` stands for one a line from standard input.

    Raises:
        GateError: a picture is not there, cannot be opened or holds no code.
    """
    for argument in arguments:
        if argument == "-":
            yield from (line.removesuffix(b"\n").removesuffix(b"\r") for line in sys.stdin.buffer)
        elif _is_file(argument):
            yield from _codes_in(argument)
        elif Path(argument).suffix.lower() in _PICTURES:
            raise GateError(f"{argument}: no such file")
        else:
            yield argument.encode("utf-8", "surrogateescape")


def _is_file(argument: str) -> bool:
    try:
        return Path(argument).is_file()
    except (OSError, ValueError):  # too long for a name, say: a pass
        return False


def _codes_in(picture: str) -> Iterator[bytes]:
    from device.runtime import SystemClock
    from device.service.pictures import decode_pictures

    for result in decode_pictures([picture], engines=("zxing", "zbar"), frames=1, clock=SystemClock()):
        if result.error or not result.symbols:
            raise GateError(f"{picture}: {result.error or 'no code found'}")
        yield from (symbol.content for symbol in result.symbols)
