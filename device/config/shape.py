"""The model as the rest of this room asks about it: which settings there are, and what each one takes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar, Union, get_args, get_origin

import annotated_types as limits
from pydantic.fields import FieldInfo

from device.config import hints
from device.config.model import Section, Settings
from device.config.scalars import BYTES, Told, one_of, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from device.config.nodes import Loc

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value may be: a section, a list, one of a few words, or a scalar.

    Attributes:
        marks: everything its type is annotated with.
        section: the model below it.
        item: what the list holds.
        choices: the words.
    """

    marks: tuple[object, ...]
    section: type[Section] | None = None
    item: Shape | None = None
    choices: tuple[str, ...] = ()

    def mark(self, kind: type[T]) -> T | None:
        """The annotation of this kind, if the type has one."""
        return next((mark for mark in self.marks if isinstance(mark, kind)), None)

    @property
    def unit(self) -> str:
        """Of a number, as people say it; empty when it has none."""
        told = self.mark(Told)
        return told.unit if told else ""

    @property
    def what(self) -> str:
        """What is allowed, with an article: `a number of seconds from 0.5 to 60`."""
        told = self.mark(Told)
        if self.section is not None:
            return f"a section with the settings {', '.join(settings_of(self.section))}"
        if self.item is not None:
            return "a list of sections" if self.item.section else f"a list, each entry {self.item.what}"
        if self.choices:
            return one_of(self.choices)
        if told is None:
            raise TypeError("every scalar type of the model is told to people")
        even = self.mark(limits.MultipleOf) is not None
        noun = "an even number" if even else told.what
        of = f" of {told.unit}" if told.unit not in {"", BYTES} else ""
        return f"{noun}{of}{self._range()}"

    def hint(self, found: str) -> str:
        """What was probably meant by a text that is not allowed."""
        told = self.mark(Told)
        if self.choices:
            return hints.among(self.choices)(found)
        return told.hint(found) if told else ""

    def _range(self) -> str:
        lowest, highest = self.mark(limits.Ge), self.mark(limits.Le)
        if lowest is None or highest is None:
            return ""
        return f" from {written(lowest.ge, self.unit)} to {written(highest.le, self.unit)}"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a section.

    Attributes:
        name: in the file.
        attribute: in the model.
        field: what the model says about it.
        shape: what it takes.
    """

    name: str
    attribute: str
    field: FieldInfo
    shape: Shape


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value that is no section, of a validated part of the configuration."""

    loc: Loc
    shape: Shape
    value: object


@cache
def settings_of(section: type[Section]) -> Mapping[str, Setting]:
    """The settings of a section by the names they have in the file, in the model's order."""
    found = {}
    for attribute, field in section.model_fields.items():
        name = field.alias or attribute
        found[name] = Setting(name, attribute, field, _shape(field.annotation, _flat(field.metadata)))
    return MappingProxyType(found)


def shape_at(loc: Loc) -> Shape | None:
    """What may stand there; None when the model knows no such place."""
    shape: Shape | None = Shape((), section=Settings)
    for step in loc:
        if shape is None:
            return None
        if isinstance(step, int):
            shape = shape.item
        else:
            setting = settings_of(shape.section).get(step) if shape.section else None
            shape = setting.shape if setting else None
    return shape


def setting_at(loc: Loc) -> Setting | None:
    """The setting of this name; None when it is none, or a list entry."""
    above = shape_at(loc[:-1]) if loc else None
    last = loc[-1] if loc else 0
    return settings_of(above.section).get(last) if above and above.section and isinstance(last, str) else None


@cache
def places_of(name: str) -> tuple[Loc, ...]:
    """Where a setting of this name belongs: once, several times, or nowhere."""
    return tuple(loc for loc in _all(Settings, ()) if hints.folded(str(loc[-1])) == hints.folded(name))


def leaves(section: Section, loc: Loc) -> Iterator[Leaf]:
    """Every value below a section but what stands in lists of sections; what is left out has none."""
    for setting in settings_of(type(section)).values():
        value, here = getattr(section, setting.attribute), (*loc, setting.name)
        if isinstance(value, Section):
            yield from leaves(value, here)
        elif value is not None and not (setting.shape.item and setting.shape.item.section):
            yield Leaf(here, setting.shape, value)


def _all(section: type[Section], loc: Loc) -> Iterator[Loc]:
    for name, setting in settings_of(section).items():
        yield (*loc, name)
        below = setting.shape.section or (setting.shape.item.section if setting.shape.item else None)
        if below is not None:
            yield from _all(below, (*loc, name))


# -- reading annotations --------------------------------------------------------------------------


def _flat(marks: Iterable[object]) -> tuple[object, ...]:
    """Annotations, those of a `Field` inside a type spread out."""
    flat: list[object] = []
    for mark in marks:
        flat.extend(mark.metadata if isinstance(mark, FieldInfo) else (mark,))
    return tuple(flat)


def _shape(kind: object, marks: tuple[object, ...]) -> Shape:
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _shape(args[0], _flat(args[1:]) + marks)
    if origin in {Union, UnionType}:
        (inner,) = (arg for arg in args if arg is not NoneType)
        return _shape(inner, marks)
    if origin is tuple:
        return Shape(marks, item=_shape(args[0], ()))
    return Shape(marks, section=_section(kind), choices=args if origin is Literal else _members(kind))


def _section(kind: object) -> type[Section] | None:
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def _members(kind: object) -> tuple[str, ...]:
    return (
        tuple(str(each.value) for each in kind) if isinstance(kind, type) and issubclass(kind, Enum) else ()
    )
