"""Reads a configuration file: settings, or everything that is wrong with it.

The steps: bytes to text (`source`), text to values with places (`document`), types and limits (`model`,
told by `words`), contradictions (`crosschecks`), the files it names (`files`). The first two stop at what
makes reading on senseless; after that everything is found in one go, because what can be used of a broken
file is still checked.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from device.config import source
from device.config.advice import notes
from device.config.crosschecks import Draft, contradictions
from device.config.document import parse
from device.config.files import unusable
from device.config.model import Section, Settings
from device.config.nodes import BROKEN, path_of
from device.config.shape import settings_of
from device.config.words import answers
from device.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pydantic_core import ErrorDetails

    from device.config.nodes import Loc, Value
    from device.config.shape import Shape

MAX_PROBLEMS: Final = 100
"""Nobody mends more before looking again, and finding hints for each takes time."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that can be used.

    Attributes:
        settings: complete and valid.
        notes: what works and is probably not meant, in the order of the file.
        places: where each setting stands, `gate.yaml:12:5`, by its dotted path; defaults stand nowhere.
    """

    settings: Settings
    notes: tuple[Problem, ...]
    places: Mapping[str, str] = field(repr=False)


def load(path: Path, *, check_files: bool = True) -> Settings:
    """The settings in a file.

    Blocks while the file, and with `check_files` the files it names, are read.

    Args:
        path: of the YAML file; files it names are relative to its folder.
        check_files: whether the files it names have to be there; only sensible on the gate itself.

    Raises:
        ConfigError: it cannot be used; says everything that is wrong, in the order of the file.
    """
    return load_all(path, check_files=check_files).settings


def load_all(path: Path, *, check_files: bool = True) -> Loaded:
    """The same, with places and notes."""
    text = source.read(path, str(path))
    return _loaded(text, name=str(path), base_dir=path.parent.absolute(), check_files=check_files)


def load_text(text: str, *, name: str = "gate.yaml", base_dir: Path, check_files: bool = False) -> Settings:
    """The settings in a text, as if it stood in a file of this name in this folder.

    Raises:
        ConfigError: as `load`.
    """
    text = source.clean(text, name)
    return _loaded(text, name=name, base_dir=base_dir, check_files=check_files).settings


def _loaded(text: str, *, name: str, base_dir: Path, check_files: bool) -> Loaded:
    try:
        document, problems = parse(text, name)
    except ConfigError as error:
        raise ConfigError(_in_order(error.problems, name)) from None
    context = {"base_dir": base_dir}
    complaints: list[ErrorDetails] = []
    settings: Settings | None = None
    try:
        settings = Settings.model_validate(document.settings, context=context)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        complaints = sorted(found, key=lambda c: document.of_key(c["loc"]))[:MAX_PROBLEMS]
    said = answers(complaints, document)
    draft = Draft(
        document,
        sections=dict(_usable(document.settings, context)),
        meant=said.meant,
        doubtful=frozenset(c["loc"] for c in complaints),
    )
    problems = (*problems, *said.problems, *contradictions(draft), *(unusable(draft) if check_files else ()))
    if settings is None or problems:
        raise ConfigError(_in_order(problems, name))
    keys = {path_of(loc): document.of_key(loc) for loc in document.spots}
    places = {path: f"{name}:{place.line}:{place.column}" for path, place in keys.items()}
    return Loaded(settings, _in_order(tuple(notes(settings, document)), name), places)


def _in_order(problems: tuple[Problem, ...], name: str) -> tuple[Problem, ...]:
    ordered = sorted(dict.fromkeys(problems), key=lambda p: (p.line, p.column, p.path))
    if len(ordered) <= MAX_PROBLEMS:
        return tuple(ordered)
    rest = Problem(name, 0, 0, "", f"{len(ordered) - MAX_PROBLEMS} more problems are not shown")
    return (*ordered[:MAX_PROBLEMS], rest)


# -- what can be used of a broken file ------------------------------------------------------------


def _usable(settings: Mapping[str, Value], context: Mapping[str, Any]) -> Iterator[tuple[Loc, Section]]:
    """The sections, and those in lists, without what is wrong in them; not those that cannot do without."""
    for name, setting in settings_of(Settings).items():
        value = settings.get(name, {})
        yield from _usable_at((name,), setting.shape, value, context)
        below = settings_of(setting.shape.section).values() if setting.shape.section else ()
        for inner in below:
            entries = value.get(inner.name) if isinstance(value, dict) and inner.shape.item else None
            for number, entry in enumerate(entries if isinstance(entries, list) else ()):
                yield from _usable_at((name, inner.name, number), inner.shape.item, entry, context)


def _usable_at(
    loc: Loc, shape: Shape | None, value: Value, context: Mapping[str, Any]
) -> Iterator[tuple[Loc, Section]]:
    usable = _pruned(shape.section, value, context) if shape and shape.section else None
    if usable is not None:
        yield loc, usable


def _pruned(section: type[Section], value: Value, context: Mapping[str, Any]) -> Section | None:
    data = copy.deepcopy(value)
    while True:
        try:
            return section.model_validate(data, context=context)
        except ValidationError as error:
            wrong = {_removable(complaint["type"], complaint["loc"]) for complaint in error.errors()}
        removed = sum(_remove(data, loc) for loc in wrong)
        if not removed:
            return None


def _removable(kind: str, loc: Loc) -> Loc:
    """What to leave out for it.

    A section that lacks something goes as a whole, and so does a list with something wrong in it: the places
    of its other entries would not be true any more. Lists of sections are looked at entry by entry besides.
    """
    numbers = [depth for depth, step in enumerate(loc) if isinstance(step, int)]
    if numbers:
        return loc[: numbers[0]]
    return loc[:-1] if kind == "missing" else loc


def _remove(data: Value, loc: Loc) -> bool:
    """Takes a setting out, if it is there."""
    for step in loc[:-1]:
        data = data.get(str(step), BROKEN) if isinstance(data, dict) else BROKEN
    if not loc or not isinstance(data, dict) or loc[-1] not in data:
        return False
    del data[str(loc[-1])]
    return True
