"""The door to YAML: text in, plain values with their places out. Nothing else in the product imports yaml.

Only as much of YAML is taken as a technician needs: sections, lists and one-line values. A scalar stays the
text it is written as. Anchors, aliases, merge keys, tags and further documents are refused: each of them can
make a line mean something that does not stand there. The tree is built from the parser's events, one after
another, so that neither depth nor references can grow beyond what was written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NoReturn, Protocol

import yaml

from device.config.nodes import BROKEN, EMPTY, Document, Loc, Place, Spot, Value, path_of, short
from device.config.syntax import Complaint, explain, missing_colon
from device.errors import ConfigError, Problem

MAX_DEPTH: Final = 8
"""The deepest setting is a list in a section in a list in a section; more is a mistake or an attack."""

MAX_VALUES: Final = 4000
"""Twenty times the values of a file that sets everything there is."""

MAX_CHARS: Final = 1000
"""Of one value; the longest path in use has a tenth of it."""

MAX_REFERENCES: Final = 10
"""Complaints about references: enough to see the pattern."""

_NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})
"""How YAML writes that there is no value."""

_TYPESETTERS_MARKS: Final = frozenset("\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb")
"""Quotation marks that chat and text programs put in the place of the typed ones."""

_MERGE_KEY: Final = "<<"


def parse(text: str, name: str) -> tuple[Document, tuple[Problem, ...]]:
    """The settings as written, and what must not be written so but does not hinder reading on.

    Args:
        text: of the file, cleaned by `source.clean`.
        name: of the file, as the technician gave it.

    Raises:
        ConfigError: it is no YAML, or of a shape no configuration has.
    """
    builder = _Builder(name)
    place = Place(1, 1)
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            place = _place(event.start_mark, place)
            builder.take(event, place)
    except ConfigError:  # a ValueError too, and not one of PyYAML's
        raise
    except yaml.MarkedYAMLError as error:
        at = _place(error.problem_mark, place)
        since = _place(error.context_mark, at)
        complaint = Complaint(error.problem or "", error.context or "", at, since)
        builder.stop(*explain(complaint, text.split("\n")))
    except (yaml.YAMLError, ValueError, OverflowError):
        # PyYAML lets Python's complaints about impossible characters and version numbers through.
        builder.stop(place, "a character or number after this place is impossible")
    return builder.finish(text), tuple(builder.problems)


def _complaint(text: str, *, plain: bool) -> tuple[str, str] | None:
    """What is wrong with a value whatever it stands for: message and hint."""
    if len(text) > MAX_CHARS:
        return f"this value has {len(text)} characters", f"{MAX_CHARS} are the most"
    if "\n" in text:
        return "this value goes over several lines", "write it on one line"
    hidden = next((c for c in text if not c.isprintable()), None)
    if hidden is not None:
        return f"this value holds a character that cannot be seen (U+{ord(hidden):04X})", "type it anew"
    if plain and text[:1] in _TYPESETTERS_MARKS:
        return f"{text[0]} is no quotation mark for YAML", "use the keyboard's: \""
    return None


def _place(mark: _Mark | None, otherwise: Place) -> Place:
    return Place(mark.line + 1, mark.column + 1) if mark else otherwise


class _Mark(Protocol):
    """As much of YAML's marks as is used; they count from 0."""

    @property
    def line(self) -> int: ...

    @property
    def column(self) -> int: ...


@dataclass(slots=True)
class _Level:
    """A section or list that is not finished.

    Attributes:
        loc: where it is.
        kept: whether its content is of use; not below a duplicate.
        key: in a section, the name whose value comes next.
        key_place: where that name stands.
        key_kept: whether the value that comes next is of use.
    """

    container: dict[str, Value] | list[Value]
    loc: Loc
    kept: bool
    key: str | None = None
    key_place: Place | None = None
    key_kept: bool = True

    @property
    def next_loc(self) -> Loc:
        """Where the next value belongs."""
        if isinstance(self.container, list):
            return (*self.loc, len(self.container))
        return self.loc if self.key is None else (*self.loc, self.key)


class _Builder:
    """Builds the tree from events. A method raises `ConfigError` when reading on makes no sense."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.problems: list[Problem] = []
        self._spots: dict[Loc, Spot] = {}
        self._levels: list[_Level] = []
        self._root: Value = EMPTY
        self._root_place = Place(1, 1)
        self._documents = self._values = self._references = 0

    def take(self, event: yaml.Event, place: Place) -> None:
        """Handles one event."""
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self.stop(place, "a second document begins here", "delete the line ---")
            case yaml.AliasEvent():
                self._refuse_reference(
                    f"references such as *{short(event.anchor or '')}", "write it out", place
                )
                self._put(BROKEN, place)
            case yaml.ScalarEvent():
                self._scalar(event, place, usable=self._is_plain(event, place))
            case yaml.CollectionStartEvent():
                usable = self._is_plain(event, place)
                self._open({} if isinstance(event, yaml.MappingStartEvent) else [], place, usable=usable)
            case yaml.CollectionEndEvent():
                self._levels.pop()
            case _:
                pass

    def stop(self, place: Place, message: str, hint: str = "") -> NoReturn:
        """Gives up, with everything found so far."""
        self.problems.append(Problem(self._name, place.line, place.column, "", message, hint))
        raise ConfigError(tuple(self.problems))

    def finish(self, text: str) -> Document:
        """The whole, after the last event."""
        root, place = self._root, self._root_place
        if isinstance(root, dict):
            return Document(self._name, root, self._spots)
        if isinstance(root, list):
            self.stop(place, "the file begins with a list", "it begins with a section, such as gate:")
        if isinstance(root, str):
            self.stop(place, *missing_colon(text.split("\n")[place.line - 1]))
        if root is EMPTY:
            hint = "begin with one of the samples in config/"
            self.problems.append(Problem(self._name, 0, 0, "", "the file is empty", hint))
        raise ConfigError(tuple(self.problems))

    def _complain(self, place: Place, message: str, hint: str) -> None:
        path = path_of(self._levels[-1].next_loc) if self._levels else ""
        self.problems.append(Problem(self._name, place.line, place.column, path, message, hint))

    def _is_plain(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, place: Place) -> bool:
        """Complains about what stands before a value; whether the value can be used all the same."""
        if event.anchor is not None:
            self._refuse_reference(f"names such as &{short(event.anchor)}", "delete it", place)
        if event.tag is not None:
            self._complain(place, "types with ! are not written here", "delete it: a setting knows its type")
        return event.tag is None

    def _refuse_reference(self, what: str, hint: str, place: Place) -> None:
        self._references += 1
        complained = bool(self._levels) and not self._levels[-1].key_kept
        if self._references <= MAX_REFERENCES and not complained:
            self._complain(place, f"{what} are not used here", hint)

    def _awaits_key(self) -> bool:
        return (
            bool(self._levels)
            and isinstance(self._levels[-1].container, dict)
            and self._levels[-1].key is None
        )

    def _open(self, container: dict[str, Value] | list[Value], place: Place, *, usable: bool) -> None:
        if self._awaits_key():
            self.stop(place, "a setting's name is a single word", "a text with { or [ needs quotation marks")
        if len(self._levels) >= MAX_DEPTH:
            self.stop(place, f"more than {MAX_DEPTH} levels below each other", "no setting is that deep")
        kept, loc = self._put(container if usable else BROKEN, place)
        self._levels.append(_Level(container, loc, kept and usable))

    def _scalar(self, event: yaml.ScalarEvent, place: Place, *, usable: bool) -> None:
        plain = event.style is None
        if self._awaits_key():
            self._key(event.value, place)
        elif plain and event.value in _NOTHING:
            self._put(EMPTY, place)
        elif usable and (complaint := _complaint(event.value, plain=plain)):
            self._complain(place, *complaint)
            self._put(BROKEN, place)
        else:
            self._put(event.value if usable else BROKEN, place)

    def _key(self, text: str, place: Place) -> None:
        level = self._levels[-1]
        spot = self._spots.get((*level.loc, text)) if level.kept else None
        level.key, level.key_place, level.key_kept = text, place, False
        if not text:
            self._complain(place, "a name is missing before this colon", "")
        elif text == _MERGE_KEY:
            self._complain(place, "settings are not merged with << here", "write them out")
        elif not text.isprintable() or len(text) > MAX_CHARS:
            level.key = ""
            self._complain(place, "this is no name of a setting", "type it anew")
        elif spot is not None and spot.key is not None:
            self._complain(place, f"this stands on line {spot.key.line} already", "keep one of the two")
        else:
            level.key_kept = True

    def _put(self, value: Value, place: Place) -> tuple[bool, Loc]:
        """Puts a value where it belongs; whether it is of use, and where that is."""
        self._values += 1
        if self._values > MAX_VALUES:
            self.stop(place, f"more than {MAX_VALUES} values", "is it the right file?")
        if not self._levels:
            self._root, self._root_place = value, place
            return True, ()
        level = self._levels[-1]
        loc, kept = level.next_loc, level.kept and level.key_kept
        if kept:
            self._spots[loc] = Spot(place, level.key_place)
            if isinstance(level.container, dict):
                level.container[str(level.key)] = value
            else:
                level.container.append(value)
        level.key = None
        return kept, loc
