"""What the YAML door hands to the rest of the room: plain values, and where each one stands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias, final

from device.errors import Problem
from device.logs import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

Loc: TypeAlias = tuple[str | int, ...]
"""Where a value is: names of settings, and 0-based numbers of list entries."""


@final
@dataclass(frozen=True, slots=True, eq=False)
class Gap:
    """Stands where no usable value is. No enum: the model would look for a value inside."""

    why: str

    def __deepcopy__(self, _memo: object) -> Gap:
        return self  # there is one of each, and it is asked for by identity


EMPTY: Final = Gap("nothing is written after the colon, or ~, or null")
BROKEN: Final = Gap("what is written was complained about already")


Value: TypeAlias = "str | Gap | list[Value] | dict[str, Value]"
"""A value as written: scalars are text, the model gives them types."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """1-based line and column."""

    line: int
    column: int


NOWHERE: Final = Place(0, 0)
"""Of a problem that has no place in the file."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a setting stands: its name, and what is written for it. List entries have no name."""

    value: Place
    key: Place | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A configuration file as written.

    Attributes:
        name: of the file, as the technician gave it.
        settings: the outermost mapping.
        spots: where each setting and list entry stands.
    """

    name: str
    settings: dict[str, Value]
    spots: Mapping[Loc, Spot] = field(repr=False)

    def written(self, loc: Loc) -> Value:
        """What is written there; a gap when nothing is."""
        value: Value = self.settings
        for step in loc:
            match value, step:
                case dict(), str():
                    value = value.get(step, EMPTY)
                case list(), int():
                    value = value[step]
                case _:
                    return EMPTY
        return value

    def of_value(self, loc: Loc) -> Place:
        """Where the value is written, or else the nearest thing around it."""
        spot = self._nearest(loc)
        if spot is None:
            return NOWHERE
        return spot.value if loc in self.spots else spot.key or spot.value

    def of_key(self, loc: Loc) -> Place:
        """Where the setting's name is written, or else the nearest thing around it."""
        spot = self._nearest(loc)
        return NOWHERE if spot is None else spot.key or spot.value

    def problem(self, loc: Loc, message: str, hint: str = "", *, at: Place | None = None) -> Problem:
        """What is wrong with the value there; `at` is another place to show."""
        place = self.of_value(loc) if at is None else at
        return Problem(self.name, place.line, place.column, path_of(loc), message, hint)

    def _nearest(self, loc: Loc) -> Spot | None:
        while loc and loc not in self.spots:
            loc = loc[:-1]
        return self.spots.get(loc)


def path_of(loc: Loc) -> str:
    """The dotted path people read: `policy.hours[1].from`. List entries are counted from 1."""
    text = ""
    for step in loc:
        text += f"[{step + 1}]" if isinstance(step, int) else f"{'.' if text else ''}{short(step)}"
    return text


SHOWN_CHARS: Final = 40
"""Of a text repeated in a message; enough to recognise it."""

_LOGIN: Final = re.compile(r"//[^/@]*@")


def short(text: str) -> str:
    """A text from the file as a message may repeat it: printable, short, without a login."""
    shown = _LOGIN.sub("//...@", printable(text))
    return shown if len(shown) <= SHOWN_CHARS else f"{shown[: SHOWN_CHARS - 3]}..."
