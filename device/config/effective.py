"""The configuration in force, as YAML: all of it, or what differs from the defaults. Pure."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from device.config.model import Section
from device.config.scalars import written
from device.config.shape import settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.config.model import Settings
    from device.config.shape import Setting

_PLAIN: Final = re.compile(r"[A-Za-z/][A-Za-z0-9/_.-]*")
_NOT_PLAIN: Final = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
"""Words other readers of YAML would take for something else than text."""


def show(settings: Settings) -> str:
    """Everything that is in force, defaults included, as YAML that loads to the same settings.

    Secrets are names of files here as they are there. Relative paths have become whole ones.
    """
    return "\n".join(_section_lines(settings, "")).rstrip() + "\n"


def digest(settings: Settings) -> str:
    """Names everything that is in force, 16 hex digits: the same for the same settings, however written."""
    return hashlib.sha256(show(settings).encode()).hexdigest()[:16]


def difference(settings: Settings) -> str:
    """What differs from the defaults, with the default beside it, as YAML that loads to the same settings."""
    return "\n".join(_differing_lines(settings, "")).rstrip() + "\n"


def as_yaml(value: object, unit: str = "") -> str:
    """A value that is no section, as it is written in a file."""
    if isinstance(value, tuple):
        return f"[{', '.join(as_yaml(entry) for entry in value)}]"
    text = written(value, unit)
    if not isinstance(value, (str, Path)) or (_PLAIN.fullmatch(text) and text.lower() not in _NOT_PLAIN):
        return text
    escaped = (c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08X}" for c in text)
    return f'"{"".join(escaped)}"'


def _section_lines(section: Section, indent: str) -> Iterator[str]:
    for setting in settings_of(type(section)).values():
        value = getattr(section, setting.attribute)
        if isinstance(value, Section):
            below = list(_section_lines(value, f"{indent}  "))
            yield f"{indent}{setting.name}:{'' if below else ' {}'}"
            yield from below
        elif _holds_sections(value):
            yield f"{indent}{setting.name}:"
            yield from _entry_lines(value, indent)
        elif value is not None:
            yield f"{indent}{setting.name}: {as_yaml(value, setting.shape.unit)}"
        if not indent:
            yield ""


def _differing_lines(section: Section, indent: str) -> Iterator[str]:
    for setting in settings_of(type(section)).values():
        value, default = getattr(section, setting.attribute), setting.field.default
        if isinstance(value, Section):
            below = list(_differing_lines(value, f"{indent}  "))
            if below or default is None:
                yield f"{indent}{setting.name}:{'' if below else ' {}'}{_beside(setting)}"
                yield from below
        elif value == default:
            continue
        elif _holds_sections(value):
            yield f"{indent}{setting.name}:{_beside(setting)}"
            yield from _entry_lines(value, indent)
        else:
            yield f"{indent}{setting.name}: {as_yaml(value, setting.shape.unit)}{_beside(setting)}"


def _beside(setting: Setting) -> str:
    """What is said beside a setting that differs; nothing where there is no default."""
    default = setting.field.default
    if setting.field.is_required() or isinstance(default, Section):
        return ""
    if default is None or default == ():
        return "  # left out by default"
    return f"  # default: {as_yaml(default, setting.shape.unit)}"


def _entry_lines(entries: object, indent: str) -> Iterator[str]:
    for entry in entries if isinstance(entries, tuple) else ():
        first, *rest = _section_lines(entry, f"{indent}    ")
        yield f"{indent}  - {first.strip()}"
        yield from rest


def _holds_sections(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], Section)
