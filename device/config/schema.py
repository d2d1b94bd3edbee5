"""What is made from the model: the editor's schema and the reference.

`python -m device.config.schema --write` puts schema and reference where they belong in the source tree; a
test checks that they are current.
"""

from __future__ import annotations

import json
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import PydanticUndefined

from device.config.effective import as_yaml
from device.config.model import Section, Settings
from device.config.scalars import BYTES, written
from device.config.shape import settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema

    from device.config.shape import Setting

SCHEMA_FILE: Final = "config/gate.schema.json"
REFERENCE_FILE: Final = "docs/reference/configuration.md"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_LIMITS: Final = {"ge": "minimum", "le": "maximum"}
"""Pydantic leaves the limits of a number that may be left out under its own names."""


# -- for editors ----------------------------------------------------------------------------------


class _WithoutNull(GenerateJsonSchema):
    """A setting without a value is left out of the file; null is never written."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the file, for completion and checks while typing.

    An editor types values by YAML's rules, this program by the setting's: a gate named 10 needs quotation
    marks for the editor's sake only.
    """
    schema = Settings.model_json_schema(schema_generator=_WithoutNull)
    parts = {**schema.pop("$defs"), Settings.__name__: schema}
    for part in parts.values():
        part.pop("title", None)
    for section in _sections(Settings):
        part = parts[section.__name__]
        if section.empty_is_meant and not part.get("required"):
            part["type"] = ["object", "null"]  # everything below its name may be commented out
        properties = part["properties"]
        for setting in settings_of(section).values():
            properties[setting.name] = _property(properties[setting.name], setting)
    del parts[Settings.__name__]
    head = {"$schema": DIALECT, "title": "Configuration of gate-scanner"}
    return {**head, **schema, "$defs": dict(sorted(parts.items()))}


def _property(found: dict[str, Any], setting: Setting) -> dict[str, Any]:
    """The schema of a setting, with words and defaults as they stand in a file."""
    left_out = {"title", "default", "format"}
    found = {_LIMITS.get(key, key): _whole(value) for key, value in found.items() if key not in left_out}
    if setting.shape.section is None:
        found["description"] = f"{setting.field.description} Allowed: {setting.shape.what}."
    default = _default(setting)
    return found if default is None else {**found, "default": _whole(default)}


def _whole(value: object) -> object:
    """The number without a needless `.0`, which versions of pydantic write or don't."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _default(setting: Setting) -> object:
    """The default as JSON has it; None when the setting is required, left out, or a section."""
    default = setting.field.default
    if default is PydanticUndefined or isinstance(default, Section) or default is None:
        return None
    if isinstance(default, tuple):
        return list(default) or None
    if isinstance(default, (bool, int, float)) and setting.shape.unit != BYTES:
        return default
    return written(default, setting.shape.unit)


def _sections(section: type[Section]) -> Iterator[type[Section]]:
    yield section
    for setting in settings_of(section).values():
        shape = setting.shape.item or setting.shape
        if shape.section is not None:
            yield from _sections(shape.section)


# -- for people -----------------------------------------------------------------------------------

_INTRODUCTION: Final = """\
# Configuration

<!-- Made from device/config/model/ by `make docs`. Do not edit. -->

One YAML file, `/etc/gate-scanner/gate.yaml` on a gate. `gate-scanner check FILE` answers every mistake in it
with its place, `gate-scanner config show` prints what is in force. The samples in `config/` are complete and
commented.

- A setting that is left out has its default. Sections may be left out too; only `gate` and the broker's
  `host` in `uplink` may not.
- A value is typed by its setting: `name: no` names a gate "no", and `pin: 010` is pin 10. Quotation marks are
  needed for a text with a colon and a space in it, or with a special character at its beginning.
- A file is named relative to the folder of the configuration file. Secrets are never written here: a setting
  that ends in `_file` names the file that holds one.
- Of YAML, anchors, references, merge keys, types with `!` and second documents are not used.
- A setting's name ends with its unit where it has one: `_s` seconds, `_ms` milliseconds, `_us` microseconds.
"""


def reference() -> str:
    """Every setting with its meaning, what it takes and its default, as Markdown."""
    parts = [_INTRODUCTION]
    for name, setting in settings_of(Settings).items():
        if setting.shape.section is not None:
            parts.extend(_chapter([name], setting.shape.section))
    return "\n".join(parts)


def _chapter(paths: Sequence[str], section: type[Section]) -> Iterator[str]:
    """What is to be said about a section; several that are alike have one chapter."""
    level = "##" if "." not in paths[0] else "###"
    yield f"{level} {', '.join(f'`{path}`' for path in paths)}\n"
    yield f"{(section.__doc__ or '').strip()}\n"
    known = settings_of(section)
    rows = [_row(setting) for setting in known.values()]
    yield "\n".join(("| setting | meaning | allowed | default |", "|---|---|---|---|", *rows, ""))
    for below, names in groupby(known, key=lambda name: _below(known[name])):
        if below is not None:
            yield from _chapter([f"{paths[0]}.{name}" for name in names], below)


def _below(setting: Setting) -> type[Section] | None:
    return (setting.shape.item or setting.shape).section


def _row(setting: Setting) -> str:
    allowed = setting.shape.what
    if _below(setting) is not None:
        allowed = "a list of sections, below" if setting.shape.item else "a section, below"
    if setting.field.is_required():
        default = "required"
    elif _default(setting) is None:
        default = "-"
    else:
        default = f"`{as_yaml(setting.field.default, setting.shape.unit)}`"
    cells = (f"`{setting.name}`", setting.field.description or "", allowed, default)
    return f"| {' | '.join(cells)} |"


# -- into the source tree -------------------------------------------------------------------------


def generated() -> dict[str, str]:
    """The generated files: path in the source tree and content."""
    schema = json.dumps(json_schema(), indent=2, ensure_ascii=False)
    return {SCHEMA_FILE: f"{schema}\n", REFERENCE_FILE: reference()}


def main(arguments: list[str]) -> int:
    """`--write` writes the generated files below the working directory."""
    if arguments != ["--write"]:
        sys.stderr.write("python -m device.config.schema --write\n")
        return 2
    for name, content in generated().items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
