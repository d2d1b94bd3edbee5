"""The model's complaints in a technician's words: what was found, what is allowed, what was meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from annotated_types import MaxLen

from device.config.nodes import BROKEN, EMPTY, path_of, short
from device.config.scalars import Reads
from device.config.shape import setting_at, settings_of, shape_at
from device.config.unknown import meant_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from device.config.model import Section
    from device.config.nodes import Document, Loc, Value
    from device.config.shape import Shape
    from device.errors import Problem

HINTED_CHARS: Final = 80
"""A longer text is no slip of the pen, and finding similar words takes quadratic time."""


_HYPHENS: Final = "begin each entry with a hyphen and a space"
_BRACKETS: Final = "write [a, b], or each entry with its hyphen on a line of its own"


@dataclass(frozen=True, slots=True)
class Answers:
    """What the model says about a document.

    Attributes:
        problems: in no order.
        meant: settings that are written, if under a wrong name: they are not missing.
    """

    problems: tuple[Problem, ...]
    meant: frozenset[Loc]


def answers(complaints: Iterable[Mapping[str, Any]], document: Document) -> Answers:
    """Words for pydantic's complaints.

    Args:
        complaints: of `ValidationError.errors()`; `type` and `loc` are looked at.
        document: the complaints are about.
    """
    problems: list[Problem] = []
    meant: set[Loc] = set()
    missing: list[Loc] = []
    for complaint in complaints:
        kind, loc = str(complaint["type"]), tuple(complaint["loc"])
        found = document.written(loc)  # the complaint has it as a number by now, perhaps
        if kind == "missing":
            missing.append(loc)
        elif kind == "extra_forbidden":
            target, problem = _unknown(loc, found, document)
            problems.append(problem)
            meant.update({target} if target else ())
        elif found is not BROKEN and not (kind == "too_short" and found):
            message, hint = _wrong(kind, loc, found)
            problems.append(document.problem(loc, message, hint))
    problems.extend(_missing(loc, document) for loc in missing if loc not in meant)
    return Answers(tuple(problems), frozenset(meant))


def _section_at(loc: Loc) -> type[Section]:
    shape = shape_at(loc)
    if shape is None or shape.section is None:
        raise LookupError(f"the model has no section at {path_of(loc)}")
    return shape.section


def _unknown(loc: Loc, value: Value, document: Document) -> tuple[Loc, Problem]:
    name, above = str(loc[-1]), loc[:-1]
    target, hint = meant_by(name, value, _section_at(above), above) if len(name) <= HINTED_CHARS else ((), "")
    what = f"{path_of(above)} has no setting" if above else "there is no section"
    message = f"{what} named {short(name) or 'nothing'}"
    return target, document.problem(loc, message, hint, at=document.of_key(loc))


def _missing(loc: Loc, document: Document) -> Problem:
    setting, shape = setting_at(loc), shape_at(loc)
    if shape is not None and shape.section is not None:
        needed = [name for name, below in settings_of(shape.section).items() if below.field.is_required()]
        hint = f"begin it with {loc[-1]}: and write {', '.join(needed)} below it"
        return document.problem(loc, "this section is missing", hint, at=document.of_key(loc))
    examples = (setting.field.examples if setting else None) or [""]
    hint = f"add a line such as {loc[-1]}: {examples[0]}" if examples[0] != "" else ""
    return document.problem(loc, "this setting is missing", hint, at=document.of_key(loc))


# -- values ---------------------------------------------------------------------------------------


def _wrong(kind: str, loc: Loc, found: object) -> tuple[str, str]:
    """Message and hint for a value that is not allowed where it stands."""
    shape = shape_at(loc)
    if shape is None:
        raise LookupError(f"the model has nothing at {path_of(loc)}")
    if found is EMPTY:
        return _nothing(loc, shape)
    if isinstance(found, (dict, list)):
        return _too_much(kind, loc, shape, found)
    if shape.section is not None:
        return f"{_shown(found, shape)} stands where a section is expected", _as_section(
            loc, shape.section, str(found)
        )
    if shape.item is not None:
        return f"{_shown(found, shape)} stands where a list is expected", _as_list(
            loc, shape.item, str(found)
        )
    return _not_allowed(kind, shape, str(found))


def _nothing(loc: Loc, shape: Shape) -> tuple[str, str]:
    setting = setting_at(loc)
    if setting is None or setting.field.is_required():
        return f"nothing is written here; allowed is {shape.what}", ""
    if shape.section is not None and not shape.section.empty_is_meant:
        hint = f"for its defaults write {loc[-1]}: {{}}, for none put # before this line"
        return "this section is empty", hint
    wish = "to do without" if setting.field.default is None else "for the default"
    return f"nothing is written here; allowed is {shape.what}", f"{wish} put # before this line"


def _too_much(kind: str, loc: Loc, shape: Shape, found: dict[str, Value] | list[Value]) -> tuple[str, str]:
    """A section or a list, where something else is expected or not so much of it."""
    if kind == "too_short":
        return f"this list is empty; allowed is {shape.what}", "for the default leave the line out"
    if kind == "too_long":
        most = shape.mark(MaxLen)
        return f"this list has {len(found)} entries", f"at most {most.max_length} are allowed" if most else ""
    what = "a list" if isinstance(found, list) else "a section"
    if shape.section is not None:
        return f"{what} stands where a section is expected", "write the settings below it without hyphens"
    if shape.item is not None:
        return f"{what} stands where a list is expected", _HYPHENS if shape.item.section else _BRACKETS
    match found:
        case [str(only)]:
            hint = f"write {loc[-1]}: {short(only)}"
        case _:
            hint = ""
    return f"{what} stands here; allowed is {shape.what}", hint


def _as_list(loc: Loc, item: Shape, found: str) -> str:
    """How to write entries that were written without brackets."""
    if item.section is not None:
        return _HYPHENS
    parts = found[:HINTED_CHARS].replace(",", " ").split()
    entries = [
        hint.removeprefix("write ") if (hint := item.hint(p)).startswith("write ") else p for p in parts
    ]
    return f"write {loc[-1]}: [{', '.join(map(short, entries))}]"


def _as_section(loc: Loc, section: type[Section], found: str) -> str:
    """How to write a value that was written for a whole section."""
    known = settings_of(section)
    name, colon, value = found.partition(":")
    if colon and name.strip() in known and value:
        return f"a space is missing after the colon: write {name.strip()}: {short(value.strip())}"
    name, equals, value = found.partition("=")
    if equals and name.strip() in known:
        return f"write {name.strip()}: {short(value.strip())}"
    required = [name for name, setting in known.items() if setting.field.is_required()]
    if len(required) > 1:
        return f"write below it {', '.join(required)}, each on a line of its own"
    return f"write {loc[-1]}: {{{(required or list(known))[0]}: {short(found)}}}"


def _not_allowed(kind: str, shape: Shape, found: str) -> tuple[str, str]:
    """A single value of the wrong form or size."""
    hint = shape.hint(found) if len(found) <= HINTED_CHARS else ""
    hint = "" if hint == f"write {found}" else hint
    shown = _shown(found, shape)
    match kind:
        case "greater_than_equal":
            return f"{shown} is too small; allowed is {shape.what}", hint
        case "less_than_equal":
            return f"{shown} is too large; allowed is {shape.what}", hint
        case "multiple_of":
            return f"{shown} is odd; allowed is {shape.what}", f"write {int(found) + 1}"
        case "string_too_long":
            return f"{shown} has {len(found)} characters; allowed is {shape.what}", ""
        case _:
            return (
                f"{shown} is not {shape.what}" if found else f"this text is empty; allowed is {shape.what}",
                hint,
            )


def _shown(found: object, shape: Shape) -> str:
    """The value as a message repeats it; what may be a secret is not repeated."""
    reads = shape.mark(Reads)
    return "this" if reads and reads.secret else f"'{short(str(found))}'"
